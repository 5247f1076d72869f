"""What CI servers know of commits, and runs of pipelines that Sluice starts there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class CheckState(StrEnum):
    """How far a check or a run of a pipeline is. Only what has concluded has a conclusion."""

    QUEUED = "queued"
    RUNNING = "running"
    CONCLUDED = "concluded"


class Conclusion(StrEnum):
    """How it ended, in the words of GitHub's checks (docs.github.com/en/rest/checks/runs, `conclusion`)."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    """Without a verdict that matters, such as a job that is allowed to fail."""

    SKIPPED = "skipped"
    """Its own condition said that it need not run. What did not run because something before it failed is cancelled."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"
    """It waits for a person."""

    STALE = "stale"
    """The server gave it up: nobody reported its end for too long."""

    STARTUP_FAILURE = "startup_failure"
    UNKNOWN = "unknown"
    """A word that Sluice does not know; never good."""

    @property
    def good(self) -> bool:
        """Whether a required check passes with it. GitHub takes `success`, `skipped` and `neutral`
        (docs.github.com/en/repositories, "About protected branches", "Require status checks before merging")."""
        return self in (Conclusion.SUCCESS, Conclusion.NEUTRAL, Conclusion.SKIPPED)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a commit.

    `source` tells apart checks that share a name and are not attempts of one another, such as jobs of two workflows;
    `attempt` grows with every attempt of a check and is the server's own number, so that no clock decides which one is
    the newest. `started` is told to people alone. `said` is the server's own word where it says more.
    """

    name: str
    state: CheckState
    conclusion: Conclusion | None = None
    url: str = ""
    source: str = ""
    attempt: int = 0
    started: datetime | None = None
    said: str = ""

    @property
    def good(self) -> bool:
        """Whether it has concluded well."""
        return self.state is CheckState.CONCLUDED and self.conclusion is not None and self.conclusion.good

    @property
    def bad(self) -> bool:
        """Whether it has concluded, and not well."""
        return self.state is CheckState.CONCLUDED and not self.good


@dataclass(frozen=True, slots=True)
class CommitChecks:
    """All checks of a commit, in any order and perhaps with earlier attempts; `url` shows them to a person."""

    checks: tuple[Check, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A run that somebody wants: of the pipeline `name` of a project, on the branch or tag `ref` (empty: the server's
    own default), with `inputs`. `key` is in the run's inputs and finds it again."""

    project: str
    name: str
    key: str
    ref: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """A run of a pipeline. `id` is the server's, and may change while the run leaves a queue."""

    id: str
    state: CheckState
    conclusion: Conclusion | None = None
    url: str = ""


class Pipelines(Protocol):
    """One CI server. `project` is how the server calls the repository or folder, such as `acme/api`.

    All raise NotFoundError (no such project, commit or pipeline, or no right to see it), RefusedError (401, 403, or the
    server does not take what is sent), UnreadableError and UnreachableError; ConflictError where a list changed while
    it was read.
    """

    async def checks(self, project: str, commit: str) -> CommitChecks:
        """The checks of a commit, named by its full or short id; none is no error. A check of another commit in the
        answer raises UnreadableError."""
        ...

    async def start(self, order: Order) -> PipelineRun | None:
        """Start a run; `None`: the server does not say which one it became, and `find` will. Never repeated by itself:
        after an UnreachableError nobody knows whether it started."""
        ...

    async def find(self, order: Order, since: datetime) -> PipelineRun | None:
        """The run of this order's key, if it was started after `since`; the first one where there are several."""
        ...

    async def follow(self, order: Order, run_id: str) -> PipelineRun:
        """How the run stands. Raises NotFoundError when it is gone."""
        ...

    async def cancel(self, order: Order, run_id: str) -> None:
        """Ask the server to end the run. Safe to repeat; one that has ended stays as it is."""
        ...


class CiServers(Protocol):
    """The CI servers of the catalogue."""

    def get(self, name: str) -> Pipelines:
        """The server of that name. Raises NotFoundError."""
        ...
