"""The checks of a commit on GitHub: check runs of Apps, and commit statuses of everything else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.adapters.github_api import GitHubApi, at, repo
from bot.domain.errors import UnreadableError
from bot.ports.pipelines import Check, CheckState, CommitChecks, Conclusion

STATUSES = "commit statuses"
"""The source of every commit status. A check and a status of one name are both required, as GitHub has it
(docs.github.com/en/repositories, "Troubleshooting required status checks")."""

STATES = {
    "queued": CheckState.QUEUED,
    "waiting": CheckState.QUEUED,
    "requested": CheckState.QUEUED,
    "pending": CheckState.QUEUED,
    "completed": CheckState.CONCLUDED,
}
STATUS_ENDS = {"success": Conclusion.SUCCESS, "failure": Conclusion.FAILURE, "error": Conclusion.FAILURE}


async def commit_checks(api: GitHubApi, project: str, commit: str) -> CommitChecks:
    """See `Pipelines.checks`."""
    about = f"checks of commit {commit[:12]} in {project}"
    path = f"{repo(project)}/commits/{quote(commit, safe='')}"
    # The address takes names of branches too: what comes back must be of this very commit.
    _, runs = await api.counted(f"{path}/check-runs", about, "check_runs", filter="latest")
    envelope, statuses = await api.counted(f"{path}/status", about, "statuses")
    for sha in (*(run.get("head_sha") for run in runs), envelope.get("sha")):
        if not isinstance(sha, str) or not sha.lower().startswith(commit.lower()):
            raise UnreadableError(f"{api.called} sent checks of commit {str(sha)[:12]}; asked for {about}")
    found = [*(_check_run(api, run, about) for run in runs), *(_status(api, one, about) for one in statuses)]
    return CommitChecks(tuple(found), f"{api.pages_at}/{project}/commit/{envelope['sha']}/checks")


def state_of(status: object) -> CheckState:
    """How far a check or a workflow run is; a word that is new here has not concluded."""
    return STATES.get(at(status), CheckState.RUNNING)


def conclusion_of(word: object) -> Conclusion:
    """How it ended; a word that is new here is never good."""
    known = at(word)
    return Conclusion(known) if known in set(Conclusion) else Conclusion.UNKNOWN


def _check_run(api: GitHubApi, run: Mapping[str, Any], about: str) -> Check:
    number, name, state = run.get("id"), run.get("name"), state_of(run.get("status"))
    if not isinstance(number, int) or not isinstance(name, str) or not name or not at(run.get("status")):
        raise UnreadableError(f"{api.called} sent a check run without id, name or status; asked for {about}")
    # A check that is run again is a new check run of that name in the same suite, with a higher number. A suite is one
    # App's, and of Actions it is one workflow run.
    suite = run.get("check_suite")
    return Check(
        name=name,
        state=state,
        conclusion=conclusion_of(run.get("conclusion")) if state is CheckState.CONCLUDED else None,
        url=at(run.get("html_url")),
        source=f"suite {suite.get('id')}" if isinstance(suite, dict) else "",
        attempt=number,
        started=_time(run.get("started_at")),
        said=at(run.get("conclusion")),
    )


def _status(api: GitHubApi, status: Mapping[str, Any], about: str) -> Check:
    number, name, state = status.get("id"), status.get("context"), at(status.get("state"))
    if not isinstance(number, int) or not isinstance(name, str) or not name or not state:
        raise UnreadableError(f"{api.called} sent a status without id, context or state; asked for {about}")
    waits = state == "pending"
    return Check(
        name=name,
        state=CheckState.RUNNING if waits else CheckState.CONCLUDED,
        conclusion=None if waits else STATUS_ENDS.get(state, Conclusion.UNKNOWN),
        url=at(status.get("target_url")),
        source=STATUSES,
        attempt=number,
        started=_time(status.get("created_at")),
        said=state,
    )


def _time(written: object) -> datetime | None:
    try:
        return datetime.fromisoformat(at(written))
    except ValueError:
        return None
