"""The image gate: the reference means a digest, for the cluster's platforms, built from the named commit."""

from dataclasses import replace

import pytest

from bot.domain.errors import NotFoundError
from bot.domain.image import Digest
from bot.domain.outcome import Failed, Outcome, Succeeded
from bot.ports.image_registry import REVISION
from runbooks.gates.image import ImageGate, ImageSpec
from tests.builders import REPOSITORY, a_plan
from tests.fakes.image_registry import FakeRegistry
from tests.runbooks.passes import Place

COMMIT = "9f2c1e7" + "0" * 33


async def asked(registry: FakeRegistry, digest: Digest, *, ref: str = "v2", platforms: tuple[str, ...] = ()) -> Outcome:
    """What the gate says of a plan that brings this digest."""
    place = Place(artifact=replace(a_plan().artifact, image=f"{REPOSITORY}:v2@{digest}", digest=digest))
    place.plan = replace(place.plan, artifact=replace(place.plan.artifact, ref=ref))
    return await ImageGate(registry).reconcile(place.context("image", {"platforms": [*platforms]}))


async def test_an_image_that_is_there_passes() -> None:
    """With the digest that will run."""
    registry = FakeRegistry()
    digest = registry.push(REPOSITORY, "v2")
    assert await asked(registry, digest) == Succeeded(digest[:19])


async def test_an_image_that_was_deleted_meanwhile_does_not_pass() -> None:
    """The digest is asked for anew, not the tag."""
    registry = FakeRegistry()
    registry.push(REPOSITORY, "v2")
    with pytest.raises(NotFoundError):
        await asked(registry, Digest(f"sha256:{'0' * 64}"))


async def test_a_name_that_everybody_moves_does_not_pass() -> None:
    """Whatever it means at the moment."""
    registry = FakeRegistry()
    outcome = await asked(registry, registry.push(REPOSITORY, "latest"), ref="latest")
    assert outcome == Failed("`latest` is a name that everybody moves; release a version, a commit or a digest")


async def test_a_missing_platform_is_named_with_those_there_are() -> None:
    """Its pods would not start on half of the nodes."""
    registry = FakeRegistry()
    digest = registry.push(REPOSITORY, "v2")
    outcome = await asked(registry, digest, platforms=("linux/amd64", "linux/arm64"))
    assert outcome == Failed("the image has no linux/arm64; it offers linux/amd64")


async def test_an_image_without_platforms_offers_nothing() -> None:
    """Unknown is not yes."""
    registry = FakeRegistry()
    digest = registry.push(REPOSITORY, "v2", platforms=())
    outcome = await asked(registry, digest, platforms=("linux/amd64",))
    assert outcome == Failed("the image has no linux/amd64; it offers nothing")


@pytest.mark.parametrize("ref", [COMMIT, COMMIT[:7]])
async def test_an_image_of_the_commit_that_was_asked_for_passes(ref: str) -> None:
    """The whole commit or its beginning."""
    registry = FakeRegistry()
    digest = registry.push(REPOSITORY, "v2", labels={REVISION: COMMIT})
    assert isinstance(await asked(registry, digest, ref=ref), Succeeded)


async def test_an_image_of_another_commit_does_not_pass() -> None:
    """Somebody tagged the wrong build."""
    registry = FakeRegistry()
    digest = registry.push(REPOSITORY, "v2", labels={REVISION: COMMIT})
    outcome = await asked(registry, digest, ref="abcdef1")
    assert outcome == Failed("the image says it was built from commit 9f2c1e700000, not from abcdef1")


async def test_an_image_that_does_not_say_its_commit_is_believed() -> None:
    """Not every build labels its images."""
    registry = FakeRegistry()
    assert isinstance(await asked(registry, registry.push(REPOSITORY, "v2"), ref="abcdef1"), Succeeded)


def test_it_is_read_aloud() -> None:
    """With the platforms where they are asked for."""
    assert ImageSpec(platforms=("linux/arm64",)).read_aloud().startswith("The image must be in the registry for linux/")
    assert ImageSpec().read_aloud().startswith("The image must be in the registry, by digest")
