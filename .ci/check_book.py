"""Look at the book as its readers will: in a browser, offline, on a desk and on a phone.

    python .ci/check_book.py FOLDER [--shots FOLDER]

Every page is opened in headless Chromium at both widths. It fails on a link to nothing, a picture
that does not load, a formula that is not drawn or drawn as an error, anything on the console,
anything asked of the network, and a page that is wider than the window.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Page, sync_playwright

WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
MATH = ".math"
# Run in the page: pictures that are not there, formulas in plain text, formulas drawn as errors
LOOK = """() => ({
  pictures: [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src),
  formulas: document.querySelectorAll('.math').length,
  drawn: document.querySelectorAll('.math mjx-container').length,
  faulty: [...document.querySelectorAll('[data-mjx-error]')].map(e => e.dataset.mjxError),
  width: document.documentElement.scrollWidth,
})"""


class Links(HTMLParser):
    """What a page refers to, and the anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.to: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.to.append(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def broken(folder: Path) -> list[str]:
    """Return what is wrong with the links between the pages."""
    pages = {p.resolve(): Links(p.read_text(encoding="utf-8")) for p in folder.rglob("*.html")}
    wrong = []
    for path, links in pages.items():
        for link in links.to:
            parts = urlsplit(link)
            if parts.scheme in ("data", "mailto") or parts.scheme.startswith("http"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else None
            if not target.exists():
                wrong.append(f"{path.name}: {link} leads to nothing")
            elif parts.fragment and anchors is not None and unquote(parts.fragment) not in anchors:
                wrong.append(f"{path.name}: {link} has no such place")
    return wrong


def look(page: Page, path: Path, width: int) -> list[str]:
    """Open a page and return what is wrong with it."""
    page.goto(path.as_uri())
    page.evaluate("() => window.MathJax?.startup?.promise")
    for image in page.locator("img[loading=lazy]").all():
        image.scroll_into_view_if_needed()
    seen = page.evaluate(LOOK)
    wrong = [f"the picture {source} does not load" for source in seen["pictures"]]
    wrong += [f"a formula is faulty: {what}" for what in seen["faulty"]]
    if seen["drawn"] < seen["formulas"]:
        wrong.append(f"{seen['drawn']} of {seen['formulas']} formulas are drawn")
    if seen["width"] > width:
        wrong.append(f"it is {seen['width']} pixels wide in a window of {width}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a built book in a browser.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shots", type=Path, help="folder for a screenshot of every page")
    options = parser.parse_args()
    folder = options.folder.resolve()
    pages = sorted(folder.rglob("*.html"))
    if len(pages) < 30:
        print(f"{folder} has {len(pages)} pages: that is not the book")
        return 1
    wrong = broken(folder)
    formulas = 0
    known = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    browser_path = next(filter(None, known), None)  # None: the one that playwright has installed
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for name, (width, height) in WIDTHS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            heard: list[str] = []
            page.on(
                "console",
                lambda message, heard=heard: (
                    heard.append(f"console: {message.text}") if message.type == "error" else None
                ),
            )
            page.on("pageerror", lambda error, heard=heard: heard.append(f"script: {error}"))
            page.on(
                "request",
                lambda request, heard=heard: (
                    None
                    if request.url.startswith(("file:", "data:", "blob:"))
                    else heard.append(f"asks the network for {request.url}")
                ),
            )
            for path in pages:
                heard.clear()
                found = look(page, path, width) + heard
                formulas += page.locator(MATH).count()
                wrong += [f"{path.relative_to(folder)} on a {name}: {what}" for what in found]
                if options.shots:
                    options.shots.mkdir(parents=True, exist_ok=True)
                    stem = "-".join(path.relative_to(folder).with_suffix("").parts)
                    page.screenshot(path=options.shots / f"{name}-{stem}.png")
        words = browser.new_page()
        words.goto((folder / "search.html").as_uri() + "?q=softmax")
        words.wait_for_selector("#search-results li a", timeout=15000)
        browser.close()
    print("\n".join(wrong))
    print(f"{len(pages)} pages, {formulas // len(WIDTHS)} formulas: {len(wrong)} faults")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
