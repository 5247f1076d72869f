"""Which version of every service runs where, and which of them do not go together. Pure, over our own records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.pairing import proven_beside
from bot.domain.release import ReleaseRecord, identity
from bot.domain.target import Target
from runbooks.catalogue import Catalogue
from runbooks.needs import PROVEN, meets, version_of

Records = Mapping[Target, Sequence[ReleaseRecord]]
"""What each target ran, newest first; as far as it is looked at."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two services in one environment that do not go together, or of which nobody can tell (`known` is false)."""

    environment: str
    service: ReleaseRecord
    other: ReleaseRecord
    wanted: str
    known: bool
    before: str = ""


def running(records: Records, target: Target) -> ReleaseRecord | None:
    """What a target runs, as far as it was recorded."""
    newest = next(iter(records.get(target, ())), None)
    return newest if newest and newest.until is None else None


def pairs(catalogue: Catalogue, records: Records, targets: Sequence[Target], now: datetime) -> list[Pair]:
    """Every pair that does not go together, among these targets and what they need, in the order of the catalogue."""
    found = []
    for target in targets:
        mine = running(records, target)
        for needed, wanted in catalogue.service(target.service).needs.items():
            other = running(records, Target(needed, target.environment))
            if mine is None or other is None:
                continue
            before = catalogue.environment_before(target.environment)
            fits = _proven(mine, other, before, records, now) if wanted == PROVEN else _meets(other, wanted)
            if fits is not True:
                found.append(Pair(target.environment, mine, other, wanted, fits is False, before))
    return found


def _meets(other: ReleaseRecord, wanted: str) -> bool | None:
    """`None`: what it is called is no version."""
    version = version_of(other.ref)
    return None if version is None else meets(version, wanted)


def _proven(mine: ReleaseRecord, other: ReleaseRecord, before: str, records: Records, now: datetime) -> bool:
    """Where nothing comes before, nothing can have been proven yet, and nothing is asked."""
    own = records.get(Target(mine.target.service, before), ())
    others = records.get(Target(other.target.service, before), ())
    return not before or identity(other.image) in proven_beside(mine.image, own, others, now=now)
