"""A canary survives whoever runs it: dying before or after any write, as often as it likes, changes no end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import UnreachableError
from bot.domain.traffic import Route, Router
from bot.ports.cluster import Fence
from tests.contracts.clusters import fence, image
from tests.contracts.route_worlds import MemoryWorld, memory_world
from tests.contracts.routes import FakeWorld, World
from tests.crash.mortality import KilledError


class Deaths:
    """Strikes at the given moments, each one before or after a write."""

    def __init__(self, moments: frozenset[int]) -> None:
        self._moments = moments
        self.passed = 0

    def __call__(self, _when: str, _what: str) -> bool:
        self.passed += 1
        return self.passed in self._moments

    def strike(self, when: str, what: str) -> None:
        """The same as an exception."""
        if self(when, what):
            raise KilledError(f"{when} {what}")


class Life:
    """A canary from its bringing to its removal, by one owner after another."""

    def __init__(self, world: World, route: Route, before: object) -> None:
        self._world, self._route, self._before = world, route, before
        self._token = 1

    async def run(self, first: int, second: int) -> None:
        """Bring, shift, grow, shift, take away, remove."""
        canaries, route = self._world.canaries, self._route
        await self._bring(1)
        await self._insist(lambda right: canaries.shift(route, first, right))
        await self._bring(3)
        await self._insist(lambda right: canaries.shift(route, second, right))
        assert (await canaries.observe(route)).edited == ""
        while not await self._insist(lambda right: canaries.remove(route, right)):
            await self._look()
        assert await self._world.leftovers(route) == []

    async def _bring(self, pods: int) -> None:
        """Canary pods, and as many fresh baseline pods where they are wanted; stable is remembered as it was."""
        canaries, route = self._world.canaries, self._route
        await self._insist(lambda right: canaries.bring(route, image("v2"), pods, right))
        state = await canaries.observe(route)
        assert state.canary is not None
        assert (state.canary.desired, state.canary.image) == (pods, image("v2"))
        found = (state.baseline.desired, state.baseline.image) if state.baseline else None
        assert found == ((pods, image("v1")) if route.fresh_baseline else None)
        assert state.stable_before == state.stable.desired

    async def _insist(self, write: Callable[[Fence], Awaitable[object]]) -> object:
        while True:
            try:
                done = await write(fence(token=self._token))
            except (KilledError, UnreachableError):
                self._token += 1
                await self._look()
                continue
            await self._look()
            return done

    async def _look(self) -> None:
        if self._route.router is not Router.REPLICAS:
            assert {sum(pair) for pair in await self._world.weights(self._route)} == {100}
        assert await self._world.stable(self._route) == self._before


@dataclass(frozen=True, slots=True)
class Course:
    """How a life goes: through which router, with a fresh baseline or without, and which shares one after another."""

    router: Router
    fresh: bool = False
    weights: tuple[int, int] = (20, 50)


async def on_the_fake(course: Course, deaths: Deaths) -> None:
    """The whole life in an imagined cluster."""
    world = FakeWorld()
    route = await world.route(course.router, fresh=course.fresh)
    world.fake.on_write = deaths.strike
    await Life(world, route, await world.stable(route)).run(*course.weights)


async def on_the_adapter(course: Course, deaths: Deaths) -> None:
    """The whole life through the adapter; a death after a write is an answer that never came."""
    async with memory_world() as world:
        assert isinstance(world, MemoryWorld)
        route = await world.route(course.router, fresh=course.fresh)
        world.api.dies = deaths
        await Life(world, route, await world.stable(route)).run(*course.weights)


Kind = Callable[[Course, Deaths], Awaitable[None]]
moments = st.frozensets(st.integers(1, 36), max_size=8)
courses = st.builds(
    Course,
    router=st.sampled_from(Router),
    fresh=st.booleans(),
    weights=st.tuples(st.integers(1, 90), st.integers(0, 90)),
)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("router", list(Router))
@pytest.mark.parametrize("kind", [on_the_fake, on_the_adapter])
def test_every_single_death_is_survived(kind: Kind, router: Router, fresh: bool) -> None:
    """One after another, until a life has fewer moments."""
    course = Course(router, fresh)
    number, whole = 1, Deaths(frozenset())
    asyncio.run(kind(course, whole))
    while number <= whole.passed:
        asyncio.run(kind(course, Deaths(frozenset({number}))))
        number += 1
    # The baseline is made, grows and goes: three writes, each with a moment before and one after.
    assert whole.passed == (8 if router is Router.REPLICAS else 20) + (6 if fresh else 0)


@given(course=courses, deaths=moments)
def test_many_deaths_are_survived(course: Course, deaths: frozenset[int]) -> None:
    """Any of them, with any shares, in an imagined cluster."""
    asyncio.run(on_the_fake(course, Deaths(deaths)))


@settings(max_examples=25)
@given(course=courses, deaths=moments)
def test_many_deaths_of_the_adapter_are_survived(course: Course, deaths: frozenset[int]) -> None:
    """The same on objects."""
    asyncio.run(on_the_adapter(course, Deaths(deaths)))
