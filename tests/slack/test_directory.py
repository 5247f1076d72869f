"""Corners of SlackDirectory that the contract suite cannot show on a live server."""

from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import NotFoundError, RefusedError, UnreadableError
from bot.domain.ids import UserId
from bot.slack.directory import SlackDirectory
from bot.slack.groups import Groups
from bot.slack.web_api import Identity
from tests.fakes.clock import FakeClock
from tests.slack.samples import ANN
from tests.slack.scripted_api import fault, ok, scripted

ME = Identity("T1", UserId("U0SLUICE"), "B0SLUICE")
APPROVERS = ok(
    usergroups=[{"id": "S1", "handle": "release-approvers"}, {"id": "S2", "handle": "old", "date_delete": 5}]
)


def directory(client: AsyncWebClient, clock: FakeClock | None = None) -> SlackDirectory:
    """The directory over a scripted API."""
    return SlackDirectory(client, me=ME, groups=Groups(client, clock=clock or FakeClock()))


@pytest.mark.parametrize(
    ("flags", "field"),
    [
        ({"is_bot": True}, "is_bot"),
        ({"is_restricted": True}, "is_guest"),
        ({"is_ultra_restricted": True}, "is_guest"),
        ({"deleted": True}, "is_deleted"),
        ({"is_stranger": True}, "is_outside"),
        ({"team_id": "T9"}, "is_outside"),
        ({"team_id": None}, "is_outside"),
    ],
)
async def test_each_flag_that_costs_a_vote_is_seen(flags: dict[str, Any], field: str) -> None:
    """An account whose workspace is not known counts as another's."""
    account = {"id": ANN, "name": "ann", "team_id": "T1", "profile": {"display_name": "Ann"}} | flags
    async with scripted(users_info=ok(user=account)) as (client, _):
        person = await directory(client).person(ANN)
    given = {name for name in ("is_bot", "is_guest", "is_deleted", "is_outside") if getattr(person, name)}
    assert (person.name, given) == ("Ann", {field})


async def test_a_colleague_of_the_same_organisation_is_inside() -> None:
    """On Enterprise Grid somebody may live in a sister workspace and belong to ours too."""
    account = {"id": ANN, "name": "ann", "team_id": "T9", "enterprise_user": {"teams": ["T9", "T1"]}}
    async with scripted(users_info=ok(user=account)) as (client, _):
        assert not (await directory(client).person(ANN)).is_outside


async def test_slackbot_is_a_bot() -> None:
    """Slack itself says it is not."""
    async with scripted() as (client, _):
        assert (await directory(client).person(UserId("USLACKBOT"))).is_bot


async def test_a_terminal_is_nobody_in_slack() -> None:
    """No call is made for it."""
    async with scripted() as (client, _):
        with pytest.raises(NotFoundError, match="terminal:ann is not a Slack user"):
            await directory(client).person(UserId("terminal:ann"))


async def test_somebody_else_is_no_answer() -> None:
    """Nobody is counted on a misunderstanding."""
    async with scripted(users_info=ok(user={"id": "U9"})) as (client, _):
        with pytest.raises(UnreadableError):
            await directory(client).person(ANN)


async def test_a_group_that_took_over_the_handle_is_the_one_that_votes() -> None:
    """The approvers' group was renamed and another got its handle: people are counted by what the handle means now."""
    first = ok(usergroups=[{"id": "S1", "handle": "release-approvers"}])
    then = ok(usergroups=[{"id": "S1", "handle": "former"}, {"id": "S2", "handle": "release-approvers"}])
    clock = FakeClock()
    async with scripted(usergroups_list=[first, then], usergroups_users_list=ok(users=[ANN])) as (client, api):
        people = directory(client, clock)
        for _ in range(2):
            await people.members("@release-approvers")
            clock.advance(timedelta(seconds=4))
        assert [call["usergroup"] for call in api.calls["usergroups.users.list"]] == ["S1", "S2"]


async def test_a_handle_that_nobody_has_any_more_is_nobody() -> None:
    """The remembered group is not asked."""
    clock = FakeClock()
    gone = [APPROVERS, ok(usergroups=[])]
    async with scripted(usergroups_list=gone, usergroups_users_list=ok(users=[ANN])) as (client, _):
        people = directory(client, clock)
        await people.members("@release-approvers")
        clock.advance(timedelta(seconds=4))
        with pytest.raises(NotFoundError):
            await people.members("@release-approvers")


async def test_members_are_read_anew_and_the_list_of_groups_a_moment_later() -> None:
    """Who is in the group counts now; which group it is may be known from the same tally."""
    clock = FakeClock()
    async with scripted(usergroups_list=APPROVERS, usergroups_users_list=[ok(users=[ANN]), ok(users=[])]) as (
        client,
        api,
    ):
        people = directory(client, clock)
        assert await people.members("@release-approvers") == {ANN}
        assert await people.members("release-approvers") == frozenset()
        assert len(api.calls["usergroups.list"]) == 1
        clock.advance(timedelta(seconds=4))
        await people.members("@release-approvers")
        assert len(api.calls["usergroups.list"]) == 2


async def test_a_group_that_is_switched_off_is_not_there() -> None:
    """Its members were not asked."""
    async with scripted(usergroups_list=APPROVERS) as (client, _):
        with pytest.raises(NotFoundError, match="no user group @old"):
            await directory(client).members("@old")


async def test_a_group_that_was_made_anew_is_found_anew() -> None:
    """The remembered id is dropped when Slack does not know it any more."""
    async with scripted(
        usergroups_list=APPROVERS, usergroups_users_list=[fault("no_such_subteam"), ok(users=[ANN])]
    ) as (
        client,
        api,
    ):
        people = directory(client)
        with pytest.raises(NotFoundError):
            await people.members("@release-approvers")
        assert await people.members("@release-approvers") == {ANN}
        assert len(api.calls["usergroups.list"]) == 2


async def test_a_free_workspace_has_no_groups() -> None:
    """The error says why nobody can vote."""
    async with scripted(usergroups_list=fault("plan_upgrade_required")) as (client, _):
        with pytest.raises(RefusedError, match="paid plans only"):
            await directory(client).members("@release-approvers")


async def test_members_that_cannot_be_read_are_not_nobody() -> None:
    """A broken answer is not an empty group."""
    async with scripted(usergroups_list=APPROVERS, usergroups_users_list=ok()) as (client, _):
        with pytest.raises(UnreadableError):
            await directory(client).members("@release-approvers")
