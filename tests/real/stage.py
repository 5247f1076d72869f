"""The whole bot as a process of its own, between a real cluster, a registry and a Slack workspace."""

import asyncio
import itertools
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bot.adapters.kubernetes_calls import WORKLOADS, Call, Raw, Resource
from bot.domain.target import WorkloadKind, WorkloadRef
from tests.real.health import Health
from tests.real.people import Slack
from tests.real.servers import Namespace, Registry, named, namespace, registry, until

NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a stage has besides: `app` labels the pods of prod, `catalogue` are further lines of it below the service
    api, `objects` stand in prod."""

    app: str
    catalogue: str
    objects: Sequence[tuple[Resource, Raw]] = ()


@dataclass(slots=True)
class Stage:
    """Two namespaces with the same Deployment, a Slack channel, and a bot that can be killed."""

    folder: Path
    staging: Namespace
    prod: Namespace
    images: Registry
    slack: Slack
    health: Health
    options: Mapping[str, str]
    services: int = 0
    socket_mode: bool = False
    extra: str = ""
    database: str = ""
    port: int = 0
    process: asyncio.subprocess.Process | None = None
    begun: str = "0"
    repository: str = field(default_factory=lambda: f"acme/api-{os.getpid()}-{next(NUMBERS)}")

    # --- the bot ---

    async def start(self) -> None:
        """Start the bot, and wait until it says that it is ready."""
        with (self.folder / "serve.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "serve", env=self.environment(), stdout=log, stderr=log
            )
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as http:
            await until(lambda: ready(http), bool, within_s=30, every_s=0.05)
        await self.slack.points_to("" if self.socket_mode else f"http://127.0.0.1:{self.port}/slack/events")

    async def kill(self) -> None:
        """kill -9."""
        if self.process and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    def log(self) -> str:
        """What the process has logged."""
        return (self.folder / "serve.log").read_text()

    def lose_database(self) -> None:
        """Remove the database file; the bot must be killed before."""
        for file in self.folder.glob("sluice.db*"):
            file.unlink()

    async def stop(self) -> int:
        """SIGTERM, and the exit status."""
        assert self.process is not None
        self.process.terminate()
        return await self.process.wait()

    def environment(self) -> dict[str, str]:
        """What the process finds around it."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SLUICE_", "SLACK_APP"))}
        secret = os.environ.get("SLACK_SIGNING_SECRET", "rig-signing-secret")
        socket_token = {"SLACK_APP_TOKEN": named("SLACK_APP_TOKEN")} if self.socket_mode else {}
        return (
            kept
            | socket_token
            | {
                "SLUICE_CONFIG": str(self.folder / "sluice.yaml"),
                "SLUICE_DATABASE_URL": self.database or f"sqlite:///{self.folder / 'sluice.db'}",
                "SLUICE_HOST": "127.0.0.1",
                "SLUICE_PORT": str(self.port),
                "SLACK_SIGNING_SECRET": secret,
            }
        )

    # --- the cluster ---

    def workload(self, environment: str) -> WorkloadRef:
        """The Deployment of an environment."""
        place = self.staging if environment == "staging" else self.prod
        return WorkloadRef("main", place.name, WorkloadKind.DEPLOYMENT, "api")

    async def deployment(self, environment: str) -> Raw:
        """The Deployment as the API server has it."""
        ref = self.workload(environment)
        return await self.staging.client.send(Call("get", WORKLOADS[ref.kind], ref.namespace, ref.name))

    async def image(self, environment: str) -> str:
        """The image that the template names."""
        found = await self.deployment(environment)
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])

    async def revision(self, environment: str) -> int:
        """The number of the Deployment's newest template."""
        found = await self.deployment(environment)
        return int(found["metadata"]["annotations"]["deployment.kubernetes.io/revision"])

    async def settled(self, environment: str) -> bool:
        """Whether the rollout is complete, as kubectl rollout status has it."""
        found = await self.deployment(environment)
        status, desired = found.get("status", {}), found["spec"]["replicas"]
        counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
        return status.get("observedGeneration", 0) >= found["metadata"]["generation"] and counts == [desired] * 3

    # --- the channel ---

    async def releases(self) -> list[dict[str, Any]]:
        """The release messages since the stage was set, oldest first."""
        return await self.slack.messages(since=self.begun)

    async def ends(self, *, within_s: float = 60, count: int = 1) -> dict[str, Any]:
        """Wait until the newest of `count` release messages tells an end."""
        found = await until(
            self.releases,
            lambda messages: ended(messages, count),
            within_s=within_s,
            every_s=0.05,
        )
        return found[-1]

    async def ballot(self, *, count: int = 1) -> dict[str, Any]:
        """Wait until the newest of `count` release messages is a ballot that the bot has seeded."""
        found = await until(
            self.releases,
            lambda messages: len(messages) >= count and len(messages[-1].get("reactions", [])) == len(("yes", "no")),
            every_s=0.05,
        )
        return found[-1]


