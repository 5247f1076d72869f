"""Writes down what a rehearsal shows: messages and their edits, reactions, and what was done to the world."""

import re
from typing import Any

from bot.sandbox.slack.journal import Change
from bot.sandbox.slack.stand_in import SlackStandIn
from bot.sandbox.transcript import Line
from bot.sandbox.virtual_clock import VirtualClock
from bot.slack.mrkdwn import plain

FIGURE = re.compile(r"\d[\d.,]*\s?(ms|[smhd]\b)?|[▰▱]")
PROGRESS = re.compile(r"[▰▱]")
WORLD = "world"


class Recorder:
    """`lines` is what happened so far. Edits that change nothing but figures are left out."""

    def __init__(self, slack: SlackStandIn, clock: VirtualClock) -> None:
        self.lines: list[Line] = []
        self._slack, self._clock = slack, clock
        self._begun = clock.now()
        self._read = slack.changes.number
        self._shown: dict[str, str] = {}

    @property
    def after_s(self) -> float:
        """Seconds since the beginning."""
        return (self._clock.now() - self._begun).total_seconds()

    def world(self, text: str) -> None:
        """Something was done to the world."""
        self._add(WORLD, "", text)

    def says(self, who: str, text: str) -> None:
        """Somebody typed a command."""
        self._add(who, "", text)

    def look(self) -> None:
        """Take in what Slack has shown since."""
        for change in self._slack.changes.newest(self._read):
            self._take(change)
        self._read = self._slack.changes.number

    def _take(self, change: Change) -> None:
        body = change.body
        if change.kind in ("message", "edited"):
            self._message(body["message"], edited=change.kind == "edited")
        elif change.kind == "reaction" and body["user"] != self._slack.acme.app.user:
            verb = "reacts" if body["on"] else "takes back"
            self._add(self._name(body["user"]), "", f"{verb} {plain(':' + body['name'] + ':')}")

    def _message(self, message: dict[str, Any], *, edited: bool) -> None:
        if message["user"] != self._slack.acme.app.user:
            return
        text = self._named(plain(message["text"], links=False))
        if edited:
            text = _progress(text)
        sign = FIGURE.sub("#", text)
        if self._shown.get(message["ts"]) == sign:
            return
        self._shown[message["ts"]] = sign
        in_thread = message.get("thread_ts") not in (None, message["ts"])
        place = "private" if message.get("is_ephemeral") else "thread" if in_thread else "channel"
        pictures = [f"[picture: {file.get('alt_txt') or file['title']}]" for file in message.get("files", ())]
        self._add(self._slack.acme.app.name, place, "\n".join([text, *pictures]))

    def _named(self, text: str) -> str:
        """With names in place of ids."""
        for person in self._slack.workspace.people.values():
            text = text.replace(f"@{person.id}", f"@{person.name}")
        for group in self._slack.workspace.groups.values():
            text = text.replace(f"@{group.id}", f"@{group.handle}")
        return text

    def _name(self, user: str) -> str:
        return self._slack.workspace.people[user].name

    def _add(self, who: str, place: str, text: str) -> None:
        self.lines.append(Line(round(self.after_s, 3), who, place, text))


def _progress(text: str) -> str:
    """Of a release that goes on, only where it is; of anything else all."""
    lines = text.split("\n")
    at = next((number for number, line in enumerate(lines) if PROGRESS.search(line)), None)
    return text if at is None else "\n".join(lines[at : at + 3])
