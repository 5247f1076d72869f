"""User groups by handle. What a handle means is remembered for mentions only; who may vote is read anew each time."""

from datetime import datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import NotFoundError, UnreadableError
from bot.domain.ids import UserId
from bot.ports.clock import Clock
from bot.slack.web_api import calling, items_of

KEPT_FOR = timedelta(minutes=10)
"""How long ids are remembered: `usergroups.list` is limited to about 20 calls a minute."""

JUST_READ = timedelta(seconds=3)
"""How old the list may be when people are counted: a handle may have passed to another group meanwhile. So often the
limit on `usergroups.list` allows it to be read."""

ASKED_AGAIN_AFTER = timedelta(seconds=30)
"""How soon an unknown handle makes us read the list again: a group may just have been made."""


class Groups:
    """The user groups of the workspace."""

    def __init__(self, client: AsyncWebClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._ids: dict[str, str] = {}
        self._read_at: datetime | None = None

    async def id(self, handle: str) -> str:
        """The id of a group by its handle, with or without `@`. Raises NotFoundError, UnreachableError."""
        wanted = handle.removeprefix("@").lower()
        age = self._clock.now() - self._read_at if self._read_at else None
        if age is None or age > KEPT_FOR or (wanted not in self._ids and age > ASKED_AGAIN_AFTER):
            await self._read()
        if wanted not in self._ids:
            raise NotFoundError(f"the workspace has no user group @{wanted}")
        return self._ids[wanted]

    async def members(self, handle: str) -> frozenset[UserId]:
        """Who is in the group that has the handle now. Raises NotFoundError, UnreachableError."""
        if self._read_at is None or self._clock.now() - self._read_at > JUST_READ:
            await self._read()
        group = await self.id(handle)
        try:
            async with calling(f"list the members of @{handle.removeprefix('@')}"):
                answer = await self._client.usergroups_users_list(usergroup=group, include_disabled=False)
        except NotFoundError:
            self._read_at = None  # the remembered id is of a group that is gone: read the list at the next call
            raise
        users = answer.get("users")
        if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
            raise UnreadableError("Slack's answer has no list of users")
        return frozenset(UserId(user) for user in users)

    async def _read(self) -> None:
        async with calling("list the user groups"):
            answer = await self._client.usergroups_list(include_disabled=False)
        groups = [group for group in items_of(answer, "usergroups") if not group.get("date_delete")]
        self._ids = {str(group.get("handle", "")).lower(): str(group.get("id", "")) for group in groups}
        self._read_at = self._clock.now()
