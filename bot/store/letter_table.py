"""Messages: what shall stand in a channel, and what is known to stand there."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, Update, bindparam, case, func, insert, or_, select, update

from bot.domain.errors import FencedError
from bot.domain.ids import ChannelId, MessageKey
from bot.ports.chat import Place
from bot.ports.narrator import Telling
from bot.ports.store import Letter
from bot.store.mapping import letter_of, telling_text
from bot.store.rows import LetterRow, UtcDateTime
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
            known = await self._row(TOLD, {"letter": telling.key})
            if known is None:
                fresh = {"key": telling.key, "wanted": 1, "delivered": 0, "seeded": 0, "failures": 0, "error": ""}
                await self._execute(INSERT, {**wanted, **fresh, "due_at": at})
            elif known.telling != wanted["telling"]:
                await self._execute(NEWER, {"letter": telling.key, **wanted, "due_at": at, "failures": 0})

    async def letters_due(
        self,
        now: datetime,
        *,
        limit: int,
        shut: Collection[str] = (),
        brief: Collection[str] = (),
        owner: str | None = None,
    ) -> Sequence[Letter]:
        asked = {"now": now, "shut": list(shut), "brief": list(brief), "owner": owner or NOBODY, "most": limit}
        return [letter_of(row) for row in await self._rows(LETTERS_DUE, asked)]

    async def claim(self, key: MessageKey, owner: str, now: datetime, *, duration: timedelta) -> Letter | None:
        held = {"claimed_by": owner, "claimed_until": now + duration}
        if not (await self._execute(CLAIM, {"letter": key, "now": now, "owner": owner, **held})).rowcount:
            return None
        # Another may have delivered it since it was seen to be due: what holds is what it is now that it is ours.
        row = await self._row(LETTER_DUE, {"letter": key, "now": now})
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
        renewed = tried | {"claimed_until": at + duration}
        if not (await self._execute(CLAIMED, {"letter": key, "owner": owner, **renewed})).rowcount:
            raise FencedError(f"somebody else delivers {key} by now")

    async def delivered(self, key: MessageKey, place: Place | None, *, version: int, seeded: int) -> None:
        where = {"channel_id": place.channel, "ts": place.ts} if place else {}
        done = {"delivered": version, "seeded": seeded, "failures": 0, "error": ""}
        shown = {"letter": key, "version": version, "reactions": seeded}
        await self._execute(DELIVERED, {**shown, **done, **where, **_FREE})

    async def undelivered(self, key: MessageKey, *, until: datetime, error: str, drop: bool = False) -> None:
        later = {"due_at": None if drop else until}
        await self._execute(UNDELIVERED, {"letter": key, "error": error, **later, **_FREE})

    async def misplaced(self, key: MessageKey, *, until: datetime, error: str) -> None:
        gone = {"ts": None, "attempted_at": None, "delivered": 0, "seeded": 0}
        await self._change(key, **gone, due_at=until, error=error, **_FREE)

    async def _change(self, key: MessageKey, **values: Any) -> None:
        await self._execute(CHANGE, {"letter": key, **values})


_FREE: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


def _due() -> tuple[ColumnElement[bool], ...]:
    undelivered = or_(LETTERS.c.delivered < LETTERS.c.wanted, LETTERS.c.seeded < LETTERS.c.seeds)
    reachable = or_(LETTERS.c.under.is_(None), PARENTS.c.ts.is_not(None))
    return undelivered, reachable, LETTERS.c.due_at <= NOW


def _busy() -> Select[Any]:
    """The lanes in which somebody else delivers: whoever delivers beside them would break the order."""
    return select(OTHERS.c.lane).where(OTHERS.c.claimed_until > NOW, OTHERS.c.claimed_by != OWNER)


def _rank() -> ColumnElement[int]:
    """The place of a message in its own lane: so many of one lane cannot keep the first of another waiting."""
    order = case((LETTERS.c.ts.is_(None), 1), (LETTERS.c.urgent, 0), else_=2)
    return func.row_number().over(partition_by=LETTERS.c.lane, order_by=(order, LETTERS.c.number))


def _letters() -> Select[Any]:
    joined = LETTERS.outerjoin(PARENTS, PARENTS.c.key == LETTERS.c.under)
    place = (PARENTS.c.channel_id.label("under_channel"), PARENTS.c.ts.label("under_ts"))
    return select(LETTERS, *place).select_from(joined)


def _letters_due() -> Select[Any]:
    shut: ColumnElement[str] = bindparam("shut", expanding=True)
    brief: ColumnElement[str] = bindparam("brief", expanding=True)
    told = or_(LETTERS.c.lane.not_in(brief), LETTERS.c.ts.is_(None), LETTERS.c.urgent)
    return (
        _letters()
        .where(*_due(), LETTERS.c.lane.not_in(shut), told, LETTERS.c.lane.not_in(_busy()))
        .order_by(_rank(), LETTERS.c.number)
        .limit(bindparam("most"))
    )


def _claim() -> Update:
    # Said of the row itself too: of two who claim at once, the second sees anew only the row that it waited for.
    free = or_(LETTERS.c.claimed_until.is_(None), LETTERS.c.claimed_until <= NOW, LETTERS.c.claimed_by == OWNER)
    return CHANGE.where(free, LETTERS.c.lane.not_in(_busy()))


def _delivered() -> Update:
    done = (LETTERS.c.wanted <= bindparam("version")) & (LETTERS.c.seeds <= bindparam("reactions"))
    # What is done is due no more: the index of what is due stays as small as the work that is left.
    return CHANGE.values(due_at=case((done, None), else_=LETTERS.c.due_at))


# Built once; see `Tables`.
NOBODY = ""
"""An owner that claims nothing: all that is claimed is somebody else's."""

NOW: ColumnElement[datetime] = bindparam("now", type_=UtcDateTime())
OWNER: ColumnElement[str] = bindparam("owner", type_=String())
MINE = LETTERS.c.key == bindparam("letter")
CHANGE = update(LETTERS).where(MINE)
"""To the columns that the values name, and to those that a statement made of it sets besides."""

INSERT = insert(LETTERS)
TOLD = select(LETTERS.c.telling).where(MINE)
NEWER = CHANGE.values(wanted=LETTERS.c.wanted + 1)
LETTERS_DUE = _letters_due()
LETTER_DUE = _letters().where(MINE, *_due())
CLAIM = _claim()
CLAIMED = CHANGE.where(LETTERS.c.claimed_by == OWNER)
DELIVERED = _delivered()
UNDELIVERED = CHANGE.values(failures=LETTERS.c.failures + 1)
