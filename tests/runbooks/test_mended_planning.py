"""The way back over whole histories, what was sealed of what runs, and what look-ups may leave behind."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ids import RunId, StepKey
from bot.domain.outcome import Failed, Outcome, Succeeded
from bot.domain.plan import Verb
from bot.domain.release import ReleaseRecord, digest_of, last_known_good, left_behind
from bot.domain.run import StepRun
from bot.ports.execution import StepContext
from runbooks.configuration import Configuration
from runbooks.executing import LookedUp
from runbooks.lint import lint
from runbooks.loader import load_library, read_runbook
from runbooks.source import Severity, read_file
from runbooks.steps.job import outputs
from runbooks.steps.wait import Wait
from tests.builders import NOW, a_request, a_running_run, a_step
from tests.fakes.people import ANN
from tests.runbooks.planning_desk import BACK, CATALOGUE, PROD, REPOSITORY, Desk, a_desk, refused

HISTORIES = st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), min_size=1, max_size=12)


def image(name: str) -> str:
    """A pinned image called so."""
    return f"{REPOSITORY}:{name}@sha256:{name.encode().hex():0<64}"


def recorded(*ran: tuple[str, bool]) -> list[ReleaseRecord]:
    """Records of what ran, as the store gives them: newest first; `ran` is oldest first, with its health."""
    run = RunId("api-prod-1")
    made = [ReleaseRecord(BACK.target, image(n), n, run, ANN, NOW, healthy=healthy) for n, healthy in ran]
    return made[::-1]


def default(*ran: tuple[str, bool], running: str = "") -> str | None:
    """What `/rollback` brings by itself; what ran last runs now, unless told."""
    found = last_known_good(recorded(*ran), running=image(running or ran[-1][0]))
    return found.ref if found else None


@pytest.mark.parametrize(
    ("ran", "wanted"),
    [
        ((("a", True),), None),
        ((("a", True), ("b", True)), "a"),
        ((("a", True), ("b", True), ("c", True)), "b"),
        ((("a", True), ("b", True), ("c", True), ("b", True)), "a"),
        ((("a", True), ("b", True), ("c", True), ("b", True), ("a", True)), None),
        ((("a", True), ("b", True), ("c", True), ("b", True), ("d", True)), "b"),
        ((("a", True), ("b", False), ("a", True)), None),
        ((("a", True), ("b", True), ("c", True), ("b", False), ("c", True)), "a"),
        ((("a", True), ("b", False), ("c", True)), "a"),
    ],
)
def test_back_and_back_again_never_goes_forward(ran: tuple[tuple[str, bool], ...], wanted: str | None) -> None:
    """A second rollback goes further back, and what was left or proved bad is no target."""
    assert default(*ran) == wanted


@given(HISTORIES)
def test_rolling_back_again_and_again_ends(ran: list[tuple[str, bool]]) -> None:
    """Whatever happened before: each rollback brings a version that none of these rollbacks has left."""
    left = {ran[-1][0]}
    while (back := default(*ran)) is not None:
        assert back not in left
        left.add(back)
        ran = [*ran, (back, True)]
    assert len(left) <= 5


@given(HISTORIES)
def test_the_way_back_is_healthy_and_not_what_runs(ran: list[tuple[str, bool]]) -> None:
    """Its newest record says so, and it ran before what runs now did for the first time since."""
    back = default(*ran)
    newest = dict(ran)
    assert back is None or (newest[back] and back != ran[-1][0])


def test_what_runs_by_hand_goes_back_to_the_newest_healthy_release() -> None:
    """Nothing that is recorded came after it."""
    assert default(("a", True), ("b", True), running="x") == "b"


def test_a_tag_alone_is_passed_over() -> None:
    """One vote must not bring whatever the tag means by now."""
    a, b, c = recorded(("c", True), ("b", True), ("a", True))
    assert left_behind([a, b, c], running=a.image) == [digest_of(b.image), digest_of(c.image)]
    bare = replace(b, image=f"{REPOSITORY}:b")
    found = last_known_good([a, bare, c], running=a.image)
    assert found == c


# --- what runs, by its digest ---


async def by_tag(desk: Desk, tag: str) -> None:
    """Somebody deployed by tag, without us."""
    desk.cluster.edit(PROD, image=f"{REPOSITORY}:{tag}")


async def test_what_runs_by_a_tag_is_sealed_by_its_digest(tmp_path: Path, template: Path) -> None:
    """The tag may move; what failure restores does not."""
    async with a_desk(template, tmp_path) as desk:
        await by_tag(desk, "v1")
        plan = await desk.plans()
        assert plan.previous is not None
        assert (plan.previous.image, plan.notes) == (desk.images["v1"], ())


async def test_a_tag_that_nobody_knows_is_a_risk_to_see(tmp_path: Path, template: Path) -> None:
    """It is kept as it is, and those who vote are told."""
    async with a_desk(template, tmp_path) as desk:
        await by_tag(desk, "gone")
        plan = await desk.plans()
        assert plan.previous is not None
        assert plan.previous.image == f"{REPOSITORY}:gone"
        assert plan.notes == ("what runs now is known only by its tag `gone`: restoring it may bring another image",)


async def test_a_record_is_found_by_digest(tmp_path: Path, template: Path) -> None:
    """However the workload writes the same image."""
    async with a_desk(template, tmp_path) as desk:
        await desk.released("v0")
        await desk.released("v1", ref="9f2c1e7")
        await by_tag(desk, "v1")
        plan = await desk.plans()
        assert plan.previous is not None
        assert (plan.previous.ref, plan.previous.healthy) == ("9f2c1e7", True)
        assert (await desk.plans(BACK)).artifact.ref == "v0"


async def test_the_workloads_memory_of_a_tag_is_not_offered(tmp_path: Path, template: Path) -> None:
    """Neither by itself nor by name."""
    async with a_desk(template, tmp_path) as desk:
        desk.cluster.edit(PROD, annotations={"sluice.dev/history": f'["{REPOSITORY}:v0"]'})
        assert "there are: none" in await refused(desk, BACK)
        assert "no healthy release" in await refused(desk, replace(BACK, ref="v0"))


async def test_a_short_digest_names_a_release(tmp_path: Path, template: Path) -> None:
    """As it is shown in messages, with or without its algorithm."""
    async with a_desk(template, tmp_path) as desk:
        await desk.released("v0")
        await desk.released("v1")
        digits = str(digest_of(desk.images["v0"])).removeprefix("sha256:")[:12]
        for ref in (digits, f"sha256:{digits}", digits[:7]):
            assert (await desk.plans(replace(BACK, ref=ref))).artifact.image == desk.images["v0"]
        assert "no healthy release" in await refused(desk, replace(BACK, ref=digits[:6]))


# --- who is asked ---


async def test_only_the_rollback_runbook_asks_for_fewer_votes(tmp_path: Path, template: Path) -> None:
    """Another runbook under the name of a rollback is voted on like a deploy."""
    async with a_desk(template, tmp_path) as desk:
        await desk.released("v0")
        await desk.released("v1")
        cheap, full = CATALOGUE.policy("prod", Verb.ROLLBACK), CATALOGUE.policy("prod", Verb.DEPLOY)
        assert cheap != full
        assert (await desk.plans(BACK)).approval == cheap
        assert (await desk.plans(replace(BACK, runbook="rollback"))).approval == cheap
        assert (await desk.plans(replace(BACK, runbook="hotfix"))).approval == full


# --- look-ups ---


def with_steps(*steps: str) -> str:
    """A runbook of these steps."""
    return "\n".join(["name: own", "about: x", "steps:", *(f"  - {step}" for step in steps), ""])


def use(desk: Desk, folder: Path, *steps: str) -> None:
    """The catalogue gets a runbook of these steps."""
    (folder / "own.yaml").write_text(with_steps(*steps))
    runbook = read_runbook(read_file(folder / "own.yaml", shown_as="own.yaml"))
    desk.configuration = Configuration(CATALOGUE, {**load_library(), "own": runbook})


async def test_a_look_up_that_gives_what_a_step_cannot_take_is_a_slip(tmp_path: Path, template: Path) -> None:
    """Runbook, step, place and key are named, and no trace of Python."""
    async with a_desk(template, tmp_path) as desk:
        use(desk, tmp_path, "approval", f'notify: "{"x" * 2480} ${{artifact.image}}"')
        why = await refused(desk, a_request(runbook="own"))
        assert why.startswith("The runbook 'own' cannot be used for this version: 'text' of its step 'notify'")
        assert "(own.yaml:5) does not take what ${artifact.image} gives here: String should have at most" in why


async def test_a_message_has_no_hole_and_no_markup_of_others(tmp_path: Path, template: Path) -> None:
    """An image without a commit, and one whose label is hostile; the author's own markup stays."""
    async with a_desk(template, tmp_path) as desk:
        use(desk, tmp_path, 'notify: "<!here> built from ${artifact.commit}"')
        plan = await desk.plans(a_request(runbook="own", target=replace(BACK.target, environment="prod")))
        assert plan.steps[0].params["text"] == "<!here> built from (not known)"
        labels = {"org.opencontainers.image.revision": "<!channel> & `x`"}
        desk.registry.push(REPOSITORY, "v4", labels=labels)
        plan = await desk.plans(a_request(ref="v4", runbook="own"))
        assert plan.steps[0].params["text"] == "<!here> built from &lt;!channel&gt; &amp; `x`"


