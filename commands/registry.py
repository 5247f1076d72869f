"""Every verb, in sight, in the order of the help; a verb that is not here does not exist."""

from typing import Any

from commands.spec import CommandSpec
from commands.verbs import (
    abort,
    audit,
    canary,
    deploy,
    diff,
    freeze,
    help,
    history,
    lock,
    matrix,
    pause,
    plan,
    promote,
    resume,
    rollback,
    status,
    unfreeze,
    unlock,
    why,
)

COMMANDS: tuple[CommandSpec[Any], ...] = (
    deploy.SPEC,
    rollback.SPEC,
    status.SPEC,
    why.SPEC,
    matrix.SPEC,
    plan.SPEC,
    diff.SPEC,
    history.SPEC,
    audit.SPEC,
    abort.SPEC,
    pause.SPEC,
    resume.SPEC,
    canary.SPEC,
    promote.SPEC,
    freeze.SPEC,
    unfreeze.SPEC,
    lock.SPEC,
    unlock.SPEC,
    help.SPEC,
)
