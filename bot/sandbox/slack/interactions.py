"""Commands, clicks and forms: sent to the app while a person waits, and what is shown for its answer."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack import payloads
from bot.sandbox.slack.acme import Person
from bot.sandbox.slack.answers import Answers
from bot.sandbox.slack.delivery import Answer, Deliveries
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.filling import Entry, filled, picked
from bot.sandbox.slack.modals import Modal, Modals
from bot.sandbox.slack.records import Message, Room
from bot.sandbox.slack.rendering import SLACKBOT
from bot.sandbox.slack.shown import Shown
from bot.sandbox.slack.triggers import Triggers
from bot.sandbox.slack.workspace import Workspace

Body = dict[str, Any]

NO_COMMAND = "`{0}` is not a valid command."
NOT_IN_THREADS = "{0} is not supported in threads. Sorry!"
FAILED = '{0} failed with the error "{1}"'
NO_ANSWER = "The app did not answer ({0}). Try again."
TROUBLE = "We had some trouble connecting. Try again?"


class Interactions:
    """Each raises SlackFaultError for what the client does not offer."""

    def __init__(self, workspace: Workspace, modals: Modals, triggers: Triggers, deliveries: Deliveries) -> None:
        self._workspace = workspace
        self._modals = modals
        self._triggers = triggers
        self._deliveries = deliveries
        self._answers = Answers(workspace)

    async def command(self, person: Person, room: Room, line: str, *, thread_ts: str | None) -> Shown:
        """A slash command. The app's answer, or that there was none, is shown to that person."""
        command = line.split(maxsplit=1)[0]
        if thread_ts is not None:
            return self._told(person, room, NOT_IN_THREADS.format(command), error="not_in_threads")
        if command not in self._workspace.acme.app.commands:
            return self._told(person, room, NO_COMMAND.format(command), error="unknown_command")
        key = self._triggers.address(room.id, person.id)
        form = payloads.slash_form(self._workspace.acme, person, room, line=line)
        answer = await self._deliveries.interact({**form, **self._ways_back(person, key)})
        if answer.fault:
            return self._told(person, room, FAILED.format(command, answer.fault), error=answer.fault)
        try:
            return self._answered(key, answer.body())
        except SlackFaultError as fault:
            return self._told(person, room, FAILED.format(command, fault.error), error=fault.error)

    async def press(
        self,
        person: Person,
        room: Room,
        message: Message,
        action_id: str,
        *,
        block_id: str | None,
        option: str | None,
    ) -> Shown:
        """A click on an element of a message."""
        action = _action(message, action_id, block_id=block_id, option=option)
        key = self._triggers.address(room.id, person.id, ts=message.ts, thread_ts=message.thread_ts)
        shown = self._workspace.shown(message)
        click = payloads.click(self._workspace.acme, person, room, message=message, shown=shown)
        actions = [{**action, "action_ts": self._workspace.next_ts()}]
        payload = {**click, **self._ways_back(person, key), "state": {"values": {}}, "actions": actions}
        answer = await self._deliveries.interact(payloads.interaction_form(payload))
        if answer.fault:
            return Shown(acknowledged=False, error=answer.fault, text=NO_ANSWER.format(answer.fault))
        return Shown(acknowledged=True, ts=message.ts)

    async def submit(self, person: Person, view_id: str, values: Mapping[str, Entry]) -> Shown:
        """A modal that is sent. It stays open if something is wrong with it, or the app does not answer."""
        modal = self._modals.find(view_id, user=person.id)
        state, errors = filled(modal.view, values)
        if errors:
            return Shown(acknowledged=False, error="invalid_values", errors=errors)
        view = self._modals.shown(modal, values=state)
        sent = payloads.submission(self._workspace.acme, person, view=view)
        sent["trigger_id"] = self._triggers.issue(person.id)
        answer = await self._deliveries.interact(payloads.interaction_form(sent))
        return self._submitted(modal, answer)

    async def dismiss(self, view_id: str, *, user: str | None) -> Shown:
        """A modal that is put away; the app hears of it if it wants to."""
        modal = self._modals.find(view_id, user=user)
        self._modals.close(modal)
        if modal.view.get("notify_on_close"):
            person = self._workspace.people[modal.user]
            closed = payloads.closing(self._workspace.acme, person, view=self._modals.shown(modal))
            await self._deliveries.interact(payloads.interaction_form(closed))
        return Shown(acknowledged=True)

    def _ways_back(self, person: Person, key: str) -> Body:
        url = f"{self._workspace.url}/actions/{key}"
        return {"response_url": url, "trigger_id": self._triggers.issue(person.id)}

    def _answered(self, key: str, body: Body) -> Shown:
        if not body.get("text") and not body.get("blocks"):
            return Shown(acknowledged=True)
        said = self._answers.give(self._triggers.peek(key), body)
        if said is None:
            return Shown(acknowledged=True)
        return Shown(acknowledged=True, text=said.text if said.only_for else "", ts=said.ts)

    def _submitted(self, modal: Modal, answer: Answer) -> Shown:
        if answer.fault:
            return Shown(acknowledged=False, error=answer.fault, text=TROUBLE)
        body = answer.body()
        try:
            return self._responded(modal, body)
        except SlackFaultError as fault:
            return Shown(acknowledged=False, error=fault.error, text=TROUBLE)

    def _responded(self, modal: Modal, body: Body) -> Shown:
        """What the app wants done with the modal. Raises SlackFaultError for what Slack does not understand."""
        at = self._workspace.next_ts()
        match body.get("response_action"):
            case None | "clear":
                self._modals.close(modal)
            case "errors":
                return Shown(acknowledged=True, errors=_errors(modal, body.get("errors")))
            case "update":
                self._modals.update(modal.id, body.get("view"), at=at)
            case "push":
                self._modals.open(modal.user, body.get("view"), at=at)
            case _:
                raise SlackFaultError("invalid_response_action")
        return Shown(acknowledged=True)

    def _told(self, person: Person, room: Room, text: str, *, error: str) -> Shown:
        """Slackbot says so, to that person alone."""
        ts = self._workspace.next_ts()
        self._workspace.post(room, Message(ts, room.id, SLACKBOT, text, only_for=person.id))
        return Shown(acknowledged=False, error=error, text=text, ts=ts)


def _errors(modal: Modal, errors: Any) -> dict[str, str]:
    """The app's words about its fields: only fields that are there can have any."""
    known = {block["block_id"] for block in modal.view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= known:
        raise SlackFaultError("invalid_errors")
    return {name: str(said) for name, said in errors.items()}


def _action(message: Message, action_id: str, *, block_id: str | None, option: str | None) -> Body:
    """The element as a click tells it. Raises SlackFaultError where the message has no such element."""
    for block in message.blocks:
        held = block["elements"] if block["type"] == "actions" else [block.get("accessory") or {}]
        for element in held:
            if element.get("action_id") == action_id and block_id in (None, block["block_id"]):
                return _told_of(element, block["block_id"], option)
    raise SlackFaultError("action_not_found")


def _told_of(element: Body, block_id: str, option: str | None) -> Body:
    told: Body = {name: element[name] for name in ("type", "action_id", "text", "value", "style") if name in element}
    told["block_id"] = block_id
    if element["type"] == "button":
        return told
    chosen = picked(element, option or "")
    if chosen is None:
        raise SlackFaultError("option_not_found")
    return told | {"selected_option": chosen}
