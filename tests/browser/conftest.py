"""What every test in a browser has."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Pages, chromium
from tests.browser.served import served


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A sandbox, and a browser before it."""
    with served(tmp_path_factory.mktemp("sandbox")) as url, chromium() as browser:
        made = Pages(browser, url)
        yield made
        made.close()
