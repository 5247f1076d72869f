"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for package in ("bot", "commands", "runbooks")
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts  # a migration is a list of columns, and is never edited again
)
LONGEST_FILE = 300
LONGEST_FUNCTION = 40


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    documented = ast.get_docstring(function) is not None
    first = function.body[1] if documented and len(function.body) > 1 else function.body[0]
    return (function.end_lineno or 0) - (first.lineno if documented else function.lineno) + 1


def test_imports_go_one_way() -> None:
    """The import contracts of pyproject.toml hold."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_are_small(path: Path) -> None:
    """No file is longer than 300 lines, no function longer than 40; every module says what it is."""
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
    assert ast.get_docstring(ast.parse(path.read_text())), "a module begins with what it is"
    for function in functions(path):
        assert length(function) <= LONGEST_FUNCTION, function.name


def test_rooms_of_tests_are_small() -> None:
    """No file of them is longer than those that they test."""
    others = [path for folder in ("tests", "benchmarks", "deploy") for path in (ROOT / folder).rglob("*.py")]
    assert others
    assert [str(path.relative_to(ROOT)) for path in others if len(path.read_text().splitlines()) > LONGEST_FILE] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_packages_hold_no_code_in_their_init(path: Path) -> None:
    """An `__init__` is a map: a docstring and nothing else."""
    if path.name == "__init__.py":
        assert len(ast.parse(path.read_text()).body) == 1


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "real").glob("test_*.py")), ids=lambda path: path.name)
def test_every_test_on_real_servers_is_run(path: Path) -> None:
    """`make test-real` names them group by group: one that it does not name would never run."""
    assert f"tests/real/{path.name}" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_holds_for_an_old_pip(name: str) -> None:
    """A pin of `name[extra]` is none of `name` to the pip that comes with Python 3.11."""
    text = (ROOT / name).read_text()
    extras = re.findall(r"(?m)^([\w.-]+)\[[^\]]+\](==\S+)", text)
    assert extras, "without extras this test shows nothing"
    assert [f"{each}{version}" for each, version in extras if f"\n{each}{version}" not in text] == []
