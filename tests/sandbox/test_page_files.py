"""What the page's files must not do: rules that its policy enforces in the browser, or that nothing else would."""

import re
from pathlib import Path

import pytest

from bot.sandbox.page_server import PAGE

SCRIPTS = sorted(PAGE.glob("*.js"))
PARSED = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function")
LONGEST = 300


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_text_is_never_parsed_as_html(path: Path) -> None:
    """Whatever somebody types stays what they typed."""
    assert PARSED.findall(path.read_text()) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_come_from_here_and_are_small(path: Path) -> None:
    """No library and no address of another server; 300 lines at most."""
    text = path.read_text()
    assert all(name.startswith("./") for name in re.findall(r'from "([^"]+)"', text))
    assert re.findall(r"(?:fetch|EventSource|WebSocket|import)\(\s*[\"'`](?:https?|wss?):", text) == []
    assert len(text.splitlines()) <= LONGEST


def test_the_document_holds_no_script_and_no_style() -> None:
    """They are files: the policy lets nothing else run."""
    text = (PAGE / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", text) == []


def test_every_file_of_the_document_is_there() -> None:
    """What it links and what the scripts import."""
    named = re.findall(r'"/page/([^"]+)"', (PAGE / "index.html").read_text())
    imported = [name for path in SCRIPTS for name in re.findall(r'from "\./([^"]+)"', path.read_text())]
    assert {*named, *imported, "index.html"} == {path.name for path in PAGE.iterdir()}


def test_every_element_that_a_script_names_is_in_the_document() -> None:
    """An id that was renamed in one place only would be found by whoever clicks there."""
    text = (PAGE / "index.html").read_text()
    named = {name for path in SCRIPTS for name in re.findall(r'byId\("([\w-]+)"\)', path.read_text())}
    assert named <= set(re.findall(r'\sid="([\w-]+)"', text))
