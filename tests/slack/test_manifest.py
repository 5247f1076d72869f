"""The app's manifest grants what the code uses, and nothing more."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.slack import payloads
from commands.wording import OWN_SLASH_COMMANDS

MANIFEST: dict[str, Any] = YAML(typ="safe").load(Path("deploy/slack-manifest.yaml"))


def test_every_command_is_registered() -> None:
    """And none that nobody listens to."""
    commands = {entry["command"] for entry in MANIFEST["features"]["slash_commands"]}
    assert commands == {f"/{verb}" for verb in OWN_SLASH_COMMANDS | {"release"}}


def test_every_event_that_is_read_is_subscribed() -> None:
    """And none that is not."""
    others = {"app_mention", "reaction_added", "reaction_removed", "message.channels", "message.groups"}
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == payloads.CHANNEL_EVENTS | others


def test_pictures_may_be_uploaded_but_no_files_read() -> None:
    """A picture is found again by the message that shows it."""
    scopes = set(MANIFEST["oauth_config"]["scopes"]["bot"])
    assert scopes & {"files:read", "files:write"} == {"files:write"}


@pytest.mark.parametrize("scope", ["channels:manage", "chat:write.public", "chat:write.customize", "users:read.email"])
def test_no_scope_is_broader_than_needed(scope: str) -> None:
    """Installers read the list."""
    assert scope not in MANIFEST["oauth_config"]["scopes"]["bot"]
