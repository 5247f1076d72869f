"""A request becomes a plan."""

from typing import Protocol

from bot.domain.plan import Plan, Request


class Planning(Protocol):
    """Gathers the facts, then plans purely."""

    async def plan(self, request: Request) -> Plan:
        """The plan for a request in the world as it is now. Changes nothing; safe to repeat.

        Raises UsageError when a person must change the request, PermanentError when it cannot be planned, and
        TemporaryError when a server it needs is down.
        """
        ...

    async def drift(self, request: Request, plan: Plan) -> str | None:
        """What has changed since `plan` was made so that it no longer holds, as a clause; `None`: nothing has.

        Compares what the reference means, the workload's template, and the runbook's text. Raises as `plan` does.
        """
        ...
