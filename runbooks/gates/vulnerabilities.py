"""vulnerabilities: a recent scan of this very image found nothing at or above a threshold that nobody answers for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from bot.domain.outcome import Evidence, Failed, Outcome, Succeeded
from bot.domain.vulnerability import Finding, ScanReport, Severity, tally
from bot.ports.execution import StepContext
from runbooks.durations import PositiveDuration, roughly, say
from runbooks.kinds import FILLED_IN, GateKind, StepSpec
from runbooks.scanning import ScanFinder, Scanned
from runbooks.supply_chain import Signatures, VulnerabilityException

CLOCKS_APART = timedelta(minutes=5)
"""How far ahead a scanner's clock may be; a report from further in the future is not believed."""

MOST_LINES = 20
MOST_REASONS = 3


class VulnerabilitiesSpec(StepSpec):
    """`threshold`: the least severity that counts. `fixable_only`: a fault for which there is no fixed version does not
    count. `unknown_counts`: a fault of unknown severity does. `max_age` of the report, by its own time. `source`: where
    reports are looked for; `either`: in the cluster where the registry has none for the whole image. `signed`: only
    reports in attestations count that are signed as the catalogue's `signatures` say. `exceptions` and `signatures` are
    the catalogue's; a plan holds those of its time."""

    shorthand: ClassVar[str | None] = "threshold"
    threshold: Severity = Severity.HIGH
    fixable_only: bool = False
    unknown_counts: bool = Field(
        default=True, description="Whether a fault of unknown severity counts as one at the threshold."
    )
    max_age: PositiveDuration = Field(
        default=timedelta(days=7), description="How old the report may be, by its own time."
    )
    source: Literal["image", "cluster", "either"] = "image"
    signed: bool = False
    exceptions: tuple[VulnerabilityException, ...] = Field(default=(), description=FILLED_IN)
    signatures: Signatures | None = Field(default=None, description=FILLED_IN)

    @model_validator(mode="after")
    def _signed_reports_are_in_the_registry(self) -> Self:
        if self.signed and self.source != "image":
            raise ValueError("reports in a cluster are not signed; with 'signed: true' the source must be 'image'")
        return self

    def read_aloud(self) -> str:
        where = {"image": "attached to the image", "cluster": "in the cluster", "either": "of the image"}[self.source]
        signed = "signed " if self.signed else ""
        what = f"{self.threshold} or worse" if self.threshold is not Severity.CRITICAL else "CRITICAL"
        fixable = " that could be fixed" if self.fixable_only else ""
        return f"A {signed}scan report {where}, at most {say(self.max_age)} old, must show nothing {what}{fixable}."


