"""Rehearses a runbook on the usual catalogue, changed as a test wants it."""

from pathlib import Path

import yaml

from bot.domain.json import JsonObject
from bot.sandbox.scenarios import Scenario
from bot.sandbox.simulate import USUAL, Asked, simulate
from bot.sandbox.transcript import Rehearsed
from runbooks.configuration import load


def merged(below: JsonObject, above: JsonObject) -> JsonObject:
    """Mappings are merged, all else is replaced."""
    return below | {
        key: merged(mine, value) if isinstance(value, dict) and isinstance(mine := below.get(key), dict) else value
        for key, value in above.items()
    }


async def rehearsed(
    folder: Path, runbook: str, scenario: Scenario, *, catalogue: str = "{}", service: str = "", environment: str = ""
) -> Rehearsed:
    """The runbook of these steps, or the library's of this name, on the usual catalogue with these changes."""
    (folder / "own").mkdir()
    name = "own" if "steps:" in runbook else runbook
    if name == "own":
        (folder / "own" / "own.yaml").write_text(f"name: own\nabout: Tried out.\ngates: [image]\n{runbook}")
    changed = merged(yaml.safe_load(USUAL), yaml.safe_load(catalogue)) | {"runbooks_dir": "own"}
    (folder / "sluice.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
    asked = Asked(name, (scenario,), service=service, environment=environment)
    (found,) = await simulate(load(folder / "sluice.yaml"), asked)
    return found
