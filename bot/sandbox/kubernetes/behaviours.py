"""What containers do: words in their image's tag, or what a switch says of an image from now on."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

WORDS = frozenset({"crash", "oom", "badpull", "slow", "notready", "hang", "jobfail"})


@dataclass(frozen=True, slots=True)
class Durations:
    """How long things take. `react`: a controller until it acts on what it sees; `start`: a pod until its container
    runs; `ready`: from then until it is ready, beyond its probe's own delay; `slow`: the same for slow ones; `backoff`
    doubles up to `longest_backoff`."""

    react: timedelta = timedelta(milliseconds=10)
    start: timedelta = timedelta(seconds=0.5)
    ready: timedelta = timedelta(seconds=0.5)
    slow: timedelta = timedelta(seconds=15)
    stop: timedelta = timedelta(seconds=0.5)
    crash: timedelta = timedelta(seconds=0.5)
    job: timedelta = timedelta(seconds=1)
    backoff: timedelta = timedelta(seconds=2)
    longest_backoff: timedelta = timedelta(seconds=30)


class Behaviours:
    """Words by image. `listeners` hear when a switch is thrown; `last_line` is what Jobs that end well say at last."""

    def __init__(self) -> None:
        self.last_line = ""
        self._said: dict[str, frozenset[str]] = {}
        self.listeners: list[Callable[[], None]] = []

    def say(self, image: str, word: str | None) -> None:
        """Containers whose image, tag or digest is `image` do as `word` says from now on, whatever their tag says;
        several words are separated by `-`, none means that they are well. `None`: what their tag says counts again.
        Raises ValueError for an unknown word."""
        if word is None:
            self._said.pop(image, None)
        else:
            asked = _split(word)
            if unknown := asked - WORDS:
                raise ValueError(f"no behaviour {', '.join(sorted(unknown))}; there are {', '.join(sorted(WORDS))}")
            self._said[image] = asked
        for listener in tuple(self.listeners):
            listener()

    def words(self, image: str) -> frozenset[str]:
        """What a container of this image does."""
        tagged, _, digest = image.partition("@")
        tag = tag_of(image)
        for name in (image, tagged, digest, tag):
            if name and name in self._said:
                return self._said[name]
        return _split(tag) & WORDS


def tag_of(image: str) -> str:
    """The tag of a reference; empty where it has none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _split(text: str) -> frozenset[str]:
    return frozenset(re.split(r"[^a-z0-9]+", text)) - {""}
