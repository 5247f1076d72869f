"""Which files are generated, and from what."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.doctor.roles import whole_role
from deploy.reference.commands import commands_page
from deploy.reference.configuration import configuration_page

ROOT = Path(__file__).parents[2]

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference-commands.md": commands_page,
    "docs/reference-configuration.md": configuration_page,
    "deploy/kubernetes-role.yaml": whole_role,
}
"""The files by their path from the root of the repository."""
