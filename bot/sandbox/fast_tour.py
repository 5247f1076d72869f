"""`sluice sandbox --tour --fast`: the same story in compressed time, on the same stand-ins and in one process."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from bot.sandbox import folder as own_folder
from bot.sandbox.kept import Kept
from bot.sandbox.registry.signing import ImageSigner
from bot.sandbox.rehearsal import Rehearsal, settings_of, virtual_timing
from bot.sandbox.session import furnish
from bot.sandbox.surroundings import Surroundings
from bot.sandbox.tour import TOUR_RATE, told
from bot.sandbox.virtual_clock import VirtualClock
from runbooks.configuration import load

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SETTLED = timedelta(seconds=30)
"""There are metrics of so long before anybody types."""


async def fast_tour(folder: Path, console: Console) -> bool:
    """Play it; whether everything happened as it was told. The folder gets what a sandbox has in its own."""
    clock = VirtualClock(MORNING)
    around = Surroundings(clock, rate=TOUR_RATE, timing=virtual_timing(clock))
    with own_folder.claimed(folder):
        async with around.serving(folder) as addresses:
            signer = ImageSigner()
            configuration = load(own_folder.write(folder, addresses, public_key=signer.public_pem))
            furnish(around, addresses, Kept(folder), signer)
            stage = Rehearsal(around, clock, settings_of(folder, around))
            async with stage.running(configuration):
                await stage.passes(SETTLED)
                return await told(stage, console, clock)
