"""The story of the tour: a release, a bad one that is caught, a bot that is killed, and the way back.

Whatever it says it has looked at before. It plays on any `Stage`: nothing depends on real time.
"""

from collections.abc import Sequence

from bot.sandbox.behaviour import Arm
from bot.sandbox.scenery import GOOD, RUNNING
from bot.sandbox.stage import Stage
from bot.sandbox.witness import Release, Teller, Witness, png_size

SERVICE, STAGING, PROD = "api", "staging", "prod"
NEXT = "sha124"
FEW_ERRORS = 0.01
"""Of all answers: what good versions have anyway."""

FIRST, SECOND = 20, 50
"""The shares of the sandbox's canary runbook, in per cent."""

BEFORE = (
    "A release bot, a channel, a cluster, a registry and metrics, all of them on this machine. The bot is the one that "
    "serves people; only the addresses around it are others. It takes about two minutes."
)
AFTER = (
    "That was all of it, and each ✓ was looked at in the cluster, the channel and the traffic.\n"
    "Now yours: `sluice sandbox` opens the same channel as a page."
)


async def play(stage: Stage, teller: Teller) -> None:
    """From the first command to the verified journal. Raises NotAsToldError at the first thing that went otherwise."""
    story = _Story(stage, teller)
    await story.staging()
    await story.approval()
    await story.killed()
    await story.promoted()
    await story.bad_canary()
    await story.way_back()
    await story.journal()


