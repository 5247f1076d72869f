"""SARIF 2.1.0 (OASIS) as Trivy writes it, read into what it means. Pure.

Source: aquasecurity/trivy, pkg/report/sarif.go: a rule for each vulnerability with its severity among the tags, a
message for each finding with a line for each of its parts, the image's digests among the run's properties.
"""

import re
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bot.domain.errors import UnreadableError
from bot.domain.image import DIGEST, Digest
from bot.domain.json import JsonObject
from bot.domain.vulnerability import Finding, ScanReport, Severity

OTHER_SORTS = frozenset({"misconfiguration", "secret", "license"})
"""The tags of what Trivy reports beside vulnerabilities. Whatever has none of them counts as a vulnerability."""

LINE = re.compile(r"^(Package|Installed Version|Fixed Version): *(.*)$", re.MULTILINE)
LONGEST = 120


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class _RuleProperties(_Part):
    tags: tuple[str, ...] = ()


class _Rule(_Part):
    id: str
    help_uri: str = ""
    properties: _RuleProperties = _RuleProperties()


class _Driver(_Part):
    name: str
    rules: tuple[_Rule, ...]


class _Tool(_Part):
    driver: _Driver


class _Message(_Part):
    text: str = ""


class _Result(_Part):
    rule_id: str
    message: _Message


class _Invocation(_Part):
    execution_successful: bool
    end_time_utc: AwareDatetime | None = Field(default=None, alias="endTimeUtc")


class _RunProperties(_Part):
    repo_digests: tuple[str, ...] | None = None


class _Run(_Part):
    tool: _Tool
    results: tuple[_Result, ...]
    invocations: tuple[_Invocation, ...] = ()
    properties: _RunProperties = _RunProperties()


class _Sarif(_Part):
    version: str
    runs: tuple[_Run, ...] = Field(min_length=1)


def is_sarif(document: JsonObject) -> bool:
    """Whether it means to be SARIF."""
    return "runs" in document or "sarif" in str(document.get("$schema", "")).lower()


def read_sarif(document: JsonObject, source: str, *, written: datetime | None) -> ScanReport:
    """A SARIF log. `written` is used where no run says when it ended. Raises UnreadableError.

    A run without `results` has not run (SARIF 2.1.0, 3.14.23: an empty list means that nothing was found); one without
    `rules` cannot tell how bad anything is.
    """
    try:
        log = _Sarif.model_validate(document)
    except ValidationError as exc:
        fault = exc.errors(include_url=False, include_context=False)[0]
        at = ".".join(str(part) for part in fault["loc"])
        raise UnreadableError(f"{source} is no SARIF: '{at[:LONGEST]}': {fault['msg']}") from exc
    if not all(invocation.execution_successful for run in log.runs for invocation in run.invocations):
        raise UnreadableError(f"{source} tells of a scan that failed")
    ends = [one.end_time_utc for run in log.runs for one in run.invocations if one.end_time_utc]
    references = [reference for run in log.runs for reference in run.properties.repo_digests or ()]
    digests = (Digest(one.rpartition("@")[2]) for one in references)
    return ScanReport(
        digests=frozenset(one for one in digests if DIGEST.fullmatch(one)),
        created=min(ends, default=written),
        findings=tuple(found for run in log.runs for found in _findings(run, source)),
        source=source,
    )


def _findings(run: _Run, source: str) -> list[Finding]:
    rules = {rule.id: rule for rule in run.tool.driver.rules}
    found = []
    for result in run.results:
        rule = rules.get(result.rule_id)
        if rule is None:
            raise UnreadableError(f"{source} has no rule for its finding '{result.rule_id[:LONGEST]}'")
        if not OTHER_SORTS.intersection(rule.properties.tags):
            found.append(_finding(rule, result))
    return found


def _finding(rule: _Rule, result: _Result) -> Finding:
    said = dict(LINE.findall(result.message.text))
    known = [tag for tag in rule.properties.tags if tag.upper() in set(Severity)]
    return Finding(
        rule.id.strip()[:LONGEST],
        said.get("Package", "").strip()[:LONGEST],
        said.get("Installed Version", "").strip()[:LONGEST],
        said.get("Fixed Version", "").strip()[:LONGEST],
        Severity.of(known[0] if known else ""),
        rule.help_uri if rule.help_uri.startswith(("https://", "http://")) else "",
    )
