"""Modals: opened by the app, filled in by people."""

import json
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.acme import Acme
from bot.sandbox.slack.block_kit import check_modal
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.journal import Journal
from bot.sandbox.slack.numbering import numbered
from bot.sandbox.slack.schema import length

VIEW_MOST = 250_000
Body = dict[str, Any]


@dataclass(slots=True)
class Modal:
    """One modal that somebody has open. `view` as the app wrote it; `hash` changes with it."""

    id: str
    user: str
    view: Body
    hash: str


class Modals:
    """The modals that are open, the newest of each person on top."""

    def __init__(self, acme: Acme, journal: Journal) -> None:
        self._acme = acme
        self._journal = journal
        self._open: dict[str, Modal] = {}
        self._made = 0

    def open(self, user: str, view: Any, *, at: str) -> Modal:
        """Show it to somebody; `at` is a ts of its own. Raises SlackFaultError for what is no modal."""
        checked = self._checked(view)
        self._made += 1
        modal = Modal(f"V{self._made:08d}", user, _numbered(checked), f"{at}.{self._made}")
        self._open[modal.id] = modal
        self._note("view_opened", modal)
        return modal

    def update(self, wanted: str, view: Any, *, at: str, known_hash: str | None = None) -> Modal:
        """Show something else in its place. Raises SlackFaultError: no such modal, or another than the app knew."""
        modal = self.find(wanted)
        checked = self._checked(view)
        if known_hash and known_hash != modal.hash:
            raise SlackFaultError("hash_conflict")
        self._made += 1
        modal.view, modal.hash = _numbered(checked), f"{at}.{self._made}"
        self._note("view_updated", modal)
        return modal

    def close(self, modal: Modal) -> None:
        """Nobody sees it any longer; safe to repeat."""
        if self._open.pop(modal.id, None) is not None:
            audience = frozenset({modal.user})
            self._journal.note("view_closed", {"view_id": modal.id}, audience=audience)

    def find(self, wanted: str, *, user: str | None = None) -> Modal:
        """An open modal by its id or the app's own; with `user`, of that person. Raises SlackFaultError."""
        for modal in self._open.values():
            is_named = wanted and wanted in (modal.id, modal.view.get("external_id"))
            if is_named and user in (None, modal.user):
                return modal
        raise SlackFaultError("not_found")

    def of(self, user: str) -> list[Modal]:
        """What somebody has open, the newest last."""
        return [modal for modal in self._open.values() if modal.user == user]

    def shown(self, modal: Modal, *, values: Body | None = None) -> Body:
        """A modal as JSON. `values`: what was filled in."""
        view = modal.view
        return {
            "id": modal.id,
            "team_id": self._acme.team_id,
            "type": "modal",
            "blocks": view["blocks"],
            "private_metadata": view.get("private_metadata", ""),
            "callback_id": view.get("callback_id", ""),
            "state": {"values": values or {}},
            "hash": modal.hash,
            "title": view["title"],
            "close": view.get("close"),
            "submit": view.get("submit"),
            "clear_on_close": bool(view.get("clear_on_close")),
            "notify_on_close": bool(view.get("notify_on_close")),
            "previous_view_id": None,
            "root_view_id": modal.id,
            "app_id": self._acme.app.id,
            "external_id": view.get("external_id", ""),
            "app_installed_team_id": self._acme.team_id,
            "bot_id": self._acme.app.bot_id,
        }

    def _checked(self, view: Any) -> Body:
        check_modal(view)
        if length(json.dumps(view, ensure_ascii=False)) > VIEW_MOST:
            raise SlackFaultError("view_too_large")
        checked: Body = view
        return checked

    def _note(self, kind: str, modal: Modal) -> None:
        self._journal.note(kind, {"view": self.shown(modal)}, audience=frozenset({modal.user}))


def _numbered(view: Body) -> Body:
    return view | {"blocks": numbered(view["blocks"])}
