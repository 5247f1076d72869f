"""Nothing is made up: where all is set up, the doctor says so."""

from bot.doctor.finding import Area, Grade
from tests.doctor.conftest import Opens


async def test_a_whole_installation_is_well(opens: Opens) -> None:
    """Each area has looked at something; its clock, which is virtual here, has tests of its own."""
    areas = [area for area in Area if area is not Area.CLOCK]
    async with opens() as place:
        found = await place.examined(*areas)
    assert [finding for finding in found if finding.grade is not Grade.OK] == []
    assert list(dict.fromkeys(finding.area for finding in found)) == areas


async def test_looking_changes_nothing(opens: Opens) -> None:
    """No message is posted, no object is written."""
    async with opens() as place:
        slack, cluster = place.around.slack, place.around.cluster
        before = slack.changes.number, cluster.shown(), (place.folder / "sluice.db").read_bytes()
        await place.examined()
        assert (slack.changes.number, cluster.shown(), (place.folder / "sluice.db").read_bytes()) == before
