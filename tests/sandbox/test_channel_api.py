"""The page's half of the channel."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from tests.sandbox.channel_page import ACTIONS, a_form, page, posted
from tests.sandbox.slack.apps import said


async def test_what_is_said_is_there_for_everybody() -> None:
    """The snapshot holds it, by channel, with who said it."""
    async with page() as p:
        shown = await p.does("say", channel="#deploys", text="hello @bob", **{"as": "ann"})
        assert shown["acknowledged"]
        (message,) = await p.channel("carol")
        assert (message["text"], message["user"], message["ts"]) == ("hello <@U0BOB>", "U0ANN", shown["ts"])


async def test_a_snapshot_names_who_and_where() -> None:
    """Enough to render a page from nothing."""
    async with page() as p:
        seen = (await p.http.get("/api/channel", params={"as": "ann"})).json()
        assert (seen["me"], seen["number"], seen["down"], seen["views"]) == ("U0ANN", p.begin, False, [])
        assert [channel["name"] for channel in seen["channels"]] == ["deploys", "prod"]
        assert {"ann", "eve", "sluice", "Slackbot"} <= {person["name"] for person in seen["people"]}
        assert [group["handle"] for group in seen["groups"]] == ["release-approvers", "on-call"]


async def test_a_private_answer_is_in_its_senders_feed_alone() -> None:
    """Others see nothing of it, live or later."""
    async with page() as p:
        p.app.answers.append(said(text="on it"))
        shown = await p.does("say", channel="deploys", text="/deploy api x prod", **{"as": "ann"})
        await p.does("say", channel="deploys", text="after", **{"as": "bob"})
        mine, his = await p.feed("ann", 2), await p.feed("bob", 1)
        assert shown["text"] == "on it"
        assert [change["message"]["text"] for change in mine] == ["on it", "after"]
        assert [change["message"].get("is_ephemeral") for change in mine] == [True, None]
        assert [change["message"]["text"] for change in his] == ["after"]


async def test_a_feed_goes_on_where_it_broke() -> None:
    """A browser says which change it saw last, and misses none."""
    async with page() as p:
        for text in ("one", "two", "three"):
            await p.does("say", channel="deploys", text=text, **{"as": "ann"})
        changes = await p.feed("ann", 2, after=p.begin + 1)
        assert [change["message"]["text"] for change in changes] == ["two", "three"]
        assert [change["number"] for change in changes] == [p.begin + 2, p.begin + 3]


async def test_a_feed_is_live() -> None:
    """What happens while it is open comes at once."""
    async with page() as p, asyncio.TaskGroup() as group:
        coming = group.create_task(p.feed("bob", 1))
        await p.does("say", channel="prod", text="now", **{"as": "ann"})
        (change,) = await coming
        assert (change["kind"], change["channel"]) == ("message", "C0PROD")


async def test_a_feed_from_another_life_says_so_and_ends() -> None:
    """The page then takes the channel anew."""
    async with page() as p:
        for number in (p.begin - 1, p.begin + 1):
            async with p.following("ann", number) as socket:
                assert (await socket.receive_json())["kind"] == "forgotten"
                assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_whoever_shows_a_page_is_told_that_the_sandbox_leaves() -> None:
    """By the code that says so: the page then waits for the next one, and nobody for the page."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(5):
        async with page() as p:
            address, asked = str(p.http.base_url.join("/api/feed")), {"as": "ann", "after": str(p.begin)}
            socket = await session.ws_connect(address, params=asked)
            heard = asyncio.create_task(socket.receive())
        assert ((await heard).type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)


async def test_a_page_that_is_silent_is_asked_whether_it_is_there() -> None:
    """One that answers is told what happens then; one that does not is let go."""
    async with page(timedelta(milliseconds=20)) as p, aiohttp.ClientSession() as session, asyncio.timeout(5):
        address = str(p.http.base_url.join("/api/feed"))
        asked = {"as": "ann", "after": str(p.begin)}
        async with session.ws_connect(address, params=asked, autoping=False) as socket:
            assert (await socket.receive()).type is aiohttp.WSMsgType.PING
            await socket.pong()
            assert (await socket.receive()).type is aiohttp.WSMsgType.PING
            assert (await socket.receive()).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_what_a_page_sends_into_its_feed_changes_nothing() -> None:
    """It is told what happens all the same."""
    async with page() as p, p.following("ann", p.begin) as socket:
        await socket.send_str("{")
        await p.does("say", channel="deploys", text="hi", **{"as": "bob"})
        assert (await socket.receive_json())["message"]["text"] == "hi"


async def test_a_feed_is_a_websocket() -> None:
    """A plain request would hold one of a browser's few connections."""
    async with page() as p:
        answer = await p.http.get("/api/feed", params={"as": "ann", "after": p.begin})
        assert (answer.status_code, answer.json()["error"]) == (426, "not_a_websocket")


async def test_reactions_are_given_and_taken_back() -> None:
    """The change tells the whole row as it is then."""
    async with page() as p:
        ts = (await p.does("say", channel="deploys", text="hi", **{"as": "ann"}))["ts"]
        vote = {"as": "bob", "channel": "C0DEPLOYS", "ts": ts, "name": "eyes"}
        assert (await p.does("react", on=True, **vote))["acknowledged"]
        assert (await p.does("react", on=True, **vote))["error"] == "already_reacted"
        assert (await p.does("react", on=False, **vote))["acknowledged"]
        rows = [change["reactions"] for change in (await p.feed("ann", 3))[1:]]
        assert rows == [[{"name": "eyes", "users": ["U0BOB"], "count": 1}], []]


