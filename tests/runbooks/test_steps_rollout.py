"""rollout and restore: pods are followed to the last one, or the cause that keeps them away is named at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.ports.cluster import Fault, FaultKind
from runbooks.following import named, progress
from runbooks.steps.restore import Restore, RestoreSpec
from runbooks.steps.rollout import Rollout, RolloutSpec
from runbooks.steps.set_image import SetImage
from tests.runbooks.passes import WORKLOAD, Place

SECOND = timedelta(seconds=1)


async def changed(tag: str = "v2") -> Place:
    """The image was set this moment."""
    place = Place(tag)
    await SetImage(place.clusters).reconcile(place.context("set_image"))
    return place


async def looked(place: Place, *, after: timedelta = timedelta(0), **params: str) -> Outcome:
    """What the rollout step sees some time later."""
    place.clock.advance(after)
    return await Rollout(place.clusters, place.hinted.append).reconcile(place.context("rollout", params))


async def test_it_says_how_many_pods_are_ready() -> None:
    """And looks again by itself, should nobody hint."""
    outcome = await looked(await changed(), after=3 * SECOND)
    assert outcome == Pending("2 of 3 pods ready", requeue_after=5 * SECOND)


async def test_it_succeeds_with_the_last_pod() -> None:
    """All of them run the artifact, and none of the old ones is left."""
    place = await changed()
    assert await looked(place, after=10 * SECOND) == Succeeded("3 of 3 pods", {"generation": 2})


async def test_it_is_told_of_changes() -> None:
    """The workload is watched before it is looked at."""
    place = await changed()
    await looked(place)
    place.clock.advance(2 * SECOND)
    assert place.hinted == [WORKLOAD]


@pytest.mark.parametrize(
    ("tag", "kind", "log"),
    [
        ("v2-crash", FaultKind.CRASH_LOOP, "panic: nil pointer dereference"),
        ("v2-oom", FaultKind.OOM_KILLED, "exit status 1"),
        ("v2-badpull", FaultKind.IMAGE_PULL, None),
        ("v2-notready", FaultKind.NOT_READY, "started"),
    ],
)
async def test_a_hopeless_rollout_fails_with_its_cause(tag: str, kind: FaultKind, log: str | None) -> None:
    """The cluster's own word, its warnings, and the container's last lines."""
    outcome = await looked(await changed(tag), after=40 * SECOND)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith(f"{kind} in pod api-")
    said = {evidence.title.split(" of ")[0]: "\n".join(evidence.lines) for evidence in outcome.evidence}
    assert "BackOff" in said["events"]
    assert (log in said["last lines"]) if log else ("last lines" not in said)


async def test_what_may_still_go_away_is_waited_for() -> None:
    """A first failed pull is not the end."""
    outcome = await looked(await changed("v2-badpull"), after=SECOND)
    assert isinstance(outcome, Pending)
    assert "0 of 3 pods ready; ImagePullBackOff: " in outcome.why


async def test_a_slow_starter_may_be_given_time() -> None:
    """`ready_within` is how long a running container may stay unready."""
    place = await changed("v2-notready")
    assert isinstance(await looked(place, after=40 * SECOND, ready_within="1m"), Pending)
    assert isinstance(await looked(place, after=30 * SECOND, ready_within="1m"), Failed)


async def test_somebody_elses_image_ends_it() -> None:
    """What was approved is not what is being rolled out."""
    place = await changed()
    place.cluster.edit(WORKLOAD, image="registry.example/acme/api:theirs")
    outcome = await looked(place)
    assert isinstance(outcome, Failed)
    assert outcome.reason == ("somebody else changed the image to registry.example/acme/api:theirs during the rollout")


async def test_a_paused_rollout_says_how_to_go_on() -> None:
    """It would wait for ever otherwise, and nobody would know why."""
    place = await changed()
    place.cluster.pause(WORKLOAD)
    outcome = await looked(place, after=40 * SECOND)
    assert isinstance(outcome, Pending)
    assert outcome.why == "the rollout is paused in the cluster; `kubectl rollout resume` lets it go on"


async def test_a_controller_that_is_behind_is_waited_for() -> None:
    """Its numbers are those of the generation before."""
    place = await changed()
    seen = await place.cluster.observe(WORKLOAD)
    assert progress(replace(seen, observed_generation=1)) == "waiting for the controller to see the change"


def test_a_fault_of_many_pods_is_counted() -> None:
    """One name of three would mislead."""
    fault = Fault(FaultKind.QUOTA, "exceeded quota: pods")
    assert named(fault, 3) == "FailedCreate in 3 pods: exceeded quota: pods"
    assert named(fault, 1) == "FailedCreate: exceeded quota: pods"


async def restored(place: Place, *, after: timedelta = timedelta(0)) -> Outcome:
    """What the restore step sees some time later."""
    place.clock.advance(after)
    return await Restore(place.clusters, place.clusters, place.hinted.append).reconcile(place.context("restore"))


async def test_restore_brings_the_sealed_version_back() -> None:
    """Set once, then followed to its last pod."""
    place = await changed()
    await looked(place, after=10 * SECOND)
    assert isinstance(await restored(place), Pending)
    assert place.plan.previous is not None
    assert place.cluster.image(WORKLOAD) == place.plan.previous.image
    assert isinstance(await restored(place, after=10 * SECOND), Succeeded)
    assert [write.verb for write in place.cluster.writes] == ["set_image", "set_image"]


async def test_restore_says_so_in_the_rollouts_history() -> None:
    """Whoever looks at the cluster sees what happened."""
    place = await changed()
    await restored(place)
    cause = place.cluster.annotations(WORKLOAD)["kubernetes.io/change-cause"]
    assert cause == f"sluice api-prod-1: restore v1, seal {place.plan.seal}"


async def test_nothing_to_restore_is_a_failure() -> None:
    """Never a silent success."""
    assert await restored(Place(previous=None)) == Failed("there is no earlier version to restore")


async def test_a_restored_version_that_crashes_too_is_named() -> None:
    """The way back may be broken as well."""
    place = await changed()
    await restored(place)
    place.cluster.behave(WORKLOAD, "crash")
    outcome = await restored(place, after=40 * SECOND)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("CrashLoopBackOff")


def test_they_are_read_aloud() -> None:
    """As a teammate would say it."""
    assert "Follow the rollout until every pod runs the artifact" in RolloutSpec().read_aloud()
    assert "Bring back the version that ran before" in RestoreSpec().read_aloud()
