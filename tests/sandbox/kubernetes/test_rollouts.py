"""How Deployments move from one version to the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.kubernetes.rolling import Pods, bounds, grown, shrunk
from tests.sandbox.kubernetes.cluster import APPS, Api, Kube, Raw, deployment, serving

API = f"{APPS}/deployments/api"


def image(tag: str) -> Raw:
    """The change to another version."""
    container = {"name": "app", "image": f"registry.test/acme/api:{tag}"}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def release(kube: Kube, tag: str) -> None:
    """Somebody rolls out."""
    kube.server.apply(deployment(tag))


def running(manifest: Raw | None = None) -> Kube:
    """A Deployment at rest."""
    kube = Kube()
    kube.server.apply(manifest or deployment())
    kube.server.settle()
    return kube


async def progressing(api: Api) -> Raw:
    """What the Deployment says of its rollout."""
    conditions: list[Raw] = (await api.get(API))["status"]["conditions"]
    return next(one for one in conditions if one["type"] == "Progressing")


def test_what_was_there_at_the_start_is_at_rest() -> None:
    """Its pods are as old as they look."""
    (shown,) = running().server.shown()
    assert (shown.tag, shown.wanted, shown.ready, shown.revision) == ("v1", 2, 2, "1")
    assert {(pod.state, pod.ready, pod.restarts) for pod in shown.pods} == {("Running", True, 0)}


def test_pods_are_replaced_one_by_one() -> None:
    """One more than wanted at most, none missing; about a second a pod."""
    kube, seen = running(), []

    def done() -> bool:
        seen.append((len(kube.tags(ready=False)), len(kube.tags())))
        return kube.tags(ready=False) == ["v2", "v2"]

    release(kube, "v2")
    took_s = kube.until(done)
    assert (max(pods for pods, _ in seen), min(ready for _, ready in seen)) == (3, 2)
    assert 1.5 < took_s < 4


def test_a_bad_version_leaves_the_old_pods_standing() -> None:
    """However long it is waited for."""
    kube = running()
    release(kube, "v2-crash")
    kube.passes(3600)
    (shown,) = kube.server.shown()
    bad = [pod for pod in shown.pods if not pod.ready]
    assert (shown.ready, kube.tags(), [pod.state for pod in bad]) == (2, ["v1", "v1"], ["CrashLoopBackOff"])
    assert bad[0].restarts > 10


def test_going_back_uses_the_old_set_with_a_new_revision() -> None:
    """Its pods never went away."""
    kube = running()
    before = {pod.name for pod in kube.server.shown()[0].pods}
    release(kube, "v2-badpull")
    kube.passes(10)
    release(kube, "v1")
    kube.until(lambda: kube.tags(ready=False) == ["v1", "v1"])
    (shown,) = kube.server.shown()
    assert shown.revision == "3"
    assert {pod.name for pod in shown.pods} >= before


def test_all_at_once_where_it_is_asked_for() -> None:
    """Recreate: no new pod before the last old one is gone."""
    kube, seen = running(deployment(strategy={"type": "Recreate"})), set[tuple[str, ...]]()
    kube.server.apply(deployment("v2", strategy={"type": "Recreate"}))

    def done() -> bool:
        seen.add(tuple(dict.fromkeys(kube.tags(ready=False))))
        return kube.tags() == ["v2", "v2"]

    kube.until(done)
    assert seen == {("v1",), (), ("v2",)}


def test_a_paused_one_waits_but_is_scaled() -> None:
    """Until it is resumed."""
    kube = running()
    kube.server.apply(deployment("v2", paused=True, replicas=3))
    kube.passes(30)
    assert kube.tags() == ["v1"] * 3
    kube.server.apply(deployment("v2", paused=False, replicas=3))
    kube.until(lambda: kube.tags(ready=False) == ["v2"] * 3)


async def test_a_rollout_that_does_not_progress_says_so() -> None:
    """After its deadline, and no more when the next one does."""
    async with serving(deployment(progressDeadlineSeconds=60)) as api:
        await api.patch(API, image("v2-notready"))
        api.kube.passes(30)
        early = await progressing(api)
        api.kube.passes(40)
        late = await progressing(api)
        await api.patch(API, image("v3"))
        api.kube.passes(30)
        after = await progressing(api)
    assert [one["reason"] for one in (early, late, after)] == [
        "ReplicaSetUpdated",
        "ProgressDeadlineExceeded",
        "NewReplicaSetAvailable",
    ]
    assert (early["status"], late["status"]) == ("True", "False")


async def test_only_so_many_old_sets_are_kept() -> None:
    """The newest ones."""
    async with serving(deployment(revisionHistoryLimit=1)) as api:
        for tag in ("v2", "v3", "v4"):
            await api.patch(API, image(tag))
            api.kube.passes(30)
        sets = (await api.get(f"{APPS}/replicasets"))["items"]
    revisions = [one["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for one in sets]
    assert sorted(revisions) == ["3", "4"]


async def test_the_controller_has_not_seen_a_change_at_once() -> None:
    """As in a real cluster: until then its counts are of the past."""
    async with serving(deployment()) as api:
        told = (await api.patch(API, image("v2"))).json()
        api.kube.passes(1)
        later = await api.get(API)
    assert told["status"]["observedGeneration"] < told["metadata"]["generation"]
    assert later["status"]["observedGeneration"] == later["metadata"]["generation"]


async def test_everything_has_the_time_at_which_it_happened() -> None:
    """Also when a long time passes between two looks."""
    async with serving(deployment(replicas=1)) as api:
        await api.patch(API, image("v2-slow"))
        began = api.kube.clock.now()
        api.kube.passes(3600)
        (pod,) = (await api.get("/api/v1/namespaces/staging/pods"))["items"]
    ready = next(one for one in pod["status"]["conditions"] if one["type"] == "Ready")
    assert ready["lastTransitionTime"] == began.replace(second=began.second + 15).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_deployments_end_is_its_pods_end() -> None:
    """In the background, or before itself in the foreground; or they stay, as orphans."""
    for policy, there, left in (("Background", 404, []), ("Foreground", 200, []), ("Orphan", 404, ["v1"])):
        async with serving(deployment(replicas=1)) as api:
            await api.http.delete(API, params={"propagationPolicy": policy})
            first = (await api.http.get(API)).status_code
            api.kube.passes(30)
            pods = (await api.get("/api/v1/namespaces/staging/pods"))["items"]
            gone = (await api.http.get(API)).status_code
        images = [one["spec"]["containers"][0]["image"].rpartition(":")[2] for one in pods]
        assert (first, images, gone) == (there, left, 404)


async def test_a_deleted_pod_is_replaced() -> None:
    """Gracefully: it is there for a moment, going away."""
    async with serving(deployment(replicas=1)) as api:
        (name,) = await api.names("/api/v1/namespaces/staging/pods")
        answer = await api.http.delete(f"/api/v1/namespaces/staging/pods/{name}")
        api.kube.passes(0.2)
        going = await api.names("/api/v1/namespaces/staging/pods")
        api.kube.passes(5)
        after = await api.names("/api/v1/namespaces/staging/pods")
    assert answer.json()["metadata"]["deletionGracePeriodSeconds"] == 30
    assert (name in going, len(going), name in after, len(after)) == (True, 2, False, 1)


async def test_a_namespaces_end_is_that_of_all_in_it() -> None:
    """Nothing comes after."""
    async with serving(deployment()) as api:
        await api.http.delete("/api/v1/namespaces/staging")
        api.kube.passes(30)
        assert await api.names("/api/v1/pods") == []
        assert await api.names("/apis/apps/v1/deployments") == []


@given(
    replicas=st.integers(0, 9),
    surge=st.sampled_from([0, 1, 3, "25%", "100%"]),
    missing=st.sampled_from([0, 1, "25%", "50%"]),
    old=st.integers(0, 9),
)
def test_a_rollout_ends_and_keeps_its_bounds(replicas: int, surge: int | str, missing: int | str, old: int) -> None:
    """Whatever is asked for, when every new pod becomes available: never too many pods, never too few serving."""
    limits = bounds(replicas, surge, missing)
    sets = [Pods(0, 0), Pods(min(old, replicas), min(old, replicas))]
    fewest = min(sets[1].available, replicas - limits.missing)
    for _ in range(60):
        new = grown(limits, sets[0], sets[1:])
        assert new + sets[1].wanted <= replicas + limits.surge
        sets[0] = Pods(new, new)
        (left,) = shrunk(limits, sets[0], sets[1:])
        sets[1] = Pods(left, left)
        assert sets[0].available + sets[1].available >= fewest
    assert sets == [Pods(replicas, replicas), Pods(0, 0)]


@pytest.mark.parametrize(("image_or_tag"), ["v1", "registry.test/acme/api:v1"])
def test_a_switch_breaks_a_version_and_mends_it(image_or_tag: str) -> None:
    """Running pods, too; what other versions do is not touched."""
    kube = running()
    kube.server.apply(deployment("v9", name="web"))
    kube.until(lambda: kube.tags() == ["v1", "v1", "v9", "v9"])
    kube.server.behave(image_or_tag, "crash")
    kube.passes(3)
    assert kube.tags() == ["v9", "v9"]
    kube.server.behave(image_or_tag, None)
    kube.until(lambda: kube.tags() == ["v1", "v1", "v9", "v9"])


def test_a_switch_also_mends_what_is_bad_by_its_tag() -> None:
    """No word means well."""
    kube = running()
    release(kube, "v2-badpull")
    kube.passes(10)
    kube.server.behave("v2-badpull", "")
    kube.until(lambda: kube.tags(ready=False) == ["v2-badpull"] * 2)


def test_an_unknown_behaviour_is_refused() -> None:
    """With those there are."""
    with pytest.raises(ValueError, match="no behaviour explode; there are badpull, crash"):
        running().server.behave("v1", "explode")


def test_the_same_course_of_things_gives_the_same_names() -> None:
    """A simulation can be repeated."""
    assert running().server.shown() == running().server.shown()
