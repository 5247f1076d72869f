"""Who watches a story: what people do is told, what the bot answers is told, and each claim is looked at in the world.

Nothing here knows a clock: time passes in the `Stage`, and is written down by the `Teller`.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from bot.domain.ids import ChannelId
from bot.ports.chat import Place
from bot.sandbox.behaviour import Arm
from bot.sandbox.kubernetes.panel import DeploymentShown
from bot.sandbox.slack.records import File, Message, Room
from bot.sandbox.stage import NotAsToldError, Stage
from bot.slack.mrkdwn import plain

WITHIN = timedelta(minutes=5)
"""How long anything may take; a judge may look for three minutes."""

CHANNEL = "deploys"
APPROVE = "white_check_mark"
PNG_HEAD = 24
"""Bytes of a PNG up to its width and height."""


class Teller(Protocol):
    """Where a story is told. Texts are plain: no mrkdwn, no markup."""

    def chapter(self, title: str, about: str) -> None:
        """Something new begins."""
        ...

    def note(self, text: str) -> None:
        """What happens that nobody types: a switch, a kill."""
        ...

    def typed(self, who: str, line: str) -> None:
        """Somebody sends a line."""
        ...

    def reacted(self, who: str, emoji: str) -> None:
        """Somebody reacts to the release's message."""
        ...

    def answered(self, text: str, *, where: str) -> None:
        """The bot says something; `where`: in the channel, in the thread, or to whom alone."""
        ...

    def proved(self, text: str) -> None:
        """A claim was looked at and holds."""
        ...

    def waiting(self, text: str) -> None:
        """One line that replaces the one before: what is waited for, and how it stands."""
        ...


class Release:
    """A release as the channel shows it: its message and the thread below."""

    def __init__(self, room: Room, message: Message, names: Callable[[str], str]) -> None:
        self.place = Place(ChannelId(room.id), message.ts)
        self._room, self._message, self._names = room, message, names

    @property
    def text(self) -> str:
        """What its message says now."""
        return self._names(self._message.text)

    @property
    def edited_ts(self) -> str:
        """When it was edited last; empty for never."""
        return self._message.edited_ts or ""

    @property
    def is_ballot(self) -> bool:
        """Whether it can be voted on: the bot's own reaction stands there to be tapped."""
        return APPROVE in self._message.reactions and "Vote on exactly this plan" in self.text

    @property
    def progress(self) -> str:
        """The line of its steps, and the figures below it where there are some."""
        lines = self.text.splitlines()
        at = next((number for number, line in enumerate(lines) if "▱" in line or "▰" in line), None)
        if at is None:
            return lines[0] if lines else ""
        figures = [line for line in lines[at + 1 : at + 2] if line.startswith("errors")]
        return " · ".join([lines[at].strip(), *figures])

    def replies(self) -> Sequence[str]:
        """What stands in the thread."""
        return [self._names(each.text) for each in self._thread()]

    def pictures(self) -> Sequence[File]:
        """The files of the thread."""
        return [file for each in self._thread() for file in each.files]

    def _thread(self) -> Sequence[Message]:
        return [each for each in self._room.messages.values() if each.thread_ts == self.place.ts != each.ts]


