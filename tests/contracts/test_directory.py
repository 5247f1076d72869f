"""What every Directory does: the fake, and Slack's users and user groups."""

from datetime import timedelta

import pytest

from bot.domain.errors import NotFoundError, UnreachableError
from bot.domain.ids import UserId
from tests.contracts.workspaces import APPROVERS_GROUP, OpenWorkspace, opened


@pytest.fixture(params=["fake", "sandbox", pytest.param("slack", marks=pytest.mark.real)])
def workspace(request: pytest.FixtureRequest) -> OpenWorkspace:
    """How to open a workspace."""
    return opened(request.param)


async def test_a_colleague_has_nothing_against_them(workspace: OpenWorkspace) -> None:
    """A full member of this very workspace, with a name."""
    async with workspace() as w:
        person = await w.directory.person(w.approvers[1])
        assert (person.id, person.name) == (w.approvers[1], "bob")
        flags = (person.is_bot, person.is_guest, person.is_deleted, person.is_outside)
        assert not any(flags)


async def test_a_guest_is_known_as_one(workspace: OpenWorkspace) -> None:
    """Guests may react, and do not count."""
    async with workspace() as w:
        assert (await w.directory.person(w.guest)).is_guest


async def test_somebody_who_left_is_known_as_such(workspace: OpenWorkspace) -> None:
    """Their reactions stay behind."""
    async with workspace() as w:
        assert (await w.directory.person(w.former)).is_deleted


async def test_the_bot_knows_itself(workspace: OpenWorkspace) -> None:
    """Its seeds are not worth a word."""
    async with workspace() as w:
        assert w.directory.me == w.bot
        assert (await w.directory.person(w.bot)).is_bot


async def test_a_stranger_is_not_found(workspace: OpenWorkspace) -> None:
    """Unknown is not a person."""
    async with workspace() as w:
        with pytest.raises(NotFoundError):
            await w.directory.person(UserId("U0NOBODY"))


async def test_a_group_has_its_members(workspace: OpenWorkspace) -> None:
    """With or without the sign."""
    async with workspace() as w:
        for handle in (APPROVERS_GROUP, APPROVERS_GROUP.removeprefix("@")):
            assert await w.directory.members(handle) == set(w.approvers)


async def test_a_group_that_nobody_made_is_not_found(workspace: OpenWorkspace) -> None:
    """It is not an empty group."""
    async with workspace() as w:
        with pytest.raises(NotFoundError):
            await w.directory.members("@nobody")


async def test_an_answer_that_does_not_come_is_no_answer(workspace: OpenWorkspace) -> None:
    """Nobody is counted while Slack is busy."""
    async with workspace() as w:
        await w.busy_once(timedelta(seconds=3))
        with pytest.raises(UnreachableError):
            await w.directory.person(w.guest)
