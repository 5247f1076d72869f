"""One sandbox from its start to its end: the surroundings, the bot beside them, and the page."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import Any

from aiohttp import web

from bot.adapters.system_clock import SystemClock
from bot.domain.errors import SetupError
from bot.sandbox import folder as own_folder
from bot.sandbox import scenery
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.channel_api import ChannelApi
from bot.sandbox.evidence import Evidence
from bot.sandbox.kept import Kept
from bot.sandbox.loopback import HOST, listening
from bot.sandbox.page_server import PageServer
from bot.sandbox.panel import panel
from bot.sandbox.registry.signing import ImageSigner
from bot.sandbox.surroundings import Addresses, Surroundings
from bot.sandbox.switches import Switches
from bot.sandbox.vocabulary import vocabulary
from runbooks.configuration import Configuration, load

EVENTS, ENVIRONMENT = "/slack/events", "bot.env"
RATE = 100.0
"""Requests a second to each service."""

"""When the first version was built, the others a day after another: an image that is built at the same moment has the
same digest in the next life of a folder, where releases know it by that."""


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
async def sandbox(folder: Path, *, port: int = 0, rate: float = RATE) -> AsyncIterator[Sandbox]:
    """Everything serves when the block begins, and nothing runs when it has ended. `port` is the page's; 0: a free one.
    `rate` is in requests a second to each service.

    A folder that was a sandbox's before goes on where it was: the bot's database, and what the cluster ran. The channel
    begins empty, and a canary that was under way is gone.

    Raises SetupError for a port that is taken, a folder that is no folder of a sandbox, or a bot that does not come up.
    """
    around = Surroundings(SystemClock(), rate=rate)
    async with AsyncExitStack() as stack:
        stack.enter_context(own_folder.claimed(folder))
        addresses = await stack.enter_async_context(_serving(around, folder))
        signer = ImageSigner()
        configuration = load(own_folder.write(folder, addresses, public_key=signer.public_pem))
        furnish(around, addresses, Kept(folder), signer)
        await stack.enter_async_context(_going(around))
        environment = _environment(folder, around)
        _write(folder / ENVIRONMENT, environment)
        bot = BotProcess(environment, folder, on_serving=lambda url: _found(around, url))
        made = Sandbox(folder, around, bot, configuration)
        made.url = await stack.enter_async_context(_page(made, port))
        await stack.enter_async_context(bot.running())
        yield made


@asynccontextmanager
async def _serving(around: Surroundings, folder: Path) -> AsyncIterator[Addresses]:
    ports = own_folder.ports(folder)
    async with AsyncExitStack() as stack:
        try:
            with own_folder.written(folder):
                addresses = await stack.enter_async_context(around.serving(folder, ports=ports))
        except OSError as exc:
            known = ", ".join(str(port) for port in ports.values())
            fix = f"{folder} needs its ports {known} again: end what uses them, or choose another --folder"
            raise SetupError(f"the stand-ins cannot be served: {exc.strerror or exc}. {fix if ports else ''}") from exc
        yield addresses


def furnish(around: Surroundings, at: Addresses, kept: Kept, signer: ImageSigner) -> None:
    """Versions and what speaks for them into registry and GitHub, and what runs into the cluster."""
    evidence = Evidence(around.registry, around.github, signer)
    for service in scenery.SERVICES:
        evidence.give(service, now=around.now)
    around.furnish(kept.as_it_was(scenery.manifests(at.registry)))
    kept.follow(around.cluster, [(namespace, name) for namespace in scenery.NAMESPACES for name in scenery.SERVICES])


@asynccontextmanager
async def _going(around: Surroundings) -> AsyncIterator[None]:
    """The cluster lives inside the block."""
    going = asyncio.create_task(around.keep_going())
    try:
        yield
    finally:
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going


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


def _write(path: Path, environment: Mapping[str, str]) -> None:
    """For a shell: whoever reads it in asks the same servers as the bot, with `sluice doctor` for one."""
    path.write_text("".join(f"{name}={quote(value)}\n" for name, value in environment.items()), encoding="utf-8")


def _found(around: Surroundings, url: str) -> None:
    around.slack.request_url = f"{url}{EVENTS}"


@asynccontextmanager
async def _page(made: Sandbox, port: int) -> AsyncIterator[str]:
    application = web.Application()
    PageServer(made).add_to(application)
    ChannelApi(made.around.slack).add_to(application)
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(listening(application, port=port))
        except OSError as exc:
            raise SetupError(f"port {port} is taken; choose another with --port, or leave it out") from exc
        yield url
