"""How calls are read and refused: tokens, arguments, scopes, limits."""

from datetime import timedelta

import pytest

from tests.sandbox.slack.callers import DEPLOYS, Caller, caller

VIEW = '{"type": "modal", "title": {"type": "plain_text", "text": "Release"}, "blocks": [{"type": "divider"}]}'


async def test_arguments_come_from_query_form_and_json() -> None:
    """Client libraries use all three."""
    async with caller() as c:
        asked = {"channel": DEPLOYS, "token": "xoxb-sandbox"}
        answers = [
            await c.http.get("conversations.info", params=asked),
            await c.http.post("conversations.info", params=asked),
            await c.http.post("conversations.info", data=asked),
            await c.http.post("conversations.info", json=asked),
        ]
        assert [answer.json()["channel"]["name"] for answer in answers] == ["deploys"] * 4


@pytest.mark.parametrize(
    ("token", "error"),
    [("xoxb-other", "invalid_auth"), ("xoxp-frank", "account_inactive"), ("xoxp-ann", "ok"), ("xoxb-sandbox", "ok")],
)
async def test_a_token_is_looked_at(token: str, error: str) -> None:
    """Strangers and people who have left do nothing."""
    async with caller() as c:
        assert await c.error("auth.test", token=token) == error


async def test_no_token_is_told_apart_from_a_wrong_one() -> None:
    """As the fix differs."""
    async with caller() as c:
        assert (await c.http.post("auth.test")).json() == {"ok": False, "error": "not_authed"}


async def test_a_token_tells_whose_it_is() -> None:
    """The app's with its bot; a person's without."""
    async with caller() as c:
        app, ann = await c.call("auth.test"), await c.call("auth.test", token="xoxp-ann")
        assert (app["user_id"], app["bot_id"], app["team_id"]) == ("U0SLUICE", "B0SLUICE", "T0ACME")
        assert (ann["user_id"], ann.get("bot_id")) == ("U0ANN", None)


async def test_the_apps_scopes_come_with_every_answer() -> None:
    """Also with a refusal; people's tokens have none here."""
    async with caller() as c:
        c.slack.web_api.scopes.clear()
        c.slack.web_api.scopes.update({"commands", "chat:write"})
        told = [await c.raw("auth.test"), await c.raw("users.list"), await c.raw("auth.test", token="xoxp-ann")]
        assert [each.headers.get("x-oauth-scopes") for each in told] == ["chat:write,commands"] * 2 + [None]


async def test_the_app_may_do_what_its_scopes_say() -> None:
    """A call beyond them names the scope that is missing."""
    async with caller() as c:
        body = await c.call("conversations.join", channel=DEPLOYS)
        assert (body["error"], body["needed"]) == ("missing_scope", "channels:join")
        assert await c.error("conversations.join", token="xoxp-ann", channel=DEPLOYS) == "ok"


@pytest.mark.parametrize(
    ("method", "asked", "error"),
    [
        ("no.such", {}, "unknown_method"),
        ("chat.postMessage", {"text": "hi"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "hi"}, "channel_not_found"),
        ("conversations.history", {"channel": DEPLOYS, "cursor": "nonsense"}, "invalid_cursor"),
        ("conversations.history", {"channel": DEPLOYS, "limit": "many"}, "invalid_limit"),
        ("conversations.history", {"channel": DEPLOYS, "limit": "9" * 5000}, "invalid_limit"),
        ("conversations.history", {"channel": DEPLOYS, "oldest": "early"}, "invalid_ts_oldest"),
        ("conversations.list", {"types": "everything"}, "invalid_types"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        ("conversations.open", {"users": "U0NOBODY"}, "user_not_found"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("views.open", {"trigger_id": "1.2.x", "view": VIEW}, "invalid_trigger_id"),
        ("bots.info", {"bot": "B0NONE"}, "bot_not_found"),
    ],
)
async def test_a_call_that_makes_no_sense_is_refused(method: str, asked: dict[str, str], error: str) -> None:
    """By Slack's name for it."""
    async with caller() as c:
        assert await c.error(method, **asked) == error


async def test_a_body_that_cannot_be_read_is_refused() -> None:
    """Rather than taken for an empty one."""
    async with caller() as c:
        kind = {"Content-Type": "application/json"}
        answers = [(await c.http.post("auth.test", content=body, headers=kind)).json() for body in ("{", "[]")]
        assert [answer["error"] for answer in answers] == ["invalid_json", "json_not_object"]


async def test_posts_are_limited_in_each_channel() -> None:
    """A burst passes, then one a second; another channel has a limit of its own."""
    async with caller(limits_posts=True) as c:
        for _ in range(5):
            await c.post()
        answer = await c.raw("chat.postMessage", channel=DEPLOYS, text="hi")
        assert (answer.status_code, answer.headers["Retry-After"], answer.json()["error"]) == (429, "1", "ratelimited")
        assert await c.error("chat.postMessage", channel="C0PROD", text="hi") == "ok"
        c.clock.advance(timedelta(seconds=1))
        assert await c.error("chat.postMessage", channel=DEPLOYS, text="hi") == "ok"
        assert await c.error("chat.postMessage", channel=DEPLOYS, text="hi") == "ratelimited"


async def test_slack_can_be_down() -> None:
    """Everything is 503 then, as from a load balancer."""
    async with caller() as c:
        c.slack.outage.down = True
        assert (await c.raw("auth.test")).status_code == 503


async def test_a_fault_lasts_for_the_calls_it_was_asked_for() -> None:
    """And touches no other method."""
    async with caller() as c:
        c.slack.faults.fails("auth.test", "internal_error", times=2)
        assert await c.error("users.list") == "ok"
        assert [await c.error("auth.test") for _ in range(3)] == ["internal_error", "internal_error", "ok"]


async def test_a_list_comes_in_pages() -> None:
    """Each begins where the last one ended, and the last one says so."""
    async with caller() as c:
        seen, cursor = await a_page(c, "")
        more, end = await a_page(c, cursor)
        assert seen + more == ["U0ANN", "U0BOB", "U0CAROL", "U0DAVE", "U0EVE", "U0FRANK", "U0SLUICE"]
        assert end == ""


async def a_page(c: Caller, cursor: str) -> tuple[list[str], str]:
    """Ids of up to four people, and where it goes on."""
    body = await c.call("users.list", limit=4, cursor=cursor)
    return [person["id"] for person in body["members"]], body["response_metadata"]["next_cursor"]
