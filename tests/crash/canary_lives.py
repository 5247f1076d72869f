"""A canary release short enough to be lived through many times, by processes that die; and what must always hold."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.adapters import kubernetes_marks as marks
from bot.domain.journal import first_break
from bot.domain.traffic import WHOLE, Route, Router, share_of, stable_pods_needed
from tests.crash.mortality import KilledError, MortalDatabase, Mortality
from tests.fakes.canaries import FakeCanaries
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.scenarios.canaries import CANARY, PROD, STABLE, WITH_TRAFFIC, CanaryWorld

SECOND, TICK = timedelta(seconds=1), timedelta(seconds=5)
SERVED = timedelta(minutes=15)
LIMIT = timedelta(minutes=10)
MANY = 10_000
TOOK = re.compile(r"Took [^.·]+")
SHARES = {Router.GATEWAY_API: (20, 50), Router.REPLICAS: (25, 50)}
"""What the two steps of the runbook give the canary; without a router 20 % cannot be had beside three pods."""

BRIEF = """
name: brief
about: A canary that is judged within seconds.
gates: [image]
steps:
  - approval
  - canary: {weight: 20%, judge: {for: 1m, least: 1s}}
  - canary: {weight: 50%, judge: {for: 1m, least: 1s}}
  - promote
  - smoke
on_failure:
  - restore
  - smoke
  - recovery: 10s
