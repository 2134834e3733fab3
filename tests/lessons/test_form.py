"""Every lesson has the form that lets it be a script, a notebook and a page."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from minigrad.replay import PASSES

LESSONS = sorted((Path(__file__).resolve().parents[2] / "lessons").glob("*.py"))
FOREIGN = {"matplotlib", "minigrad", "numpy", "rich", "tqdm"}


def cells(text: str) -> list[tuple[str, str]]:
    """Return the cells of a script in percent format: what follows each ``# %%``, and its lines."""
    parts = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == "", "something stands before the first cell"
    return list(zip((kind.strip() for kind in parts[1::2]), parts[2::2], strict=True))


def imported(tree: ast.AST) -> set[str]:
    """Return the modules that a script imports, with their dots."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(str(node.module))
    return found


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def text(lesson: Path) -> str:
    return lesson.read_text(encoding="utf-8")


def test_there_are_lessons() -> None:
    assert {"01_forward_backward", "09_digits"} <= {path.stem for path in LESSONS}


def test_names_are_numbered_once() -> None:
    numbers = [path.stem[:2] for path in LESSONS]
    assert all(re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem) for path in LESSONS)
    assert len(set(numbers)) == len(numbers)


def test_cells_are_prose_or_code(text: str) -> None:
    for kind, body in cells(text):
        assert kind in ("", "[markdown]")
        assert body.strip()
        if kind:
            assert all(line.startswith("#") for line in body.strip().splitlines())
        else:
            ast.parse(body)


def test_it_begins_with_its_title(lesson: Path, text: str) -> None:
    kind, body = cells(text)[0]
    assert kind == "[markdown]"
    assert re.match(rf"# # {int(lesson.stem[:2])}\. \S", body)


def test_it_has_one_title_and_ends_with_exercises(text: str) -> None:
    headings = [
        line
        for kind, body in cells(text)
        if kind
        for line in body.splitlines()
        if re.match(r"# #+ ", line)
    ]
    assert sum(line.startswith("# # ") for line in headings) == 1
    assert headings[-1] == "# ## Exercises"
    kind, body = cells(text)[-1]
    assert kind == "[markdown]"
    assert len(re.findall(r"^# \d+\. ", body, flags=re.MULTILINE)) >= 3


def test_it_imports_only_public_names_and_the_lessons_extra(text: str) -> None:
    modules = imported(ast.parse(text))
    foreign = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    assert foreign <= FOREIGN
    own = {name for name in modules if name.startswith("minigrad.")}
    assert {part for name in own for part in name.split(".") if part.startswith("_")} == set()


def test_it_asserts_and_prints_ascii(text: str) -> None:
    tree = ast.parse(text)
    assert any(isinstance(node, ast.Assert) for node in ast.walk(tree))
    strings = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    printed = [s for s in strings if isinstance(s, str) and len(s) > 1]  # a sign is for a picture
    assert printed
    assert [s for s in printed if not s.isascii()] == []


def test_readme_has_a_row_for_it(lesson: Path) -> None:
    readme = (lesson.parents[1] / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(rf"^\| {lesson.stem} \| \S.* \|$", readme, flags=re.MULTILINE)) == 1


def test_the_chinese_readme_has_a_row_for_it(lesson: Path) -> None:
    readme = (lesson.parent / "README.zh.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| {lesson.stem} \| (\S.*) \|$", readme, flags=re.MULTILINE)
    assert len(rows) == 1
    assert re.search("[\u4e00-\u9fff]", rows[0])


def test_the_passes_of_capture_are_all_told_in_their_order() -> None:
    (last,) = (path for path in LESSONS if path.stem == "13_going_fast")
    told = re.findall(r"^# \* \*\*(\w+)\*\*: ", last.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == list(PASSES)


def test_the_form_can_fail() -> None:
    with pytest.raises(AssertionError):
        cells("import os\n# %%\n")
    assert [kind for kind, _ in cells("# %% [markdown]\n# x\n# %%\nx\n")] == ["[markdown]", ""]
    assert imported(ast.parse("import a.b\ndef f():\n    from c import d")) == {"a.b", "c"}
