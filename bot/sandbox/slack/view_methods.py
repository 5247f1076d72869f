"""views.*: modals."""

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.block_kit import check_modal
from bot.sandbox.slack.method import Body, Caller, Method
from bot.sandbox.slack.modals import Modals
from bot.sandbox.slack.triggers import Triggers
from bot.sandbox.slack.workspace import Workspace


class ViewMethods:
    """The methods, over the modals of a workspace."""

    def __init__(self, workspace: Workspace, modals: Modals, triggers: Triggers) -> None:
        self._workspace = workspace
        self._modals = modals
        self._triggers = triggers

    def methods(self) -> dict[str, Method]:
        """By name."""
        return {"views.open": Method(self.open), "views.update": Method(self.update)}

    def open(self, _caller: Caller, args: Arguments) -> Body:
        """Show a modal to whoever set the trigger off."""
        view = args.parsed("view", error="invalid_arguments")
        check_modal(view)  # first: what is refused costs no trigger
        user = self._triggers.spend(args.required("trigger_id"))
        return {"view": self._modals.shown(self._modals.open(user, view, at=self._workspace.next_ts()))}

    def update(self, _caller: Caller, args: Arguments) -> Body:
        """Show another in its place."""
        view = args.parsed("view", error="invalid_arguments")
        wanted = args.text("view_id") or args.required("external_id")
        known = args.text("hash") or None
        modal = self._modals.update(wanted, view, at=self._workspace.next_ts(), known_hash=known)
        return {"view": self._modals.shown(modal)}
