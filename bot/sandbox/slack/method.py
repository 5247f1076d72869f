"""What a method of the Web API is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.arguments import Arguments

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token came with the call. People may do what their client lets them; the app, what its scopes say."""

    user: str
    is_app: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method. `scopes`: any one of them will do for the app; none: no scope is needed. The answer is without `ok`."""

    answer: Callable[[Caller, Arguments], Body]
    scopes: tuple[str, ...] = ()
