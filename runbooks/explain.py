"""A runbook read aloud: Markdown with a diagram, and single sentences for a plan."""

from collections.abc import Mapping, Sequence

from bot.domain.json import Json
from runbooks.durations import say
from runbooks.loader import GATES, STEPS
from runbooks.spec import Entry, Runbook


def explain(runbook: Runbook) -> str:
    """The whole runbook as Markdown."""
    parts = [f"# {runbook.name}", runbook.about]
    if runbook.gates:
        parts += [
            "## Before anything happens",
            "All of these must pass; they are asked side by side.",
            _list(runbook.gates),
        ]
    parts += ["## Steps", _list(runbook.steps, numbered=True), "## If a step fails", failure(runbook)]
    if runbook.on_failure:
        parts.append(_list(runbook.on_failure, numbered=True))
    parts += ["## Diagram", f"```mermaid\n{diagram(runbook)}\n```"]
    return "\n\n".join(parts) + "\n"


def failure(runbook: Runbook) -> str:
    """What a failure does, in a sentence or two."""
    if not runbook.on_failure:
        return "Nothing is undone: what was changed stays as it is, and people are told."
    said = "If nothing was changed yet, the run just ends. Otherwise, without asking anybody again:"
    if any(entry.kind == "restore" for entry in runbook.on_failure):
        return said
    return f"The previous version is **not** brought back. {said}"


def diagram(runbook: Runbook) -> str:
    """The same as a Mermaid flow chart: steps downwards, the way of a failure to the side."""
    lines = ["flowchart TD", "  asked([asked for])"]
    before = "asked"
    if runbook.gates:
        lines += [
            f'  gates{{"{_label(runbook.gates)}"}}',
            "  asked --> gates",
            "  gates -- one fails --> refused([refused])",
        ]
        before = "gates"
    for number, entry in enumerate(runbook.steps, 1):
        lines += [f'  s{number}["{entry.name}"]', f"  {before} --> s{number}"]
        before = f"s{number}"
    lines += [f"  {before} --> succeeded([succeeded])", *_failure_lines(runbook)]
    return "\n".join(lines)


def read_aloud(kind: str, params: Mapping[str, Json]) -> str:
    """What an entry does, in one sentence. A kind that this program does not know is named as such."""
    known = STEPS.get(kind) or GATES.get(kind)
    if known is None:
        return f"`{kind}`, which this version of Sluice does not know."
    return known.spec.model_validate(params).read_aloud()


def _failure_lines(runbook: Runbook) -> list[str]:
    first_change = next((n for n, entry in enumerate(runbook.steps, 1) if STEPS[entry.kind].alters(entry.params)), None)
    if not runbook.on_failure or first_change is None:
        return []
    lines = [f"  s{number} -. fails .-> f1" for number in range(first_change, len(runbook.steps) + 1)]
    for number, entry in enumerate(runbook.on_failure, 1):
        lines.append(f'  f{number}["{entry.name}"]')
        lines += [f"  f{number - 1} --> f{number}"] if number > 1 else []
    end = "restored" if any(entry.kind == "restore" for entry in runbook.on_failure) else "failed"
    return [*lines, f"  f{len(runbook.on_failure)} --> ended([{end}])"]


def _label(gates: Sequence[Entry]) -> str:
    return ", ".join(gate.name for gate in gates)


def _list(entries: Sequence[Entry], *, numbered: bool = False) -> str:
    marks = [f"{number}." if numbered else "-" for number in range(1, len(entries) + 1)]
    return "\n".join(f"{mark} **{entry.name}**: {_sentence(entry)}" for mark, entry in zip(marks, entries, strict=True))


def _sentence(entry: Entry) -> str:
    said = read_aloud(entry.kind, entry.params)
    return f"{said} At most {say(entry.deadline)}." if entry.deadline else said
