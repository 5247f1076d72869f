"""The whole stand-in, put together: a Slack workspace that the app reaches over loopback HTTP."""

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.ports.clock import Clock
from bot.sandbox.loopback import Outage, listening
from bot.sandbox.slack.acme import Acme
from bot.sandbox.slack.admins import Admins
from bot.sandbox.slack.chat_methods import ChatMethods
from bot.sandbox.slack.conversation_methods import ConversationMethods
from bot.sandbox.slack.delivery import ACKNOWLEDGED_WITHIN, Deliveries, Sleep, sleep
from bot.sandbox.slack.events import Events
from bot.sandbox.slack.file_methods import FileMethods
from bot.sandbox.slack.files import Files
from bot.sandbox.slack.interactions import Interactions
from bot.sandbox.slack.journal import Journal
from bot.sandbox.slack.limits import Faults, PostingLimit
from bot.sandbox.slack.modals import Modals
from bot.sandbox.slack.people import People
from bot.sandbox.slack.people_methods import PeopleMethods
from bot.sandbox.slack.reaction_methods import ReactionMethods
from bot.sandbox.slack.rendering import SLACKBOT
from bot.sandbox.slack.triggers import Triggers
from bot.sandbox.slack.view_methods import ViewMethods
from bot.sandbox.slack.web_api import WebApi
from bot.sandbox.slack.workspace import Workspace

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """How the stand-in takes its time. `stamp`: what requests are signed with, seconds since the epoch; it must agree
    with the clock of the app's door. `sleep`: waits before an event is sent again. `within`: the app's time to answer,
    real. `limits_posts`: about one message a second in a channel, by the stand-in's clock."""

    stamp: Callable[[], float] = time.time
    sleep: Sleep = sleep
    within: timedelta = ACKNOWLEDGED_WITHIN
    limits_posts: bool = True


class SlackStandIn:
    """A workspace. `people` act in it, `admins` look after it, `changes` tells what happened, `outage` takes it down,
    `faults` makes its answers bad, and `request_url` says where the app is: it may be set and changed at any time."""

    def __init__(
        self, clock: Clock, *, acme: Acme | None = None, signing_secret: str = "", timing: Timing | None = None
    ) -> None:
        timing = timing or Timing()
        self.acme = acme or Acme()
        self.signing_secret = signing_secret or secrets.token_hex(16)
        self.changes = Journal(begin=int(clock.now().timestamp() * 1000))
        self.outage = Outage("Slack")
        self.faults = Faults()
        self.posting_limit = PostingLimit(clock, is_on=timing.limits_posts)
        self.workspace = Workspace(self.acme, clock=clock, journal=self.changes)
        self.files = Files()
        self.modals = Modals(self.acme, self.changes)
        self._triggers = Triggers(clock)
        self._deliveries = Deliveries(
            secret=self.signing_secret,
            outage=self.outage,
            stamp=timing.stamp,
            sleep=timing.sleep,
            within=timing.within,
        )
        self.workspace.on_event = Events(self.workspace, self._deliveries).happened
        interactions = Interactions(self.workspace, self.modals, self._triggers, self._deliveries)
        self.people = People(self.workspace, interactions, self.outage)
        self.admins = Admins(self.workspace)
        self.web_api = self._web_api()

    @property
    def request_url(self) -> str | None:
        """Where commands, clicks, forms and events go; `None`: the app is away."""
        return self._deliveries.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self._deliveries.request_url = url

    @property
    def api_url(self) -> str:
        """The base of the Web API, ending in `/api/`; while it is served."""
        return f"{self.workspace.url}/api/"

    @asynccontextmanager
    async def serving(self, *, port: int = 0) -> AsyncIterator[str]:
        """Serve inside the block; yields the `api_url`. What runs in the background ends with it."""
        async with listening(self.web_api.application(self.outage), port=port) as url, self._deliveries:
            self.workspace.url = url
            yield self.api_url

    async def verify(self) -> bool:
        """Whether the app at `request_url` answers the challenge that Slack asks before it sends events."""
        return await self._deliveries.verify()

    async def delivered(self) -> None:
        """Until no request to the app is under way. Events that wait to be sent again are not under way."""
        await self._deliveries.settled()

    def snapshot(self, user: str) -> Body:
        """Everything as that person (by name or id) sees it now, and the `number` of the newest change in it.

        Raises SlackFaultError (`user_not_found`).
        """
        me = self.people.find(user).id
        rooms = [room for room in self.workspace.rooms.values() if room.is_seen_by(me)]
        return {
            "number": self.changes.number,
            "me": me,
            "team": {"id": self.acme.team_id, "name": self.acme.name},
            "down": self.outage.down,
            "people": self._people_shown(),
            "groups": [{"id": group.id, "handle": group.handle} for group in self.workspace.groups.values()],
            "channels": [
                {
                    **self.workspace.room_shown(room, user=me),
                    "messages": [
                        self.workspace.page_message(message)
                        for message in room.messages.values()
                        if message.only_for in (None, me)
                    ],
                }
                for room in rooms
            ],
            "views": [self.modals.shown(modal) for modal in self.modals.of(me)],
        }

    def _people_shown(self) -> list[Body]:
        shown = [
            {"id": who.id, "name": who.name, "is_bot": who.is_bot, "is_guest": who.is_guest, "deleted": who.is_deleted}
            for who in self.workspace.people.values()
        ]
        return [*shown, {"id": SLACKBOT, "name": "Slackbot", "is_bot": True, "is_guest": False, "deleted": False}]

    def _web_api(self) -> WebApi:
        methods = (
            ChatMethods(self.workspace, self.posting_limit).methods()
            | ConversationMethods(self.workspace).methods()
            | ReactionMethods(self.workspace).methods()
            | PeopleMethods(self.workspace).methods()
            | ViewMethods(self.workspace, self.modals, self._triggers).methods()
            | FileMethods(self.workspace, self.files, self.posting_limit).methods()
        )
        return WebApi(self.workspace, methods, files=self.files, triggers=self._triggers, faults=self.faults)
