"""Names that travel as text. Each is short enough to be typed by a person or is opaque."""

from typing import NewType

RunId = NewType("RunId", str)
"""`api-prod-42`: service, environment and the number of the run on that target."""

StepKey = NewType("StepKey", str)
"""Unique within a plan: `gates.image`, `steps.set_image`, `on_failure.restore`."""

UserId = NewType("UserId", str)
"""A Slack user id such as `U0ALICE`, or `terminal:ann` for somebody at a terminal without one."""

ChannelId = NewType("ChannelId", str)
"""A Slack channel id such as `C0DEPLOYS`."""

MessageKey = NewType("MessageKey", str)
"""The deterministic name of one message we keep in a channel: `api-prod-42/live/1`."""

TERMINAL = ChannelId("terminal")
"""The channel of people who ask at a terminal: they read the database themselves, so nothing is delivered there."""


def terminal_user(name: str) -> UserId:
    """Somebody at a terminal who gave no Slack user id."""
    return UserId(f"{TERMINAL}:{name}")


def at_terminal(user: UserId) -> bool:
    """Whether this is such a person, of whom Slack knows nothing."""
    return user.startswith(f"{TERMINAL}:")


def run_id(service: str, environment: str, number: int) -> RunId:
    """The id of the `number`-th run on a target; `number` counts from 1 and comes from the store."""
    return RunId(f"{service}-{environment}-{number}")


def reply_key(number: int) -> MessageKey:
    """The answer to an invocation that was carried out."""
    return MessageKey(f"reply/{number}")


def slip_key(number: int) -> MessageKey:
    """The answer to an invocation upon which nothing was done."""
    return MessageKey(f"slip/{number}")


def live_key(run: RunId, edition: int) -> MessageKey:
    """The key of a run's release message; each edition of the plan has its own, the first from edition 1."""
    return MessageKey(f"{run}/live/{max(edition, 1)}")


def run_of_key(key: MessageKey) -> RunId:
    """The run whose message this is."""
    return RunId(key.partition("/")[0])
