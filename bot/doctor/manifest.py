"""The manifest of the Slack app: the one place that says which scopes Sluice needs."""

from pathlib import Path

from ruamel.yaml import YAML

NAME = "slack-manifest.yaml"


def needed_scopes() -> frozenset[str]:
    """The scopes of the bot token."""
    manifest = YAML(typ="safe", pure=True).load(_path().read_text(encoding="utf-8"))
    return frozenset(manifest["oauth_config"]["scopes"]["bot"])


def _path() -> Path:
    """Where it is: a package that was built has a copy beside this module (see pyproject.toml); a checkout has it where
    people read it."""
    beside = Path(__file__).with_name(NAME)
    return beside if beside.exists() else Path(__file__).parents[2] / "deploy" / NAME
