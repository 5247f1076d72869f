"""The evidence of a release: what is in it, what can be checked with nothing but it, and what a change of it shows."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.audit import whole
from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.journal import ChainedEntry
from bot.evidence import compare, evidence
from tests.builders import NOW
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.world import World


def sha256(value: object) -> str:
    """As the evidence says that it hashes."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


async def released(world: World) -> None:
    """ann's release of api in prod, for which bob and cid voted."""
    await world.says(ANN, "deploy api v2 prod")
    await world.passes(timedelta(seconds=5))
    for person in (BOB, CID):
        await world.reacts(person, "white_check_mark")
    await world.finishes()


async def exported(world: World, run: str = "api-prod-1") -> dict[str, Any]:
    """Its evidence, as whoever gets the file reads it."""
    shown: dict[str, Any] = json.loads(json.dumps(await evidence(world.store, RunId(run), NOW)))
    return shown


async def journal(world: World) -> list[ChainedEntry]:
    """All of it."""
    async with world.store.reading() as tx:
        return await whole(tx)


async def test_it_names_the_image_by_its_digest(world: World) -> None:
    """As every reader of in-toto statements expects it."""
    async with world:
        await released(world)
        shown = await exported(world)
    assert shown["_type"] == "https://in-toto.io/Statement/v1"
    digest = world.registry.push("registry.example/acme/api", "v2").removeprefix("sha256:")
    assert shown["subject"] == [{"name": "registry.example/acme/api:v2", "digest": {"sha256": digest}}]


async def test_it_says_who_let_it_through_and_what_became_of_it(world: World) -> None:
    """Without a look into the database."""
    async with world:
        await released(world)
        said = (await exported(world))["predicate"]
    assert (said["run"], said["request"]["requester"], said["phase"]) == ("api-prod-1", ANN, "succeeded")
    assert said["approval"]["by"] == [BOB, CID]
    assert {step["phase"] for step in said["steps"].values()} == {"succeeded"}


async def test_its_hashes_can_be_checked_with_nothing_but_it(world: World) -> None:
    """Those of the plan that was voted on, and of every entry."""
    async with world:
        await released(world)
        said = (await exported(world))["predicate"]
    assert said["planDigest"]["sha256"] == sha256(said["plan"])
    entries = said["journal"]["entries"]
    assert {"run_requested", "ballot_decided", "run_ended"} <= {each["entry"]["action"] for each in entries}
    for each in entries:
        assert each["hash"] == sha256([each["number"], each["entry"], each["previous"]])


async def test_it_holds_nothing_of_other_releases(world: World) -> None:
    """They are nobody's business who gets this one."""
    async with world:
        await released(world)
        await world.says(ANN, "deploy api v3 staging")
        await world.finishes()
        shown = await exported(world)
    assert "api-staging-1" not in json.dumps(shown)


async def test_what_was_exported_is_found_unchanged_later(world: World) -> None:
    """Whatever was released since."""
    async with world:
        await released(world)
        written = json.dumps(await exported(world))
        await world.says(ANN, "deploy api v3 staging")
        await world.finishes()
        assert "The evidence of api-prod-1 is as it was written" in await compare(world.store, written)


async def test_evidence_of_a_release_under_way_stays_true(world: World) -> None:
    """What has happened up to then has happened."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(timedelta(seconds=5))
        written = json.dumps(await exported(world))
        for person in (BOB, CID):
            await world.reacts(person, "white_check_mark")
        await world.finishes()
        assert "is as it was written" in await compare(world.store, written)


CHANGES = {
    "approval": ("predicate", "approval", "by"),
    "phase": ("predicate", "phase"),
    "plan": ("predicate", "plan", "protected"),
    "endedAt": ("predicate", "endedAt"),
    "journal": ("predicate", "journal", "entries"),
    "subject": ("subject",),
    "_type": ("_type",),
    "requestedAt": ("predicate", "requestedAt"),
    "steps": ("predicate", "steps"),
    "planDigest": ("predicate", "planDigest", "of"),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
async def test_a_change_of_it_is_named(world: World, name: str) -> None:
    """Whatever somebody would rather have it say."""
    async with world:
        await released(world)
        shown = await exported(world)
        *way, last = CHANGES[name]
        place = shown
        for key in way:
            place = place[key]
        place[last] = "something else" if isinstance(place[last], str) else []
        with pytest.raises(UsageError, match=f"The evidence of api-prod-1 was changed: its `{name}` is not what"):
            await compare(world.store, json.dumps(shown))


async def test_it_cannot_be_said_to_be_of_a_release_under_way(world: World) -> None:
    """Else all that goes on changing could be changed."""
    async with world:
        await released(world)
        shown = await exported(world)
        shown["predicate"] |= {"endedAt": None, "phase": "failed", "approval": None}
        with pytest.raises(UsageError, match="its `approval` is not what"):
            await compare(world.store, json.dumps(shown))
        shown["predicate"] |= {"phase": "succeeded", "approval": (await exported(world))["predicate"]["approval"]}
        with pytest.raises(UsageError, match="its `endedAt` is not what"):
            await compare(world.store, json.dumps(shown))


@pytest.mark.parametrize("place", [("subject",), ("predicate", "plan", "reason"), ("predicate", "request", "reason")])
async def test_what_no_longer_changes_is_compared_of_a_release_under_way(world: World, place: tuple[str, ...]) -> None:
    """The image, the plan and the wish stand from the beginning."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        shown = await exported(world)
        *way, last = place
        inside = shown
        for key in way:
            inside = inside[key]
        inside[last] = "something else"
        with pytest.raises(UsageError, match=f"its `{place[min(1, len(way))]}` is not what"):
            await compare(world.store, json.dumps(shown))


