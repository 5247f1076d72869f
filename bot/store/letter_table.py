"""Messages: what shall stand in a channel, and what is known to stand there."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, insert, or_, select, update

from bot.domain.errors import FencedError
from bot.domain.ids import ChannelId, MessageKey
from bot.ports.chat import Place
from bot.ports.narrator import Telling
from bot.ports.store import Letter
from bot.store.mapping import letter_of, telling_text
from bot.store.rows import LetterRow
from bot.store.tables import Tables

LETTERS = LetterRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
PARENTS = LETTERS.alias("parents")
OTHERS = LETTERS.alias("others")


class LetterTable(Tables):
    """The part of a transaction that deals with messages."""

    async def tell(self, tellings: Sequence[Telling], *, at: datetime) -> None:
        for telling in tellings:
            wanted = {
                "telling": telling_text(telling),
                "seeds": len(telling.seeds),
                "under": telling.under,
                "lane": telling.lane,
                "urgent": telling.urgent,
            }
            known = await self._row(select(LETTERS.c.telling).where(LETTERS.c.key == telling.key))
            if known is None:
                fresh = {"key": telling.key, "wanted": 1, "delivered": 0, "seeded": 0, "failures": 0, "error": ""}
                await self._execute(insert(LETTERS).values(**wanted, **fresh, due_at=at))
            elif known.telling != wanted["telling"]:
                newer = wanted | {"wanted": LETTERS.c.wanted + 1, "due_at": at, "failures": 0}
                await self._execute(update(LETTERS).where(LETTERS.c.key == telling.key).values(newer))

    async def letters_due(
        self,
        now: datetime,
        *,
        limit: int,
        shut: Collection[str] = (),
        brief: Collection[str] = (),
        owner: str | None = None,
    ) -> Sequence[Letter]:
        told = or_(LETTERS.c.lane.not_in(brief), LETTERS.c.ts.is_(None), LETTERS.c.urgent)
        query = (
            _letters()
            .where(*_due(now), LETTERS.c.lane.not_in(shut), told, LETTERS.c.lane.not_in(_busy(owner, now)))
            .order_by(_rank(), LETTERS.c.number)
            .limit(limit)
        )
        return [letter_of(row) for row in await self._rows(query)]

    async def claim(self, key: MessageKey, owner: str, now: datetime, *, duration: timedelta) -> Letter | None:
        # Said of the row itself too: of two who claim at once, the second sees anew only the row that it waited for.
        free = or_(LETTERS.c.claimed_until.is_(None), LETTERS.c.claimed_until <= now, LETTERS.c.claimed_by == owner)
        mine = (LETTERS.c.key == key) & free & LETTERS.c.lane.not_in(_busy(owner, now))
        held = {"claimed_by": owner, "claimed_until": now + duration}
        if not (await self._execute(update(LETTERS).where(mine).values(held))).rowcount:
            return None
        # Another may have delivered it since it was seen to be due: what holds is what it is now that it is ours.
        row = await self._row(_letters().where(LETTERS.c.key == key, *_due(now)))
        if row is None:
            await self._change(key, **_FREE)
        return letter_of(row) if row else None

    async def letter(self, key: MessageKey) -> Letter | None:
        row = await self._row(_letters().where(LETTERS.c.key == key))
        return letter_of(row) if row else None

    async def letter_at(self, place: Place) -> Letter | None:
        row = await self._row(
            _letters().where(LETTERS.c.channel_id == place.channel, LETTERS.c.ts == place.ts).limit(1)
        )
        return letter_of(row) if row else None

    async def letters_under(self, prefix: str) -> Sequence[Letter]:
        query = _letters().where(LETTERS.c.key.startswith(prefix, autoescape=True)).order_by(LETTERS.c.number)
        return [letter_of(row) for row in await self._rows(query)]

    async def attempt(
        self, key: MessageKey, channel: ChannelId, *, at: datetime, claim: tuple[str, timedelta] | None = None
    ) -> None:
        tried: dict[str, Any] = {"channel_id": channel, "attempted_at": at}
        if claim is None:
            await self._change(key, **tried)
            return
        owner, duration = claim
        mine = (LETTERS.c.key == key) & (LETTERS.c.claimed_by == owner)
        renewed = tried | {"claimed_until": at + duration}
        if not (await self._execute(update(LETTERS).where(mine).values(renewed))).rowcount:
            raise FencedError(f"somebody else delivers {key} by now")

    async def delivered(self, key: MessageKey, place: Place | None, *, version: int, seeded: int) -> None:
        where = {"channel_id": place.channel, "ts": place.ts} if place else {}
        done = (LETTERS.c.wanted <= version) & (LETTERS.c.seeds <= seeded)
        # What is done is due no more: the index of what is due stays as small as the work that is left.
        due_at = case((done, None), else_=LETTERS.c.due_at)
        await self._change(key, delivered=version, seeded=seeded, failures=0, error="", due_at=due_at, **where, **_FREE)

    async def undelivered(self, key: MessageKey, *, until: datetime, error: str, drop: bool = False) -> None:
        later = {"due_at": None} if drop else {"due_at": until}
        await self._change(key, failures=LETTERS.c.failures + 1, error=error, **later, **_FREE)

    async def misplaced(self, key: MessageKey, *, until: datetime, error: str) -> None:
        gone = {"ts": None, "attempted_at": None, "delivered": 0, "seeded": 0}
        await self._change(key, **gone, due_at=until, error=error, **_FREE)

    async def _change(self, key: MessageKey, **values: Any) -> None:
        await self._execute(update(LETTERS).where(LETTERS.c.key == key).values(**values))


_FREE: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    undelivered = or_(LETTERS.c.delivered < LETTERS.c.wanted, LETTERS.c.seeded < LETTERS.c.seeds)
    reachable = or_(LETTERS.c.under.is_(None), PARENTS.c.ts.is_not(None))
    return undelivered, reachable, LETTERS.c.due_at <= now


def _busy(owner: str | None, now: datetime) -> Select[Any]:
    """The lanes in which somebody else delivers: whoever delivers beside them would break the order."""
    claimed = (OTHERS.c.claimed_until > now) & OTHERS.c.claimed_by.is_not(None)
    return select(OTHERS.c.lane).where(claimed, OTHERS.c.claimed_by != owner if owner else claimed)


def _rank() -> ColumnElement[int]:
    """The place of a message in its own lane: so many of one lane cannot keep the first of another waiting."""
    order = case((LETTERS.c.ts.is_(None), 1), (LETTERS.c.urgent, 0), else_=2)
    return func.row_number().over(partition_by=LETTERS.c.lane, order_by=(order, LETTERS.c.number))


def _letters() -> Select[Any]:
    joined = LETTERS.outerjoin(PARENTS, PARENTS.c.key == LETTERS.c.under)
    place = (PARENTS.c.channel_id.label("under_channel"), PARENTS.c.ts.label("under_ts"))
    return select(LETTERS, *place).select_from(joined)
