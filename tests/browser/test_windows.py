"""Windows of the page: many at once, one that outlives its sandbox, and what stands still in them."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.channel import (
    RELEASE_MS,
    become,
    comes,
    message,
    say,
)
from tests.browser.chromium import Pages
from tests.browser.reading import GROWING_ABOVE, REACTIONS_OFFERED, SAID_IN_A_ROW
from tests.browser.served import served

pytestmark = pytest.mark.browser


def test_a_page_outlives_its_sandbox(pages: Pages, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It says that nobody answers, and shows the next one when that is there."""
    with served(tmp_path_factory.mktemp("first")) as url:
        own = Pages(pages.browser, url)
        page = own.open()
        say(page, "hello")
        comes(page.locator(".message").filter(has_text="hello"))
    expect(page.get_by_role("status").filter(has_text="The sandbox does not answer")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("it may have been stopped")
    with served(tmp_path_factory.mktemp("second"), port=urlsplit(url).port or 0):
        comes(page.get_by_role("status").filter(has_text="Bot: serving"))
        comes(page.get_by_text("Nothing has been said here yet."))
        expect(page.get_by_role("alert")).to_have_text("")
        own.close()


def test_whoever_switches_while_nobody_answers_is_there_afterwards(
    pages: Pages, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The channel is that person's, and live again, though it could not be shown at once."""
    with served(tmp_path_factory.mktemp("left")) as url:
        own = Pages(pages.browser, url)
        page = own.open()
    expect(page.get_by_role("status").filter(has_text="The sandbox does not answer")).to_be_visible()
    page.get_by_role("radio", name="bob").check(force=True)
    with served(tmp_path_factory.mktemp("found"), port=urlsplit(url).port or 0):
        expect(page.locator("#box-label")).to_have_text("Message #deploys as bob", timeout=RELEASE_MS)
        say(page, "hello")
        comes(page.locator(".message").filter(has_text="hello"))
        own.close()


def test_a_browser_may_show_eight_pages_at_once(pages: Pages) -> None:
    """It holds six connections to a server and no more: what the pages keep open leaves room for what is done."""
    shown = [pages.open()]
    shown += [pages.beside(shown[0]) for _ in range(7)]
    assert [page.evaluate("document.hidden") for page in shown] == [False] * 8
    for number, page in enumerate(shown):
        become(page, ("ann", "bob", "carol", "dave")[number % 4])
        say(page, f"page {number} speaks")
        for each in shown:
            expect(message(each, f"page {number} speaks")).to_be_visible()


def test_whoever_switches_faster_than_the_page_is_the_last_one(pages: Pages) -> None:
    """And nobody's feed stays behind, which would take the connections."""
    page = pages.open()
    page.evaluate(
        "for (const name of ['bob', 'carol', 'dave', 'bob', 'carol', 'dave', 'eve', 'ann', 'bob'])"
        " document.querySelector(`input[name=me][value=${name}]`).click()"
    )
    expect(page.locator("#box-label")).to_have_text("Message #deploys as bob")
    say(page, "who is it")
    expect(message(page, "bob", "who is it")).to_be_visible()


def test_what_is_read_stays_where_it_is(pages: Pages) -> None:
    """Also when something above it grows."""
    before, after = pages.open().evaluate(GROWING_ABOVE)
    assert after == pytest.approx(before, abs=1)


def test_what_is_said_in_a_row_has_its_name_once(pages: Pages) -> None:
    """A release, a private word, a longer pause and somebody else have names of their own, whatever comes and goes."""
    at_first, afterwards = pages.open().evaluate(SAID_IN_A_ROW)
    assert at_first == ["1000", "1020", "1030", "1039", "1040", "1050", "1500"]
    assert afterwards == ["1010", "1020", "1030", "1035", "1039", "1040", "1050", "1500"]


def test_reactions_are_offered_where_they_count(pages: Pages) -> None:
    """Not on a release about which nobody is asked: the bot would say nothing to them."""
    assert pages.open().evaluate(REACTIONS_OFFERED) == ["1010", "1020"]


def test_a_tab_is_named_after_whose_it_is(pages: Pages) -> None:
    """Whoever votes as three people finds each of them again."""
    page = pages.open()
    become(page, "bob")
    assert page.title() == "bob in #deploys · Sluice sandbox"


def test_nothing_went_wrong_in_any_window(pages: Pages) -> None:
    """No error on a console, none thrown."""
    assert pages.complaints == []
