"""Area `slack`: the user groups of the catalogue, and whether enough people in them can vote."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.doctor.finding import Area, Finding
from bot.domain.errors import NotFoundError, SluiceError
from bot.domain.ids import UserId
from bot.ports.directory import Directory
from runbooks.catalogue import Catalogue

AREA = Area.SLACK


@dataclass(frozen=True, slots=True)
class Asked:
    """A group and what it is there for. `count`: how many of its people must say yes; whoever asks does not count
    where `besides` is set."""

    group: str
    what: str
    count: int = 1
    besides: bool = False


def asked(catalogue: Catalogue) -> Iterator[Asked]:
    """Every group of the catalogue, by environment."""
    for name, place in catalogue.environments.items():
        if place.approval:
            yield Asked(place.approval.from_, f"votes in {name}", place.approval.count, besides=True)
            if place.approval.on_call:
                yield Asked(place.approval.on_call, f"on call for {name}")
            if place.approval.break_glass:
                yield Asked(place.approval.break_glass, f"may break the glass in {name}")
        if place.exemptions:
            yield Asked(place.exemptions, f"votes on exemptions in {name}", besides=True)


class Voters:
    """Counts people as a tally does: guests, bots, those who have left and members of other workspaces do not."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._able: dict[UserId, bool] = {}

    async def looked_at(self, each: Asked) -> Finding:
        """One group. People are looked up only until there are enough."""
        subject = f"{each.group} ({each.what})"
        try:
            members = await self._directory.members(each.group)
            able = await self._count(members, each.count + 1)
        except NotFoundError as exc:
            fix = "make it under People & user groups in Slack, or correct its handle in sluice.yaml"
            return AREA.fault(subject, str(exc), fix)
        except SluiceError as exc:
            return AREA.failed(subject, exc, "mend what Slack complains of, then `sluice doctor slack`")
        return _counted(subject, each, len(members), able)

    async def _count(self, members: frozenset[UserId], enough: int) -> int:
        able = 0
        for user in sorted(members):
            able += await self._can_vote(user)
            if able >= enough:
                break
        return able

    async def _can_vote(self, user: UserId) -> bool:
        if user not in self._able:
            try:
                person = await self._directory.person(user)
            except NotFoundError:
                return False  # gone since the group was read
            others = person.is_bot, person.is_guest, person.is_deleted, person.is_outside
            self._able[user] = not any(others)
        return self._able[user]


def _counted(subject: str, each: Asked, members: int, able: int) -> Finding:
    wanted = f"{each.count} {'is' if each.count == 1 else 'are'} needed"
    if able < each.count:
        who = "nobody" if able == 0 else f"only {able}"
        fix = f"put people into {each.group}; guests, bots and those who have left do not count"
        return AREA.fault(subject, f"{who} of its {members} members can vote, and {wanted}", fix)
    if each.besides and able == each.count:
        seen = f"{able} can vote, and {wanted}: what one of them asks for can never be approved"
        return AREA.warning(subject, seen, f"put one more person into {each.group}, or lower `count`")
    more = "at least " if able > each.count else ""
    return AREA.ok(
        subject,
        f"{more}{able} can vote, {wanted}" if each.besides else f"{members} {'member' if members == 1 else 'members'}",
    )
