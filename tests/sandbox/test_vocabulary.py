"""What the message box completes."""

from pathlib import Path

import pytest

from bot.sandbox import scenery
from bot.sandbox.vocabulary import Word, vocabulary
from commands.registry import COMMANDS
from runbooks.configuration import load


@pytest.fixture
def words(tmp_path: Path) -> dict[str, list[Word]]:
    """Those of the sandbox's own catalogue."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "canary.yaml").write_text(scenery.CANARY)
    text = scenery.catalogue(
        kubeconfig="kubeconfig",
        registry="registry.example",
        prometheus="http://metrics",
        door="http://door",
        github="127.0.0.1:3",
        folder="here",
    )
    (tmp_path / "sluice.yaml").write_text(text)
    configuration = load(tmp_path / "sluice.yaml")
    return vocabulary(configuration.catalogue, scenery.VERSIONS, configuration.runbooks)


def of_kind(words: dict[str, list[Word]], kind: str) -> dict[str, str]:
    """What it says of each word of a kind."""
    return {each["word"]: each["about"] for each in words["words"] if each["kind"] == kind}


def test_every_verb_can_be_completed(words: dict[str, list[Word]]) -> None:
    """As a slash command or as a word of /release, with what it does."""
    commands = {each["word"].removeprefix("/") for each in words["commands"]} - {"release"}
    verbs = {each["word"] for each in words["verbs"]}
    assert commands | verbs == {spec.verb for spec in COMMANDS}
    assert commands & verbs == set()
    assert all(each["about"] for each in [*words["commands"], *words["verbs"]])


def test_services_and_environments_are_those_of_the_catalogue(words: dict[str, list[Word]]) -> None:
    """And one sees which of them is protected."""
    assert set(of_kind(words, "service")) == set(scenery.SERVICES)
    assert of_kind(words, "environment") == {"staging": "environment", "prod": "protected"}


def test_versions_say_what_they_are(words: dict[str, list[Word]]) -> None:
    """A newcomer cannot know that one of them crashes."""
    assert of_kind(words, "ref") == dict(scenery.VERSIONS)


def test_runbooks_are_offered_by_name(words: dict[str, list[Word]]) -> None:
    """Those of the library and the sandbox's own."""
    assert {"--runbook canary", "--runbook deploy", "--dry-run", "--reason"} <= set(of_kind(words, "option"))
