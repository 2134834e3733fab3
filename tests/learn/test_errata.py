"""The errata: sorted rows, a page that is safe and complete, and no half-English Chinese page."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from minigrad.cli import main
from minigrad.learn import FAILS, HOLDS_ROUNDED, NOT_COMPUTABLE, begin, chinese
from minigrad.learn.documents import SECTIONS, TITLES, place
from minigrad.learn.errata import Row, by_verdict, read_folder, rows
from minigrad.learn.errata_page import page
from minigrad.learn.wording import ENGLISH, Chinese

NASTY = "</td><script>alert(1)</script>@@TABLES@@"
VOID = {"meta"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the records of two lessons."""
    words = ["--out", str(tmp_path)]
    second = begin("05_losses", "Losses.", words=words)
    second.formula("D2 math 2", "MSE", lambda: 1.0, 1.0)
    second.statement("D0 5.2", NASTY, True, "it says `so & so`")
    second.finish()
    first = begin("01_forward_backward", "Forward.", words=words)
    first.claim("D0 4.3", "a1", "0.55", 0.549834)
    first.claim("D0 4.3", "J", "0.66", 2 / 3, "why", rounded=0.66, expect=HOLDS_ROUNDED)
    first.claim("D0 4.3", "W1 x", "1", lambda: 1 / 0, expect=NOT_COMPUTABLE)
    first.formula("D0 4.2", "F1", lambda: [1.0], 1.0, "right: two", expect=FAILS)
    first.finish()
    return tmp_path


def test_places_sort_as_the_documents_read() -> None:
    read = [
        "D0 4.2", "D0 4.3", "D0 5", "D0 5.1", "D0 10.2", "D1 losses", "D1 losses, D2 math 2",
        "D1 optimisers", "D1 run", "D1 something new", "D2 steps 2", "D2 steps 2, 4",
        "D2 steps 4", "D2 math 1", "D2 project", "D3 4", "D4 4.1",
    ]  # fmt: skip
    assert sorted(reversed(read), key=place) == read
    assert {place(where).document for where in read} == set(TITLES)


def test_every_named_section_has_a_chinese_name() -> None:
    for document, names in SECTIONS.items():
        for name in names:
            said = chinese.section(f"{document} {name} 2")
            assert re.fullmatch(rf"{document} [^a-z]+ 2", said) or name == "FAQ", said
    assert chinese.section("D1 losses, D2 math 2").count("\u3001") == 1


def test_rows_are_sorted_and_counted(folder: Path) -> None:
    found = rows(read_folder(folder))
    assert [(row.claim.where, row.claim.what[:4]) for row in found] == [
        ("D0 4.2", "F1"), ("D0 4.3", "a1"), ("D0 4.3", "J"), ("D0 4.3", "W1 x"),
        ("D0 5.2", "</td"), ("D2 math 2", "MSE"),
    ]  # fmt: skip
    assert by_verdict(found) == {
        "holds": 3, "holds as rounded": 1, "fails": 1, "cannot be computed": 1
    }  # fmt: skip
    assert found[0].document == "D0"


def test_what_a_row_says(folder: Path) -> None:
    f1, a1, j, w1, nasty, mse = rows(read_folder(folder))
    assert ENGLISH.printed(a1) == "a1 = 0.55"
    assert ENGLISH.printed(mse) == "MSE"
    assert ENGLISH.right(f1) == "two"
    assert ENGLISH.right(a1) == ENGLISH.right(mse) == "as printed"
    assert ENGLISH.right(j) == "0.6666667; why"
    assert ENGLISH.found(j) == "computed 0.6666667; from rounded numbers 0.66"
    assert ENGLISH.found(w1) == "no value"
    assert ENGLISH.right(w1).startswith("ZeroDivisionError")
    assert ENGLISH.found(nasty) == "it says `so & so`"


