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
    """How to reach a cluster. Both `None`: the default kubeconfig and its context; without such a file, the service
    account of Sluice's own pod."""

    kubeconfig: str | None = Field(default=None, description="The path of a kubeconfig.")
    context: str | None = Field(default=None, description="The context in it.")


class Approval(Part):
    """Who is asked, how many must say yes, and how long that takes and holds."""

    from_: Group = Field(alias="from", description="The user group whose votes count.")
    count: int = Field(default=1, ge=1, le=50, strict=True, description="How many of them must say yes.")
    within: PositiveDuration = Field(default=HALF_AN_HOUR, description="How long they may take.")
    use_within: PositiveDuration = Field(default=HALF_AN_HOUR, description="How long after that the change may begin.")
    on_call: Group | None = Field(default=None, description="Who may vote for their own rollback; left out: nobody.")
    break_glass: Group | None = Field(default=None, description="Who may go on without votes; left out: nobody.")


class EnvironmentEntry(Part):
    """A namespace of a cluster, and what holds for every release to it."""

    cluster: str = Field(description="One of `clusters`.")
    namespace: Name = Field(description="Its namespace.")
    protected: bool = Field(default=False, description="Whether nothing may change in it without votes.")
    approval: Approval | None = Field(default=None, description="Who is asked; required where `protected`.")
    channel: Channel | None = Field(
        default=None, description="Where its releases are told, instead of the service's own channel."
    )
    gates: list[object] = Field(
        default_factory=list,
        description="Gates before any release to it, whatever its runbook asks for; never before a rollback.",
    )
    freeze: tuple[FreezeWindow, ...] = Field(default=(), description="When nothing may change.")
    exemptions: Group | None = Field(
        default=None,
        description="Who votes on a change during a freeze, where nobody is asked otherwise; left out: nothing passes.",
    )

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if self.protected and self.approval is None:
            raise ValueError(
                "a protected environment needs 'approval', such as {from: \"@release-approvers\", count: 2}"
            )
        return self
