"""smoke: the service answers as it should."""

import asyncio
from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.outcome import Evidence, Failed, Outcome, Pending, Succeeded
from bot.ports.execution import StepContext
from bot.ports.probe import Prober
from runbooks.checks import SmokeCheck
from runbooks.durations import Duration
from runbooks.kinds import StepKind, StepSpec


class SmokeSpec(StepSpec):
    """`checks`: the requests; none: those of the service in the catalogue. All must pass in the same pass; if not, they
    are all tried again after `every`, `attempts` times in all."""

    shorthand: ClassVar[str | None] = "checks"
    checks: tuple[SmokeCheck, ...] = ()
    attempts: int = Field(default=3, ge=1, le=100)
    every: Duration = Field(default=timedelta(seconds=2))

    def read_aloud(self) -> str:
        several = "s" if len(self.checks) > 1 else ""
        which = f"{len(self.checks)} smoke check{several}" if self.checks else "the service’s smoke checks"
        return f"Send {which}; all must answer as expected, within {self.attempts} attempts."


KIND = StepKind(
    name="smoke",
    spec=SmokeSpec,
    changes=False,
    deadline=timedelta(minutes=10),
    about="Send the smoke checks of the service and compare the answers.",
)


class Smoke:
    """Sends all checks at once, each pass; counts its failed attempts."""

    def __init__(self, prober: Prober) -> None:
        self._prober = prober

    async def reconcile(self, context: StepContext) -> Outcome:
        spec = SmokeSpec.model_validate(context.params)
        if not spec.checks:
            return Succeeded("no smoke checks in the catalogue")
        complaints = [c for c in await asyncio.gather(*map(self._complaint, spec.checks)) if c]
        if not complaints:
            return Succeeded(f"{len(spec.checks)} of {len(spec.checks)} checks")
        attempts = int(str(context.seen.memo.get("attempts", 0))) + 1
        if attempts < spec.attempts:
            why = f"attempt {attempts} of {spec.attempts}: {complaints[0]}"
            return Pending(why, requeue_after=spec.every, memo={"attempts": attempts})
        return Failed(complaints[0], evidence=(Evidence("smoke checks that failed", tuple(complaints)),))

    async def _complaint(self, check: SmokeCheck) -> str | None:
        request = check.request()
        try:
            complaint = check.complaint(await self._prober.send(request))
        except (TemporaryError, PermanentError) as exc:
            # No answer is an answer here: the service under test does not respond.
            complaint = str(exc)
        return f"{request.method} {request.url}: {complaint}" if complaint else None
