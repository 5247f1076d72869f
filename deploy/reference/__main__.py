"""`python -m deploy.reference`: write the generated files."""

from deploy.reference.pages import PAGES, ROOT

if __name__ == "__main__":
    for name, written in PAGES.items():
        (ROOT / name).write_text(written(), encoding="utf-8")
