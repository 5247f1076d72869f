"""The Directory port over Slack: `users.info` and user groups, read whenever they are asked for."""

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.approval import Person
from bot.domain.errors import NotFoundError, UnreadableError
from bot.domain.ids import UserId
from bot.slack.groups import Groups
from bot.slack.mrkdwn import USER_ID
from bot.slack.web_api import Identity, calling

SLACKBOT = "USLACKBOT"
"""Slack's own bot, which `users.info` does not call one."""


class SlackDirectory:
    """See `bot.ports.directory.Directory`."""

    def __init__(self, client: AsyncWebClient, *, me: Identity, groups: Groups) -> None:
        self._client = client
        self._me = me
        self._groups = groups

    @property
    def me(self) -> UserId:
        """The bot's own user."""
        return self._me.user

    async def person(self, user: UserId) -> Person:
        """What Slack knows about a user now. An account without a home team counts as outside."""
        if not USER_ID.fullmatch(user):
            raise NotFoundError(f"{user} is not a Slack user")
        if user == SLACKBOT:
            return Person(user, "slackbot", is_bot=True)
        async with calling(f"look up the user {user}"):
            answer = await self._client.users_info(user=user)
        account = answer.get("user")
        if not isinstance(account, dict) or account.get("id") != user:
            raise UnreadableError(f"Slack's answer does not describe the user {user}")
        return _person(user, account, me=self._me)

    async def members(self, group: str) -> frozenset[UserId]:
        """The people in a user group now."""
        return await self._groups.members(group)


def _person(user: UserId, account: dict[str, object], *, me: Identity) -> Person:
    profile = account.get("profile")
    shown = profile.get("display_name") if isinstance(profile, dict) else None
    return Person(
        id=user,
        name=str(shown or account.get("name") or user),
        is_bot=bool(account.get("is_bot")),
        is_guest=bool(account.get("is_restricted") or account.get("is_ultra_restricted")),
        is_deleted=bool(account.get("deleted")),
        is_outside=bool(account.get("is_stranger")) or me.team_id not in _teams(account),
    )


def _teams(account: dict[str, object]) -> set[object]:
    """The workspaces of one organisation that the account belongs to."""
    enterprise = account.get("enterprise_user")
    others = enterprise.get("teams") if isinstance(enterprise, dict) else None
    return {account.get("team_id"), *(others if isinstance(others, list) else [])}
