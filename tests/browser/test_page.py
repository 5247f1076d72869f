"""The page as people have it: a story played in a browser, and what is seen, heard and reached on the way."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.channel import (
    APPROVE,
    become,
    comes,
    loaded,
    message,
    open_thread,
    private,
    say,
    switch,
    vote,
)
from tests.browser.chromium import NARROW, WIDE, Pages
from tests.browser.keyboard import unreached
from tests.browser.served import ROOT

pytestmark = pytest.mark.browser

PICTURES = Path(os.environ.get("BROWSER_PICTURES") or ROOT / "artifacts" / "browser")
GRAVE = frozenset({"serious", "critical"})


@dataclass
class Story:
    """What was seen while a canary was released and taken back; `page` is where it ended, as carol."""

    pages: Pages
    page: Page
    ballot_after_ann: str
    under_judgement: str
    verdict: str


@pytest.fixture(scope="module")
def story(pages: Pages) -> Story:
    """Staging by keyboard, then a canary in production that goes wrong while it is judged."""
    page = pages.open()
    deploy_by_keyboard(page)
    say(page, "/canary api sha123 prod")
    comes(message(page, "Vote on exactly this plan"))
    release = message(page, "sha123", "prod")
    vote(page, release)
    expect(release).to_contain_text("Do not count: @ann")
    ballot = release.inner_text()
    shoot(page, "ballot")
    for name in ("bob", "carol"):
        become(page, name)
        vote(page, message(page, "sha123", "prod"))
    comes(message(page, "judging"))
    comes(page.get_by_role("row", name="api canary prod"))
    under_judgement = page.locator("#cluster").inner_text()
    shoot(page, "judged")
    switch(page, "Canary throws errors")
    verdict = comes(message(page, "taken back", "Proof")).inner_text()
    switch(page, "Canary throws errors", on=False)
    return Story(pages, page, ballot, under_judgement, verdict)


def deploy_by_keyboard(page: Page) -> None:
    """`/deploy api sha123 staging` with the completion's help, to its end."""
    box = page.get_by_role("combobox", name="Message")
    box.focus()
    page.keyboard.type("/dep")
    page.keyboard.press("Tab")
    page.keyboard.type("api sha12")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("sha123")
    page.keyboard.press("Enter")
    page.keyboard.type("staging")
    expect(box).to_have_value("/deploy api sha123 staging")
    page.keyboard.press("Enter")
    comes(message(page, "sha123 runs in staging"))


def shoot(page: Page, name: str) -> None:
    """Keep a picture for whoever looks at this run."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def chart(replies: Locator) -> Locator:
    """The canary's picture in the thread."""
    return loaded(replies.get_by_role("img", name="canary").last)


