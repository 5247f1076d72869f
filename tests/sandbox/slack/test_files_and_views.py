"""Files and forms through the Web API."""

import pytest

from tests.sandbox.slack.callers import DEPLOYS, caller


async def test_a_file_is_only_shown_once_it_was_sent() -> None:
    """Its bytes need a token; their number was said before."""
    async with caller() as c:
        asked = await c.call("files.getUploadURLExternal", filename="a.png", length=3)
        share = {"files": [{"id": asked["file_id"], "title": "A"}], "channel_id": DEPLOYS}
        assert await c.error("files.completeUploadExternal", **share) == "file_not_found"
        assert (await c.http.post(asked["upload_url"], content=b"long")).status_code == 400
        assert (await c.http.post(asked["upload_url"], content=b"abc")).status_code == 200
        (file,) = (await c.call("files.completeUploadExternal", **share))["files"]
        (message,) = (await c.call("conversations.history", channel=DEPLOYS))["messages"]
        assert [shared["ts"] for shared in file["shares"]["public"][DEPLOYS]] == [message["ts"]]
        answers = [
            await c.http.get(file["url_private"], headers=headers)
            for headers in ({}, {"Authorization": "Bearer xoxp-ann"})
        ]
        assert [(answer.status_code, answer.content) for answer in answers] == [(302, b"302: Found"), (200, b"abc")]


async def test_a_file_may_be_sent_as_a_form() -> None:
    """Some clients do."""
    async with caller() as c:
        asked = await c.call("files.getUploadURLExternal", filename="a/b.txt", length=3)
        answer = await c.http.post(asked["upload_url"], files={"file": ("b.txt", b"abc")})
        assert (answer.status_code, answer.text) == (200, "OK - 3")
        (file,) = (await c.call("files.completeUploadExternal", files=[{"id": asked["file_id"]}]))["files"]
        assert (file["name"], file["shares"], await c.texts()) == ("a_b.txt", {}, [])


async def test_the_app_reads_no_private_file_without_the_scope() -> None:
    """It is led to the sign-in page, like a stranger."""
    async with caller() as c:
        file = c.slack.files.ask("a.png", 3, user="U0ANN", at_s=0)
        file.content = b"abc"
        at = f"/files-pri/T0ACME-{file.id}/a.png"
        url, headers = c.slack.workspace.url + at, {"Authorization": "Bearer xoxb-sandbox"}
        assert (await c.http.get(url, headers=headers)).headers["Location"] == "/signin"
        c.slack.web_api.scopes.add("files:read")
        assert (await c.http.get(url, headers=headers)).content == b"abc"
        assert (await c.http.get(f"{url[: -len(at)]}/files-pri/T0ACME-F0/a.png", headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"filename": "a.png"}, "invalid_arguments"),
        ({"filename": "a.png", "length": 0}, "invalid_arguments"),
        ({"filename": "a.png", "length": "three"}, "invalid_arguments"),
        ({"filename": "a.png", "length": 10_000_001}, "file_upload_size_restricted"),
    ],
)
async def test_a_file_that_cannot_be_is_refused(asked: dict[str, object], error: str) -> None:
    """Before any of its bytes."""
    async with caller() as c:
        assert await c.error("files.getUploadURLExternal", **asked) == error


@pytest.mark.parametrize("files", ["[{", [], "none", [5]])
async def test_a_share_of_nothing_is_refused(files: object) -> None:
    """Whatever stands there."""
    async with caller() as c:
        assert await c.error("files.completeUploadExternal", files=files) == "invalid_arguments"


async def test_a_file_of_somebody_else_is_not_shown() -> None:
    """The app shows its own."""
    async with caller() as c:
        file = c.slack.files.ask("a.png", 3, user="U0ANN", at_s=0)
        file.content = b"abc"
        assert await c.error("files.completeUploadExternal", files=[{"id": file.id}]) == "file_not_found"


async def test_the_oldest_files_drop_out() -> None:
    """A workspace in memory does not grow for ever."""
    async with caller() as c:
        made = [c.slack.files.ask("a.png", 3, user="U0ANN", at_s=0) for _ in range(301)]
        for file in made:
            file.content = b"abc"
        found = [
            await c.http.get(f"{c.slack.workspace.url}/files-pri/T0ACME-{file.id}/a", headers=ANN) for file in made[:2]
        ]
        assert [answer.status_code for answer in found] == [404, 200]


ANN = {"Authorization": "Bearer xoxp-ann"}


async def test_a_form_is_replaced_if_it_is_still_what_the_app_knows() -> None:
    """Its hash tells."""
    async with caller() as c:
        plain = {"type": "plain_text", "text": "Release"}
        view = {"type": "modal", "title": plain, "external_id": "mine", "blocks": [{"type": "divider"}]}
        modal = c.slack.modals.open("U0ANN", view, at="1.0")
        known = modal.hash
        asked = {"view": view, "external_id": "mine"}
        assert await c.error("views.update", hash=known, **asked) == "ok"
        assert await c.error("views.update", hash=known, **asked) == "hash_conflict"
        assert await c.error("views.update", view=view, view_id="V0") == "not_found"