KIND = GateKind(
    name="vulnerabilities",
    spec=VulnerabilitiesSpec,
    deadline=timedelta(minutes=10),
    about="A recent scan of this image found nothing at or above a threshold, dated exceptions left aside.",
)


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Findings that count: those that nobody answers for, those that somebody does, and those whose time is over."""

    open: tuple[Finding, ...]
    excepted: tuple[tuple[Finding, VulnerabilityException], ...]
    expired: tuple[VulnerabilityException, ...]


class VulnerabilitiesGate:
    """Reads reports of the digest that will run. A missing, old or strange report never passes."""

    def __init__(self, finder: ScanFinder) -> None:
        self._finder = finder

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, plan = VulnerabilitiesSpec.model_validate(context.params), context.plan
        if spec.signed and spec.signatures is None:
            return Failed("nobody says whose signature a report must have; write 'signatures' into sluice.yaml")
        looked = await self._looked(spec, context)
        missing = looked[-1].missing(plan.artifact.digest)
        if all(one.missing(plan.artifact.digest) for one in looked):
            return Failed(_none(spec, missing, [why for one in looked for why in one.refused]))
        reports = tuple(report for one in looked for report in one.newest())
        return _untimely(spec, context, reports) or _judged(spec, context, reports)

    async def _looked(self, spec: VulnerabilitiesSpec, context: StepContext) -> tuple[Scanned, ...]:
        """What was found, in the places where it was looked for."""
        plan, looked = context.plan, []
        if spec.source != "cluster":
            by = spec.signatures.signer if spec.signed and spec.signatures else None
            looked.append(await self._finder.attached(plan, by))
        if spec.source == "cluster" or (spec.source == "either" and looked[0].missing(plan.artifact.digest)):
            looked.append(await self._finder.in_clusters(plan))
        return tuple(looked)


def _none(spec: VulnerabilitiesSpec, missing: Iterable[str], refused: list[str]) -> str:
    """Why there is no report, and what to do."""
    platforms = ", ".join(platform for platform in missing if platform)
    of = f" for {platforms}" if platforms else ""
    attach = "attach one, as with `trivy image -f cosign-vuln … | trivy referrer put`"
    if spec.signed:
        attach = "attach one, as with `cosign attest --type vuln --predicate report.json …`"
    fix = "let the Trivy Operator scan it where it runs" if spec.source == "cluster" else attach
    said = f"there is no {'signed ' if spec.signed else ''}scan report of this image{of}; {fix}"
    more = "; ".join(dict.fromkeys(refused[:MOST_REASONS]))
    return f"{said} (not counted: {more})" if more else said


def _untimely(spec: VulnerabilitiesSpec, context: StepContext, reports: tuple[ScanReport, ...]) -> Failed | None:
    """A failure when a report is too old, from the future, or does not say when it was made."""
    for report in reports:
        if report.created is None:
            return Failed(f"{report.source} does not say when it was made; attach one that does")
        age = context.now - report.created
        if age < -CLOCKS_APART:
            return Failed(f"{report.source} is from the future ({report.created:%Y-%m-%d %H:%M} UTC); scan again")
        if age > spec.max_age:
            return Failed(f"{report.source} is {roughly(age)} old, more than {say(spec.max_age)}; scan again")
    return None


def _judged(spec: VulnerabilitiesSpec, context: StepContext, reports: tuple[ScanReport, ...]) -> Outcome:
    found = dict.fromkeys(finding for report in reports for finding in report.findings if _counts(spec, finding))
    sorted_ = _sorted(spec, context, tuple(found))
    evidence = _evidence(sorted_, reports)
    worst = max(sorted_.open, key=lambda one: one.severity.rank, default=None)
    if worst is None:
        excepted = f", {len(sorted_.excepted)} excepted" if sorted_.excepted else ""
        return Succeeded(f"no {spec.threshold}{excepted}", evidence=evidence)
    if sorted_.expired:
        over = ", ".join(str(each) for each in sorted_.expired[:MOST_REASONS])
        fix = f"the exception is over: {over}; update the component, or decide anew in sluice.yaml"
    else:
        fix = "update the components, or write who answers for them until when under 'vulnerabilities' in sluice.yaml"
    return Failed(f"{tally(sorted_.open)}; {fix}", evidence=evidence, link=worst.link)


def _counts(spec: VulnerabilitiesSpec, finding: Finding) -> bool:
    if spec.fixable_only and not finding.fixed:
        return False
    if finding.severity is Severity.UNKNOWN:
        return spec.unknown_counts or spec.threshold is Severity.UNKNOWN
    return finding.severity.rank >= spec.threshold.rank


def _sorted(spec: VulnerabilitiesSpec, context: StepContext, findings: tuple[Finding, ...]) -> _Sorted:
    open_, excepted, expired = [], [], []
    for finding in findings:
        about = [each for each in spec.exceptions if each.covers(finding.id)]
        holds = next((each for each in about if not each.over(context.now)), None)
        if holds is not None:
            excepted.append((finding, holds))
        else:
            open_.append(finding)
            expired += about
    return _Sorted(tuple(open_), tuple(excepted), tuple(dict.fromkeys(expired)))


def _evidence(found: _Sorted, reports: tuple[ScanReport, ...]) -> tuple[Evidence, ...]:
    """The worst first, then what is put up with and who answers for it."""
    worst = sorted(found.open, key=lambda one: (-one.severity.rank, one.id))
    lines = [_line(finding) for finding in worst[:MOST_LINES]]
    lines += [f"and {len(worst) - MOST_LINES} more"] if len(worst) > MOST_LINES else []
    lines += [f"excepted: {_line(finding)}; {each}" for finding, each in found.excepted[:MOST_LINES]]
    if not lines:
        return ()
    sources = ", ".join(dict.fromkeys(f"{one.source}, {one.created:%Y-%m-%d %H:%M} UTC" for one in reports))
    return (Evidence(f"Vulnerabilities ({sources})", tuple(lines)),)


def _line(finding: Finding) -> str:
    versions = f"{finding.installed or '?'} → {finding.fixed or 'no fix yet'}"
    parts = (finding.severity, finding.id, finding.component or "?", versions, finding.link)
    return " ".join(part for part in parts if part)
