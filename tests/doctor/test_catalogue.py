"""What is wrong in sluice.yaml and the runbooks beside it."""

from bot.doctor.finding import Area, Grade
from tests.doctor.conftest import Opens

ASKS_NOBODY = "name: quick\nabout: No vote.\nsteps: [set_image, rollout, smoke]\non_failure: [restore]\n"
ASKS_LATE = "name: late\nabout: Too late.\nsteps: [approval, set_image, rollout, smoke, approval: {name: again}]\n"


async def test_a_fault_is_told_with_its_place(opens: Opens) -> None:
    """File, line and column, and the word that was meant."""
    async with opens() as place:
        place.rewrite("cluster: main", "cluster: mian")
        found = await place.bad(Area.CATALOGUE)
    assert [each.grade for each in found] == [Grade.FAULT, Grade.FAULT]
    assert found[0].subject.startswith(f"{place.catalogue}:5:")
    assert (found[0].seen, found[0].fix) == ("there is no cluster 'mian'", "did you mean 'main'?")


async def test_without_a_catalogue_the_rest_is_unknown(opens: Opens) -> None:
    """But for what needs none: the database, the token and its scopes."""
    async with opens() as place:
        place.rewrite("cluster: main", "cluster: mian")
        found = await place.examined(Area.DATABASE, Area.SLACK, Area.CLUSTER, Area.METRICS)
    well = {each.subject for each in found if each.grade is Grade.OK}
    unknown = {(each.area, each.subject) for each in found if each.grade is Grade.UNKNOWN}
    assert well == {str(place.folder / "sluice.db"), "way in", "bot token", "scopes"}
    assert unknown == {
        (Area.SLACK, "channels and user groups"),
        (Area.CLUSTER, "all of it"),
        (Area.METRICS, "all of it"),
    }
    assert [each.grade for each in found if each.area is Area.CATALOGUE] == [Grade.FAULT, Grade.FAULT]


async def test_no_catalogue(opens: Opens) -> None:
    """The variable that names it is."""
    async with opens() as place:
        place.catalogue.unlink()
        found = await place.only(Area.CATALOGUE)
    assert (found.seen, found.fix) == ("there is no such file", "set SLUICE_CONFIG to the path of your sluice.yaml")


async def test_doubts_about_a_runbook_are_counted(opens: Opens) -> None:
    """A warning, with what lists them."""
    async with opens() as place:
        (place.folder / "runbooks" / "quick.yaml").write_text(ASKS_NOBODY)
        found = await place.only(Area.CATALOGUE)
    assert (found.grade, found.seen) == (Grade.WARNING, "one warning")
    assert found.fix == f"`sluice lint {place.catalogue}` names each with its line"


async def test_a_mistake_in_a_runbook_is_a_fault(opens: Opens) -> None:
    """It would not do what its author expects."""
    async with opens() as place:
        (place.folder / "runbooks" / "late.yaml").write_text(ASKS_LATE)
        found = await place.only(Area.CATALOGUE)
    assert found.grade is Grade.FAULT
    assert found.seen.startswith("1 mistakes")