async def push(here: Stage, *tags: str) -> dict[str, str]:
    """Put images into the stage's repository; their digests by tag."""
    return {tag: await here.images.push(here.repository, tag) for tag in tags}


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    within: str = "30m",
    use_within: str = "30m",
    services: int = 0,
    socket_mode: bool = False,
    replicas: int = 3,
    scene: Scene | None = None,
    database: str = "",
) -> AsyncIterator[Stage]:
    """Set the stage: v1 runs with `replicas` pods in both environments, and the bot serves.

    `services` more services share the workload: many runs without many pods. `scene` says what else there is. The bot's
    `database` is a file of its own where no URL is given.
    """
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=named("RIG_SLACK_URL"), timeout=30))
        here = Stage(
            folder=folder,
            staging=await stack.enter_async_context(namespace()),
            prod=await stack.enter_async_context(namespace()),
            images=await stack.enter_async_context(registry()),
            slack=Slack(http),
            health=await stack.enter_async_context(Health().listening()),
            options={"within": within, "use_within": use_within},
            services=services,
            socket_mode=socket_mode,
            extra=scene.catalogue if scene else "",
            database=database,
        )
        here.port = free_port()
        (folder / "sluice.yaml").write_text(catalogue(here))
        first = await here.images.push(here.repository, "v1")
        for place in (here.staging, here.prod):
            labels = {"app": scene.app} if scene and place is here.prod else None
            await place.workload(f"{here.images.host}/{here.repository}:v1@{first}", replicas=replicas, labels=labels)
        for resource, body in scene.objects if scene else ():
            await here.prod.create(resource, body)
        for environment in ("staging", "prod"):
            await until(lambda name=environment: here.settled(name), bool, within_s=60)
        messages = await here.slack.messages()
        here.begun = str(messages[-1]["ts"]) if messages else "0"
        stack.push_async_callback(here.kill)
        await here.start()
        yield here


def catalogue(here: Stage) -> str:
    """The catalogue of a stage."""
    more = "".join(
        f"  svc{number}: {{image: {here.images.host}/{here.repository}, workload: deployment/api, "
        f'channel: "#deploys"}}\n'
        for number in range(here.services)
    )
    return f"""
clusters:
  main: {{}}
environments:
  staging: {{cluster: main, namespace: {here.staging.name}}}
  prod:
    cluster: main
    namespace: {here.prod.name}
    protected: true
    approval: {{from: "@release-approvers", count: 2, within: {here.options["within"]},
               use_within: {here.options["use_within"]}}}
services:
  api:
    image: {here.images.host}/{here.repository}
    workload: deployment/api
    channel: "#deploys"
    smoke: [{{get: "http://127.0.0.1:{here.health.port}/healthz"}}]
{here.extra}{more}"""


async def ready(http: httpx.AsyncClient) -> bool:
    """Whether the process says that it may get work."""
    try:
        return (await http.get("/readyz")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def ended(messages: list[dict[str, Any]], count: int) -> bool:
    """Whether the newest of `count` release messages tells an end."""
    return len(messages) >= count and any(
        word in messages[-1]["text"] for word in ("Took", "rejected", "expired", "aborted", "not started")
    )


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
