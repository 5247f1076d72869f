"""A deploy beside kubectl: from the command to the final message, and from the cluster's completion to that message."""

import asyncio
import os
import shutil
import statistics
import time
from pathlib import Path

from tests.real.servers import named, until
from tests.real.stage import Stage, stage

ROUNDS = int(os.environ.get("BENCH_DEPLOY_ROUNDS", "7"))


async def main(folder: Path) -> None:
    """Print both times of each round, and the medians of their ratio and of the message's delay."""
    ratios, delays = [], []
    async with stage(folder) as here:
        for number in range(ROUNDS):
            tag, other = f"v{10 + number}", f"k{10 + number}"
            await here.images.push(here.repository, tag)
            digest = await here.images.push(here.repository, other)
            theirs = await kubectl(here, f"{here.images.host}/{here.repository}:{other}@{digest}")
            ours, delay = await sluice(here, tag, count=number + 1)
            ratios.append(ours / theirs)
            delays.append(delay)
            print(
                f"round {number + 1}: kubectl {theirs:.2f} s, sluice {ours:.2f} s, message after cluster {delay:.2f} s"
            )
    print(f"median ratio sluice / kubectl: {statistics.median(ratios):.2f}")
    print(f"median delay of the final message after the cluster's completion: {statistics.median(delays):.2f} s")


async def kubectl(here: Stage, image: str) -> float:
    """Seconds that `kubectl set image` and `kubectl rollout status` take in staging."""
    begun = time.perf_counter()
    place = ["--kubeconfig", named("KUBECONFIG"), "-n", here.staging.name]
    for words in (["set", "image", "deployment/api", f"app={image}"], ["rollout", "status", "deployment/api"]):
        process = await asyncio.create_subprocess_exec(
            os.environ.get("RIG_KUBECTL") or shutil.which("kubectl") or "kubectl",
            *place,
            *words,
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await process.wait() == 0, words
    return time.perf_counter() - begun


async def sluice(here: Stage, tag: str, *, count: int) -> tuple[float, float]:
    """Seconds from the command to the final message, and from the cluster's completion to it."""
    begun = time.perf_counter()
    generation = (await here.deployment("staging"))["metadata"]["generation"]
    await here.slack.types("alice", f"/deploy api {tag} staging")
    completed = asyncio.create_task(completion(here, generation))
    await here.ends(count=count)
    told = time.perf_counter()
    return told - begun, max(0.0, told - await completed)


async def completion(here: Stage, generation: int) -> float:
    """When the cluster was done with a newer generation than this one."""

    async def done() -> bool:
        found = await here.deployment("staging")
        return found["metadata"]["generation"] > generation and await here.settled("staging")

    await until(done, bool, every_s=0.02)
    return time.perf_counter()
