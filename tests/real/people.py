"""The people of the rig's workspace."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.real.servers import named

CHANNEL = "C0DEPLOYS"


@dataclass(slots=True)
class Slack:
    """The people of the rig's workspace, and what they see."""

    http: httpx.AsyncClient

    async def types(self, user: str, command: str) -> dict[str, Any]:
        """Somebody types a slash command; how it was acknowledged."""
        body = {"as": user, "channel": "deploys", "command": command}
        answer = await self.http.post("/rig/slash", json=body)
        acknowledged: dict[str, Any] = answer.raise_for_status().json()["ack"]
        return acknowledged

    async def clicks(self, user: str, action: str) -> None:
        """Somebody clicks on the newest button of that name."""
        (
            await self.http.post("/rig/action", json={"as": user, "channel": "deploys", "action_id": action})
        ).raise_for_status()

    async def reacts(self, user: str, ts: str, emoji: str = "white_check_mark", *, remove: bool = False) -> None:
        """Somebody gives or removes a reaction."""
        method = "reactions.remove" if remove else "reactions.add"
        await self._call(method, f"xoxp-{user}", channel=CHANNEL, timestamp=ts, name=emoji)

    async def messages(self, *, since: str = "0") -> list[dict[str, Any]]:
        """The messages in the channel itself, oldest first."""
        token = named("SLACK_BOT_TOKEN")
        found = await self._call("conversations.history", token, channel=CHANNEL, oldest=since, limit=200)
        return sorted(found["messages"], key=lambda message: str(message["ts"]))

    async def thread(self, ts: str) -> list[str]:
        """The texts in a thread, oldest first."""
        found = await self._call("conversations.replies", named("SLACK_BOT_TOKEN"), channel=CHANNEL, ts=ts)
        return [str(message["text"]) for message in found["messages"][1:]]

    async def pictures(self, ts: str) -> list[str]:
        """What the files in a thread say to whoever does not see them, oldest first."""
        found = await self._call("conversations.replies", named("SLACK_BOT_TOKEN"), channel=CHANNEL, ts=ts)
        files = [file for message in found["messages"] for file in message.get("files", [])]
        return [str(file.get("alt_txt") or file.get("title") or file.get("name")) for file in files]

    async def points_to(self, url: str) -> None:
        """From now on Slack sends commands and events to `url`."""
        (await self.http.post("/rig/config", json={"request_url": url, "verify": False})).raise_for_status()

    async def _call(self, method: str, token: str, **arguments: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/api/{method}", json=arguments, headers={"Authorization": f"Bearer {token}"})
        body: dict[str, Any] = answer.raise_for_status().json()
        assert body.get("ok"), f"{method}: {body}"
        return body
