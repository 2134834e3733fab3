"""CI fails on a skip that it could have avoided."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Written by pytest itself below, so that the form of its report is tested too.
SUITE = """
import pytest

def test_passes():
    assert True is not False

@pytest.mark.xfail(strict=True, reason="known")
def test_expected():
    raise AssertionError

@pytest.mark.skip(reason={reason!r})
@pytest.mark.parametrize("case", [1, 2])
def test_skipped(case):
    raise AssertionError
"""
MODULE = """
import pytest

pytestmark = pytest.mark.slow


pytest.importorskip("no_such_module")
"""


def report(folder: Path, *options: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run a suite of these files and then the check on its report."""
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text, encoding="utf-8")
    xml = folder / "report.xml"
    pytest_line = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(folder / "empty.ini")]
    (folder / "empty.ini").write_text("[pytest]\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, *pytest_line, f"--junitxml={xml}", str(folder)],
        capture_output=True,
        check=False,
        cwd=folder,
        # Without the options of the pytest that runs this test: CI's own report is one of them.
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )
    return subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "check_skips.py"), str(xml), *options],
        capture_output=True,
        text=True,
        check=False,
    )


def test_allowed_skip_passes(tmp_path: Path) -> None:
    done = report(tmp_path, suite=SUITE.format(reason="needs a CUDA GPU: no driver"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "allowed   skip x2: needs a CUDA GPU: no driver" in done.stdout
    assert "tests: 2 passed, 0 failed, 2 skipped" in done.stdout


def test_avoidable_skip_fails_and_is_named(tmp_path: Path) -> None:
    done = report(tmp_path, suite=SUITE.format(reason="MNIST is not here"))
    assert done.returncode == 1
    assert "AVOIDABLE skip x2: MNIST is not here" in done.stdout


def test_skipped_module_is_seen(tmp_path: Path) -> None:
    done = report(tmp_path, module=MODULE)
    assert done.returncode == 1
    assert "AVOIDABLE skip x1: could not import 'no_such_module'" in done.stdout


def test_also_excuses(tmp_path: Path) -> None:
    done = report(tmp_path, "--also", "no_such", module=MODULE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_strict_excuses_nothing(tmp_path: Path) -> None:
    done = report(tmp_path, "--strict", suite=SUITE.format(reason="needs a CUDA GPU"))
    assert done.returncode == 1


@pytest.mark.parametrize("text", ["", "def test_fails():\n    assert 1 == 2\n", "import nothing_"])
def test_no_test_and_a_failing_test_fail(tmp_path: Path, text: str) -> None:
    assert report(tmp_path, suite=text).returncode == 1
