"""How values read in a message."""

from datetime import timedelta

from bot.domain.image import COMMIT, DIGEST, short
from bot.domain.plan import PlannedStep, Previous

_DOING = {
    "approval": "waiting for votes",
    "job": "running a job",
    "judge": "judging the canary",
    "notify": "telling people",
    "promote": "promoting",
    "recovery": "looking whether all is as it was",
    "restore": "restoring",
    "rollout": "rolling out",
    "set_image": "setting the image",
    "smoke": "smoke tests",
    "wait": "waiting",
    "watch": "watching",
}
_BAR_LIMIT = 16


def ref_word(ref: str) -> str:
    """A reference as people say it: a full commit by its first seven digits, a digest by twelve."""
    if DIGEST.fullmatch(ref):
        return f"sha256:{short(ref)}"
    return ref[:7] if len(ref) == 40 and COMMIT.fullmatch(ref) else ref  # noqa: PLR2004 - a full SHA-1


def step_word(step: PlannedStep) -> str:
    """A step as something that is being done; a kind without a phrase of its own by its name."""
    if step.kind == "canary" and "weight" in step.params:
        return f"canary {str(step.params['weight']).removesuffix('%')} %"
    return _DOING.get(step.kind, step.kind.replace("_", " "))


def gate_word(step: PlannedStep) -> str:
    """A gate by its name."""
    return key_word(step.key)


def key_word(key: str) -> str:
    """The name in a step's key: `on_failure.set_image` is `set image`."""
    return key.rpartition(".")[2].replace("_", " ")


def duration(elapsed: timedelta) -> str:
    """`12 s`, `6 min 12 s`, `2 h 5 min`, `3 d 4 h`: the two largest units."""
    seconds = max(round(elapsed.total_seconds()), 0)
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (h, "h"), (m, "min"), (s, "s")) if number]
    return " ".join(parts[:2]) or "0 s"


def age(elapsed: timedelta) -> str:
    """`4 min`, `26 h`, `2 d`: one unit is enough for an age."""
    minutes = max(int(elapsed.total_seconds() // 60), 0)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"  # noqa: PLR2004 - two days


def health(previous: Previous) -> str:
    """What is known about the health of what runs now."""
    return {True: "healthy", False: "not healthy", None: "health unknown"}[previous.healthy]


def bar(done: int, total: int) -> str:
    """One cell a step; a long runbook is drawn to scale."""
    cells = min(total, _BAR_LIMIT)
    full = done * cells // total if total else 0
    return "▰" * full + "▱" * (cells - full)
