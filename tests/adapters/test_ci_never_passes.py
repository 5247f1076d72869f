"""Whatever a CI server answers but the truth, the ci gate does not pass: the gate over the real client."""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.adapters.github_api import GitHubApi, GitHubServer
from bot.adapters.github_pipelines import GitHubPipelines
from bot.adapters.metrics_http import MOST_BYTES
from bot.domain.errors import PermanentError, SluiceError, TemporaryError
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from runbooks.gates.ci import CiGate
from tests.adapters import github_server
from tests.adapters.github_server import SHA, Answer
from tests.fakes.clock import FakeClock
from tests.fakes.pipelines import FakeCiServers
from tests.runbooks.passes import Place

CHUNK = b" " * (1024 * 1024)
ANOTHER = "1" * 40
LIMITS = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1772442060", "Date": "Mon, 02 Mar 2026 09:00:00 GMT"}
"""Nothing is left until a minute after the server's own date."""

Change = Callable[[github_server.GitHubServer], None]


@dataclass(frozen=True)
class Row:
    """What is wrong, what the gate makes of it (an outcome or an error), and what it says."""

    change: Change
    kind: type[object]
    said: str


def answers(status: int, **more: Any) -> Change:
    """The first answer is this one."""
    return lambda server: server.faults.append(Answer(status, **more))


def breaks(error: Exception) -> Change:
    """No answer comes, however often it is asked for."""
    return lambda server: server.faults.extend([error, error])


def tells(**members: Any) -> Change:
    """Every list of check runs has these members instead of its own."""

    def rewrite(request: httpx.Request, answer: Answer) -> Answer:
        if "check-runs" not in request.url.path:
            return answer
        return Answer(answer.status_code, json={**json.loads(answer.content), **members})

    return lambda server: setattr(server, "rewrite", rewrite)


def run_with(**members: Any) -> Change:
    """The check run has these members instead of its own."""
    return lambda server: server.check_runs[0].update(members)


def of_commit(sha: str | None) -> Change:
    """The check that is told is another commit's, as of a branch that is named like this one's id."""

    def change(server: github_server.GitHubServer) -> None:
        tells(check_runs=[{**server.check_runs[0], "head_sha": sha}])(server)

    return change


def also(context: str, state: str) -> Change:
    """A commit status beside the check."""
    return lambda server: server.status(context, state)


def concluded(word: str | None) -> Change:
    """The check's newest attempt ended so."""
    return lambda server: server.check("build", word)


def no_checks(server: github_server.GitHubServer) -> None:
    """Nobody reported anything."""
    server.check_runs.clear()


