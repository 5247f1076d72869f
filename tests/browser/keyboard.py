"""What somebody reaches who has no mouse."""

from playwright.sync_api import Page

MOST_STOPS = 120

HERE = """() => {
  const at = document.activeElement;
  const styles = [at, at.nextElementSibling].filter(Boolean).map((each) => getComputedStyle(each));
  const marked = styles.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
  return [at === document.body ? "" : at.dataset.stop ?? "", marked];
}"""
"""The number of the element that has the focus, and whether that can be seen."""

NUMBERED = """() => {
  const shown = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled;
  const found = [...document.querySelectorAll("button, a[href], summary, select, input")].filter(shown)
    .filter((each) => each.type !== "radio" || each.checked);
  found.forEach((each, at) => { each.dataset.stop = String(at); });
  return found.map((each) => each.outerHTML.slice(0, 120));
}"""
"""What can be acted on now, by its number. Of a group of radio buttons the chosen one: arrows lead on from there."""


def unreached(page: Page) -> list[str]:
    """What can be acted on and is not reached with the Tab key, or is reached without being marked."""
    names = page.evaluate(NUMBERED)
    page.evaluate("document.activeElement.blur()")
    marked: set[str] = set()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        number, is_marked = page.evaluate(HERE)
        if is_marked:
            marked.add(number)
    return [name for number, name in enumerate(names) if str(number) not in marked]
