"""An installation that is well: the sandbox's catalogue, its stand-ins on virtual time, and a migrated database."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.doctor.examination import examined
from bot.doctor.finding import Area, Finding, Grade
from bot.ports.clock import Clock
from bot.sandbox import folder as own_folder
from bot.sandbox.kept import Kept
from bot.sandbox.registry.signing import ImageSigner
from bot.sandbox.session import furnish
from bot.sandbox.surroundings import Surroundings
from bot.settings import Settings
from tests.fakes.clock import FakeClock

SCRAPED = timedelta(seconds=10)
"""How long there has been traffic."""


@dataclass(slots=True)
class Installation:
    """Its parts, each of which a test may spoil; `settings` are what its environment says."""

    folder: Path
    around: Surroundings
    clock: FakeClock
    settings: Settings

    @property
    def catalogue(self) -> Path:
        """Its sluice.yaml."""
        return self.folder / "sluice.yaml"

    def set(self, **settings: object) -> None:
        """Change the environment."""
        self.settings = Settings.model_validate({**self.settings.model_dump(), **settings})

    def rewrite(self, written: str, instead: str) -> None:
        """Change the catalogue wherever it says so."""
        text = self.catalogue.read_text()
        assert written in text
        self.catalogue.write_text(text.replace(written, instead))

    async def examined(self, *areas: Area, clock: Clock | None = None) -> tuple[Finding, ...]:
        """Everything that the doctor finds."""
        return await examined(self.settings, clock=clock or self.clock, areas=areas or tuple(Area))

    async def bad(self, *areas: Area, clock: Clock | None = None) -> list[Finding]:
        """What is not well."""
        return [each for each in await self.examined(*areas, clock=clock) if each.grade is not Grade.OK]

    async def only(self, area: Area, *, clock: Clock | None = None) -> Finding:
        """The one thing that is not well in an area."""
        (found,) = await self.bad(area, clock=clock)
        return found


@asynccontextmanager
async def installation(folder: Path, template: Path) -> AsyncIterator[Installation]:
    """Everything serves when the block begins."""
    clock = FakeClock()
    around = Surroundings(clock)
    shutil.copy(template, folder / "sluice.db")
    async with around.serving(folder) as addresses:
        signer = ImageSigner()
        path = own_folder.write(folder, addresses, public_key=signer.public_pem)
        furnish(around, addresses, Kept(folder), signer)
        clock.advance(SCRAPED)
        around.advance()
        settings = Settings.model_validate(
            {
                "config": path,
                "database_url": f"sqlite:///{folder}/sluice.db",
                "slack_api_url": addresses.slack,
                "slack_bot_token": around.slack.acme.app.token,
                "slack_signing_secret": around.slack.signing_secret,
            }
        )
        yield Installation(folder, around, clock, settings)