def endless(server: github_server.GitHubServer) -> None:
    """50 MB of blanks."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield CHUNK

    server.faults.append(Answer(200, content=chunks()))


def wrong_clock(server: github_server.GitHubServer) -> None:
    """The attempt that was good says that it began long after the one that failed."""
    server.check("build", "failure")
    tells(total_count=2, check_runs=[*server.check_runs])(server)
    server.check_runs[0]["started_at"] = "2099-01-01T00:00:00Z"


def without_a_page(server: github_server.GitHubServer) -> None:
    """The second page is empty, and there should be one."""
    tells(total_count=101)(server)


def without_an_end(server: github_server.GitHubServer) -> None:
    """Every page is full, and says that there are more."""
    tells(total_count=10**9, check_runs=server.check_runs * 100)(server)


ROWS = {
    "expired token": Row(answers(401, json={"message": "Bad credentials"}), PermanentError, "Bad credentials.*token"),
    "401 without words": Row(answers(401), PermanentError, "HTTP 401"),
    "403": Row(answers(403, json={"message": "Resource not accessible"}), PermanentError, "not accessible.*check"),
    "403, a rate limit": Row(answers(403, headers=LIMITS, json={"message": "x"}), TemporaryError, "HTTP 403"),
    "403, a rate limit in words": Row(
        answers(403, json={"message": "You have exceeded a secondary rate limit"}), TemporaryError, "secondary rate"
    ),
    "404": Row(answers(404, json={"message": "Not Found"}), PermanentError, "has no checks.*or does not let"),
    "410": Row(answers(410), PermanentError, "HTTP 410"),
    "422": Row(answers(422, json={"message": "No commit found for SHA"}), PermanentError, "No commit found"),
    "429": Row(answers(429, headers={"Retry-After": "7"}), TemporaryError, "HTTP 429"),
    "500": Row(answers(500), TemporaryError, "HTTP 500"),
    "503, a page": Row(answers(503, text="<html>unicorn</html>"), TemporaryError, "unicorn"),
    "a redirect": Row(answers(301, headers={"Location": "https://evil.test/"}), PermanentError, "elsewhere"),
    "a login page": Row(answers(200, text="<html>log in</html>"), PermanentError, "not JSON"),
    "half an answer": Row(answers(200, text='{"total_count": 1, "check_'), PermanentError, "not JSON"),
    "nothing at all": Row(answers(200, content=b""), PermanentError, "not JSON"),
    "a deep nest": Row(answers(200, text="[" * 200_000), PermanentError, "not JSON"),
    "bytes": Row(answers(200, content=b"\xff\xfe\x00"), PermanentError, "not JSON"),
    "a list": Row(answers(200, json=[]), PermanentError, "no object"),
    "null": Row(answers(200, text="null"), PermanentError, "no object"),
    "an envelope without checks": Row(answers(200, json={"total_count": 1}), PermanentError, "no list of objects"),
    "checks that are text": Row(
        answers(200, json={"total_count": 1, "check_runs": ["build"]}), PermanentError, "no list of objects"
    ),
    "no number of checks": Row(tells(total_count=None), PermanentError, "how many"),
    "a number that is a truth": Row(tells(total_count=True), PermanentError, "how many"),
    "50 MB": Row(endless, PermanentError, f"more than {MOST_BYTES:,} bytes"),
    "a time-out": Row(breaks(httpx.ReadTimeout("slow")), TemporaryError, "did not answer within 10 s"),
    "a connection refused": Row(breaks(httpx.ConnectError("refused")), TemporaryError, "cannot be reached"),
    "a connection lost": Row(breaks(httpx.ReadError("reset")), TemporaryError, "cannot be reached"),
    "no check": Row(no_checks, Pending, "no checks yet|there is no `build` yet"),
    "an empty page": Row(without_a_page, TemporaryError, "listed 1 of 101|listed 2 of 101"),
    "pages without an end": Row(without_an_end, PermanentError, "more than 3,000"),
    "a check of another commit": Row(of_commit(ANOTHER), PermanentError, "checks of commit 111111"),
    "a check of no commit": Row(of_commit(None), PermanentError, "checks of commit None"),
    "a check without a name": Row(run_with(name=None), PermanentError, "without id, name or status"),
    "a check without an id": Row(run_with(id="1"), PermanentError, "without id, name or status"),
    "a check without a status": Row(run_with(status=None), PermanentError, "without id, name or status"),
    "good, but not yet over": Row(run_with(status="in_progress"), Pending, "`build` still runs"),
    "queued": Row(run_with(status="queued", conclusion=None), Pending, "`build` is queued"),
    "waiting for its protection": Row(run_with(status="waiting", conclusion=None), Pending, "`build` is queued"),
    "a status that is new": Row(run_with(status="pondering", conclusion=None), Pending, "`build` still runs"),
    "over, without a conclusion": Row(run_with(conclusion=None), Failed, "`build` unknown"),
    "a conclusion that is new": Row(run_with(conclusion="splendid"), Failed, r"`build` unknown \(splendid\)"),
    "a conclusion in capitals": Row(run_with(conclusion="SUCCESS"), Failed, r"`build` unknown \(SUCCESS\)"),
    "a conclusion that is a number": Row(run_with(conclusion=1), Failed, "`build` unknown"),
    "failure": Row(concluded("failure"), Failed, "`build` failure"),
    "cancelled": Row(concluded("cancelled"), Failed, "`build` cancelled"),
    "timed out": Row(concluded("timed_out"), Failed, "`build` timed out"),
    "stale": Row(concluded("stale"), Failed, "`build` stale"),
    "action required": Row(concluded("action_required"), Failed, "`build` action required"),
    "startup failure": Row(concluded("startup_failure"), Failed, "`build` startup failure"),
    "run again": Row(concluded(None), Pending, "`build` still runs"),
    "a status of the same name": Row(also("build", "failure"), Failed, "`build` failure"),
    "a status that waits": Row(also("build", "pending"), Pending, "`build` still runs"),
    "a status in error": Row(also("build", "error"), Failed, "`build` failure"),
    "a status that is no word": Row(also("build", "great"), Failed, r"`build` unknown \(great\)"),
    "the wrong clock": Row(wrong_clock, Failed, "`build` failure"),
}


async def asked(server: github_server.GitHubServer, token: Path, *required: str) -> Outcome | SluiceError:
    """What the gate says of the commit, as an outcome or an error."""
    sealed = {"required": [*required], "commit": SHA, "server": "main", "project": github_server.PROJECT}
    place = GitHubServer("GitHub main", github_server.API, token)
    async with GitHubApi(place, clock=FakeClock(), transport=server) as api:
        gate = CiGate(FakeCiServers(main=GitHubPipelines(api)))
        try:
            return await gate.reconcile(Place().context("ci", sealed))
        except SluiceError as exc:
            return exc


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """The file with our token."""
    path = tmp_path / "token"
    path.write_text(f"{github_server.TOKEN}\n")
    return path


@pytest.mark.parametrize("required", [(), ("build",)], ids=["all", "named"])
@pytest.mark.parametrize("name", ROWS)
async def test_it_does_not_pass(token: Path, name: str, required: tuple[str, ...]) -> None:
    """With one check that would be good; and what is said of it never holds the token."""
    row, server = ROWS[name], github_server.GitHubServer()
    server.check("build", "success")
    row.change(server)
    outcome = await asked(server, token, *required)
    assert not isinstance(outcome, Succeeded)
    assert isinstance(outcome, row.kind), outcome
    text = outcome.why if isinstance(outcome, Pending) else getattr(outcome, "reason", str(outcome))
    assert re.search(row.said, text), text
    assert github_server.TOKEN not in repr(outcome)


async def test_the_truth_passes(token: Path) -> None:
    """So that the rows above show what they seem to show."""
    server = github_server.GitHubServer()
    server.check("build", "success")
    assert isinstance(await asked(server, token), Succeeded)
    assert isinstance(await asked(server, token, "build"), Succeeded)


async def test_a_token_that_is_not_there_is_said_by_its_file(tmp_path: Path) -> None:
    """Before anything is sent."""
    server = github_server.GitHubServer()
    outcome = await asked(server, tmp_path / "none")
    assert str(outcome) == f"the secret in {tmp_path}/none cannot be read: No such file or directory"
    assert server.requests == []


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Answer(429, headers={"Retry-After": "7"}), 7),
        (Answer(403, headers=LIMITS), 60),
        (Answer(429, headers=LIMITS), 60),
        (Answer(403, headers={**LIMITS, "x-ratelimit-reset": "1772449200"}), 300),
        (Answer(403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}), 60),
        (Answer(403, json={"message": "API rate limit exceeded"}), 60),
    ],
)
async def test_a_limit_says_how_long_to_wait(token: Path, fault: Answer, seconds: int) -> None:
    """By the server's own clock, at most five minutes; a minute where nothing is said."""
    server = github_server.GitHubServer()
    server.faults.append(fault)
    outcome = await asked(server, token)
    assert isinstance(outcome, TemporaryError)
    assert outcome.retry_after is not None
    assert outcome.retry_after.total_seconds() == seconds
