"""``tests/seeds.py``: both seeds reach the tests, and a failure under any of them is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import seeds

TEST = """
import os, sys
from hypothesis import given, strategies as st

@given(st.integers())
def test_passes(n):
    assert os.environ["HYPOTHESIS_PROFILE"] == "seeds"

def test_fails_for_one_seed():
    assert os.environ["PYTHONHASHSEED"] != "1" and sys.flags.hash_randomization in (0, 1)
"""


@pytest.mark.slow
def test_a_seed_that_fails_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "test_of_seeds.py"
    file.write_text(TEST, encoding="utf-8")
    words = ["--first", "0", str(file), "--", "-c", str(tmp_path / "none.ini"), "--rootdir"]
    (tmp_path / "none.ini").write_text("[pytest]\n", encoding="utf-8")
    assert seeds.main(["--count", "2", *words, str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["seed", "passed", "failed", "skipped", "seconds"]
    assert lines[1].split()[:4] == ["0", "2", "0", "0"]
    assert lines[2].split()[:4] == ["1", "1", "1", "0"]
    assert any("test_fails_for_one_seed" in line for line in lines)
    assert lines[-1] == "1 of 2 seeds passed"


def test_what_is_run() -> None:
    names = [path.relative_to(seeds.TESTS).as_posix() for path in seeds.sensitive()]
    assert "engine" in names
    assert "data/test_split.py" in names  # it uses hypothesis
    assert not any(name.startswith("engine/") for name in names)
    assert all(path.exists() for path in seeds.sensitive())


def test_a_count_of_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        seeds.main(["--count", "0"])
    assert "--count must be 1 or more" in capsys.readouterr().err
