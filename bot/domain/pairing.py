"""Which versions of two services were proven together: they ran at the same time in one environment, both healthy."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.release import ReleaseRecord, identity, same_image


def proven_beside(
    image: str, own: Sequence[ReleaseRecord], others: Sequence[ReleaseRecord], *, now: datetime
) -> dict[str, timedelta]:
    """How long each image of another service ran healthy beside this healthy `image`, by its identity, longest first.

    `own` and `others` are the records of one environment. A record that is still open lasts until `now`.
    """
    found: dict[str, timedelta] = {}
    for mine in own:
        if not mine.healthy or not same_image(mine.image, image):
            continue
        for other in others:
            together = min(mine.until or now, other.until or now) - max(mine.since, other.since)
            if other.healthy and together > timedelta(0):
                known = found.get(identity(other.image), timedelta(0))
                found[identity(other.image)] = known + together
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))
