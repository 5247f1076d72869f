"""What is wrong in a workspace, each with what to do there."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.doctor.finding import Area, Grade
from bot.doctor.manifest import needed_scopes
from bot.sandbox.slack.acme import SCOPES
from tests.doctor.conftest import Opens
from tests.doctor.installation import Installation
from tests.slack.scripted_api import fault, ok, scripted

BLIND = "users:read"


def test_the_manifest_says_which_scopes_are_needed() -> None:
    """Those that the sandbox's app has."""
    assert needed_scopes() == SCOPES


async def test_a_wrong_token(opens: Opens) -> None:
    """Nothing else can be looked at."""
    async with opens() as place:
        place.set(slack_bot_token="xoxb-another")
        found = await place.only(Area.SLACK)
    assert (found.subject, found.grade) == ("bot token", Grade.FAULT)
    assert "token is wrong" in found.seen
    assert "OAuth & Permissions" in found.fix


async def test_no_token(opens: Opens) -> None:
    """The variable is named."""
    async with opens() as place:
        place.set(slack_bot_token=None)
        found = await place.only(Area.SLACK)
    assert (found.subject, found.seen) == ("bot token", "SLACK_BOT_TOKEN is not set")


async def test_a_token_of_a_person(opens: Opens) -> None:
    """It would post in somebody's name."""
    async with opens() as place:
        place.set(slack_bot_token="xoxp-ann")
        found = await place.only(Area.SLACK)
    assert found.seen == "it is not a bot's, but that of the user ann in Acme"


async def test_no_way_in(opens: Opens) -> None:
    """Either a signing secret or an app token must be there."""
    async with opens() as place:
        place.set(slack_signing_secret=None)
        found = await place.only(Area.SLACK)
    assert (found.subject, found.grade) == ("way in", Grade.FAULT)
    assert "SLACK_SIGNING_SECRET" in found.fix


async def test_a_missing_scope(opens: Opens) -> None:
    """It is named, with where to add it."""
    async with opens() as place:
        place.around.slack.web_api.scopes.remove("files:write")
        found = await place.only(Area.SLACK)
    assert (found.grade, found.seen) == (Grade.FAULT, "missing: files:write")
    assert "Reinstall" in found.fix


async def test_a_scope_too_many(opens: Opens) -> None:
    """Sluice asks for nothing that it does not need: a warning."""
    async with opens() as place:
        place.around.slack.web_api.scopes.add("admin")
        found = await place.only(Area.SLACK)
    assert (found.grade, found.seen) == (Grade.WARNING, "more than Sluice needs: admin")


async def test_slack_is_away(opens: Opens) -> None:
    """Nobody knows how it is; the address is named."""
    async with opens() as place:
        place.around.slack.outage.down = True
        found = await place.only(Area.SLACK)
    assert (found.subject, found.grade) == ("bot token", Grade.UNKNOWN)
    assert place.settings.slack_api_url in found.fix


Spoils = Callable[[Installation], None]


def taken_out(place: Installation) -> None:
    """Somebody took the bot out of the channel."""
    place.around.slack.admins.removes_bot("deploys")


def archived(place: Installation) -> None:
    """Its name shows nothing any more."""
    place.around.slack.admins.archives("deploys")


def archived_by_id(place: Installation) -> None:
    """An id still shows it."""
    place.rewrite('"#deploys"', '"C0DEPLOYS"')
    place.around.slack.admins.archives("deploys")


def misspelt(place: Installation) -> None:
    """The catalogue names another one."""
    place.rewrite('"#deploys"', '"#deplosy"')


CHANNELS = [
    (taken_out, "the bot is not a member", "type `/invite @sluice` in #deploys"),
    (archived, "no such channel: it is not there, archived, or private", "correct its name"),
    (archived_by_id, "it is archived", "unarchive it"),
    (misspelt, "no such channel", "#deplosy"),
]


