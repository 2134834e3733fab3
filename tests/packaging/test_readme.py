"""README's set-up lines, and the script that hands them to CI."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".ci" / "readme_line.py"
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = {
    "main": 'python -m pip install ".[lessons]" && python -m minigrad lessons run',
    "tests": 'python -m pip install -e ".[test]" && python -m pytest -n auto',
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


EXAMPLES = re.findall(r"```python\n([^`]*?)```\n\nprints\n\n```\n(.*?)```", README, re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_an_example_prints_what_stands_below_it(number: int, tmp_path: Path) -> None:
    assert len(EXAMPLES) == 2
    code, printed = EXAMPLES[number]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    value = r"-?\d+\.\d*"
    assert re.sub(value, "#", done.stdout) == re.sub(value, "#", printed)
    for ran, stands in zip(re.findall(value, done.stdout), re.findall(value, printed), strict=True):
        assert abs(float(ran) - float(stands)) < 0.02  # BLAS libraries round differently


def test_the_op_in_the_text_is_the_one_in_the_code() -> None:
    block = next(b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "@op" in b)
    source = (ROOT / "minigrad" / "ops" / "trigonometric.py").read_text(encoding="utf-8")
    for part in block.split("    ...\n"):
        assert part.removesuffix('    """\n') in source
