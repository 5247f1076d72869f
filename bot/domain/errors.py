"""The exception tree.

    SluiceError
    ├── UsageError                 a person's slip; the text holds the fix and goes back to that person alone
    ├── TemporaryError             trying the same again may help: the engine waits and retries
    │   ├── UnreachableError       a server did not answer in time, answered 5xx, or asked us to slow down
    │   └── ConflictError          the object changed under us (HTTP 409); the next pass reads it anew
    ├── PermanentError             trying the same again cannot help
    │   ├── NotFoundError          the thing named is not there
    │   ├── RefusedError           the server says no (401, 403), or the thing may not be done
    │   │   ├── ClosedError        a channel is archived, or does not show itself to us; what stands there still stands
    │   │   └── UneditableError    this very message can never be edited again, whoever lets us in
    │   ├── OverwriteError         somebody else changed what was to be replaced; it is left as it is
    │   ├── UntrustedError         a signature that does not prove what is asked of it
    │   └── UnreadableError        an answer that is not what its protocol says
    ├── FencedError                somebody newer owns the run: this writer must stop at once
    └── SetupError                 the program cannot start: configuration, database, credentials

Adapters translate vendor errors into these and chain them. Only the worker's outer loop catches more broadly.
"""

from datetime import timedelta


class SluiceError(Exception):
    """The root; its text is a sentence for people."""


class UsageError(SluiceError):
    """A person's slip. `hint` is what to type instead; empty when the sentence says it already."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]} {self.hint}".strip()


class TemporaryError(SluiceError):
    """Trying again may help. `retry_after` is the server's own wish, `None` when it had none."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(TemporaryError):
    """A server did not answer in time, answered 5xx, or asked us to slow down."""


class ConflictError(TemporaryError):
    """The object changed between our reading and our writing it."""


class PermanentError(SluiceError):
    """Trying the same again cannot help."""


class NotFoundError(PermanentError):
    """The thing named is not there."""


class RefusedError(PermanentError):
    """The server, or a rule of ours, says no."""


class ClosedError(RefusedError):
    """A channel is archived, or shows us nothing: we are not in it, or it is gone. What stood there may stand still."""


class UneditableError(RefusedError):
    """A message that stands where it stood, and can never be edited again: more can only be said in a new one."""


class OverwriteError(PermanentError):
    """Somebody else changed what was to be replaced since it was looked at; it is left as they set it."""


class UntrustedError(PermanentError):
    """A signature that proves nothing here: of somebody else, of something else, or none at all."""


class UnreadableError(PermanentError):
    """An answer that is not what its protocol says."""


class FencedError(SluiceError):
    """A newer owner has this run; the writer must stop and write nothing."""


class SetupError(SluiceError):
    """The program cannot start as it is set up; the text says what to change."""