@pytest.mark.parametrize(("spoil", "seen", "fix"), CHANNELS)
async def test_a_channel(opens: Opens, spoil: Spoils, seen: str, fix: str) -> None:
    """Of the catalogue, in which nothing could be posted."""
    async with opens() as place:
        spoil(place)
        found = await place.only(Area.SLACK)
    assert found.grade is Grade.FAULT
    assert seen in found.seen
    assert fix in found.fix


async def test_an_unknown_group(opens: Opens) -> None:
    """Nobody could vote."""
    async with opens() as place:
        place.rewrite("@release-approvers", "@approvers")
        found = await place.only(Area.SLACK)
    assert (found.subject, found.grade) == ("@approvers (votes in prod)", Grade.FAULT)
    assert found.seen == "the workspace has no user group @approvers"


async def test_too_few_voters(opens: Opens) -> None:
    """Guests and those who have left are in the group, and do not count."""
    async with opens() as place:
        place.around.slack.admins.regroups("release-approvers", ["U0BOB", "U0EVE", "U0FRANK"])
        found = await place.only(Area.SLACK)
    assert (found.grade, found.seen) == (Grade.FAULT, "only 1 of its 3 members can vote, and 2 are needed")


async def test_just_enough_voters(opens: Opens) -> None:
    """Whoever asks does not count: a warning."""
    async with opens() as place:
        place.around.slack.admins.regroups("release-approvers", ["U0ANN", "U0BOB"])
        found = await place.only(Area.SLACK)
    assert found.grade is Grade.WARNING
    assert found.seen == "2 can vote, and 2 are needed: what one of them asks for can never be approved"


async def test_people_who_cannot_be_looked_up(opens: Opens) -> None:
    """Slack's own words, for each group."""
    async with opens() as place:
        place.around.slack.web_api.scopes.remove(BLIND)
        found = await place.bad(Area.SLACK)
    assert [finding.subject for finding in found][:2] == ["scopes", "@release-approvers (votes in prod)"]
    assert BLIND in found[1].seen


async def test_exemptions_are_voted_on_by_somebody(opens: Opens) -> None:
    """Their group is looked at, too."""
    async with opens() as place:
        place.rewrite("namespace: staging}", 'namespace: staging, exemptions: "@nobody"}')
        found = await place.only(Area.SLACK)
    assert found.subject == "@nobody (votes on exemptions in staging)"


ME = ok(team_id="T1", user_id="U0SLUICE", bot_id="B1", user="sluice", team="acme")
SCOPED = replace(ME, headers={"x-oauth-scopes": ",".join(sorted(SCOPES))})
ALONE = {"auth_test": SCOPED, "conversations_list": ok(channels=[]), "usergroups_list": ok(usergroups=[])}


async def test_an_app_token_may_open_a_socket(opens: Opens) -> None:
    """None is opened."""
    async with opens() as place, scripted(**ALONE, apps_connections_open=ok(url="wss://x")) as (client, api):
        place.set(slack_api_url=client.base_url, slack_app_token="xapp-1")
        found = await place.examined(Area.SLACK)
    assert [each.grade for each in found if each.subject == "way in"] == [Grade.OK]
    assert len(api.calls["apps.connections.open"]) == 1


async def test_an_app_token_that_may_not(opens: Opens) -> None:
    """With the scope that it needs."""
    refused = fault("missing_scope", needed="connections:write")
    async with opens() as place, scripted(**ALONE, apps_connections_open=refused) as (client, _):
        place.set(slack_api_url=client.base_url, slack_app_token="xapp-1")
        found = await place.bad(Area.SLACK)
    assert [each.grade for each in found if each.subject == "app token"] == [Grade.FAULT]
    assert "connections:write" in found[0].fix


async def test_a_slack_that_does_not_tell_scopes(opens: Opens) -> None:
    """Unknown means stop."""
    async with opens() as place, scripted(**ALONE | {"auth_test": ME}) as (client, _):
        place.set(slack_api_url=client.base_url)
        found = await place.bad(Area.SLACK)
    assert (found[0].subject, found[0].grade) == ("scopes", Grade.UNKNOWN)
