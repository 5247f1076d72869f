"""Answers other than success, as an API server words them."""

from http import HTTPStatus

from bot.sandbox.kubernetes.resources import Kind, Raw

REASONS = {
    400: "BadRequest",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
}


class RefusalError(Exception):
    """A request that is not done. `reason` is the machine's word; empty: the usual one of the status."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.reason = reason or REASONS.get(code, "")

    @property
    def status(self) -> Raw:
        """The body of the answer."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }


def not_found(kind: Kind, name: str) -> RefusalError:
    """There is no such object."""
    return RefusalError(HTTPStatus.NOT_FOUND, f'{kind.qualified} "{name}" not found')


def already_there(kind: Kind, name: str) -> RefusalError:
    """The name is taken."""
    return RefusalError(HTTPStatus.CONFLICT, f'{kind.qualified} "{name}" already exists', "AlreadyExists")


def conflict(kind: Kind, name: str, why: str = "") -> RefusalError:
    """It is another version or another object than the writer meant."""
    said = why or "the object has been modified; please apply your changes to the latest version and try again"
    return RefusalError(HTTPStatus.CONFLICT, f'Operation cannot be fulfilled on {kind.qualified} "{name}": {said}')


def invalid(kind: Kind, name: str, why: str) -> RefusalError:
    """The object breaks a rule of its kind; `why` begins with the field."""
    told = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, f'{told} "{name}" is invalid: {why}')


def too_old(asked: int, oldest: int) -> RefusalError:
    """The history does not go back that far."""
    return RefusalError(HTTPStatus.GONE, f"too old resource version: {asked} ({oldest})")
