"""Who is in the workspace of a rehearsal: everybody whom a catalogue names, and enough people to vote."""

from collections.abc import Iterable, Iterator

from bot.sandbox.slack.acme import PEOPLE, Acme, Channel, Group, Person
from runbooks.catalogue import Catalogue
from runbooks.spec import Runbook

ASKER = "dave"
FIRST = ("U0ANN", "U0BOB", "U0CAROL")
"""Those who vote in every rehearsal; more are made up where more votes are needed."""


def cast(catalogue: Catalogue, runbooks: Iterable[Runbook] = ()) -> Acme:
    """The workspace of a catalogue and its runbooks: their channels, and their groups with the same members each."""
    named = sorted({name.removeprefix("#") for name in (*_channels(catalogue), *_told(runbooks))})
    voting = voters(catalogue)
    known = {person.id for person in PEOPLE}
    members = tuple(person.id for person in voting)
    return Acme(
        people=(*PEOPLE, *(person for person in voting if person.id not in known)),
        channels=tuple(Channel(_id(name, number), name) for number, name in enumerate(named)),
        groups=tuple(
            Group(f"S0{number:05d}", handle.removeprefix("@"), members)
            for number, handle in enumerate(sorted(set(_groups(catalogue))))
        ),
    )


def voters(catalogue: Catalogue) -> tuple[Person, ...]:
    """Who votes: as many as the environment that wants most votes needs."""
    needed = max((entry.approval.count for entry in catalogue.environments.values() if entry.approval), default=0)
    made_up = (Person(f"U0VOTER{number}", f"voter{number}") for number in range(len(FIRST) + 1, needed + 1))
    return (*(person for person in PEOPLE if person.id in FIRST), *made_up)


def _channels(catalogue: Catalogue) -> Iterator[str]:
    yield from (entry.channel for entry in catalogue.services.values())
    yield from (entry.channel for entry in catalogue.environments.values() if entry.channel)


def _groups(catalogue: Catalogue) -> Iterator[str]:
    for entry in catalogue.environments.values():
        asked = entry.approval
        named = (asked.from_, asked.on_call, asked.break_glass) if asked else ()
        yield from (handle for handle in (*named, entry.exemptions) if handle)


def _told(runbooks: Iterable[Runbook]) -> Iterator[str]:
    """Channels that runbooks name themselves; what they look up is the service's business."""
    for runbook in runbooks:
        for entry in (*runbook.steps, *runbook.on_failure):
            channel = entry.params.get("channel")
            if isinstance(channel, str) and channel and "$" not in channel:
                yield channel


def _id(name: str, number: int) -> str:
    """An id stays; a name is given one."""
    return name if name.isupper() else f"C0{number:05d}"
