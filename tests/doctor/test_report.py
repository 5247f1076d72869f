"""What a tired person reads: legible at 80 columns and without colour, the worst where the eye is."""

import json

from bot.doctor.finding import WHOLE, Area, Finding
from bot.doctor.report import as_json, lines, summary

WELL = Area.SLACK.ok("bot token", "@sluice in Acme")
DOUBT = Area.SLACK.warning("scopes", "more than Sluice needs: admin", "take it away")
AWAY = Area.CLUSTER.unknown("cluster main", "it does not answer", "let it be reached")
BAD = Area.SLACK.fault("#deploys", "the bot is not a member", "type `/invite @sluice` in #deploys")
LONG = Area.CLUSTER.fault(
    "prod of cluster main",
    "Sluice may not patch deployments.apps (Deployments); create, delete deployments.apps (canaries)",
    "`sluice rbac --cluster main --namespace prod | kubectl apply -f -`",
)


def text(*findings: Finding, width: int = 80) -> str:
    """All lines."""
    return "\n".join(line.text for line in lines(findings, width=width))


def test_what_is_well_comes_first_and_the_worst_last() -> None:
    """Each that is not well with its fix; the sum at the end."""
    assert text(BAD, WELL, AWAY, DOUBT) == (
        "slack\n"
        "  ok  bot token: @sluice in Acme\n"
        "\n"
        "  warning  slack, scopes: more than Sluice needs: admin\n"
        "           fix: take it away\n"
        "\n"
        "  unknown  cluster, cluster main: it does not answer\n"
        "           fix: let it be reached\n"
        "\n"
        "  fault    slack, #deploys: the bot is not a member\n"
        "           fix: type `/invite @sluice` in #deploys\n"
        "\n"
        "1 fault, 1 unknown, 1 warning; 1 well. Mend the faults first: what is unknown\n"
        "may come of them."
    )


def test_long_findings_are_wrapped_and_words_are_not() -> None:
    """What is to be typed stays whole where it fits."""
    shown = text(LONG)
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "\n           `sluice rbac --cluster main --namespace prod | kubectl apply -f -`\n" in shown


def test_what_is_alike_is_told_once() -> None:
    """Areas that were not looked at for the same reason, targets that lack the same."""
    shut = [area.unknown(WHOLE, "not looked at", "mend it") for area in (Area.CLUSTER, Area.CI)]
    both = [Area.METRICS.fault(f"api/{at} cpu", "no data", "mend it") for at in ("staging", "prod")]
    assert "  fault    metrics, api/staging cpu, api/prod cpu: no data\n" in text(*both)
    assert "  unknown  cluster, ci: not looked at\n" in text(*shut)


def test_the_sum() -> None:
    """Warnings stop nobody; nothing is said of what there is none of."""
    assert summary([WELL]) == "All well: 1 thing looked at."
    assert summary([WELL, WELL, DOUBT]) == "Nothing stops releases: 2 well, 1 warning."
    assert summary([WELL, BAD, LONG]) == "2 faults; 1 well."


def test_scripts_read_the_same() -> None:
    """Every finding with all its parts, and whether releases may go on."""
    found = json.loads(as_json([WELL, BAD]))
    assert found["well"] is False
    assert found["findings"][1] == {
        "area": "slack",
        "subject": "#deploys",
        "grade": "fault",
        "seen": "the bot is not a member",
        "fix": "type `/invite @sluice` in #deploys",
        "detail": "",
    }
    assert json.loads(as_json([WELL, DOUBT]))["well"] is True
