"""The floors hold: the contracts of pyproject.toml, and a proof that they can fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package of one checkout."""
    # -P, and the folder named first: what is linted is that checkout, installed or not.
    code = (
        f"import sys; sys.path.insert(0, {str(checkout)!r}); "
        "from importlinter.cli import lint_imports_command; "
        "lint_imports_command(['--no-cache'])"
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", "COLUMNS": "200"},
        cwd=checkout,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a copy of what the contracts are about, to be spoilt."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignore = shutil.ignore_patterns("__pycache__", "_files")
    shutil.copytree(ROOT / "minigrad", tmp_path / "minigrad", ignore=ignore)
    return tmp_path


def test_floors_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "line", "says"),
    [
        ("engine/__init__.py", "from minigrad import ops", "engine is not allowed to import"),
        ("backend/base.py", "from minigrad.engine import Tensor", "backend is not allowed to"),
        ("nn/__init__.py", "from minigrad import optim", "nn is not allowed to import"),
        ("ops/__init__.py", "import scipy", "scipy"),
        ("nn/__init__.py", "def f():\n    import torch", "torch"),
        ("backend/numpy_backend.py", "import cupy", "cupy"),
        ("nn/__init__.py", "import minigrad", "Illegal imports of protected package minigrad"),
        ("optim/__init__.py", "import tqdm", "tqdm"),
        ("attic.py", "x = 1", "minigrad.attic"),
    ],
)
def test_a_broken_floor_is_reported(copied: Path, path: str, line: str, says: str) -> None:
    with (copied / "minigrad" / path).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint_imports(copied)
    assert done.returncode == 1, done.stdout + done.stderr
    assert says in done.stdout
