"""The documents' pictures, from the real page: `python -m tests.browser.pictures docs/pictures`."""

import re
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page

from tests.browser.channel import become, comes, loaded, message, open_thread, say, switch, vote
from tests.browser.chromium import NARROW, Pages, chromium
from tests.browser.served import served

COLOURS = 256
"""Of a picture's palette: enough for text, a chart and some emoji, at a third of the bytes."""

WIDE = (1400, 880)


def main(folder: Path) -> None:
    """Play a canary that is taken back, with a picture of each thing worth one."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="pictures-") as place, served(Path(place)) as url, chromium() as browser:
        pages = Pages(browser, url)
        asking, watching = pages.open(WIDE), pages.open(WIDE)
        become(watching, "dave")  # nobody tells him anything in private
        say(asking, "/deploy api sha123 staging")
        comes(message(asking, "sha123 runs in staging"))
        ballot(asking, watching, folder)
        judging(asking, watching, folder)
        taken_back(watching, folder)
        phone(pages, folder)
        pages.close()


def ballot(asking: Page, watching: Page, folder: Path) -> None:
    """Asked for and voted on once; by the one who asked as well, which does not count."""
    say(asking, "/canary api sha123 prod")
    release = message(asking, "sha123 → prod")
    comes(release.filter(has_text="Vote on exactly this plan"))
    vote(asking, release)
    become(asking, "bob")
    vote(asking, message(asking, "sha123 → prod"))
    shown = message(watching, "sha123 → prod")
    comes(shown.filter(has_text="Votes: 1 of 2"))
    comes(shown.filter(has_text="Do not count"))
    save(shown.screenshot(), folder / "ballot.png")


def judging(asking: Page, watching: Page, folder: Path) -> None:
    """Some requests are counted, and nothing speaks against it."""
    become(asking, "carol")
    vote(asking, message(asking, "sha123 → prod"))
    comes(message(watching, "sha123 → prod", "no harm seen").filter(has_text=re.compile("judging [1-4][0-9]s")))
    save(watching.screenshot(), folder / "judging.png")


def taken_back(watching: Page, folder: Path) -> None:
    """Errors, the verdict, and the chart beside it."""
    switch(watching, "Canary throws errors")
    release = comes(message(watching, "taken back", "Proof"))
    switch(watching, "Canary throws errors", on=False)
    picture = open_thread(watching, release).get_by_role("img", name="canary").last
    loaded(picture)
    picture.evaluate("image => image.scrollIntoView({block: 'center'})")
    save(watching.screenshot(), folder / "taken-back.png")


def phone(pages: Pages, folder: Path) -> None:
    """The same on a phone at night."""
    page = pages.open(NARROW, dark=True, scale=2)
    become(page, "dave")
    comes(message(page, "taken back"))
    save(page.screenshot(), folder / "phone.png")


def save(png: bytes, path: Path) -> None:
    """With a palette, as small as it gets."""
    with Image.open(BytesIO(png)) as picture:
        picture.convert("RGB").quantize(COLOURS, kmeans=4, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