"""
LOOSE = """
      metrics: {cpu: null}
      margins: {min_bake: 5s, error_ni: 20, latency_ni: 5, alpha: 0.1, beta: 0.1}
    traffic: """
ROLLOUT_S = 20.0
"""Long enough for somebody to abort a promotion in the middle."""

BUSY = 500.0
"""Requests a second of every pod: so many settle a question within a few scrapes."""


@dataclass(frozen=True)
class Story:
    """What happens to a canary: how many of its answers are errors, and whether somebody aborts its promotion."""

    error_rate: float = 0.0
    aborted: bool = False


STORIES = {
    "promoted": Story(),
    "rolled-back": Story(error_rate=0.3),
    "aborted": Story(aborted=True),
}


@dataclass(frozen=True)
class End:
    """What is left when all is done: it must not depend on when the process died."""

    phase: str
    image: str
    effects: tuple[str, ...]
    messages: tuple[str, ...]
    live: str
    releases: tuple[tuple[str, bool], ...]
    leftovers: tuple[str, ...]
    journal_intact: bool


class Life:
    """One release of api v2 to prod from the command to its end, whatever happens to the process."""

    def __init__(self, world: CanaryWorld, story: Story, router: Router, mortality: Mortality) -> None:
        self.world, self._story, self._mortality = world, story, mortality
        self.route = Route(router, PROD, "api", "" if router is Router.REPLICAS else "api")
        self._stable_image = world.cluster.image(PROD)
        self._told: set[str] = set()
        world.cluster.on_write = self._moment
        world.workspace.on_write = self._moment
        world.clock.listeners.append(self.look)

    async def lived(self) -> End:
        """Tell the story to its end."""
        world, end = self.world, self.world.clock.now() + LIMIT
        self._mortality.awake = True
        while world.clock.now() < end:
            try:
                await self._people_talk()
                if await self._over():
                    await world.passes(30 * SECOND)
                    break
                await world.passes(TICK)
            except KilledError:
                self._mortality.awake = False
                await world.kill()
                await world.start()
                self._mortality.awake = True
        return await self._end()

    async def _people_talk(self) -> None:
        """Slack sends a command again until it was acknowledged; votes are given once."""
        await self._says("canary api v2 prod --runbook brief", ANN)
        for message in self.world.workspace.messages:
            if "white_check_mark" in message.reactions:
                for person in (BOB, CID):
                    self.world.workspace.reacts(person, message.place, "white_check_mark")
        if self._story.aborted and "set_image" in self.world.verbs():
            await self._says("abort api prod", DAN)

    async def _says(self, line: str, user: object) -> None:
        if line not in self._told:
            await self.world.hears(user, line, key=line)
            self._told.add(line)

    def _moment(self, when: str, what: str) -> None:
        self.look()
        self._mortality(when, what)

    def look(self) -> None:
        """What holds at every moment, also while nobody runs the release."""
        cluster = self.world.cluster
        stable = cluster.state(cluster.find(PROD), PROD)
        canary = cluster.state(cluster.find(self.route.canary), PROD) if self._has_canary() else None
        ready = canary.available if canary else 0
        if self.route.router is Router.REPLICAS:
            share = share_of(ready, stable.available)
        else:
            weights = cluster.traffic.weights(self.route)
            assert sum(weights) == WHOLE
            share = weights[1]
            assert share in (0, *SHARES[self.route.router])
            assert not share or ready, "nobody answers the canary's requests"
        assert stable.available >= stable_pods_needed(stable.desired, share)
        self._look_at_the_image()

    def _has_canary(self) -> bool:
        return self.route.canary in self.world.cluster.workloads

    def _look_at_the_image(self) -> None:
        """Stable takes another image from `promote`, and from a restore only what promotion had begun to replace."""
        cluster = self.world.cluster
        image = cluster.image(PROD)
        if image != self._stable_image:
            written_by = cluster.annotations(PROD)[marks.STEP]
            brought = ":v2@" in image
            assert written_by == ("steps.promote" if brought else "on_failure.restore")
            self._stable_image = image

    async def _over(self) -> bool:
        async with self.world.store.transaction() as tx:
            runs = await tx.runs(limit=1)
            backlog = await tx.backlog(self.world.clock.now())
        return bool(runs) and runs[0].phase.final and not backlog.letters

    async def _end(self) -> End:
        world = self.world
        run = await world.newest()
        async with world.store.transaction() as tx:
            releases = await tx.releases(run.request.target)
            journal = await tx.journal(limit=MANY)
        return End(
            phase=run.phase,
            image=world.image("prod"),
            # A mark says whose the workload is, and is written anew by each owner.
            effects=tuple(f"{one.verb} {one.detail}" for one in world.cluster.writes if one.verb != "mark"),
            messages=tuple(sorted(kind_of(message.key) for message in world.workspace.messages)),
            live=without_times(world.live()),
            releases=tuple((release.ref, release.healthy) for release in releases),
            leftovers=tuple(FakeCanaries(world.cluster).leftovers(self.route)),
            journal_intact=first_break(journal) is None,
        )


def kind_of(key: str) -> str:
    """A message's key without the millisecond in it."""
    head, _, last = key.rpartition("/")
    return head if last.isdigit() and len(last) > len("1000") else key


def without_times(text: str) -> str:
    """A release message without how long it took."""
    return TOOK.sub("Took …", text)


def a_world(folder: Path, template: Path, story: Story, router: Router, mortality: Mortality) -> CanaryWorld:
    """api under traffic, with the brief runbook."""
    (folder / "runbooks").mkdir(parents=True)
    (folder / "runbooks" / "brief.yaml").write_text(BRIEF.strip())
    catalogue = WITH_TRAFFIC.replace("\n    traffic: ", LOOSE) + "\nrunbooks_dir: runbooks\n"
    if router is Router.REPLICAS:
        catalogue = catalogue.replace("{router: gateway-api, route: api}", "{router: replicas}")
    world = CanaryWorld(folder, template, catalogue=catalogue, database=lambda url: MortalDatabase(url, mortality))
    for name in STABLE:
        world.metrics.load(name, world.clock.now() - SERVED, rate=BUSY)
    world.metrics.load(CANARY, world.clock.now(), rate=BUSY, error_rate=story.error_rate)
    if story.aborted:
        world.cluster.find(PROD).rollout_s = ROLLOUT_S
    return world
