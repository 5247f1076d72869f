"""Worlds whose people have written runbooks of their own."""

from pathlib import Path
from typing import Any

from tests.scenarios.world import CATALOGUE, World


def world_with(
    folder: Path, template: Path, *runbooks: str, catalogue: str = CATALOGUE, more: str = "", **ports: Any
) -> World:
    """A world with these runbooks beside the library's; each begins with its name. `more` stands in its catalogue."""
    (folder / "runbooks").mkdir()
    for text in runbooks:
        name = text.strip().splitlines()[0].removeprefix("name: ")
        (folder / "runbooks" / f"{name}.yaml").write_text(text.strip())
    return World(folder, template, catalogue=f"{catalogue}\nrunbooks_dir: runbooks\n{more}", **ports)
