"""One sandbox from its start to its end: the surroundings, the bot beside them, and the page."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.adapters.system_clock import SystemClock
from bot.domain.errors import SetupError
from bot.sandbox import scenery
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.channel_api import ChannelApi
from bot.sandbox.loopback import HOST, listening
from bot.sandbox.page_server import PageServer
from bot.sandbox.panel import panel
from bot.sandbox.surroundings import Addresses, Surroundings
from bot.sandbox.switches import Switches
from bot.sandbox.vocabulary import vocabulary
from runbooks.configuration import Configuration, load

EVENTS = "/slack/events"


class Sandbox:
    """Everything that a page or a tour acts on. `url` is the page's; `folder` holds the bot's files."""

    def __init__(self, folder: Path, around: Surroundings, bot: BotProcess, configuration: Configuration) -> None:
        self.folder, self.around, self.bot = folder, around, bot
        self.switches = Switches(around)
        self.url = ""
        self._configuration = configuration

    def scene(self) -> Mapping[str, Any]:
        """See `Panel`."""
        people = self.around.slack.acme.people
        about = {person.name: "guest" if person.is_guest else "" for person in people if not person.is_deleted}
        runbooks = self._configuration.runbooks
        return {
            "people": [{"name": name, "about": said} for name, said in about.items()],
            "tries": [{"line": line, "about": said} for line, said in scenery.TRIES],
            "vocabulary": vocabulary(self._configuration.catalogue, scenery.VERSIONS, runbooks),
        }

    def shown(self) -> Mapping[str, Any]:
        """See `Panel`."""
        return panel(self.around, self.switches, self.bot)

    def switch(self, name: str, *, on: bool) -> None:
        """See `Panel`."""
        self.switches.throw(name, on=on)

    def kill(self) -> None:
        """See `Panel`."""
        self.bot.kill()


@asynccontextmanager
async def sandbox(folder: Path, *, port: int = 0) -> AsyncIterator[Sandbox]:
    """Everything serves when the block begins, and nothing runs when it has ended. `port` is the page's; 0: a free one.

    Raises SetupError for a port that is taken, a folder that is no folder of a sandbox, or a bot that does not come up.
    """
    around = Surroundings(SystemClock())
    async with AsyncExitStack() as stack:
        addresses = await stack.enter_async_context(around.serving(folder))
        _furnish(around, addresses)
        configuration = _written(folder, addresses)
        going = asyncio.create_task(around.keep_going())
        stack.callback(going.cancel)
        bot = BotProcess(_environment(folder, around), folder, on_serving=lambda url: _found(around, url))
        made = Sandbox(folder, around, bot, configuration)
        made.url = await stack.enter_async_context(_page(made, port))
        await stack.enter_async_context(bot.running())
        yield made


def _furnish(around: Surroundings, at: Addresses) -> None:
    for service in scenery.SERVICES:
        for tag in scenery.VERSIONS:
            around.registry.push(f"acme/{service}", tag)
    around.furnish(scenery.manifests(at.registry))


def _written(folder: Path, at: Addresses) -> Configuration:
    text = scenery.catalogue(
        kubeconfig=str(at.kubeconfig), registry=at.registry, prometheus=at.prometheus, door=at.door
    )
    (folder / "runbooks").mkdir(exist_ok=True)
    (folder / "runbooks" / "canary.yaml").write_text(scenery.CANARY)
    (folder / "sluice.yaml").write_text(text)
    return load(folder / "sluice.yaml")


def _environment(folder: Path, around: Surroundings) -> dict[str, str]:
    """What an installation sets, with other addresses."""
    return {
        "SLACK_API_URL": around.slack.api_url,
        "SLACK_BOT_TOKEN": around.slack.acme.app.token,
        "SLACK_SIGNING_SECRET": around.slack.signing_secret,
        "SLUICE_CONFIG": str(folder / "sluice.yaml"),
        "SLUICE_DATABASE_URL": f"sqlite:///{folder / 'sluice.db'}",
        "SLUICE_HOST": HOST,
        "SLUICE_PORT": "0",
    }


def _found(around: Surroundings, url: str) -> None:
    around.slack.request_url = f"{url}{EVENTS}"


@asynccontextmanager
async def _page(made: Sandbox, port: int) -> AsyncIterator[str]:
    application = web.Application()
    PageServer(made).add_to(application)
    ChannelApi(made.around.slack).add_to(application)
    try:
        async with listening(application, port=port) as url:
            yield url
    except OSError as exc:
        raise SetupError(f"port {port} is taken; choose another with --port, or leave it out") from exc
