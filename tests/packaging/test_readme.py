"""README's set-up lines, and the script that hands them to CI."""

from __future__ import annotations

import importlib
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".ci" / "readme_line.py"
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "lessons" / "README.zh.md").read_text(encoding="utf-8")
sys.path.insert(0, str(ROOT / "tests"))
figures = importlib.import_module("figures")
LINES = {
    "main": 'python -m pip install ".[lessons]" && python -m minigrad lessons run',
    "tests": 'python -m pip install -e ".[test]" && python -m pytest -n auto',
    "book": 'python -m pip install ".[book]" && python -m minigrad book',
}

readme_line = runpy.run_path(str(SCRIPT))["readme_line"]


@pytest.mark.parametrize("name", LINES)
def test_ci_takes_the_line_that_a_reader_sees(name: str) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), name], capture_output=True, check=True)
    assert done.stdout == LINES[name].encode() + b"\n"


@pytest.mark.parametrize("line", LINES.values())
def test_line_stands_once(line: str) -> None:
    assert README.splitlines().count(line) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", 0),
        ("<!-- setup: main -->\n```sh\n```\n", 0),
        ("<!-- setup: main -->\n\n```sh\nmake\n```\n", 0),
        ("<!-- setup: main -->\n```sh\ncd x\nmake\n```\n", 2),
        ("<!-- setup: main -->\n```sh\nmake\n```\n" * 2, 2),
    ],
)
def test_anything_but_one_line_is_refused(text: str, found: int) -> None:
    with pytest.raises(SystemExit, match=rf"exactly one line .*main.* found {found}$"):
        readme_line("main", text)


def test_other_blocks_are_left_alone() -> None:
    text = "```sh\na\n```\n<!-- setup: main -->\n```sh\nb\n```\n```sh\nc\n```\n"
    assert readme_line("main", text) == "b"


def test_every_extra_is_in_the_table() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = [line.split("`")[1] for line in README.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(project["optional-dependencies"])


def test_every_floor_is_in_the_picture() -> None:
    """In the order that import-linter holds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    picture = re.findall(r"^minigrad((?:\.\w+| +)+)  ", README, re.MULTILINE)
    drawn = [name for line in picture for name in re.findall(r"\w+", line)]
    assert drawn == [name for layer in layers for name in re.findall(r"\w+", layer)]


def examples(text: str) -> list[tuple[str, str]]:
    """Return each Python block that says what it prints, and that."""
    fenced = r"```python\n([^`]*?)```\n\n(?:prints|\u8f93\u51fa)\n\n```\n(.*?)```"
    return re.findall(fenced, text, re.DOTALL)


EXAMPLES = {"README-1": examples(README)[0], "README-2": examples(README)[1]}
EXAMPLES["README.zh-1"] = examples(CHINESE)[0]


def test_every_example_that_prints_is_run() -> None:
    assert len(examples(README)) + len(examples(CHINESE)) == len(EXAMPLES)
    assert CHINESE.count("```python\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_what_stands_below_it(name: str, tmp_path: Path) -> None:
    code, printed = EXAMPLES[name]
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=tmp_path,
    )
    value = r"-?\d+\.\d*"
    assert re.sub(value, "#", done.stdout) == re.sub(value, "#", printed)
    for ran, stands in zip(re.findall(value, done.stdout), re.findall(value, printed), strict=True):
        assert abs(float(ran) - float(stands)) < 0.02  # BLAS libraries round differently


def shell_lines(text: str) -> list[str]:
    """Return the lines of the shell blocks, but for those that are marked for all lessons."""
    text = re.sub(r"<!-- all lessons -->\n```sh\n.*?```", "", text, flags=re.DOTALL)
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in
            block.splitlines()]  # fmt: skip


def test_the_chinese_readme_has_readmes_set_up_lines() -> None:
    assert set(LINES.values()) <= set(shell_lines(CHINESE))
    assert "[English](../README.md)" in CHINESE
    assert "lessons/README.zh.md" in README


@pytest.mark.slow
def test_the_chinese_readmes_commands_run(tmp_path: Path) -> None:
    """In their order, in one folder; those that install are README's, and CI runs them."""
    lines = [line for line in shell_lines(CHINESE) if line not in LINES.values()]
    assert len(lines) == 5
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "python"
        done = subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
            check=False,
        )
        assert done.returncode == 0, line + done.stdout + done.stderr
    assert "\u52d8\u8bef\u8868" in (tmp_path / "errata.html").read_text(encoding="utf-8")


def test_the_op_in_the_text_is_the_one_in_the_code() -> None:
    block = next(b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "@op" in b)
    source = (ROOT / "minigrad" / "ops" / "trigonometric.py").read_text(encoding="utf-8")
    for part in block.split("    ...\n"):
        assert part.removesuffix('    """\n') in source


@pytest.mark.parametrize("name", ["ops", "mistakes"])
def test_a_figure_is_that_of_today(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = figures.main([name])
    assert status == 0, capsys.readouterr().out


def test_each_place_for_a_figure_has_one() -> None:
    places = re.findall(r"<!-- figures: (\w+) -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert sorted(name for name, _ in places) == sorted(
        ["ops", "mistakes", "exercises", "lessons", "errata", "mutation", "speed"]
    )
    assert all(figure.strip() for _, figure in places)


def test_a_figure_that_differs_is_shown_and_can_be_put_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- figures: ops -->\n12 ops\n<!-- end -->\nb\n", encoding="utf-8")
    monkeypatch.setattr(figures, "README", readme)
    monkeypatch.setattr(figures, "ops", lambda: "13 ops\n")
    assert figures.main(["ops"]) == 1
    assert "-12 ops\n+13 ops\n" in capsys.readouterr().out
    assert figures.main(["ops", "--write"]) == 0
    assert readme.read_text() == "a\n<!-- figures: ops -->\n13 ops\n<!-- end -->\nb\n"
    assert figures.main(["ops"]) == 0
    with pytest.raises(SystemExit, match="must have '<!-- figures: mistakes -->'"):
        figures.main(["mistakes"])


def test_its_pictures_are_there_and_the_graph_is_that_of_today() -> None:
    named = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(named) == 2
    assert all((ROOT / name).is_file() for name in named)
    assert figures.same_picture(figures.PICTURES / "graph.svg", figures.graph())
    assert not figures.same_picture(figures.PICTURES / "graph.svg", figures.graph() + b" ")
