"""Acknowledgements at 50 commands a second with 200 runs active, beside a bare Bolt echo app measured in turn.

The 200 runs wait for votes on 200 services of one environment: each has a ballot in the channel that is looked at.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from benchmarks.load import Latencies, load
from tests.real.servers import named, until
from tests.real.stage import Stage, free_port, stage

RATE = 50.0
DURATION_S = float(os.environ.get("BENCH_ACK_SECONDS", "60"))
ROUNDS = 3
RUNS = 200
COMMAND = "status api prod"


async def main(folder: Path) -> None:
    """Print p50 and p99 of both, round by round, and the ratio of the medians of the rounds."""
    secret = os.environ.get("SLACK_SIGNING_SECRET", "rig-signing-secret")
    async with stage(folder, services=RUNS) as here, bare() as bare_port:
        await activate(here)
        ours_url = f"http://127.0.0.1:{here.port}/slack/events"
        bare_url = f"http://127.0.0.1:{bare_port}/slack/events"
        ours, yardstick = [], []
        for number in range(ROUNDS):
            span = DURATION_S / ROUNDS
            yardstick.append(await load(bare_url, secret, rate=RATE, duration_s=span, text=COMMAND))
            ours.append(await load(ours_url, secret, rate=RATE, duration_s=span, text=COMMAND))
            show(f"round {number + 1} bare bolt", yardstick[-1])
            show(f"round {number + 1} sluice   ", ours[-1])
    all_ours = Latencies(tuple(s for each in ours for s in each.seconds), sum(each.failed for each in ours))
    all_bare = Latencies(tuple(s for each in yardstick for s in each.seconds), 0)
    show("all bare bolt", all_bare)
    show("all sluice   ", all_ours)
    print(f"p99 ratio sluice / bare bolt: {all_ours.quantile(0.99) / all_bare.quantile(0.99):.2f}")


async def activate(here: Stage) -> None:
    """Ask for one release on each service, and wait until every one waits for votes."""
    await here.images.push(here.repository, "v2")
    for number in range(RUNS):
        await here.slack.types("alice", f"/deploy svc{number} v2 prod")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{here.port}") as http:

        async def running() -> int:
            lines = (await http.get("/metrics")).text.splitlines()
            counts = [line.split()[-1] for line in lines if line.startswith('sluice_runs{phase="running"}')]
            return int(float(counts[0])) if counts else 0

        await until(running, lambda count: count >= RUNS, within_s=180, every_s=1.0)
        print(f"{await running()} runs active")


def show(name: str, measured: Latencies) -> None:
    """One line of figures."""
    p50, p99 = measured.median(), measured.quantile(0.99)
    print(f"{name}: {len(measured.seconds)} requests, p50 {p50:.1f} ms, p99 {p99:.1f} ms, {measured.failed} failed")


@asynccontextmanager
async def bare() -> AsyncIterator[int]:
    """A bare Bolt app in a process of its own; its port."""
    port = free_port()
    environment = os.environ | {"SLACK_SIGNING_SECRET": os.environ.get("SLACK_SIGNING_SECRET", "rig-signing-secret")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.bare_bolt", str(port), env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    named("SLACK_BOT_TOKEN")
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

            async def answers() -> bool:
                try:
                    return bool((await http.get("/")).status_code)
                except httpx.TransportError:
                    return False

            await until(answers, bool)
        yield port
    finally:
        process.terminate()
        await process.wait()
