"""The forms that `/deploy`, `/canary`, `/promote` and `/rollback` open when no word stands behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.json import Json, JsonObject
from bot.slack.blocks import plain_text

CALLBACK_PREFIX = "sluice."
FORM_VERBS = frozenset({"deploy", "canary", "promote", "rollback"})
OPTIONS_LIMIT = 100
OPTION_LIMIT = 75
REASON_LIMIT = 500


@dataclass(frozen=True, slots=True)
class FormChoices:
    """What can be chosen now: the names in the catalogue."""

    services: tuple[str, ...]
    environments: tuple[str, ...]


def form(verb: str, choices: FormChoices, *, channel: str) -> JsonObject:
    """The modal for a verb. `channel` travels with it: a submission does not say where it was asked for."""
    service = _choice("service", "Service", choices.services)
    environment = _choice("environment", "Environment", choices.environments)
    reason = _text("reason", "Why?", hint="Shown to those who approve, and kept.", optional=True, limit=REASON_LIMIT)
    if verb == "rollback":
        to = _text("ref", "Back to", hint="A healthy release; empty: the last known good one.", optional=True)
        return _modal(verb, "Roll back", [service, environment, to, reason], channel=channel)
    if verb == "promote":
        origin = _choice("from", "From", choices.environments)
        to = _choice("environment", "To", choices.environments)
        return _modal(verb, "Promote", [service, origin, to, reason], channel=channel)
    ref = _text("ref", "What to release", hint="A tag, a commit, or a digest (sha256:…).")
    return _modal(verb, verb.capitalize(), [service, ref, environment, reason], channel=channel)


def _modal(verb: str, title: str, blocks: list[Json], *, channel: str) -> JsonObject:
    return {
        "type": "modal",
        "callback_id": f"{CALLBACK_PREFIX}{verb}",
        "private_metadata": channel,
        "title": plain_text(title, 24),
        "submit": plain_text(title, 24),
        "close": plain_text("Cancel", 24),
        "blocks": blocks,
    }


def _choice(name: str, label: str, options: Sequence[str]) -> JsonObject:
    """A menu; a text field where Slack would not take the menu (no option, too many, too long)."""
    if not 1 <= len(options) <= OPTIONS_LIMIT or any(len(option) > OPTION_LIMIT for option in options):
        return _text(name, label, hint="Its name in the catalogue.")
    listed: list[Json] = [{"text": plain_text(option, OPTION_LIMIT), "value": option} for option in options]
    element: JsonObject = {"type": "static_select", "action_id": name, "options": listed}
    return {"type": "input", "block_id": name, "label": plain_text(label, OPTION_LIMIT), "element": element}


def _text(name: str, label: str, *, hint: str, optional: bool = False, limit: int = 200) -> JsonObject:
    return {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, OPTION_LIMIT),
        "hint": plain_text(hint, OPTION_LIMIT),
        "optional": optional,
        "element": {"type": "plain_text_input", "action_id": name, "max_length": limit},
    }
