"""A registry that answers strangely: neither gate of the supply chain passes what it could not read."""

from pathlib import Path

import httpx
import pytest

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.outcome import Failed
from tests.real.servers import INDEX
from tests.runbooks.attacks import asked, attacked
from tests.runbooks.scans import (
    blob,
    trivy,
)
from tests.signing import (
    statement,
)

ANSWERS: dict[str, httpx.Response | Exception] = {
    "401": httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="x"'}),
    "403": httpx.Response(403),
    "404": httpx.Response(404),
    "418": httpx.Response(418),
    "429": httpx.Response(429, headers={"Retry-After": "5"}),
    "500": httpx.Response(500),
    "a time-out": httpx.ReadTimeout("slow"),
    "50 MB": httpx.Response(200, content=b" " * 50_000_000),
    "half an answer": httpx.Response(200, content=b'{"manifests": [', headers={"Content-Type": INDEX}),
    "a friendly page": httpx.Response(200, content=b"<html>", headers={"Content-Type": "text/html"}),
    "another list": httpx.Response(200, content=b'{"manifests": []}', headers={"Content-Type": INDEX}),
}


@pytest.mark.parametrize("part", ["the list", "the artifact", "its content"])
@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("kind", ["vulnerabilities", "signature"])
async def test_no_strange_answer_passes(kind: str, name: str, part: str, tmp_path: Path) -> None:
    """A good report and a good signature are there, but the registry does not give them out."""
    attack = await attacked(tmp_path)
    one = blob(trivy(attack.digest)) if kind == "vulnerabilities" else attack.ann.bundle(statement(attack.digest))
    artifact = await attack.attach(one)
    attack.params = {"signatures": attack.signed["signatures"]} if kind == "signature" else {}
    assert not isinstance(await asked(attack, kind), Failed | Exception), "without the answer it passes"
    strange = ANSWERS[name]

    def make(_request: httpx.Request, _real: httpx.Response) -> httpx.Response:
        if isinstance(strange, Exception):
            raise strange
        return httpx.Response(strange.status_code, content=strange.content, headers=strange.headers)

    paths = {"the list": "/referrers/", "the artifact": f"/manifests/{artifact}", "its content": f"/blobs/{one.digest}"}
    attack.answer(make, paths[part])
    assert isinstance(await asked(attack, kind), Failed | PermanentError | TemporaryError)