class Kept:
    """An executor that keeps the parameters it was given."""

    def __init__(self) -> None:
        self.params: object = None

    async def reconcile(self, context: StepContext) -> Outcome:
        """See the port."""
        self.params = dict(context.params)
        return Succeeded()


@pytest.mark.parametrize(("kind", "told"), [("notify", "rows: &lt;!channel&gt;"), ("job", "rows: <!channel>")])
async def test_outputs_are_escaped_where_people_read_them(kind: str, told: str) -> None:
    """A Job's log is anybody's text; a command gets it as it is."""
    kept = Kept()
    run = a_running_run(steps={StepKey("steps.count"): StepRun(outputs={"rows": "<!channel>"})})
    step = a_step(kind, params={"text": "rows: ${steps.count.outputs.rows}"})
    await LookedUp({kind: kept}).get(kind).reconcile(StepContext(run, step, NOW, token=1))
    assert kept.params == {"text": told}


async def test_an_output_that_a_step_cannot_take_fails_it() -> None:
    """It does not stop the worker."""
    run = a_running_run(steps={StepKey("steps.count"): StepRun(outputs={"rows": "many"})})
    step = a_step("wait", params={"for": "${steps.count.outputs.rows}"})
    outcome = await LookedUp({"wait": Wait()}).get("wait").reconcile(StepContext(run, step, NOW, token=1))
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("'for' does not take what an earlier step said")


