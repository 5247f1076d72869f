"""Many canaries judged at once by one process: how late its looks are, and what they cost.

The bot is the real one, over HTTP to servers in memory that stand in a process of their own (`crowd_servers`), to a
registry and to a Slack workspace.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import httpx

from benchmarks.crowd_servers import service
from tests.real.servers import named, registry, until
from tests.real.stage import Slack, free_port, ready

CANARIES = int(os.environ.get("BENCH_CROWD_CANARIES", "500"))
MEASURED_S = float(os.environ.get("BENCH_CROWD_SECONDS", "120"))
INTERVAL_S = 15.0
TICKS = os.sysconf("SC_CLK_TCK")
RUNBOOK = """
name: long
about: A canary that is looked at for as long as the measurement takes.
steps:
  - canary: {weight: 5%, judge: {for: 2h}}
  - promote
  - smoke
on_failure:
  - restore
"""


async def main(folder: Path) -> None:
    """Start them all, let them settle, and print lateness, CPU and memory."""
    (folder / "own").mkdir()
    (folder / "own" / "long.yaml").write_text(RUNBOOK)
    async with registry() as images, httpx.AsyncClient(base_url=named("RIG_SLACK_URL"), timeout=60) as http:
        digests = [await images.push("acme/crowd", tag) for tag in ("v1", "v2")]
        (folder / "image").write_text(f"{images.host}/acme/crowd:v1@{digests[0]}")
        standing, port = free_port(), free_port()
        (folder / "sluice.yaml").write_text(catalogue(f"{images.host}/acme/crowd", standing))
        async with process("benchmarks.crowd_servers", str(folder), str(standing), str(CANARIES)):
            await until(lambda: answers(standing), bool)
            async with process(*serving(), env=environment(folder, port), log=folder / "serve.log") as bot:
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as own:
                    await until(lambda: ready(own), bool)
                await Slack(http).points_to(f"http://127.0.0.1:{port}/slack/events")
                await begun(Slack(http), standing)
                await measured(bot, standing)


async def begun(slack: Slack, standing: int) -> None:
    """Every canary has its traffic and is looked at."""
    for number in range(CANARIES):
        await slack.types("alice", f"/canary {service(number)} v2 dev --runbook long")
    await until(lambda: looks(standing), lambda found: len(found) == CANARIES, within_s=600, every_s=2)
    print(f"{CANARIES} canaries are judged")
    await asyncio.sleep(4 * INTERVAL_S)  # the first looks read ten minutes of history


async def measured(bot: asyncio.subprocess.Process, standing: int) -> None:
    """Watch for a while."""
    since, cpu_s = asyncio.get_running_loop().time(), used_cpu_s(bot.pid)
    before = await looks(standing)
    await asyncio.sleep(MEASURED_S)
    spent_s = asyncio.get_running_loop().time() - since
    found = await looks(standing)
    cores = (used_cpu_s(bot.pid) - cpu_s) / spent_s
    late = sorted(
        later - earlier - INTERVAL_S
        for name, times in found.items()
        for earlier, later in pairwise(times[max(0, len(before[name]) - 1) :])
    )
    print(f"{len(late)} looks in {spent_s:.0f} s, {len(late) / spent_s:.1f} a second")
    print(f"lateness: median {at(late, 0.5):.2f} s, p99 {at(late, 0.99):.2f} s, worst {late[-1]:.2f} s")
    print(f"CPU: {cores:.2f} cores; memory: {resident_mb(bot.pid):.0f} MB")


def at(ordered: Sequence[float], share: float) -> float:
    """A quantile."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def looks(standing: int) -> dict[str, list[float]]:
    """When each service was looked at."""
    async with httpx.AsyncClient() as http:
        found: dict[str, list[float]] = (await http.get(f"http://127.0.0.1:{standing}/looks")).json()
        return found


async def answers(standing: int) -> bool:
    """Whether the servers are there."""
    try:
        await looks(standing)
    except httpx.TransportError:
        return False
    return True


def used_cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Memory that a process holds, in 1e6 bytes."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def serving() -> tuple[str, ...]:
    """The bot as a module; with BENCH_CROWD_PROFILE it writes its profile to that file when it ends."""
    profile = os.environ.get("BENCH_CROWD_PROFILE")
    return ("cProfile", "-o", profile, "-m", "bot", "serve") if profile else ("bot", "serve")


@asynccontextmanager
async def process(
    *words: str, env: dict[str, str] | None = None, log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python module as a process of its own, ended with the block."""
    with (log or Path(os.devnull)).open("wb") as out:
        running = await asyncio.create_subprocess_exec(sys.executable, "-m", *words, env=env, stdout=out, stderr=out)
    try:
        yield running
    finally:
        running.terminate()
        await running.wait()


def environment(folder: Path, port: int) -> dict[str, str]:
    """What the bot finds around it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SLUICE_", "SLACK_APP"))}
    secret = os.environ.get("SLACK_SIGNING_SECRET", "rig-signing-secret")
    return kept | {
        "SLUICE_CONFIG": str(folder / "sluice.yaml"),
        "SLUICE_DATABASE_URL": f"sqlite:///{folder / 'sluice.db'}",
        "SLUICE_HOST": "127.0.0.1",
        "SLUICE_PORT": str(port),
        "SLACK_SIGNING_SECRET": secret,
        "KUBECONFIG": str(folder / "kubeconfig"),
    }


def catalogue(repository: str, standing: int) -> str:
    """As many services, each in a namespace of its own."""
    services = "".join(
        f"  {service(number)}: {{image: {repository}, workload: deployment/{service(number)}, channel: "
        f'"#deploys", traffic: {{router: gateway-api}}, signals: {{margins: {{min_bake: 2h}}}}, '
        f"environments: {{dev: {{namespace: {service(number)}}}}}}}\n"
        for number in range(CANARIES)
    )
    return f"""
clusters: {{main: {{}}}}
environments: {{dev: {{cluster: main, namespace: dev}}}}
metrics: {{main: {{prometheus: {{url: "http://127.0.0.1:{standing}/prometheus"}}}}}}
runbooks_dir: own
services:
{services}"""