class _Story:
    def __init__(self, stage: Stage, teller: Teller) -> None:
        self._stage, self._tell = stage, teller
        self._see = Witness(stage, teller, service=SERVICE)
        self._canary: Release
        self._begun = ""

    async def staging(self) -> None:
        self._tell.chapter(
            "To staging",
            f"Everything runs {RUNNING}. ann tries {GOOD} in staging, where nobody has to vote.",
        )
        see = self._see
        release = await see.asks("ann", f"/deploy {SERVICE} {GOOD} {STAGING}")
        await see.until(lambda: f"`{GOOD}` runs in {STAGING}" in release.text, f"{GOOD} runs in {STAGING}")
        see.show(release)
        see.claim(see.runs(STAGING, GOOD), f"All pods of {SERVICE} in {STAGING} are ready with {GOOD}.")
        see.claim("Vote" not in release.text, "Nobody was asked for a vote.")
        see.claim(see.runs(PROD, RUNNING), f"{PROD} is as it was: {RUNNING}.")

    async def approval(self) -> None:
        self._tell.chapter(
            "To production, with votes",
            f"prod is protected: two people must agree to exactly this plan. Then {GOOD} gets a part of the requests, "
            "and is compared with what runs beside it.",
        )
        see, self._begun = self._see, self._see.moment()
        self._canary = release = await see.asks("ann", f"/canary {SERVICE} {GOOD} {PROD}")
        await see.until(lambda: release.is_ballot, "a ballot in the channel")
        see.show(release)
        await see.votes("ann", release)
        await see.votes("bob", release)
        await see.until(lambda: "Votes: 1 of 2" in release.text, "one vote of two, because ann's own does not count")
        see.claim("@ann (asked" in release.text, "ann and bob have reacted, and one vote counts. The message says why.")
        see.claim(
            see.deployment(PROD, canary=True) is None and see.runs(PROD, RUNNING),
            f"Nothing in prod has changed: {RUNNING}, and no canary.",
        )
        await see.votes("carol", release)
        await see.until(lambda: see.share(PROD) == FIRST, f"{FIRST} % of the requests for the canary")
        await see.until(lambda: bool(_approved(release)), "word in the thread of who approved")
        see.claim(
            "@bob" in _approved(release) and "@carol" in _approved(release) and "@ann" not in _approved(release),
            "It was approved by bob and carol, and not by ann.",
        )
        self._shares()

    async def killed(self) -> None:
        self._tell.chapter(
            "The bot dies",
            "While it judges, its process is killed as by kill -9. A cluster would start its pod again; so does the "
            "sandbox.",
        )
        see, release = self._see, self._canary
        await see.until(lambda: _is_judged(release), "figures of the canary in the release's message")
        pods = see.pods(PROD, canary=True)
        await self._stage.kill_bot()
        moment = see.moment()
        self._tell.note("kill -9: the bot is gone.")
        see.claim(see.share(PROD) == FIRST, f"Nobody drives, and the shares stand: {FIRST} % for the canary.")
        await see.until(lambda: release.edited_ts > moment, "the bot that was started again edits the same message")
        see.claim(
            bool(pods) and set(pods) <= set(see.pods(PROD, canary=True)),
            f"It goes on where it was: the same message, the same canary pod {', '.join(name for name, _ in pods)}.",
        )
        see.claim(len(_approvals(release)) == 1, "The votes still hold; nobody was asked again.")

    async def promoted(self) -> None:
        self._tell.chapter("Good, so promoted", "Each larger share needs evidence; then stable takes the version.")
        see, release = self._see, self._canary
        await see.until(lambda: see.share(PROD) == SECOND, f"{SECOND} % of the requests for the canary")
        self._shares()
        await see.until(lambda: f"`{GOOD}` runs in {PROD}" in release.text, f"{GOOD} runs in {PROD}")
        see.show(release)
        see.claim(see.runs(PROD, GOOD), f"All pods of {SERVICE} in {PROD} are ready with {GOOD}.")
        see.claim(
            see.share(PROD) == 0 and see.deployment(PROD, canary=True) is None,
            "Stable has all the requests again, and the canary is gone.",
        )
        replies = release.replies()
        see.claim(len(set(replies)) == len(replies), "Though the bot was killed, nothing was said twice.")
        requests, errors = see.served(PROD, since=self._begun)
        see.claim(
            errors < requests * FEW_ERRORS,
            f"Users noticed nothing: {errors:,} errors in {requests:,} requests, as always.",
        )

    async def bad_canary(self) -> None:
        self._tell.chapter(
            "A bad one is caught",
            f"{NEXT} looks good at first. While it is judged, a third of its answers become errors.",
        )
        see = self._see
        release = await see.asks("ann", f"/canary {SERVICE} {NEXT} {PROD}")
        await see.until(lambda: release.is_ballot, "a ballot in the channel")
        stable = see.pods(PROD)
        for who in ("bob", "carol"):
            await see.votes(who, release)
        await see.until(lambda: see.share(PROD) == FIRST and _is_judged(release), "a canary that is judged")
        thrown = see.moment()
        self._stage.switches.throw("errors", on=True)
        self._tell.note("The switch “Canary throws errors” is on.")
        await see.until(lambda: see.share(PROD) == 0, "the canary's share is taken away")
        self._stage.switches.throw("errors", on=False)
        _, errors = see.served(PROD, since=thrown, arm=Arm.CANARY)
        see.claim(errors > 0, f"Caught: its share is 0 %. {errors:,} requests met an error until then.")
        await see.until(lambda: "was taken back" in release.text, "the release is taken back, and the recovery proved")
        see.show(release)
        await self._untouched(release, stable)

    async def _untouched(self, release: Release, stable: Sequence[tuple[str, int]]) -> None:
        see = self._see
        await see.until(lambda: bool(release.pictures()), "a chart in the thread")
        drawn = [(file, size) for file in release.pictures() if (size := png_size(file.content))]
        see.claim(len(drawn) > 0, "A chart of the verdict is in the thread.")
        file, (width, height) = drawn[-1]
        see.claim(
            bool(file.alt) and min(width, height) > 0,
            f"It is a PNG of {width} × {height} pixels, and says for those who do not see it: {file.alt}",
        )
        see.claim(
            see.pods(PROD) == stable and see.runs(PROD, GOOD),
            f"Stable was never touched: the same pods as before, with {GOOD}, none restarted.",
        )

    async def way_back(self) -> None:
        self._tell.chapter(
            "The way back",
            f"ann wants {RUNNING} back. Back to what ran well needs one vote only.",
        )
        see = self._see
        release = await see.asks("ann", f"/rollback {SERVICE} {PROD}")
        await see.until(lambda: release.is_ballot, "a ballot in the channel")
        see.show(release)
        see.claim(see.runs(PROD, GOOD), f"Nothing happens before the vote: {GOOD} runs.")
        await see.votes("bob", release)
        await see.until(lambda: f"`{RUNNING}` runs in {PROD}" in release.text, f"{RUNNING} runs in {PROD}")
        see.show(release)
        see.claim(see.runs(PROD, RUNNING), f"All pods of {SERVICE} in {PROD} are ready with {RUNNING}.")

    async def journal(self) -> None:
        self._tell.chapter(
            "What is on record",
            "Every request, vote, decision and effect is in a journal whose entries are chained by their hashes: "
            "`sluice audit verify`.",
        )
        said = await self._stage.audited()
        self._see.claim("chain intact" in said, f"The journal was verified: {said}")

    def _shares(self) -> None:
        see, share = self._see, self._see.share(PROD)
        canary, stable = see.deployment(PROD, canary=True), see.deployment(PROD)
        pods = f"{canary.ready} and {stable.ready}" if canary and stable else "no"
        see.claim(
            canary is not None and stable is not None and (canary.tag, stable.tag) == (GOOD, RUNNING),
            f"{share} % of the requests go to {GOOD}, {100 - share} % to {RUNNING}; {pods} pods are ready.",
        )


def _is_judged(release: Release) -> bool:
    """Whether its message shows figures of requests that the canary has served."""
    return "judging" in release.text and "(0 of 0 vs" not in release.text and " vs " in release.progress


def _approvals(release: Release) -> Sequence[str]:
    return [said for said in release.replies() if "Approved by" in said]


def _approved(release: Release) -> str:
    return next(iter(_approvals(release)), "")
