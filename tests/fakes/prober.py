"""An imagined web that answers as a test has told it."""

import json
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.errors import UnreachableError
from bot.domain.json import Json
from bot.ports.probe import ProbeAnswer, ProbeRequest


@dataclass(frozen=True, slots=True)
class Planned:
    """One answer to come."""

    status: int
    text: str
    elapsed: timedelta


class FakeProber:
    """`Prober` without a network. An address nobody planned is unreachable; `requests` keeps what was asked."""

    def __init__(self) -> None:
        self.requests: list[ProbeRequest] = []
        self.down = False
        self._planned: dict[str, list[Planned]] = {}

    def answer(
        self, url: str, *, status: int = 200, text: str = "", body: Json = None, elapsed: timedelta = timedelta()
    ) -> None:
        """Plan an answer after those planned before; the last one is repeated. `body` is sent as JSON."""
        sent = text if body is None else json.dumps(body)
        self._planned.setdefault(url, []).append(Planned(status, sent, elapsed))

    def forget(self, url: str) -> None:
        """From now on nobody is there."""
        self._planned.pop(url, None)

    async def send(self, request: ProbeRequest) -> ProbeAnswer:
        """See `Prober`."""
        self.requests.append(request)
        planned = self._planned.get(request.url)
        if self.down or not planned:
            raise UnreachableError("cannot be reached: nobody is there")
        now = planned.pop(0) if len(planned) > 1 else planned[0]
        if now.elapsed >= request.deadline:
            raise UnreachableError(f"no answer within {request.deadline.total_seconds():g} s")
        return ProbeAnswer(now.status, now.elapsed, now.text[:2_000], _parsed(now.text))


def _parsed(text: str) -> Json:
    try:
        found: Json = json.loads(text)
    except ValueError:
        return None
    return found
