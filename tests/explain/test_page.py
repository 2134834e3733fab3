"""The page of a walk: well formed, safe with any name, and stepped through in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.explain import Walk, walk, watching
from minigrad.explain.page import steps

NASTY = "x</script><img src=q onerror=alert(1)>&\"'@@DATA@@"
VOID = {"br", "hr", "img", "input", "link", "meta", "path", "rect"}


def story(name: str = "x") -> Walk:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    x.name = name
    w = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with watching():
        z = x * w
        loss = (z * z).sum() + x.mean()
    return walk(loss)


class Balanced(HTMLParser):
    """Follows the tags, and collects text and what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.texts: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [f"{k}={v}" for k, v in attrs if k in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts[self.open[-1] if self.open else ""] = data


@pytest.mark.parametrize("name", ["x", NASTY])
def test_the_page_is_well_formed_and_loads_nothing(name: str) -> None:
    page = story(name).html()
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert parser.loaded == []
    assert "img" not in parser.tags
    assert parser.tags.count("script") == 2
    assert not re.search(r"@import|url\((?!#)|https?://(?!www\.w3\.org/2000/svg)", page)
    assert parser.texts["pre"] == story(name).text()


@pytest.mark.parametrize("name", ["x", NASTY])
def test_the_steps_in_the_page_are_the_steps(name: str) -> None:
    found = story(name)
    (data,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', found.html(), re.DOTALL
    )
    assert "<" not in data
    assert json.loads(data) == steps(found)
    assert len(steps(found)) == 16  # given, 5 forward, the start, 8 contributions, all gradients


def test_a_step_has_what_the_text_has() -> None:
    by_title = {step["title"]: step for step in steps(story())}
    step = by_title["through z = mul(a=x, b=w) to x"]
    assert step["formula"] == "contribution to x as a: g * b"
    assert step["phase"] == "backward 5 of 5"
    assert step["line"].endswith(": z = x * w")
    assert {fact["label"]: fact["value"] for fact in step["facts"]} == {
        "g, the gradient of z": "[[2, 8], [6, 16]]",
        "local derivative": "[[1, 2], [3, 4]]",
        "before un-broadcast": "[[2, 16], [18, 64]]",
        "un-broadcast": ("x was repeated along axis 0, so its parts are summed, [2, 2] to [2]"),
        "contribution": "[20, 80]",
        "sum so far (2 of 2)": "[20.5, 80.5]",
        "gradient of x": "[20.5, 80.5]",
        "finite difference": "[20.5, 80.5]",
    }


def test_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    found = story()
    found.save(tmp_path / "walk.html")
    assert (tmp_path / "walk.html").read_text(encoding="utf-8") == found.html()
    found.save(tmp_path / "walk.txt")
    assert (tmp_path / "walk.txt").read_text(encoding="utf-8") == found.text() + "\n"
    with pytest.raises(FileNotFoundError, match="make it first"):
        found.save(tmp_path / "nowhere" / "walk.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["walk.html", "walk.txt"]


def test_a_notebook_shows_the_page() -> None:
    found = story()
    frame = found._repr_html_()
    (source,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert html.unescape(source) == found.html()
    assert repr(found) == "<walk to loss float32[]: 7 tensors>"


# ---- in a browser -------------------------------------------------------------------------------

# A page that holds the walk in a frame of a phone's width, uses it, and writes down what it saw.
DRIVER = """<!doctype html><meta charset="utf-8"><body><pre id="seen"></pre>
<iframe id="page" style="width:390px;height:800px"></iframe><script>
const seen = [], frame = document.getElementById("page");
frame.onload = () => {
  const view = frame.contentWindow, page = frame.contentDocument;
  const part = (id) => page.getElementById(id);
  view.onerror = (message) => seen.push("error " + message);
  const note = (what) => seen.push([what, part("count").textContent, part("phase").textContent,
    part("title").textContent, page.querySelectorAll("#graph .here").length].join(" | "));
  const key = (name) => page.dispatchEvent(new KeyboardEvent("keydown", {key: name}));
  note("start");
  part("next").click(); note("next");
  key("ArrowRight"); note("right");
  key("ArrowLeft"); note("left");
  part("back").click(); note("back");
  key("ArrowLeft"); note("stays");
  key("End"); note("end");
  seen.push("next is off: " + part("next").disabled);
  key("Home"); note("home");
  part("slide").value = 7; part("slide").dispatchEvent(new Event("input")); note("slide");
  part("last").click(); part("first").click(); note("first");
  const wide = page.documentElement.scrollWidth - page.documentElement.clientWidth;
  seen.push("too wide by " + wide);
  seen.push("facts " + [...page.querySelectorAll("#facts tr")].map((r) => r.innerText).join("; "));
  seen.push("images " + page.images.length);
  document.getElementById("seen").textContent = JSON.stringify(seen);
};
frame.srcdoc = PAGE;
</script>"""


def browser() -> str:
    """Return a Chromium, or skip."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium is installed")


def run_browser(path: Path, folder: Path, *options: str) -> str:
    done = subprocess.run(
        [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", f"--user-data-dir={folder}", *options, path.as_uri()],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
def test_stepping_in_a_browser_at_a_phones_width(tmp_path: Path) -> None:
    page = story(NASTY).html()
    literal = json.dumps(page).replace("<", "\\u003c")
    path = tmp_path / "driver.html"
    path.write_text(DRIVER.replace("PAGE", literal), encoding="utf-8")
    dumped = run_browser(path, tmp_path / "profile", "--dump-dom", "--virtual-time-budget=5000")
    (found,) = re.findall(r'<pre id="seen">(.*?)</pre>', dumped, re.DOTALL)
    seen = json.loads(html.unescape(found))
    titles = [step["title"] for step in steps(story(NASTY))]
    given = f"1 of 16 | given | {titles[0]} | 2"
    assert seen == [
        f"start | step {given}",
        f"next | step 2 of 16 | forward 1 of 5 | {titles[1]} | 1",
        f"right | step 3 of 16 | forward 2 of 5 | {titles[2]} | 1",
        f"left | step 2 of 16 | forward 1 of 5 | {titles[1]} | 1",
        f"back | step {given}",
        f"stays | step {given}",
        f"end | step 16 of 16 | gradients | {titles[-1]} | 2",
        "next is off: true",
        f"home | step {given}",
        f"slide | step 8 of 16 | backward 1 of 5 | {titles[7]} | 2",
        f"first | step {given}",
        "too wide by 0",
        f"facts {NASTY} : float32[2]\t[1, 2]; w : float32[2, 2]\t[[1, 2], [3, 4]]".replace(
            "\t", "\n"
        ),
        "images 0",
    ]


@pytest.mark.slow
def test_a_screenshot_shows_the_step_of_the_address(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    path = tmp_path / "walk.html"
    story().save(path)
    shots = []
    for step in (1, 9):
        shot = tmp_path / f"{step}.png"
        copy = tmp_path / f"step{step}.html"
        copy.write_text(
            path.read_text(encoding="utf-8").replace("location.hash", f'"#{step}"'),
            encoding="utf-8",
        )
        run_browser(copy, tmp_path / "profile", f"--screenshot={shot}", "--window-size=900,1000")
        shots.append(np.asarray(image.open(shot).convert("RGB")).astype(int))
    assert shots[0].shape == shots[1].shape == (1000, 900, 3)
    assert (np.abs(shots[0] - shots[1]).sum(axis=2) > 60).mean() > 0.005
    yellow = np.abs(shots[1] - [255, 207, 74]).sum(axis=2) < 30  # around the boxes of the step
    assert 200 < yellow.sum() < 50_000
