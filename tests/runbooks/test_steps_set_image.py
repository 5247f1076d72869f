"""set_image: the workload is told to run the plan's artifact, once."""

from dataclasses import replace

import pytest

from bot.domain.errors import FencedError, RefusedError
from bot.domain.outcome import Succeeded
from bot.domain.plan import Previous
from runbooks.steps.set_image import SetImage, SetImageSpec, change_cause, history
from tests.builders import NOW
from tests.runbooks.passes import WORKLOAD, Place


async def test_the_image_is_set_by_digest() -> None:
    """The tag stays for people; the outputs say what was written."""
    place = Place()
    outcome = await SetImage(place.clusters).reconcile(place.context("set_image"))
    assert place.cluster.image(WORKLOAD) == place.plan.artifact.image
    assert outcome == Succeeded("v2 set", {"generation": 2, "image": place.plan.artifact.image})


async def test_a_second_pass_finds_it_done() -> None:
    """Nothing is written again."""
    place = Place()
    for _ in range(2):
        assert isinstance(await SetImage(place.clusters).reconcile(place.context("set_image")), Succeeded)
    assert len(place.cluster.writes) == 1


async def test_the_change_says_whose_it_is() -> None:
    """`kubectl rollout history` names the run, who asked, and the seal that people voted on."""
    place = Place()
    await SetImage(place.clusters).reconcile(place.context("set_image"))
    written = place.cluster.annotations(WORKLOAD)
    assert written["sluice.dev/run"] == "api-prod-1"
    assert written["kubernetes.io/change-cause"] == change_cause(place.context("set_image"))
    assert f"sluice api-prod-1: deploy v2 by U0ANN, seal {place.plan.seal}" in change_cause(place.context("set_image"))


async def test_a_workload_marked_by_somebody_newer_is_left_alone() -> None:
    """Another run wrote to it since this one was planned."""
    place = Place()
    place.cluster.edit(WORKLOAD, annotations={"sluice.dev/run": "api-prod-9", "sluice.dev/fence": "3"})
    with pytest.raises(FencedError):
        await SetImage(place.clusters).reconcile(place.context("set_image"))
    assert place.cluster.writes == []


async def test_a_workload_that_another_controller_owns_is_left_alone() -> None:
    """Sluice does not fight."""
    place = Place()
    place.cluster.workloads[WORKLOAD].owner = "Argo CD (application api)"
    with pytest.raises(RefusedError, match="Argo CD"):
        await SetImage(place.clusters).reconcile(place.context("set_image"))


def with_previous(**previous: object) -> tuple[str, ...]:
    """The history that a plan with such a previous version writes."""
    place = Place(previous=replace(Previous("r:v1", "v1", NOW, healthy=True), **previous))  # type: ignore[arg-type]  # any field
    return history(place.context("set_image"))


def test_the_way_back_is_written_on_the_workload() -> None:
    """What ran before, then what ran before that: the database may be lost."""
    assert with_previous(history=("r:v0",)) == ("r:v1", "r:v0")


def test_an_unhealthy_version_is_no_way_back() -> None:
    """Nobody wants to be brought there."""
    assert with_previous(healthy=False, history=("r:v0",)) == ("r:v0",)


def test_the_new_image_is_not_its_own_way_back() -> None:
    """A rollback brings an image that the history may hold already: what came after it is left behind."""
    new = Place().plan.artifact.image
    assert with_previous(history=("r:v05", new, "r:v0")) == ("r:v0",)


def test_the_history_is_bounded() -> None:
    """Annotations are no archive."""
    assert len(with_previous(history=tuple(f"r:v{number}" for number in range(40)))) == 10


def test_without_a_previous_version_there_is_no_history() -> None:
    """The first release of a workload."""
    place = Place(previous=None)
    assert history(place.context("set_image")) == ()


def test_it_is_read_aloud() -> None:
    """As a teammate would say it."""
    assert SetImageSpec().read_aloud() == "Tell the workload to run the artifact, by digest."