class Witness:
    """Everything that a story says goes through here."""

    def __init__(self, stage: Stage, teller: Teller, *, service: str) -> None:
        self.stage, self.tell, self._service = stage, teller, service
        self._slack = stage.around.slack
        self._heard = self._slack.changes.number
        self._release: Release | None = None

    # --- what people do ---

    async def asks(self, who: str, line: str) -> Release:
        """Somebody types a command that starts a release; its message."""
        self._release, before = None, self.moment()
        self.tell.typed(who, line)
        shown = await self._slack.people.says(who, CHANNEL, line)
        if not shown.acknowledged:
            raise NotAsToldError(f"`{line}` was not taken: {shown.text or shown.error}")
        await self.until(lambda: self._begun(before) is not None, f"a message in #{CHANNEL} for `{line}`")
        message = self._begun(before)
        assert message is not None  # it was waited for
        self._release = Release(self._room(), message, self._named)
        return self._release

    async def votes(self, who: str, release: Release) -> None:
        """Somebody approves."""
        self.tell.reacted(who, "✅")
        shown = await self._slack.people.reacts(who, release.place, APPROVE)
        if not shown.acknowledged:
            raise NotAsToldError(f"{who} could not react: {shown.text}")

    # --- what is seen ---

    async def until(self, holds: Callable[[], bool], about: str) -> None:
        """Wait for something and tell what is said meanwhile. Raises NotAsToldError with what was seen last."""

        def looked() -> bool:
            self._hear()
            self.tell.waiting(self._release.progress if self._release else about)
            return holds()

        try:
            await self.stage.until(looked, within=WITHIN, about=about)
        except NotAsToldError as exc:
            raise NotAsToldError(f"{exc}\n{self._seen()}") from exc
        self._hear()

    def claim(self, holds: bool, said: str) -> None:  # noqa: FBT001 - the claim itself
        """Tell what is true. Raises NotAsToldError when it is not."""
        if not holds:
            raise NotAsToldError(f"expected: {said}\n{self._seen()}")
        self.tell.proved(said)

    def show(self, release: Release) -> None:
        """Tell what its message says now."""
        self.tell.answered(release.text, where=f"#{CHANNEL}")

    def moment(self) -> str:
        """The present, as messages are dated."""
        return self._slack.workspace.next_ts()

    def deployment(self, namespace: str, *, canary: bool = False) -> DeploymentShown | None:
        """The service's Deployment there, or the canary beside it; `None`: there is none."""
        name = f"{self._service}-canary" if canary else self._service
        shown = self.stage.around.cluster.shown()
        return next((each for each in shown if (each.namespace, each.name) == (namespace, name)), None)

    def runs(self, namespace: str, tag: str) -> bool:
        """Whether all pods of the service there are ready with that version; others are ending, if there are any."""
        found = self.deployment(namespace)
        if found is None or found.tag != tag or found.ready != found.wanted:
            return False
        stay = [pod for pod in found.pods if pod.state != "Terminating"]
        return len(stay) == found.wanted and all(pod.ready and pod.image == found.image for pod in stay)

    def pods(self, namespace: str, *, canary: bool = False) -> Sequence[tuple[str, int]]:
        """Names and restarts of the pods that stay."""
        found = self.deployment(namespace, canary=canary)
        pods = () if found is None else found.pods
        return tuple((pod.name, pod.restarts) for pod in pods if pod.state != "Terminating")

    def share(self, namespace: str) -> int:
        """The canary's share of the requests, in per cent."""
        given = self.stage.around.cluster.weights(namespace, self._service)
        together = sum(given.values())
        return round(100 * given.get(f"{self._service}-canary", 0) / together) if together else 0

    def served(self, namespace: str, *, since: str, arm: Arm | None = None) -> tuple[int, int]:
        """Requests since a `moment`, and how many of them were answered with an error."""
        traffic = self.stage.around.traffic
        moments = [
            each
            for one in ((arm,) if arm else tuple(Arm))
            for each in traffic.history(service=self._service, namespace=namespace, arm=one)
            if each.at.timestamp() > float(since)
        ]
        seconds = traffic.tick.total_seconds()
        requests = sum(each.requests_per_s for each in moments) * seconds
        return round(requests), round(sum(each.requests_per_s * each.error_ratio for each in moments) * seconds)

    # --- inside ---

    def _hear(self) -> None:
        """Tell what the bot has said since."""
        journal = self._slack.changes
        news = journal.after(self._heard, self._slack.people.find("ann").id)
        self._heard = journal.number
        for change in news:
            message: dict[str, Any] = change.body.get("message", {})
            if change.kind != "message" or message.get("user") != self._slack.acme.app.user:
                continue
            where = "to ann alone" if message.get("is_ephemeral") else "in the thread" if "thread_ts" in message else ""
            if where:  # the release's own message is edited in place; the story says when it is shown
                picture = "".join(f"\n[picture] {file['name']}" for file in message.get("files", ()))
                self.tell.answered(f"{self._named(message['text'])}{picture}", where=where)

    def _room(self) -> Room:
        return next(room for room in self._slack.workspace.rooms.values() if room.name == CHANNEL)

    def _begun(self, after: str) -> Message | None:
        """The first message of the bot itself since then that stands in the channel for all."""
        found = self._room().messages.values()
        return next((m for m in found if m.ts > after and m.by_app and not (m.only_for or m.thread_ts)), None)

    def _named(self, text: str) -> str:
        """Text with people by name."""
        text = plain(text, links=False)
        for person in self._slack.workspace.people.values():
            text = text.replace(f"@{person.id}", f"@{person.name}")
        for group in self._slack.workspace.groups.values():
            text = text.replace(f"@{group.id}", f"@{group.handle}")
        return text

    def _seen(self) -> str:
        """The world in a few lines, for whoever has to find out why a story went another way."""
        said = self._release.text if self._release else "nothing"
        deployments = [
            f"  {each.namespace}/{each.name}: {each.tag}, {each.ready} of {each.wanted} ready"
            for each in self.stage.around.cluster.shown()
        ]
        return "\n".join([f"the release's message said last:\n{said}", "the cluster ran last:", *deployments])


def png_size(content: bytes | None) -> tuple[int, int] | None:
    """Width and height in pixels; `None` for what is no PNG."""
    if content is None or len(content) < PNG_HEAD or not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = struct.unpack(">II", content[16:PNG_HEAD])
    return width, height