# --- what a Job said ---


@pytest.mark.parametrize(
    "line",
    ["[" * 100_000, '{"a":' * 5_000, '{"a": "' + "x" * 9_000 + '"}', "\ud800", "9" * 5_000],
    ids=["deep list", "deep object", "long", "lone surrogate", "long number"],
)
def test_a_hostile_last_line_says_nothing(line: str) -> None:
    """No log of a Job can break a pass."""
    assert outputs((line,)) == {}


def test_outputs_can_be_stored() -> None:
    """Plain values only, bounded, without what no database takes."""
    assert outputs(('{"a": "x\\ud800y\\u0000", "b": [1], "c": {"d": 1}, "e": NaN, "f": null, "g": true}',)) == {
        "a": "x?y",
        "f": None,
        "g": True,
    }
    many = "{" + ", ".join(f'"k{number}": 1' for number in range(200)) + "}"
    assert list(outputs((many,))) == [f"k{number}" for number in range(50)]


@given(st.text())
def test_any_last_line_can_be_read(line: str) -> None:
    """Whatever a program prints."""
    assert all(key.encode() is not None for key in outputs((line,)))


# --- lint ---


def severities(folder: Path, text: str) -> list[tuple[int, Severity]]:
    """Where lint finds what."""
    path = folder / "own.yaml"
    path.write_text(text)
    return [(fault.line, fault.severity) for fault in lint(path)]


def test_an_approval_after_the_change_is_an_error(tmp_path: Path) -> None:
    """It would not ask anybody; nor would one on the way back."""
    steps = with_steps("approval", "set_image", "rollout", "approval", "smoke")
    assert severities(tmp_path, f"{steps}on_failure:\n  - restore\n") == [(7, Severity.ERROR)]
    steps = with_steps("approval", "set_image", "rollout", "smoke")
    assert severities(tmp_path, f"{steps}on_failure:\n  - approval\n  - restore\n") == [(9, Severity.ERROR)]
