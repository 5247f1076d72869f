"""The compatibility gate: the new version's OpenAPI document breaks no client of the one that runs."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import SluiceError, UnreachableError, UnreadableError
from bot.domain.image import Digest
from bot.domain.outcome import Evidence, Failed, Outcome, Succeeded
from bot.domain.plan import Artifact, Previous
from bot.ports.image_registry import REVISION
from runbooks.gates.compatibility import KIND, MOST_LINES, CompatibilityGate, CompatibilitySpec
from runbooks.openapi_documents import ApiDocuments
from tests.builders import NOW, REPOSITORY, a_request, a_step
from tests.fakes.image_registry import FakeRegistry
from tests.fakes.source_files import FakeSourceFiles
from tests.runbooks.apis import BROKEN, GONE, ITEMS, JSON_TYPE, LESS, MISSING, MORE, YAML_TYPE, api, attached
from tests.runbooks.passes import Place

SOURCE = "github.com/acme/api"
OLD_SHA, NEW_SHA = "1a" * 20, "9f" * 20
CERTAIN = Evidence("What breaks clients of the version that runs", (MISSING, GONE))
BESIDE = "deploy the new major version side by side, as a service of its own"


class Desk:
    """Images v1, which runs, and v2 in a registry, a repository, and the gate."""

    def __init__(self, **labels: str) -> None:
        self.registry, self.files = FakeRegistry(), FakeSourceFiles()
        self.old = self.registry.push(REPOSITORY, "v1", labels={REVISION: OLD_SHA, **labels})
        self.new = self.registry.push(REPOSITORY, "v2", labels={REVISION: NEW_SHA, **labels})
        self.place = Place(
            artifact=Artifact(f"{REPOSITORY}:v2@{self.new}", self.new, "v2"),
            previous=Previous(f"{REPOSITORY}:v1@{self.old}", "v1", NOW - timedelta(days=2), healthy=True),
        )

    def attach(self, digest: Digest, text: str | bytes, *, typed: str = YAML_TYPE, layer: str = YAML_TYPE) -> None:
        """Attach a document to an image."""
        self.registry.attach(REPOSITORY, digest, [attached(text, layer)], artifact_type=typed)

    async def asked(self, openapi: Any = None, *, changes: dict[str, Any] | None = None, **params: Any) -> Outcome:
        """What the gate says, with documents attached unless it is told otherwise."""
        self.place.plan = replace(self.place.plan, **(changes or {}))
        sealed = {"openapi": openapi or {"attached": True}, "repository": SOURCE, **params}
        gate = CompatibilityGate(ApiDocuments(self.registry, self.files))
        return await gate.reconcile(self.place.context("compatibility", sealed))


def both(old: str | bytes, new: str | bytes) -> Desk:
    """A desk where these documents are attached to the images."""
    desk = Desk()
    desk.attach(desk.old, old)
    desk.attach(desk.new, new)
    return desk


async def test_more_than_before_breaks_nothing() -> None:
    """New answers are no trouble of old clients."""
    assert await both(ITEMS, MORE).asked() == Succeeded("breaks nothing")


async def test_what_only_may_break_somebody_passes_and_is_told() -> None:
    """A field that was never promised is gone."""
    risky = Evidence(
        "What may break those that count on more than the document says", ("GET /items 200 [].note: is gone",)
    )
    assert await both(ITEMS, LESS).asked() == Succeeded("breaks nothing, 1 risky change", evidence=(risky,))


async def test_what_breaks_clients_is_refused_with_the_ways_out() -> None:
    """How many in the figure, which ones in the thread."""
    outcome = await both(ITEMS, BROKEN).asked()
    said = f"2 breaking changes; {BESIDE}, or let people decide with `compatibility: vote`"
    assert outcome == Failed(said, evidence=(CERTAIN,))


async def test_who_is_hit_is_named() -> None:
    """By the needs in the catalogue."""
    outcome = await both(ITEMS, BROKEN).asked(needed_by={"web": ">=1,<2", "shop": "proven"})
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith(f"2 breaking changes, and web (>=1,<2), shop (proven) need it; {BESIDE}")
    assert outcome.evidence[1] == Evidence("Who needs api", ("web needs api >=1,<2", "shop needs api proven"))
    outcome = await both(ITEMS, BROKEN).asked(needed_by={"web": "proven"})
    assert isinstance(outcome, Failed)
    assert "2 breaking changes, and web (proven) needs it" in outcome.reason


async def test_a_break_may_be_put_to_the_vote() -> None:
    """Loud in the figure, where people vote on this very plan before anything changes."""
    outcome = await both(ITEMS, BROKEN).asked(breaks="vote")
    assert outcome == Succeeded("2 breaking changes, for the vote", evidence=(CERTAIN,))


@pytest.mark.parametrize(
    "changes",
    [
        {"approval": None},
        {"steps": (a_step("set_image", changes=True), a_step("rollout"))},
        {"steps": (a_step("set_image", changes=True), a_step("approval"))},
        {"steps": (a_step("wait"),)},
    ],
    ids=["nobody is named", "no step asks", "asked afterwards", "nothing changes"],
)
async def test_a_break_passes_no_vote_that_nobody_casts(changes: dict[str, Any]) -> None:
    """And says what is missing."""
    outcome = await both(ITEMS, BROKEN).asked(breaks="vote", changes=changes)
    asked = "put `approval` first in the runbook deploy, and name who votes in sluice.yaml"
    said = f"2 breaking changes, and nobody votes on this release; {BESIDE}, or {asked}"
    assert outcome == Failed(said, evidence=(CERTAIN,))


async def test_who_breaks_the_glass_breaks_no_clients() -> None:
    """Nobody votes then."""
    desk = both(ITEMS, BROKEN)
    sealed = {"openapi": {"attached": True}, "breaks": "vote"}
    context = desk.place.context("compatibility", sealed)
    alone = replace(context, run=replace(context.run, request=a_request(break_glass=True)))
    outcome = await CompatibilityGate(ApiDocuments(desk.registry, desk.files)).reconcile(alone)
    assert isinstance(outcome, Failed)
    assert "nobody votes on this release" in outcome.reason


async def test_a_first_release_has_no_clients() -> None:
    """Nothing runs that anybody could count on."""
    assert await Desk().asked(changes={"previous": None}) == Succeeded("first release")


async def test_many_changes_are_counted_and_the_first_are_listed() -> None:
    """A line of the thread is of a bounded length, whatever the document says."""
    paths = {f"/{'long' * 100}\n{number}": {"get": {"responses": {}}} for number in range(MOST_LINES + 2)}
    outcome = await both(api(**paths), api(**{"/b": {"get": {}}})).asked()
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith(f"{MOST_LINES + 2} breaking changes")
    lines = outcome.evidence[0].lines
    assert lines[-1] == "and 2 more"
    assert len(lines) == MOST_LINES + 1
    assert all(len(line) <= 200 and "\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("typed", "layer"),
    [
        (YAML_TYPE, "application/vnd.oci.image.layer.v1.tar"),
        (YAML_TYPE, "application/yaml"),
        ("application/openapi+json", "application/json"),
        ("application/vnd.acme.openapi.v1", "text/plain"),
        ("application/vnd.acme.docs", "application/vnd.oai.openapi+yaml;version=3.1"),
        ("", "application/vnd.oai.openapi"),
    ],
)
async def test_documents_are_recognized_by_the_type_of_artifact_or_file(typed: str, layer: str) -> None:
    """As `oras attach` writes them: where nobody says otherwise, it calls every file a layer of an image."""
    desk = Desk()
    for digest, text in ((desk.old, ITEMS), (desk.new, MORE)):
        desk.attach(digest, text, typed=typed, layer=layer)
        desk.attach(digest, "{}", typed="application/sarif+json", layer="application/sarif+json")
    assert await desk.asked() == Succeeded("breaks nothing")


async def test_json_and_yaml_go_together() -> None:
    """A service may change how it writes them."""
    desk = Desk()
    desk.attach(desk.old, json.dumps(json.loads(api(**{"/a": {"get": {"responses": {}}}}))), layer=JSON_TYPE)
    desk.attach(desk.new, "\ufeffopenapi: 3.0.3\npaths: {/a: {get: {responses: {}}}}\n")
    assert await desk.asked() == Succeeded("breaks nothing")


async def test_a_document_that_is_attached_twice_is_one() -> None:
    """A build that ran again changes nothing."""
    desk = both(ITEMS, MORE)
    desk.attach(desk.new, MORE, typed="application/openapi+yaml")
    assert await desk.asked() == Succeeded("breaks nothing")


async def test_a_document_may_be_attached_to_the_images_of_an_index() -> None:
    """Where the index has none of its own."""
    desk = Desk()
    desk.attach(desk.old, ITEMS)
    index = desk.registry.push(REPOSITORY, "v2", platforms=("linux/amd64", "linux/arm64"))
    for image in (await desk.registry.resolve(REPOSITORY, index)).manifests.values():
        desk.attach(image, BROKEN)
    outcome = await desk.asked(changes={"artifact": Artifact(f"{REPOSITORY}:v2@{index}", index, "v2")})
    assert isinstance(outcome, Failed)
    assert outcome.evidence == (CERTAIN,)
    desk.attach(index, MORE)
    assert await desk.asked() == Succeeded("breaks nothing")


async def test_documents_in_the_repository_are_read_at_each_images_commit() -> None:
    """Whatever the branch holds by now."""
    desk = Desk()
    desk.files.write(SOURCE, OLD_SHA, "api/openapi.yaml", ITEMS.encode())
    desk.files.write(SOURCE, NEW_SHA, "api/openapi.yaml", BROKEN.encode())
    outcome = await desk.asked({"file": "api/openapi.yaml"})
    assert isinstance(outcome, Failed)
    assert outcome.evidence == (CERTAIN,)
    desk.files.write(SOURCE, NEW_SHA, "api/openapi.yaml", MORE.encode())
    assert await desk.asked({"file": "api/openapi.yaml"}) == Succeeded("breaks nothing")


async def test_a_version_that_is_named_by_its_commit_needs_no_label() -> None:
    """It was released by it."""
    desk = Desk()
    bare = desk.registry.push(REPOSITORY, "bare")
    desk.files.write(SOURCE, OLD_SHA, "openapi.yaml", ITEMS.encode())
    desk.files.write(SOURCE, NEW_SHA, "openapi.yaml", MORE.encode())
    named = Artifact(f"{REPOSITORY}:bare@{bare}", bare, NEW_SHA[:9])
    assert await desk.asked({"file": "openapi.yaml"}, changes={"artifact": named}) == Succeeded("breaks nothing")


async def test_the_image_may_say_where_its_document_is() -> None:
    """By a label with the path, which may be another one in each version."""
    desk = Desk(**{"test.api": "docs/openapi.yaml"})
    desk.files.write(SOURCE, OLD_SHA, "docs/openapi.yaml", ITEMS.encode())
    desk.files.write(SOURCE, NEW_SHA, "docs/openapi.yaml", MORE.encode())
    assert await desk.asked({"label": "test.api"}) == Succeeded("breaks nothing")


async def test_the_document_that_is_missing_is_told_with_what_attaches_it() -> None:
    """Of either version."""
    desk = Desk()
    desk.attach(desk.new, ITEMS)
    with pytest.raises(UnreadableError) as caught:
        await desk.asked()
    place = f"{REPOSITORY}@{desk.old}"
    assert str(caught.value) == (
        "the OpenAPI document of `v1`, which runs now, cannot be compared: "
        f"none is attached to {place}; attach it with `oras attach --artifact-type {YAML_TYPE} {place} openapi.yaml`"
    )


@pytest.mark.parametrize("what", ["registry", "attachments", "files"])
async def test_a_server_that_is_down_is_no_answer(what: str) -> None:
    """The engine waits, and fails at the deadline."""
    desk = both(ITEMS, MORE)
    desk.registry.down, desk.registry.attaching_is_down = what == "registry", what == "attachments"
    desk.files.down = what == "files"
    with pytest.raises(UnreachableError):
        await desk.asked({"file": "openapi.yaml"} if what == "files" else None)


async def test_a_plan_that_does_not_say_where_documents_are_is_refused() -> None:
    """The planner has said what to write."""
    desk = both(ITEMS, MORE)
    with pytest.raises(SluiceError, match="write 'openapi' below the service"):
        await CompatibilityGate(ApiDocuments(desk.registry, desk.files)).reconcile(desk.place.context("compatibility"))


def test_it_is_read_aloud() -> None:
    """With the vote where there is one."""
    assert KIND.spec is CompatibilitySpec
    assert CompatibilitySpec().read_aloud() == (
        "By its OpenAPI document it must break no client of the version that runs."
    )
    assert CompatibilitySpec(breaks="vote").read_aloud().endswith("unless people vote for it.")