def violations(page: Page) -> list[str]:
    """What axe-core finds grave on the page as it is now, each with the first place."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in GRAVE]


def test_the_one_who_asked_does_not_count(story: Story) -> None:
    """Her own vote is shown, and shown not to count."""
    assert "Votes: 0 of 2" in story.ballot_after_ann
    assert "Do not count: @ann (asked for this release)" in story.ballot_after_ann


def test_the_cluster_shows_the_share_of_a_canary(story: Story) -> None:
    """While it is judged, one sees who gets how much."""
    assert "api 80 %, api-canary 20 %" in story.under_judgement


def test_a_canary_that_throws_errors_is_taken_back(story: Story) -> None:
    """The release message ends with what happened, why, and the proof."""
    assert "api sha123 → prod was taken back; sha100 has all the traffic." in story.verdict
    assert "Why: canary failed" in story.verdict


def test_the_thread_draws_what_was_judged(story: Story) -> None:
    """The chart is there, has a size, and says in words what it shows."""
    page = story.pages.open()
    picture = chart(open_thread(page, message(page, "taken back")))
    assert picture.evaluate("image => image.naturalWidth") > 300
    assert "errors" in (picture.get_attribute("alt") or "")
    assert violations(page) == []
    shoot(page, "thread")


def test_a_form_says_what_is_missing_and_starts_a_release(pages: Pages) -> None:
    """A bare command opens it; without a service nothing is sent, with one it is."""
    page = pages.open()
    say(page, "/deploy")
    form = page.get_by_role("dialog", name="Deploy")
    form.get_by_label("What to release").fill("sha124")
    form.get_by_label("Environment").select_option("staging")
    form.get_by_role("button", name="Deploy").click()
    expect(form.get_by_label("Service")).to_be_focused()
    assert form.get_by_label("Service").evaluate("field => field.validity.valueMissing")
    assert violations(page) == []
    shoot(page, "modal")

    form.get_by_label("Service").select_option("web")
    form.get_by_role("button", name="Deploy").click()
    expect(form).to_be_hidden()
    comes(message(page, "web sha124 runs in staging"))


def test_a_bot_that_is_killed_comes_back_and_answers(story: Story) -> None:
    """Its state is told to those who only hear the page, and its database has what was done."""
    page = story.pages.open()
    page.get_by_role("button", name="Kill the bot").click()
    state = page.get_by_role("status").filter(has_text="Bot:")
    expect(state).to_have_text("Bot: down, starting again · killed once")
    say(page, "/release status")
    expect(page.get_by_role("alert")).to_contain_text("The bot cannot be reached")
    comes(state.filter(has_text="Bot: serving · killed once"))
    expect(page.get_by_role("alert")).to_have_text("")
    say(page, "/release status")
    comes(private(page, "sha123"))


def test_a_switch_says_that_it_is_on_and_how_many_are(pages: Pages) -> None:
    """In words beside its colour; and a narrow page says it where the channel is."""
    page = pages.open(NARROW)
    page.get_by_role("button", name="Cluster").click()
    slack = page.get_by_role("switch", name="Slack down")
    slack.check()
    assert slack.evaluate("box => getComputedStyle(box, '::after').content") == '"on"'
    page.get_by_role("button", name="Channel").click()
    expect(page.get_by_role("button", name="Cluster · 1 broken")).to_be_visible()
    say(page, "/release status")
    expect(page.get_by_role("alert")).to_contain_text("Slack is down")
    expect(page.get_by_role("combobox", name="Message")).to_have_value("/release status")

    page.get_by_role("button", name="Cluster").click()
    slack.uncheck()
    expect(page.get_by_role("button", name="Cluster", exact=True)).to_be_visible()


def test_a_switch_does_not_jump_back(pages: Pages) -> None:
    """The panel is told again and again: what was asked for before a click does not undo it for the eye."""
    page, waiting = pages.open(), list[Route]()
    page.route("**/api/switch", lambda route: waiting.append(route))
    slow = page.get_by_role("switch", name="Canary is slow")
    slow.check()
    for _ in range(3):
        page.wait_for_event("response", lambda answer: answer.url.endswith("/api/panel"))
    expect(slow).to_be_checked()
    for each in waiting:
        each.continue_()
    other = pages.open()
    expect(other.get_by_role("switch", name="Canary is slow")).to_be_checked()
    other.get_by_role("switch", name="Canary is slow").uncheck()
    expect(slow).not_to_be_checked()


def test_escape_closes_what_is_open_and_the_focus_goes_back(story: Story) -> None:
    """The options first, then the thread; the focus is where the thread was opened from."""
    page = story.pages.open()
    release = message(page, "taken back")
    open_thread(page, release)
    page.get_by_role("combobox", name="Message").press_sequentially("/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.get_by_role("list", name="Replies")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("list", name="Replies")).to_be_hidden()
    expect(release.locator(".replies")).to_be_focused()


def test_all_can_be_done_by_keyboard(story: Story) -> None:
    """Whatever can be acted on is reached with Tab, and one sees where one is."""
    page = story.pages.open()
    open_thread(page, message(page, "taken back"))
    assert unreached(page) == []


def test_votes_are_offered_on_releases_under_way_alone(story: Story) -> None:
    """Not on replies, and not on what is over."""
    page = story.pages.open()
    expect(open_thread(page, message(page, "taken back")).locator(".message .offered")).to_have_count(0)
    expect(message(page, "sha123 runs in staging").locator(f'[data-reaction="{APPROVE}"]')).to_have_count(0)


def test_an_edit_takes_neither_the_focus_nor_the_place(story: Story) -> None:
    """Whoever reads further up, with the focus on a button, keeps both while messages come and change."""
    page, other = story.pages.open((1440, 500)), story.pages.open()
    replies = message(page, "taken back").locator(".replies")
    page.get_by_role("list", name="Messages").evaluate("list => { list.scrollTop = 40; }")
    expect(page.get_by_role("button", name="Newest")).to_be_visible()
    replies.evaluate("button => button.focus({preventScroll: true})")
    first = page.locator("#messages .message").first
    before = first.bounding_box()

    become(other, "bob")
    shown = message(other, "taken back").locator(f'[data-reaction="{APPROVE}"]')
    shown.click()
    say(other, "hello")
    comes(page.locator("#messages .message").filter(has_text="hello"))
    expect(replies).to_be_focused()
    assert first.bounding_box() == before


@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [
        ("wide-light", WIDE, False),
        ("wide-dark", WIDE, True),
        ("narrow-light", NARROW, False),
        ("narrow-dark", NARROW, True),
    ],
)
def test_everybody_can_use_it(story: Story, name: str, size: tuple[int, int], *, dark: bool) -> None:
    """axe-core finds nothing grave in the channel and in the panel, and nothing goes over the edge."""
    page = story.pages.open(size, dark=dark)
    assert violations(page) == []
    shoot(page, name)
    if size == NARROW:
        page.get_by_role("button", name="Cluster").click()
        assert violations(page) == []
        shoot(page, f"{name}-panel")
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_nothing_went_wrong_in_any_page(story: Story) -> None:
    """No error on a console, none thrown: neither by the story nor by those before this test."""
    assert story.pages.complaints == []
