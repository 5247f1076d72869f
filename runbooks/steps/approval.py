"""approval: the right people said yes to exactly this plan. The counting is the engine's (bot.engine.ballots)."""

from datetime import timedelta

from runbooks.kinds import StepKind, StepSpec


class ApprovalSpec(StepSpec):
    """No parameters: who may vote, how many and until when is the environment's policy, not the runbook's."""

    def read_aloud(self) -> str:
        return "Ask the environment's approvers; go on when enough of them reacted with yes and none with no."


KIND = StepKind(
    name="approval",
    spec=ApprovalSpec,
    changes=False,
    # The ballot has a clock of its own, the policy's; this one never ends it.
    deadline=timedelta(days=3650),
    about="Ask people before anything changes. Without a policy for the environment nobody is asked.",
)
