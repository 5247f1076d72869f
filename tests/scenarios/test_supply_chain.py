"""Releases that want a signature and a clean scan, in a chat."""

from datetime import timedelta
from pathlib import Path

from bot.domain.image import Digest
from bot.domain.phase import Phase
from bot.ports.image_registry import Place as Where
from tests.fakes.people import ANN
from tests.runbooks.scans import CRITICAL, HIGH, VULN, predicate
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import REPOSITORY, World
from tests.signing import KeyHolder, statement

PROVEN = """
name: proven
about: Release what is signed and clean.
gates: [image, signature, {vulnerabilities: {signed: true}}]
steps:
  - set_image
  - rollout
  - smoke
on_failure:
  - restore
"""


def signed_world(folder: Path, template: Path, ann: KeyHolder) -> World:
    """A world whose catalogue trusts ann's key, and answers for one finding."""
    answered = f"{{id: {HIGH[0]}, reason: not reachable, author: '@bob', until: 2026-12-31}}"
    more = f"signatures: {{key_file: {ann.policy.key_file}}}\nvulnerabilities: {{exceptions: [{answered}]}}\n"
    return world_with(folder, template, PROVEN, more=more)


async def build(world: World, ann: KeyHolder, *faults: tuple[str, str, str]) -> Digest:
    """The build of v2: signed, scanned, both attached."""
    digest = (await world.registry.resolve(REPOSITORY, "v2")).digest
    scan = predicate(digest, *faults, at=world.clock.now())
    world.registry.attach(REPOSITORY, digest, [ann.simple(digest)], place=Where.SIGNATURE)
    world.registry.attach(REPOSITORY, digest, [ann.bundle(statement(digest, VULN, scan))])
    return digest


async def test_what_is_signed_and_clean_is_released(tmp_path: Path, template: Path) -> None:
    """The message shows both figures."""
    ann = KeyHolder(tmp_path)
    async with signed_world(tmp_path, template, ann) as world:
        await build(world, ann, HIGH)
        await world.says(ANN, "deploy api v2 staging --runbook proven")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("staging") == "v2"
        assert "signed" in world.live()
        assert "no HIGH, 1 excepted" in world.live()


async def test_a_critical_finding_stops_it(tmp_path: Path, template: Path) -> None:
    """With the finding in the thread, and nothing changed."""
    ann = KeyHolder(tmp_path)
    async with signed_world(tmp_path, template, ann) as world:
        await build(world, ann, HIGH, CRITICAL)
        await world.says(ANN, "deploy api v2 staging --runbook proven")
        run = await world.finishes()
        assert (run.phase, world.image_changes()) == (Phase.REFUSED, 0)
        assert "1 CRITICAL; update the components" in run.reason
        assert "CRITICAL CVE-2026-2 libssl3 3.0.1 → 1.4" in "\n".join(world.thread())


async def test_an_unsigned_image_is_not_released(tmp_path: Path, template: Path) -> None:
    """The message says whose signature is missing, and how it is made."""
    ann = KeyHolder(tmp_path)
    async with signed_world(tmp_path, template, ann) as world:
        await world.says(ANN, "deploy api v2 staging --runbook proven")
        run = await world.finishes()
        assert (run.phase, world.image_changes()) == (Phase.REFUSED, 0)
        assert "the image is not signed by the key in" in world.live()


async def test_a_registry_that_is_away_is_waited_for(tmp_path: Path, template: Path) -> None:
    """Nothing passes meanwhile; then it goes on by itself."""
    ann = KeyHolder(tmp_path)
    async with signed_world(tmp_path, template, ann) as world:
        await build(world, ann)
        world.registry.attaching_is_down = True
        await world.says(ANN, "deploy api v2 staging --runbook proven")
        await world.passes(timedelta(minutes=1))
        assert (world.image_changes(), (await world.newest()).phase) == (0, Phase.GATING)
        world.registry.attaching_is_down = False
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_catalogue_without_a_signer_plans_nothing(tmp_path: Path, template: Path) -> None:
    """The one who asked is told the line to write."""
    async with world_with(tmp_path, template, PROVEN) as world:
        await world.says(ANN, "deploy api v2 staging --runbook proven")
        run = await world.newest()
        assert (run.phase, world.image_changes()) == (Phase.REFUSED, 0)
        assert "cannot tell whose signature api must have. Write 'signatures: {key_file:" in run.reason
