"""Freezes and locks as people read them, and who may lift them."""

from datetime import datetime

from bot.domain.hold import EVERYTHING, Freeze, Lock
from bot.domain.ids import MessageKey
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from commands.wording import clock_time, person, safe, typed
from runbooks.catalogue import Catalogue
from runbooks.durations import roughly
from runbooks.windows import Frozen, whole_minute

Hold = Freeze | Lock


def lifters(catalogue: Catalogue, environment: str) -> tuple[str, ...]:
    """The groups whose members may lift what somebody else holds back there: who votes, and who is on call. `all`:
    those of every environment. Raises UsageError."""
    named = list(catalogue.environments) if environment == EVERYTHING else [environment]
    groups: list[str | None] = []
    for each in named:
        place = catalogue.environment(each)
        asked = place.approval
        groups += [asked.from_, asked.on_call] if asked else []
        groups.append(place.exemptions)
    return tuple(dict.fromkeys(group for group in groups if group))


def scope_word(scope: str) -> str:
    """What a freeze stops, for the middle of a sentence."""
    return "*everything*" if scope == EVERYTHING else f"*{safe(scope)}*"


def until_word(until: datetime | None, now: datetime) -> str:
    """Until when, or how it ends."""
    return f"until {clock_time(whole_minute(until), now)}" if until else "until somebody lifts it"


def freeze_line(freeze: Freeze, now: datetime) -> str:
    """A person's freeze in one line."""
    lifted = typed(f"unfreeze {freeze.scope}")
    return (
        f":snowflake: {scope_word(freeze.scope)} is frozen by {person(freeze.by)} {until_word(freeze.until, now)}: "
        f"{safe(freeze.reason)} · {lifted}"
    )


def frozen_line(found: Frozen, now: datetime) -> str:
    """What freezes an environment by the calendar, in one line."""
    return f":snowflake: {scope_word(found.environment)} is frozen {until_word(found.until, now)}: {safe(found.reason)}"


def told(key: str, channel: str, text: str, *, at: datetime) -> Telling:
    """A message to a channel about what is held back; `at` tells two holds of one place apart."""
    return Telling(
        MessageKey(f"hold/{key}/{channel}/{int(at.timestamp() * 1000)}"), channel, Content(text), urgent=True
    )


def age(hold: Hold, now: datetime) -> str:
    """How long somebody has held it."""
    return roughly(now - hold.since)
