"""What the documentation says is true of the code: examples are read, names exist, links lead somewhere."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.__main__ import REHEARSALS
from bot.adapters import gitlab
from bot.cli import app
from bot.settings import Settings
from commands.grammar import FLAGS, OPTION_MEANINGS, VALUES, read_line
from commands.registry import COMMANDS
from deploy.reference.commands import GIVEN, reading
from deploy.reference.pages import PAGES, ROOT
from deploy.reference.tables import below, keys
from deploy.reference.wording import meaning
from runbooks.catalogue import Catalogue
from runbooks.configuration import load
from runbooks.lint import findings, is_catalogue
from runbooks.loader import read_runbook
from runbooks.registry import GATE_KINDS, STEP_KINDS
from runbooks.source import read
from runbooks.spec import RunbookFile

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"\b(?:SLUICE|SLACK)_[A-Z_]+\b")
SLASHED = re.compile(r"(?:^|`)(/(?:deploy|canary|promote|rollback|release)\b[^`\n]*)", re.MULTILINE)
PROGRAM = re.compile(r"(?:^|`|&& )sluice ([a-z]+)", re.MULTILINE)
USAGE = re.compile(r"[<\[…]")

VERBS = {spec.verb: spec for spec in COMMANDS}
TOP = {"people", "metrics", "ci", "signatures", "vulnerabilities", "registries", "runbooks_dir"}

ENVIRONMENT = {"cluster": "main"}
SERVICE = {
    "channel": "#deploys",
    "traffic": {"router": "replicas"},
    "signals": "http",
    "repository": "github.com/acme/api",
}
BASE: dict[str, Any] = {
    "clusters": {"main": {}},
    "environments": {name: {**ENVIRONMENT, "namespace": name} for name in ("staging", "prod")},
    "services": {
        name: {**SERVICE, "image": f"ghcr.io/acme/{name}", "workload": f"deployment/{name}"}
        for name in ("api", "web", "worker")
    },
    "metrics": {"main": {"prometheus": {"url": "http://prometheus.monitoring:9090"}}},
    "ci": {"main": {"github": {"token_file": "github.token"}}},
}
"""What a piece of a catalogue stands in."""


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is where it begins in its document."""

    document: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks() -> Iterator[Block]:
    for document in DOCUMENTS:
        text = document.read_text()
        for found in BLOCK.finditer(text):
            indent, language, body = found.groups()
            lines = "\n".join(line.removeprefix(indent) for line in body.splitlines())
            yield Block(document, text.count("\n", 0, found.start()) + 1, language, lines + "\n")


YAML_BLOCKS = [block for block in blocks() if block.language == "yaml"]


def value_of(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def onto(base: Any, piece: Any) -> Any:
    """A piece laid over a whole: mappings are joined, anything else takes the place of what was there."""
    if not isinstance(base, dict) or not isinstance(piece, dict):
        return piece
    return base | {key: onto(base.get(key), value) for key, value in piece.items()}


def written(value: Any, path: Path) -> Path:
    path.write_text(json.dumps(value, default=str))  # which is YAML, too
    return path


def of_a_catalogue(value: Any) -> bool:
    return is_catalogue(value) or bool(TOP & value.keys())


def of_a_runbook(value: Any) -> bool:
    return bool({"steps", "gates"} & value.keys())


def of_others(value: Any) -> bool:
    """An object for Kubernetes, or rules for Prometheus."""
    return "apiVersion" in value or "groups" in value


@pytest.mark.parametrize("block", YAML_BLOCKS, ids=str)
def test_yaml_is_read_without_a_fault(block: Block, tmp_path: Path) -> None:
    """Each block is a runbook, a catalogue, or a piece of one that fits into a whole."""
    value = value_of(block.text)
    if of_a_catalogue(value):
        (tmp_path / str(value.get("runbooks_dir", "runbooks"))).mkdir()
        whole = value if value.keys() >= {"clusters", "environments", "services"} else onto(BASE, value)
        assert load(written(whole, tmp_path / "sluice.yaml")).catalogue.services
    elif of_a_runbook(value):
        rest = {} if "name" in value else {"name": "piece", "about": "A piece of a runbook.", "steps": ["smoke"]}
        document = read(written(rest | value, tmp_path / "runbook.yaml").read_bytes(), str(block))
        runbook = read_runbook(document)
        assert rest or list(findings(runbook, document)) == []
    else:
        assert of_others(value), "neither a runbook nor a catalogue, nor anything that is known"


def typed() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for found in SLASHED.finditer(document.read_text()):
            yield document.name, found.group(1).strip().rstrip("`")


@pytest.mark.parametrize(("document", "line"), sorted(set(typed())))
def test_commands_can_be_typed(document: str, line: str) -> None:
    """Each command is read by the real grammar; a verb alone, or the shape of a command, names a verb that there is."""
    words = line.removeprefix("/release ").removeprefix("/").split()
    if line == "/release" or (line.startswith("/release ") and USAGE.match(words[0])):
        return
    assert words[0] in VERBS, f"{document}: there is no verb {words[0]}"
    if len(words) > 1 and not USAGE.search(line):
        assert VERBS[words[0]].parse(read_line(" ".join(line.removeprefix("/release ").split())), reading())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_are_there(document: Path) -> None:
    """A relative link leads to a file, and to a heading of it where it names one."""
    for link in LINK.findall(document.read_text()):
        if "://" not in link:
            path, _, heading = link.partition("#")
            to = (document.parent / path).resolve() if path else document
            assert to.exists(), link
            assert not heading or heading in headings(to), link


def test_the_map_is_whole() -> None:
    """The README leads to every document."""
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in LINK.findall((ROOT / "README.md").read_text())}
    assert [each.name for each in DOCUMENTS[1:] if each not in linked] == []


def headings(document: Path) -> set[str]:
    """The anchors of a document, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_variables_exist(document: Path) -> None:
    """Each environment variable that is named is one of the settings."""
    settings = {str(field.validation_alias) for field in Settings.model_fields.values()}
    known = settings | {"SLUICE_SECRETS_DIR", gitlab.KEY_VARIABLE, gitlab.NAME_VARIABLE}
    assert set(VARIABLE.findall(document.read_text())) <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_of_the_program_exist(document: Path) -> None:
    """Each `sluice …` that is named is a command of the program."""
    named = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    assert set(PROGRAM.findall(document.read_text())) <= named | {"audit"} | REHEARSALS


@pytest.mark.parametrize("name", PAGES)
def test_reference_pages_are_up_to_date(name: str) -> None:
    """`make docs` would change nothing."""
    assert (ROOT / name).read_text() == PAGES[name]()


def test_every_key_is_explained() -> None:
    """No key of the catalogue, of a runbook, of a kind or of the settings is without a meaning."""
    seen: set[Any] = set()
    roots = [Catalogue, RunbookFile, *(kind.spec for kind in (*STEP_KINDS, *GATE_KINDS))]
    models = [part for root in roots for part in (root, *below(root, seen))]
    silent = [
        f"{part.__name__}.{key}" for part in models for _, key, field in keys(part) if not meaning(part, key, field)
    ]
    silent += [name for name, field in Settings.model_fields.items() if not field.description]
    assert silent == []


def test_every_option_is_explained() -> None:
    """The reference has each option of the grammar, and nothing besides."""
    assert OPTION_MEANINGS.keys() == GIVEN.keys() == VALUES | FLAGS