async def test_it_says_what_is_not_proven_of_a_release_under_way(world: World) -> None:
    """How far its steps were then is written nowhere else."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        said = await compare(world.store, json.dumps(await exported(world)))
    assert "had not ended: of its `approval`, `phase`, `reason`, `startedAt`, `steps` at that moment these" in said


@pytest.mark.parametrize("place", [(), ("predicate", "journal")])
async def test_nothing_can_be_added_to_it(world: World, place: tuple[str, ...]) -> None:
    """Whoever reads it would take it for proven."""
    async with world:
        await released(world)
        shown = await exported(world)
        inside = shown
        for key in place:
            inside = inside[key]
        inside["vouched"] = "by everybody"
        with pytest.raises(UsageError, match=r"its `(vouched|journal)` is not what"):
            await compare(world.store, json.dumps(shown))


async def test_no_member_may_be_in_it_twice(world: World) -> None:
    """Another program might read the other one."""
    async with world:
        await released(world)
        written = json.dumps(await exported(world)).replace('"phase"', '"phase": "failed", "phase"', 1)
        with pytest.raises(UsageError, match="`phase` is in it twice"):
            await compare(world.store, written)


async def test_numbers_are_as_they_were_written(world: World) -> None:
    """Python takes 1 and true for the same; whoever hashes them does not."""
    async with world:
        await released(world)
        shown = await exported(world)
        shown["predicate"]["journal"]["entries"][0]["number"] = True
        with pytest.raises(UsageError, match="its `journal` is not what"):
            await compare(world.store, json.dumps(shown))


async def test_a_run_without_a_plan_is_not_what_it_is_about(world: World) -> None:
    """Nobody can have exported that."""
    async with world:
        await released(world)
        await world.says(ANN, "deploy api v404 prod")
        await world.finishes()
        shown = await exported(world)
        shown["predicate"]["run"] = "api-prod-2"
        head = [*await journal(world)][-1]
        shown["predicate"]["journal"]["head"] = {"number": head.number, "hash": head.hash}
        with pytest.raises(UsageError, match="its `run` is not what"):
            await compare(world.store, json.dumps(shown))


async def test_evidence_of_another_database_is_told_apart(world: World) -> None:
    """Its journal has another head."""
    async with world:
        await released(world)
        shown = await exported(world)
        shown["predicate"]["journal"]["head"]["hash"] = "0" * 64
        with pytest.raises(UsageError, match=r"evidence of another journal: here entry \d+ has another hash"):
            await compare(world.store, json.dumps(shown))


@pytest.mark.parametrize("written", ["", "{}", "[1]", '{"predicateType": "https://slsa.dev/provenance/v1"}'])
async def test_other_files_are_no_evidence(world: World, written: str) -> None:
    """It says what writes some."""
    async with world:
        with pytest.raises(UsageError, match=r"no evidence of a release: .*`sluice audit export <run>` writes some"):
            await compare(world.store, written)


async def test_there_is_none_of_what_never_was(world: World) -> None:
    """Neither of a run that nobody asked for, nor of one for which nothing was planned."""
    async with world:
        with pytest.raises(UsageError, match="There is no run `api-prod-9`"):
            await evidence(world.store, RunId("api-prod-9"), NOW)
        await world.says(ANN, "deploy api v404 prod")
        await world.finishes()
        with pytest.raises(UsageError, match="Nothing was planned for `api-prod-1`"):
            await evidence(world.store, RunId("api-prod-1"), NOW)
