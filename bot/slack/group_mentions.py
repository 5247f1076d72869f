"""User groups that a text names by handle, as the mentions that Slack notifies people for."""

import json
import re
from dataclasses import replace

from bot import logs
from bot.domain.errors import PermanentError
from bot.ports.chat import Content
from bot.slack.groups import Groups
from bot.slack.mrkdwn import HANDLE

log = logs.get(__name__)

_BY_HANDLE = re.compile(rf"<!subteam\^@({HANDLE.pattern})>")


class GroupMentions:
    """Puts the ids of user groups into messages."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    async def filled(self, content: Content) -> Content:
        """The content with every `<!subteam^@handle>` as Slack knows it; a group that is not there stays plain text.

        Raises UnreachableError when Slack cannot say now: the message is then posted later.
        """
        handles = set(_BY_HANDLE.findall(content.text))
        if not handles:
            return content
        known = {handle: await self._mention(handle) for handle in handles}
        blocks = json.loads(_put(json.dumps(content.blocks), known))
        return replace(content, text=_put(content.text, known), blocks=tuple(blocks))

    async def _mention(self, handle: str) -> str:
        try:
            return f"<!subteam^{await self._groups.id(handle)}>"
        except PermanentError as exc:
            log.warning("user group cannot be mentioned", group=handle, error=str(exc))
            return f"@{handle}"


def _put(text: str, known: dict[str, str]) -> str:
    return _BY_HANDLE.sub(lambda found: known[found[1]], text)
