"""Who and what is in the workspace unless somebody wants another: the one table of names and ids.

`COMMANDS`, `EVENTS` and `SCOPES` are those of the app's manifest (`deploy/slack-manifest.yaml`; a test compares them).
"""

from dataclasses import dataclass, field

COMMANDS = frozenset({"/deploy", "/canary", "/promote", "/rollback", "/release"})
EVENTS = frozenset(
    {
        "app_mention",
        "channel_archive",
        "channel_deleted",
        "channel_left",
        "channel_shared",
        "channel_unarchive",
        "channel_unshared",
        "group_archive",
        "group_deleted",
        "group_left",
        "group_unarchive",
        "message.channels",
        "message.groups",
        "reaction_added",
        "reaction_removed",
    }
)
SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "im:write",
        "reactions:read",
        "reactions:write",
        "usergroups:read",
        "users:read",
    }
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. Their own token is `xoxp-NAME`."""

    id: str
    name: str
    is_guest: bool = False
    is_deleted: bool = False
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is at the beginning. `members`: `None` for everybody who has an account, the bot included."""

    id: str
    name: str
    is_private: bool = False
    members: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A user group; `handle` without its sign."""

    id: str
    handle: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class App:
    """The bot as it is installed. `token` is a pretended one that opens nothing but the stand-in."""

    user: str = "U0SLUICE"
    name: str = "sluice"
    bot_id: str = "B0SLUICE"
    id: str = "A0SLUICE"
    token: str = "xoxb-sandbox"
    scopes: frozenset[str] = SCOPES
    commands: frozenset[str] = COMMANDS
    events: frozenset[str] = EVENTS


PEOPLE = (
    Person("U0ANN", "ann"),
    Person("U0BOB", "bob"),
    Person("U0CAROL", "carol"),
    Person("U0DAVE", "dave"),
    Person("U0EVE", "eve", is_guest=True),
    Person("U0FRANK", "frank", is_deleted=True),
)
CHANNELS = (Channel("C0DEPLOYS", "deploys"), Channel("C0PROD", "prod"))
GROUPS = (
    Group("S0APPROVERS", "release-approvers", ("U0ANN", "U0BOB", "U0CAROL")),
    Group("S0ONCALL", "on-call", ("U0ANN",)),
)


@dataclass(frozen=True, slots=True)
class Acme:
    """A workspace at its beginning."""

    team_id: str = "T0ACME"
    name: str = "Acme"
    domain: str = "acme"
    app: App = field(default_factory=App)
    people: tuple[Person, ...] = PEOPLE
    channels: tuple[Channel, ...] = CHANNELS
    groups: tuple[Group, ...] = GROUPS
