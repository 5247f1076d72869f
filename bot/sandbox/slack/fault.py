"""A no of Slack's, by its own name."""

from typing import Any

OK_STATUS, TOO_MANY = 200, 429


class SlackFaultError(Exception):
    """`error` is Slack's name for what is wrong; `more` are further fields of the answer.

    Nearly every fault has status 200; with `retry_after_s` it is 429 with that header.
    """

    def __init__(self, error: str, *, retry_after_s: int | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.retry_after_s = retry_after_s
        self.more = more

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return OK_STATUS if self.retry_after_s is None else TOO_MANY

    def body(self) -> dict[str, Any]:
        """The answer."""
        return {"ok": False, "error": self.error, **self.more}


def with_messages(error: str, messages: list[str]) -> SlackFaultError:
    """A fault that lists what is wrong, as Slack does it for arguments and blocks."""
    return SlackFaultError(error, response_metadata={"messages": [f"[ERROR] {said}" for said in messages]})
