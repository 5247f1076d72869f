"""What every `Metrics` promises."""

import math
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.ports.metrics import CPU, ERRORS, LATENCY, Arm, LackKind, Reading, SignalQueries
from tests.contracts.canaries import (
    INTERVAL,
    METRICS_WORLDS,
    World,
    Worlds,
    pod,
    queries_of,
)
from tests.fakes.streams import BOUNDS


@pytest.fixture(params=METRICS_WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def proven(world: World, **signals: object) -> SignalQueries:
    """The queries of the world's service, with the bounds that its histogram has."""
    queries = queries_of(world.workload, vendor=world.vendor, **signals)
    _, now = await world.passes(3)
    return queries.proven(await world.metrics.prove(queries, now))


async def in_canary(world: World, **load: float) -> tuple[str, str]:
    """One stable pod and one of the canary, at 50 requests a second; `load` is that of the canary."""
    stable, canary = pod(world.workload, 0), pod(world.workload, 1, suffix="-canary")
    await world.load(stable)
    await world.load(canary, **load)
    return stable, canary


def kinds(reading: Reading, arm: Arm) -> set[tuple[LackKind, str]]:
    """What is missing on an arm."""
    return {(lack.kind, lack.signal) for lack in reading.lacks if lack.arm is arm}


async def test_both_arms_are_told_pod_by_pod(worlds: Worlds) -> None:
    """At every scrape, oldest first, with everything that was asked."""
    async with worlds() as world:
        pods = [pod(world.workload, number) for number in range(3)]
        await world.load(*pods)
        _, canary = await in_canary(world)
        queries = await proven(world)
        since, until = await world.passes(5)
        readings = await world.metrics.read(queries, since, until)
    assert len(readings) >= 5
    assert all(later.at - earlier.at == INTERVAL for earlier, later in pairwise(readings))
    assert since < readings[0].at
    assert readings[-1].at <= until
    assert all((list(one.canary), list(one.baseline), one.lacks) == ([canary], pods, ()) for one in readings)


async def test_counters_grow_with_the_traffic(worlds: Worlds) -> None:
    """They are counters as the pods show them, not rates."""
    async with worlds() as world:
        stable, _ = await in_canary(world)
        queries = await proven(world)
        readings = await world.metrics.read(queries, *await world.passes(6))
    seconds = (readings[-1].at - readings[0].at).total_seconds()
    grown = readings[-1].baseline[stable].requests - readings[0].baseline[stable].requests
    assert 0.6 * 50 * seconds < grown < 1.5 * 50 * seconds
    assert all(one.baseline[stable].requests == int(one.baseline[stable].requests) for one in readings)


async def test_who_has_never_failed_has_no_errors(worlds: Worlds) -> None:
    """The series of a code does not exist before the first such answer: where requests are counted, that means 0."""
    async with worlds() as world:
        _, canary = await in_canary(world)
        queries = await proven(world)
        before = await world.metrics.read(queries, *await world.passes(2))
        await world.load(canary, error_rate=0.5)
        after = await world.metrics.read(queries, *await world.passes(5))
    assert [one.canary[canary].errors for one in before] == [0.0] * len(before)
    assert all(one.whole for one in before)
    last = after[-1].canary[canary]
    assert 20 < last.errors < last.requests


async def test_the_histogram_is_cumulative(worlds: Worlds) -> None:
    """One count for each bound, the last one of all requests."""
    async with worlds() as world:
        stable, canary = await in_canary(world, latency=0.8)
        queries = await proven(world)
        readings = await world.metrics.read(queries, *await world.passes(4))
    assert queries.latency is not None
    assert queries.latency.edges == BOUNDS
    for name, sample in (*readings[-1].canary.items(), *readings[-1].baseline.items()):
        assert list(sample.buckets) == sorted(sample.buckets)
        assert sample.buckets[-1] == pytest.approx(sample.requests, abs=20)
        below_a_quarter = sample.buckets[BOUNDS.index(0.25)] / sample.buckets[-1]
        assert (below_a_quarter < 0.2) == (name == canary)
        assert (below_a_quarter > 0.9) == (name == stable)


async def test_chosen_bounds_are_read_alone(worlds: Worlds) -> None:
    """A coarser histogram is made of the same counters."""
    async with worlds() as world:
        stable, _ = await in_canary(world)
        queries = await proven(world, bounds=[0.05, 0.25])
        readings = await world.metrics.read(queries, *await world.passes(2))
    assert queries.latency is not None
    assert queries.latency.edges == (0.05, 0.25, math.inf)
    assert len(readings[-1].baseline[stable].buckets) == 3


async def test_cpu_is_told_in_cores(worlds: Worlds) -> None:
    """What was in use between the last two scrapes."""
    async with worlds() as world:
        stable, canary = await in_canary(world, cpu=0.8)
        queries = await proven(world)
        readings = await world.metrics.read(queries, *await world.passes(5))
    assert readings[-1].canary[canary].gauges[CPU] == pytest.approx(0.8, rel=0.3)
    assert readings[-1].baseline[stable].gauges[CPU] == pytest.approx(0.1, rel=0.3)


async def test_looks_join_without_gap_or_overlap(worlds: Worlds) -> None:
    """Whoever goes on at the last reading sees what one long look sees."""
    async with worlds() as world:
        await in_canary(world)
        queries = await proven(world)
        since, middle = await world.passes(3)
        first = await world.metrics.read(queries, since, middle)
        _, until = await world.passes(3)
        rest = await world.metrics.read(queries, first[-1].at, until)
        whole = await world.metrics.read(queries, since, until)
    assert len(first) >= 3
    assert len(rest) >= 3
    assert first + rest == whole


async def test_nothing_new_is_no_reading(worlds: Worlds) -> None:
    """Looking twice within a scrape gives nothing, and is no fault."""
    async with worlds() as world:
        await in_canary(world)
        queries = await proven(world)
        _, until = await world.passes(1)
        at = until.replace(microsecond=100_000)
        assert await world.metrics.read(queries, at, at + timedelta(milliseconds=300)) == ()


async def test_pods_of_others_do_not_count(worlds: Worlds) -> None:
    """Neither those of a Deployment or a Job whose name only begins alike."""
    async with worlds() as world:
        stable, canary = await in_canary(world)
        others = [pod(world.workload, 2, suffix="-worker"), f"{world.workload}-migrate-xxxxx", f"x{stable}"]
        await world.load(*others)
        queries = await proven(world)
        readings = await world.metrics.read(queries, *await world.passes(2))
    assert (list(readings[-1].canary), list(readings[-1].baseline)) == ([canary], [stable])


async def test_a_canary_that_is_not_there_is_told(worlds: Worlds) -> None:
    """Its absence is never a canary without errors."""
    async with worlds() as world:
        stable = pod(world.workload, 0)
        await world.load(stable)
        queries = await proven(world)
        (*_, last) = await world.metrics.read(queries, *await world.passes(3))
    assert (last.canary, list(last.baseline), last.whole) == ({}, [stable], False)
    assert kinds(last, Arm.CANARY) == {(LackKind.NO_SERIES, ERRORS)}
    assert [lack.said for lack in last.lacks] == ["no requests are counted on any canary pod"]


async def test_a_signal_without_series_is_told(worlds: Worlds) -> None:
    """The pods' other counters are there, and no bucket is silently 0."""
    async with worlds() as world:
        stable, canary = await in_canary(world)
        queries = await proven(world, metrics={"latency": "no_such_bucket"}, bounds=[0.1, 0.25])
        (*_, last) = await world.metrics.read(queries, *await world.passes(2))
    assert kinds(last, Arm.CANARY) == kinds(last, Arm.BASELINE) == {(LackKind.NO_SERIES, LATENCY)}
    assert "latency is not shown by the canary pod" in [lack.said for lack in last.lacks]
    assert all(math.isnan(count) for count in (*last.canary[canary].buckets, *last.baseline[stable].buckets))
    assert last.canary[canary].requests > 0


async def test_every_query_is_proven_on_stable(worlds: Worlds) -> None:
    """Before there is a canary, with what came back."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0), pod(world.workload, 1))
        queries = queries_of(world.workload, vendor=world.vendor)
        _, now = await world.passes(5)
        proofs = await world.metrics.prove(queries, now)
    assert [(proof.signal, proof.usable, proof.problem) for proof in proofs] == [
        (ERRORS, True, ""),
        (LATENCY, True, ""),
        (CPU, True, ""),
    ]
    assert [proof.query for proof in proofs] == [query.text for query in queries.signals.values()]
    assert all("of 2 pods" in proof.found for proof in proofs)
    assert proofs[1].bounds == BOUNDS[:-1]
    assert proofs[1].found.endswith("s of 2 pods, buckets up to " + ", ".join(f"{bound:g}" for bound in BOUNDS) + " s")


@pytest.mark.parametrize(
    ("signals", "signal", "problem"),
    [
        (
            {"metrics": {"requests": "http_request_total"}},
            ERRORS,
            "there is no metric 'http_request_total'; did you mean 'http_requests_total'?",
        ),
        ({"metrics": {"cpu": "zzz"}}, CPU, "there is no metric 'zzz'; check its name and that it is scraped"),
        ({"labels": {"pod": "kubernetes_pod"}}, ERRORS, "have no label 'kubernetes_pod', so nobody can tell the arms"),
        ({"labels": {"code": "outcome"}}, ERRORS, "no series has a label 'outcome', so failed requests cannot be told"),
        ({"metrics": {"latency": "http_requests_total"}}, LATENCY, "the series have no label 'le', so this is no hist"),
        ({"bounds": [0.1, 0.3, 1]}, LATENCY, "the histogram has no bucket for 0.3 s; there are 0.005, 0.01, 0.025"),
    ],
)
async def test_a_query_that_cannot_judge_is_told(
    worlds: Worlds, signals: dict[str, object], signal: str, problem: str
) -> None:
    """With what is wrong and what to write instead, before a canary starts."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0))
        _, now = await world.passes(4)
        proofs = await world.metrics.prove(queries_of(world.workload, vendor=world.vendor, **signals), now)
    (proof,) = [proof for proof in proofs if proof.signal == signal]
    assert not proof.usable
    assert world.vendor.spoken(problem) in proof.problem


async def test_a_workload_nobody_scrapes_is_told(worlds: Worlds) -> None:
    """The metric is there, but only of others."""
    async with worlds() as world:
        other = pod(world.workload, 0, suffix="-worker")
        await world.load(other)
        _, now = await world.passes(4)
        proofs = await world.metrics.prove(queries_of(world.workload, vendor=world.vendor), now)
    assert not any(proof.usable for proof in proofs)
    said = world.vendor.spoken(f"has no series whose pod is like {world.workload}-")
    assert all(said in proof.problem for proof in proofs)
    assert {proof.found for proof in proofs} == {"nothing"}
