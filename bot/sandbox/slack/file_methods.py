"""files.*: the three steps of an upload. The second, sending the bytes, goes to an address of its own."""

from typing import Any

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.chat_methods import blocks_of, thread_of, writable
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.files import Files, note_share
from bot.sandbox.slack.limits import PostingLimit
from bot.sandbox.slack.method import Body, Caller, Method
from bot.sandbox.slack.records import File, Message, Room
from bot.sandbox.slack.rendering import file_json
from bot.sandbox.slack.workspace import Workspace

WRITE = ("files:write",)


class FileMethods:
    """The methods, over a workspace and its files."""

    def __init__(self, workspace: Workspace, files: Files, limit: PostingLimit) -> None:
        self._workspace = workspace
        self._files = files
        self._limit = limit

    def methods(self) -> dict[str, Method]:
        """By name."""
        return {
            "files.getUploadURLExternal": Method(self.ask, WRITE),
            "files.completeUploadExternal": Method(self.complete, WRITE),
        }

    def ask(self, caller: Caller, args: Arguments) -> Body:
        """Where the bytes may be sent."""
        name = args.required("filename")
        args.required("length")
        length = args.number("length", default=0, most=2**40, error="invalid_arguments")
        file = self._files.ask(name, length, user=caller.user, at_s=self._workspace.now_s())
        file.alt = args.text("alt_txt")
        return {"upload_url": f"{self._workspace.url}/upload/v1/{file.id}", "file_id": file.id}

    def complete(self, caller: Caller, args: Arguments) -> Body:
        """Show the files in a channel or thread; without a channel they stay unseen."""
        files = [self._named(entry, caller) for entry in self._listed(args)]
        wanted = args.text("channel_id") or args.text("channels")
        if wanted:
            room = writable(self._workspace.room(wanted, seen_by=caller.user), caller)
            self._share(room, files, caller, args)
        return {"files": [file_json(file, self._workspace.acme, url=self._workspace.url) for file in files]}

    def _listed(self, args: Arguments) -> list[Any]:
        args.required("files")
        listed = args.parsed("files", error="invalid_arguments")
        if not isinstance(listed, list) or not listed or not all(isinstance(entry, dict) for entry in listed):
            raise SlackFaultError("invalid_arguments")
        return listed

    def _named(self, entry: Body, caller: Caller) -> File:
        file = self._files.sent(str(entry.get("id", "")))
        if file.user != caller.user:
            raise SlackFaultError("file_not_found")
        file.title = str(entry.get("title") or file.title)
        return file

    def _share(self, room: Room, files: list[File], caller: Caller, args: Arguments) -> None:
        message = Message(
            self._workspace.next_ts(),
            room.id,
            caller.user,
            args.text("initial_comment"),
            blocks=blocks_of(args) or [],
            thread_ts=thread_of(self._workspace, room, args),
            by_app=caller.is_app,
            files=files,
        )
        self._limit.take(room.id)
        for file in files:
            note_share(file, room, message)
        self._workspace.post(room, message)
