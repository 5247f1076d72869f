"""Who is in the workspace of a rehearsal: everybody whom a catalogue names, and enough people to vote."""

from collections.abc import Iterator

from bot.sandbox.slack.acme import PEOPLE, Acme, Channel, Group, Person
from runbooks.catalogue import Catalogue

ASKER = "dave"
FIRST = ("U0ANN", "U0BOB", "U0CAROL")
"""Those who vote in every rehearsal; more are made up where more votes are needed."""


def cast(catalogue: Catalogue) -> Acme:
    """The workspace of a catalogue: its channels, and its groups with the same members each."""
    voting = voters(catalogue)
    known = {person.id for person in PEOPLE}
    members = tuple(person.id for person in voting)
    return Acme(
        people=(*PEOPLE, *(person for person in voting if person.id not in known)),
        channels=tuple(Channel(_id(name), name.removeprefix("#")) for name in sorted(set(_channels(catalogue)))),
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


def _id(channel: str) -> str:
    """An id stays; a name is given one."""
    name = channel.removeprefix("#")
    return name if name.isupper() else f"C0{name.upper().replace('-', '').replace('_', '').replace('.', '')}"