class Table(HTMLParser):
    """Reads the page: tags in balance, the cells of each row, and what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.rows: list[list[str]] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [f"{k}={v}" for k, v in attrs if k in ("src", "href")]
        self.scripts += tag == "script"
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.rows[-1][-1] += data


def read(text: str) -> Table:
    table = Table()
    table.feed(text)
    assert table.open == []
    return table


def test_the_page_has_every_row_and_is_safe(folder: Path) -> None:
    found = rows(read_folder(folder))
    table = read(page(found))
    cells = [row for row in table.rows if row]
    assert len(cells) == len(found) == 6
    assert [row[0] for row in cells] == [row.claim.where for row in found]
    assert cells[4][1] == NASTY
    assert cells[0][4].endswith("fails")
    assert table.scripts == 1
    assert table.loaded == []
    assert "<code>so &amp; so</code>" in page(found)
    assert "6 claims were judged" in page(found)


def test_chinese_words_come_from_tables_and_what_lacks_is_counted(folder: Path) -> None:
    wording = Chinese()
    found = rows(read_folder(folder))
    table = read(page(found, wording))
    cells = [row for row in table.rows if row]
    assert {text for _, text in wording.missing} >= {NASTY, "it says `so & so`", "why"}
    assert not re.search("[a-z]{3}", "".join(cells[1][2:]))  # a number that holds
    assert all(re.search("[\u4e00-\u9fff]", row[4]) for row in cells)


@pytest.mark.parametrize(
    ("english", "parts"),
    [
        ("off by 43 %", ["43%"]),
        ("shape 2x2, not 3x4", ["2x2", "3x4"]),
        ("off by a factor of 1.0e+06", ["1.0e+06"]),
        ("agrees to 8e-12", ["8e-12"]),
        ("NameError: name 'net' is not defined", ["`NameError: name 'net' is not defined`"]),
        ("off by 43 %; off by 7 %", ["43%\uff1b", "7%"]),
        ("right for off by 43 %", ["43%"]),
    ],
)
def test_what_a_check_finds_is_said_in_chinese(english: str, parts: list[str]) -> None:
    said = chinese.chinese(english, "00_none")
    assert said is not None
    assert all(part in said for part in parts)


def test_what_no_table_has_is_none() -> None:
    for text in ("quite new", "off by 43 %; quite new", "right for a quite new one"):
        assert chinese.chinese(text, "05_losses") is None
    assert chinese.chinese("", "05_losses") == ""


def test_the_command(folder: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "errata.html"
    assert main(["errata", "--from", str(folder), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "6 claims were judged: 3 holds, 1 holds as rounded, 1 fails, 1 cannot be comp" in printed
    assert len(read(out.read_text(encoding="utf-8")).rows) == 6 + 2  # with the two tables' heads
    assert main(["errata", "--from", str(folder), "--zh"]) == 1  # half of it would be English
    assert "no Chinese for: 01_forward_backward: why" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "nowhere"], "nowhere has no claims"),
        (["--from", "nowhere", "--out", "page.txt"], "page.txt is not called something.html"),
    ],
)
def test_words_that_mean_nothing(words, said: str, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["errata", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_no_record_is_named(tmp_path: Path, capsys) -> None:
    (tmp_path / "a-claims.json").write_text("{}", encoding="utf-8")
    assert main(["errata", "--from", str(tmp_path)]) == 2
    assert "is no record of a lesson" in capsys.readouterr().err


def test_the_page_filters_in_a_browser(folder: Path, tmp_path: Path) -> None:
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    text = page(rows(read_folder(folder)))
    probe = (
        "<script>document.querySelector('[data-verdict=fails]').click();"
        "document.title = [...document.querySelectorAll('tbody tr:not([hidden])')].length"
        " + ' ' + [...document.querySelectorAll('section:not([hidden])')].length;</script></body>"
    )
    path = tmp_path / "page.html"
    path.write_text(text.replace("</body>", probe), encoding="utf-8")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    assert "<title>1 1</title>" in done.stdout


def test_a_row_knows_its_lesson(folder: Path) -> None:
    found = rows(read_folder(folder))
    assert isinstance(found[0], Row)
    assert [row.stem for row in found] == [*["01_forward_backward"] * 4, *["05_losses"] * 2]
