"""An open-loop load of signed slash commands: a late answer does not slow the next request down."""

import asyncio
import hashlib
import hmac
import itertools
import statistics
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from sending a request to having its whole answer, and how many were not answered with 200."""

    seconds: tuple[float, ...]
    failed: int

    def quantile(self, share: float) -> float:
        """The latency that `share` of the requests stay below, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    def median(self) -> float:
        """The median in milliseconds."""
        return statistics.median(self.seconds) * 1000


def signed(secret: str, text: str) -> tuple[bytes, dict[str, str]]:
    """A `/release` command as Slack would send it: body and headers."""
    number = next(NUMBERS)
    form = {
        "token": "verification",
        "team_id": "T000000001",
        "channel_id": "C0DEPLOYS",
        "channel_name": "deploys",
        "user_id": "U0ALICE",
        "user_name": "alice",
        "command": "/release",
        "text": text,
        "api_app_id": "A0RELBOT",
        "is_enterprise_install": "false",
        "response_url": "http://127.0.0.1:9/none",
        "trigger_id": f"{time.time_ns()}.{number}",
    }
    body = urlencode(form).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return body, {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={signature}",
    }


async def load(url: str, secret: str, *, rate: float, duration_s: float, text: str) -> Latencies:
    """Send `rate` commands a second for `duration_s` seconds."""
    seconds: list[float] = []
    failed = 0

    async def one(http: aiohttp.ClientSession) -> None:
        nonlocal failed
        body, headers = signed(secret, text)
        begun = time.perf_counter()
        async with http.post(url, data=body, headers=headers) as answer:
            await answer.read()
            failed += answer.status != 200
        seconds.append(time.perf_counter() - begun)

    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        begun = time.perf_counter()
        for number in range(int(rate * duration_s)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            group.create_task(one(http))
    return Latencies(tuple(seconds), failed)
