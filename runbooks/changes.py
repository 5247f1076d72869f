"""What is written with an image: shared by the steps that give the workload its artifact."""

from bot.domain.release import same_image
from bot.ports.execution import StepContext

HISTORY_LENGTH = 10


def change_cause(context: StepContext) -> str:
    """What `kubectl rollout history` shows for this change."""
    plan = context.plan
    return f"sluice {context.run.id}: {plan.verb} {plan.artifact.ref} by {plan.requester}, seal {plan.seal}"


def history(context: StepContext) -> tuple[str, ...]:
    """The healthy images before this one, newest first: the way back if the database is lost.

    A return to one of them leaves those that came after it: the way back never leads forward.
    """
    previous, image = context.plan.previous, context.plan.artifact.image
    if previous is None:
        return ()
    known = previous.history if previous.healthy is False else (previous.image, *previous.history)
    returned = next((index for index, one in enumerate(known) if same_image(one, image)), None)
    older = known if returned is None else known[returned + 1 :]
    return tuple(dict.fromkeys(one for one in older if not same_image(one, image)))[:HISTORY_LENGTH]
