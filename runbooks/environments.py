"""The parts of the catalogue that say where releases go, and who is asked there."""

import re
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from bot.domain.ids import UserId
from runbooks.durations import PositiveDuration
from runbooks.parts import Name, Part
from runbooks.windows import FreezeWindow

HALF_AN_HOUR = timedelta(minutes=30)


def group(value: object) -> object:
    """A user group's handle; raises ValueError."""
    if not isinstance(value, str) or not re.fullmatch(r"@?[\w.-]+", value):
        raise ValueError(f"'{value}' is not a user group; write its handle in quotes, like \"@release-approvers\"")
    return f"@{value.removeprefix('@')}"


def channel(value: object) -> object:
    """A channel's name or id; raises ValueError. An unquoted `#` begins a comment in YAML, so nothing is left of it."""
    if not isinstance(value, str) or not re.fullmatch(r"#?[\w.-]+", value):
        raise ValueError('write the channel in quotes, like "#deploys"')
    return value


def slack_user(value: object) -> object:
    """A person's Slack id; raises ValueError."""
    if not isinstance(value, str) or not re.fullmatch(r"[UW][A-Z0-9]{2,20}", value):
        raise ValueError(f"'{value}' is not a Slack user id such as U0ANN; a profile shows it under 'Copy member ID'")
    return value


Group = Annotated[str, BeforeValidator(group)]
Channel = Annotated[str, BeforeValidator(channel)]
SlackUser = Annotated[UserId, BeforeValidator(slack_user)]


class ClusterEntry(Part):
    """How to reach a cluster. Both `None`: from inside the cluster, else the default kubeconfig and its context."""

    kubeconfig: str | None = None
    context: str | None = None


class Approval(Part):
    """Who is asked, how many must say yes, and how long that takes and holds. `on_call` may vote for their own
    rollback; `break_glass` may go on without votes; `None`: nobody."""

    from_: Group = Field(alias="from")
    count: int = Field(default=1, ge=1, le=50, strict=True)
    within: PositiveDuration = HALF_AN_HOUR
    use_within: PositiveDuration = HALF_AN_HOUR
    on_call: Group | None = None
    break_glass: Group | None = None


class EnvironmentEntry(Part):
    """A namespace of a cluster. `protected`: nothing changes in it without votes. `channel` wins over the service's.
    `gates` must pass before any release to it, whatever its runbook asks for; a rollback is never held up by them.
    `freeze` are the times at which nothing may change; `exemptions` is who votes on what shall pass them where nobody
    is asked otherwise; `None`: nothing passes there."""

    cluster: str
    namespace: Name
    protected: bool = False
    approval: Approval | None = None
    channel: Channel | None = None
    gates: list[object] = Field(default_factory=list)
    freeze: tuple[FreezeWindow, ...] = ()
    exemptions: Group | None = None

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if self.protected and self.approval is None:
            raise ValueError(
                "a protected environment needs 'approval', such as {from: \"@release-approvers\", count: 2}"
            )
        return self