async def test_a_button_is_pressed() -> None:
    """It reaches the app with its value and whoever pressed it."""
    async with page() as p:
        place = await posted(p.slack, blocks=[ACTIONS])
        asked = {"as": "bob", "channel": place.channel, "ts": place.ts, "action_id": "abort", "block_id": "row"}
        assert (await p.does("press", **asked))["acknowledged"]
        clicks = [request.body for request in p.app.requests if request.body["type"] == "block_actions"]
        assert [(click["user"]["id"], click["actions"][0]["value"]) for click in clicks] == [("U0BOB", "abort it")]
        assert (await p.does("press", **asked | {"action_id": "other"}))["error"] == "action_not_found"


async def test_a_form_is_filled_in_or_put_away() -> None:
    """By the person who has it open, and by nobody else."""
    async with page() as p:
        one, other = (p.slack.modals.open("U0ANN", a_form(), at="1.0") for _ in range(2))
        empty = await p.does("submit", view_id=one.id, values={}, **{"as": "ann"})
        assert empty["errors"] == {"ref": "Please complete this required field."}
        foreign = await p.does("submit", view_id=one.id, values={"ref": "v1"}, **{"as": "bob"})
        assert (foreign["acknowledged"], foreign["error"]) == (False, "not_found")
        assert (await p.does("submit", view_id=one.id, values={"ref": "v1"}, **{"as": "ann"}))["acknowledged"]
        assert (await p.does("dismiss", view_id=other.id, **{"as": "ann"}))["acknowledged"]
        assert [change["kind"] for change in await p.feed("ann", 4)][2:] == ["view_closed", "view_closed"]


async def test_a_file_is_served_as_what_it_is_and_does_nothing() -> None:
    """A picture is a picture, and nothing else is run."""
    async with page() as p:
        file = p.slack.files.ask("a.html", 8, user="U0SLUICE", at_s=0)
        assert (await p.http.get(f"/files/{file.id}")).status_code == 404
        file.content = b"<script>"
        answer = await p.http.get(f"/files/{file.id}")
        assert (answer.content, answer.headers["content-type"]) == (b"<script>", "application/octet-stream")
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_while_slack_is_down_people_are_told() -> None:
    """And nothing is sent."""
    async with page() as p:
        p.slack.outage.down = True
        shown = await p.does("say", channel="deploys", text="/deploy api x prod", **{"as": "ann"})
        assert (shown["acknowledged"], shown["error"]) == (False, "slack_is_down")
        assert p.app.requests == []
        assert (await p.http.get("/api/channel", params={"as": "ann"})).json()["down"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=lambda headers: " ".join(*headers.items()),
)
async def test_other_pages_may_neither_act_nor_look(headers: dict[str, str]) -> None:
    """A browser opens other people's pages too."""
    async with page() as p:
        asked = {"as": "ann", "channel": "deploys", "text": "hi"}
        answers = [
            await p.http.post("/api/say", json=asked, headers=headers),
            await p.http.get("/api/channel", params={"as": "ann"}, headers=headers),
            await p.http.get("/api/feed", params={"as": "ann", "after": "0"}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [403, 403, 403]
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            async with p.following("ann", p.begin, **headers):
                pytest.fail("another page's script listens")
        assert await p.channel("ann") == []


async def test_the_own_page_may_act() -> None:
    """Its browser names it."""
    async with page() as p:
        origin = str(p.http.base_url).rstrip("/")
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        asked = {"as": "ann", "channel": "deploys", "text": "hi"}
        assert (await p.http.post("/api/say", json=asked, headers=headers)).json()["acknowledged"]


async def test_what_is_no_json_is_not_read() -> None:
    """A form of another page could send it unasked."""
    async with page() as p:
        body = json.dumps({"as": "ann", "channel": "deploys", "text": "hi"})
        answer = await p.http.post("/api/say", content=body, headers={"Content-Type": "text/plain"})
        assert (answer.status_code, answer.json()["error"]) == (415, "not_json")


async def test_json_in_a_charset_that_there_is_not_is_not_read() -> None:
    """It is the sender's fault, not the server's."""
    async with page() as p:
        headers = {"Content-Type": "application/json; charset=nonsense"}
        answer = await p.http.post("/api/say", content=b"{}", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_feed_is_not_asked_for_its_head() -> None:
    """A stream has none: what followed would be taken for the next answer."""
    async with page() as p:
        answer = await p.http.head("/api/feed", params={"as": "ann", "after": "0"})
        assert answer.status_code == 405


@pytest.mark.parametrize(
    ("verb", "asked"),
    [
        ("say", {"channel": "deploys", "text": "hi"}),
        ("say", {"as": "ann", "channel": "deploys", "text": 5}),
        ("say", {"as": "ann", "channel": "deploys", "text": "hi", "thread_ts": 5}),
        ("react", {"as": "ann", "channel": "deploys", "ts": "1.0", "name": "eyes", "on": "yes"}),
        ("submit", {"as": "ann", "view_id": "V1", "values": {"ref": 5}}),
    ],
)
async def test_a_request_with_a_wrong_field_is_refused(verb: str, asked: dict[str, Any]) -> None:
    """With its name in the answer."""
    async with page() as p:
        assert await p.does(verb, **asked) == (400, "invalid_request")


async def test_a_stranger_sees_nothing() -> None:
    """There is no channel as nobody sees it."""
    async with page() as p:
        for path in ("/api/channel", "/api/feed?after=0"):
            assert (await p.http.get(path)).status_code == 400
        assert (await p.does("say", channel="deploys", text="hi", **{"as": "zoe"}))["error"] == "user_not_found"
