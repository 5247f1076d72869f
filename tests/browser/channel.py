"""What people do on the page, and what they wait for there."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import PATIENCE_MS

RELEASE_MS = 60_000
"""Real time: by then a step of a release has happened."""

APPROVE, REJECT = "white_check_mark", "x"


def say(page: Page, text: str) -> None:
    """Type it into the message box and send it."""
    page.get_by_role("combobox", name="Message").fill(text)
    page.get_by_role("button", name="Send").click()


def become(page: Page, name: str) -> None:
    """Look at it as somebody else."""
    page.get_by_role("radio", name=name).check(force=True)  # what is seen of it is its label
    expect(page.locator("#box-label")).to_have_text(f"Message #deploys as {name}")


def message(page: Page, *words: str) -> Locator:
    """The newest message of the channel that has all these words."""
    found = page.locator("#messages .message:not(.private)")
    for each in words:
        found = found.filter(has_text=each)
    return found.last


def private(page: Page, words: str) -> Locator:
    """What the bot says to this person alone."""
    return page.locator("#messages .message.private").filter(has_text=words).last


def vote(page: Page, release: Locator, name: str = APPROVE) -> None:
    """React to a release."""
    reaction = release.locator(f'[data-reaction="{name}"]')
    reaction.click()
    expect(reaction).to_have_attribute("aria-pressed", "true")


def comes(found: Locator) -> Locator:
    """Wait until it is there: something that a release has yet to do."""
    expect(found).to_be_visible(timeout=RELEASE_MS)
    return found


def open_thread(page: Page, release: Locator) -> Locator:
    """Open the replies to a message; where they are."""
    release.locator(".replies").click()
    replies = page.get_by_role("list", name="Replies")
    expect(replies).to_be_visible()
    return replies


def loaded(picture: Locator) -> Locator:
    """Wait until a picture has its size: when it is complete."""
    picture.scroll_into_view_if_needed()
    picture.evaluate("image => image.decode()")
    return picture


def switch(page: Page, label: str, *, on: bool = True) -> None:
    """Break something, or mend it."""
    page.get_by_role("switch", name=label).set_checked(on, timeout=PATIENCE_MS)
