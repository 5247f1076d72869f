"""The bot beside the sandbox is the bot that people run: the same command, and nothing of the sandbox in it."""

import ast
import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.test_bot_process import beside

ROOT = Path(__file__).parents[2]
SANDBOX = "bot.sandbox"
SOURCES = sorted(
    path
    for package in ("bot", "commands", "runbooks")
    for path in (ROOT / package).rglob("*.py")
    if ROOT / "bot" / "sandbox" not in path.parents
)
TELLS_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Python writes a line for each module that it loads; the last column is the name."""


def loaded(said: str) -> set[str]:
    """The modules that a process has loaded."""
    return {line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")}


def of_the_sandbox(modules: set[str]) -> set[str]:
    """Those of the sandbox."""
    return {name for name in modules if name == SANDBOX or name.startswith(f"{SANDBOX}.")}


async def run(*words: str, folder: Path) -> tuple[int | None, set[str]]:
    """Exit status of a Python in that folder without settings, and what it loaded."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **TELLS_IMPORTS}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode, loaded(said.decode())


async def test_its_modules_load_nothing_of_the_sandbox(tmp_path: Path) -> None:
    """Neither the entry point nor what serves knows that there is one."""
    status, modules = await run("-c", "import bot.__main__, bot.cli, bot.serving", folder=tmp_path)
    assert status == 0
    assert {"bot.__main__", "bot.cli", "bot.serving"} <= modules
    assert of_the_sandbox(modules) == set()


async def test_a_start_that_fails_loads_nothing_of_the_sandbox(tmp_path: Path) -> None:
    """`sluice serve` without any setting: an error for people, and no sandbox."""
    status, modules = await run("-m", "bot", "serve", folder=tmp_path)
    assert status == 1
    assert "bot.serving" in modules
    assert of_the_sandbox(modules) == set()


async def test_the_sandbox_command_does_load_it(tmp_path: Path) -> None:
    """So the other tests would see it."""
    status, modules = await run("-m", "bot", "sandbox", "--help", folder=tmp_path)
    assert status == 0
    assert "bot.sandbox.session" in of_the_sandbox(modules)


async def test_the_bot_that_serves_beside_it_loads_nothing_of_the_sandbox(tmp_path: Path) -> None:
    """Up to the moment in which it serves."""
    async with beside(tmp_path) as scene:
        scene.bot.environment |= TELLS_IMPORTS
        async with scene.bot.running():
            modules = loaded("\n".join(scene.log))
    assert {"bot.serving", "slack_bolt"} <= modules
    assert of_the_sandbox(modules) == set()


def described(tree: ast.Module) -> set[ast.expr]:
    """The docstrings: they load nothing, and the map of the house may show every room."""
    return {
        node.value
        for owner in ast.walk(tree)
        if isinstance(owner, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for node in owner.body[:1]
        if isinstance(node, ast.Expr)
    }


def named(path: Path) -> Iterator[str]:
    """Every module that a file imports, and every text in its code that could name one."""
    tree = ast.parse(path.read_text())
    docstrings = described(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_entry_point_names_the_sandbox(path: Path) -> None:
    """`bot.__main__` loads it for the commands that need it; nobody else knows its name."""
    names = [name for name in named(path) if SANDBOX in name]
    assert bool(names) == (path == ROOT / "bot" / "__main__.py")
