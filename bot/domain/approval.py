"""Who may let a change happen, and whether they did. Pure: the facts are read elsewhere, at decision time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.ids import UserId

APPROVE = "white_check_mark"
REJECT = "x"


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """What an environment asks for before a change.

    `group` is a user group's handle (`@release-approvers`); `count` how many distinct people of it; `within` the time
    to be approved; `use_within` the time to be *used* after that. Members of `self_group` may vote for their own
    request (rollback only; `None`: nobody may). Members of `break_glass` may go on without votes, with a reason.
    """

    group: str
    count: int = 1
    within: timedelta = timedelta(minutes=30)
    use_within: timedelta = timedelta(minutes=30)
    self_group: str | None = None
    break_glass: str | None = None
    approve_emoji: str = APPROVE
    reject_emoji: str = REJECT


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the chat, as the workspace knows them now. `is_outside`: a member of another workspace."""

    id: UserId
    name: str
    is_bot: bool = False
    is_guest: bool = False
    is_deleted: bool = False
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class Electorate:
    """Everything about people that a tally needs, read at decision time.

    `self_voters` are those whose vote counts for what they asked for themselves, and for nothing else. `people` holds
    those who reacted and are `electors`; one who is missing from it is unknown and does not count.
    """

    requester: UserId
    members: frozenset[UserId]
    self_voters: frozenset[UserId]
    people: Mapping[UserId, Person]

    @property
    def electors(self) -> frozenset[UserId]:
        """Everybody whose vote can count: the group, the requester only by leave to vote for their own request."""
        return (self.members - {self.requester}) | (self.self_voters & {self.requester})


@dataclass(frozen=True, slots=True)
class IgnoredVote:
    """A vote that does not count, and the clause that says why."""

    user: UserId
    why: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What the votes amount to. `ignored` keeps the order in which Slack lists people."""

    approved_by: tuple[UserId, ...]
    rejected_by: tuple[UserId, ...]
    ignored: tuple[IgnoredVote, ...]
    needed: int

    @property
    def rejected(self) -> bool:
        """One eligible rejection is enough."""
        return bool(self.rejected_by)

    @property
    def approved(self) -> bool:
        """Enough distinct eligible people said yes, and none said no."""
        return not self.rejected and len(self.approved_by) >= self.needed


@dataclass(frozen=True, slots=True)
class Ballot:
    """The message people react to. `number` counts from 1 within a run; each has a message and a seal of its own.

    `approved_by` and `ignored` are the last tally, for display; only the tally made at decision time decides. `shared`:
    the channel had people of other organisations in it when the ballot was opened, so that is no news. `closed` says
    why it counts no more; empty while it is open. `decided`: people closed it, by their votes.
    """

    number: int
    seal: str
    opened_at: datetime
    approved_by: tuple[UserId, ...] = ()
    ignored: tuple[IgnoredVote, ...] = ()
    shared: bool = False
    closed: str = ""
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes that was counted: by whom, when, and until when it may be used."""

    by: tuple[UserId, ...]
    at: datetime
    use_by: datetime
    used: bool = False
    break_glass: bool = False


def ineligible(user: UserId, electorate: Electorate) -> str | None:
    """Why this person's vote does not count, as a clause; `None` when it does."""
    if user not in electorate.electors:
        return "asked for this release" if user == electorate.requester else "is not in the group"
    person = electorate.people.get(user)
    if person is None:
        return "is unknown to this workspace"
    if person.is_bot:
        return "is a bot"
    if person.is_deleted:
        return "has been deactivated"
    if person.is_guest:
        return "is a guest"
    if person.is_outside:
        return "belongs to another workspace"
    return None


def tally(
    policy: ApprovalPolicy, electorate: Electorate, *, approve: tuple[UserId, ...], reject: tuple[UserId, ...]
) -> Tally:
    """Count distinct eligible people. `approve` and `reject` are the users of the two reactions, in Slack's order.

    Somebody who gave both has rejected: a yes beside a no is not a yes.
    """
    reasons = {user: ineligible(user, electorate) for user in (*approve, *reject)}
    ignored = tuple(IgnoredVote(user, why) for user, why in reasons.items() if why)
    rejected_by = tuple(dict.fromkeys(user for user in reject if reasons[user] is None))
    approved_by = tuple(dict.fromkeys(u for u in approve if reasons[u] is None and u not in rejected_by))
    return Tally(approved_by, rejected_by, ignored, policy.count)
