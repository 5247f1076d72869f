"""A Chromium that is driven, and pages that keep what went wrong in them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CALM = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 20_000
"""Real time: every wait for what the page itself does ends by then."""

WIDE, NARROW = (1440, 900), (390, 844)


class NoChromiumError(Exception):
    """There is no Chromium on this machine."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser. Raises NoChromiumError where none is installed."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise NoChromiumError("no Chromium found; `make test-browser` installs it, or says what to install")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []  # its own sandbox refuses to run as root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*CALM, *root])
        yield browser
        browser.close()


@dataclass
class Pages:
    """Opens the sandbox's page; `complaints` holds what any of them wrote to its console as an error, or threw."""

    browser: Browser
    url: str
    complaints: list[str] = field(default_factory=list)
    _open: list[BrowserContext] = field(default_factory=list)

    def open(self, size: tuple[int, int] = WIDE, *, dark: bool = False, scale: float = 1) -> Page:
        """A page of somebody who has not been here before, when it is ready."""
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            device_scale_factor=scale,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        self._open.append(context)
        return self._page(context)

    def beside(self, page: Page) -> Page:
        """Another page of the same browser, when it is ready."""
        return self._page(page.context)

    def _page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.url)
        page.locator("body[data-ready]").wait_for()
        return page

    def close(self) -> None:
        """Close all of them."""
        for context in self._open:
            context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)
