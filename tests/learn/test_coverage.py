"""Every formula and every printed number has its row in the errata, in both languages."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from support.lesson_runs import LESSONS, PICTURES, lesson_run

from minigrad.check.claims import HOLDS, HOLDS_ROUNDED
from minigrad.learn import chinese
from minigrad.learn.errata import Row, read_folder, rows
from minigrad.learn.errata_page import page
from minigrad.learn.wording import Chinese

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = {f"F{number}" for number in range(1, 25)}
# What D0 4.3 prints as results, and its steps backward.
NUMBERS = {
    "0.2", "0.8", "1.2", "2.2", "0.55", "0.86", "0.3625", "0.665", "0.45625", "0.8255", "0.1300625"
}  # fmt: skip
STEPS = {
    "dJ/da3", "da3/da2", "dJ/da2", "da2/da1", "dJ/da1", "Delta W3", "Delta b3", "Delta W2",
    "Delta b2", "Delta W1", "Delta b1",
}  # fmt: skip


def stated(lesson: Path) -> list[list[str]]:
    """Return the words of each claim in a lesson's text that are not computed."""
    found = []
    for node in ast.walk(ast.parse(lesson.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("claim", "formula", "statement")
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "lesson"
        ):
            words = [*node.args, *(k.value for k in node.keywords if k.arg in ("note", "check"))]
            values = [w.value for w in words if isinstance(w, ast.Constant)]
            found.append([value for value in values if isinstance(value, str)])
    return found


def formulas(texts: list[str]) -> set[str]:
    """Return which of the numbered formulas these texts are about."""
    return {name for text in texts for name in re.findall(r"^(F\d+)\b", text)}


def test_every_formula_is_judged_in_a_lesson() -> None:
    found = {lesson.stem: formulas([w for c in stated(lesson) for w in c]) for lesson in LESSONS}
    assert set().union(*found.values()) == FORMULAS
    assert formulas(["F3: Adam", "as F4 says", "F21, slope"]) == {"F3", "F21"}  # it can fail


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_what_a_lesson_claims_is_there_in_chinese(lesson: Path) -> None:
    claims = stated(lesson)
    assert claims, "a lesson judges something"
    lacking = [
        text
        for words in claims
        for text in words[1:]  # the first is the place
        if chinese.chinese(text, lesson.stem) is None
    ]
    assert lacking == []


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Return the rows that a run of all lessons leaves behind."""
    records = []
    for lesson in LESSONS:
        done = lesson_run(lesson, tmp_path_factory)
        assert done.status == 0, done.stdout + done.stderr
        records += read_folder(Path(done.folder) / PICTURES)
    return rows(records)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_errata_of_all_lessons(found: list[Row]) -> None:
    assert {row.stem for row in found} == {lesson.stem for lesson in LESSONS}
    assert [row.claim.what for row in found if not row.claim.as_expected] == []
    assert formulas([row.claim.what for row in found]) == FORMULAS
    example = [row.claim for row in found if row.claim.where == "D0 4.3"]
    assert {claim.printed for claim in example} >= NUMBERS
    assert {step for step in STEPS if any(c.what.startswith(step) for c in example)} == STEPS
    for row in found:  # what fails says what is right, and every row how that was decided
        claim = row.claim
        assert claim.note or claim.printed or claim.verdict in (HOLDS, HOLDS_ROUNDED), claim.what
        assert claim.check

    for stem in {row.stem for row in found}:  # and no table keeps words that no claim has any more
        with open(ROOT / "lessons" / "zh" / f"{stem}.toml", "rb") as file:
            table = tomllib.load(file)
        claims = [row.claim for row in found if row.stem == stem]
        said = "\n".join("\n".join((c.what, c.note, c.found, c.check)) for c in claims)
        plain = said + chinese.without_numbers(said)
        assert [key for key in table if key not in plain] == []

    wording = Chinese()
    text = page(found, wording)
    assert wording.missing == []
    assert text.count("<tr data-verdict") == len(found)
    assert re.search(r"\b(the|and|is|of|with)\b", re.sub("<(style|script|code).*?</", "", text,
                     flags=re.DOTALL)) is None  # fmt: skip
