"""Files: asked for, sent, and shown by a message."""

from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.records import File, Message, Room

FILES_KEPT = 300
LARGEST = 10_000_000
"""Bytes of one file. (Slack takes 1 GB; this workspace is in memory.)"""


class Files:
    """The files of the workspace; the oldest drop out."""

    def __init__(self, *, kept: int = FILES_KEPT) -> None:
        self._files: dict[str, File] = {}
        self._kept = kept
        self._made = 0

    def ask(self, name: str, length: int, *, user: str, at_s: int) -> File:
        """A place for a file of that many bytes. Raises SlackFaultError."""
        if not 0 < length <= LARGEST:
            raise SlackFaultError("file_upload_size_restricted" if length > LARGEST else "invalid_arguments")
        self._made += 1
        file = File(f"F{self._made:08d}", name.replace("/", "_"), length, user, created=at_s)
        self._files[file.id] = file
        while len(self._files) > self._kept:
            del self._files[next(iter(self._files))]
        return file

    def find(self, wanted: str) -> File:
        """A file by its id. Raises SlackFaultError."""
        if wanted not in self._files:
            raise SlackFaultError("file_not_found")
        return self._files[wanted]

    def sent(self, wanted: str) -> File:
        """A file whose bytes have come. Raises SlackFaultError."""
        file = self.find(wanted)
        if file.content is None:
            raise SlackFaultError("file_not_found")
        return file


def note_share(file: File, room: Room, message: Message) -> None:
    """The message shows the file."""
    share = {"ts": message.ts} | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
    file.shares.setdefault(room.id, []).append(share)
