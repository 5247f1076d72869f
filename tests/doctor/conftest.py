"""How a test opens its installation."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.doctor.installation import Installation, installation

Opens = Callable[[], AbstractAsyncContextManager[Installation]]


@pytest.fixture
def opens(tmp_path: Path, template: Path) -> Opens:
    """An installation that is well."""
    return lambda: installation(tmp_path, template)
