"""Area `catalogue`: sluice.yaml and the runbooks beside it."""

from pathlib import Path

from bot.doctor.finding import Area, Tell
from runbooks.configuration import Configuration, load
from runbooks.lint import lint
from runbooks.source import Fault, Faults, Severity

AREA = Area.CATALOGUE


def read(path: Path, tell: Tell) -> Configuration | None:
    """The configuration; `None` where it has a fault, each of which is told."""
    if not path.exists():
        tell(AREA.fault(str(path), "there is no such file", "set SLUICE_CONFIG to the path of your sluice.yaml"))
        return None
    try:
        found = load(path)
    except Faults as exc:
        for fault in exc.faults:
            tell(AREA.fault(_place(fault), fault.message, fault.suggestion or "mend it; `sluice check` reads it again"))
        return None
    catalogue = found.catalogue
    services, environments = len(catalogue.services), len(catalogue.environments)
    seen = f"{services} services, {environments} environments, {len(found.runbooks)} runbooks"
    tell(AREA.ok(str(path), seen))
    _linted(path, found, tell)
    return found


def _place(fault: Fault) -> str:
    return f"{fault.file}:{fault.line}:{fault.column}"


def _linted(path: Path, found: Configuration, tell: Tell) -> None:
    """The runbooks of one's own. A mistake in one is a fault: it will not do what its author expects."""
    folder = found.catalogue.runbooks_dir
    if folder is None:
        return
    subject, fix = f"runbooks in {folder}", f"`sluice lint {path}` names each with its line"
    findings = lint(path)
    mistakes = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = len(findings) - mistakes
    if mistakes:
        tell(AREA.fault(subject, f"{mistakes} mistakes and {warnings} warnings", fix))
    elif warnings:
        tell(AREA.warning(subject, "one warning" if warnings == 1 else f"{warnings} warnings", fix))
    else:
        tell(AREA.ok(subject, "no warning"))
