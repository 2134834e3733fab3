"""A copy of the package with lessons of its own, run as a user would run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A lesson as small as one can be: it writes a picture, and shows how it was started.
GOOD = """# %% [markdown]
# # 1. A lesson that goes well
#
# Not a heading of a lesson: # # 7. Another

# %%
import os, sys
from pathlib import Path

import minigrad

out = Path(sys.argv[sys.argv.index("--out") + 1])
(out / "01_good.png").write_bytes(b"picture")
print("minigrad is", minigrad.__file__)
print("UTF-8 mode", sys.flags.utf8_mode)
print("stdin", repr(sys.stdin.read()))
print("words", sys.argv[3:])
assert out.is_dir()
"""
BAD = """# %% [markdown]
# # 2. A lesson that goes wrong
raise SystemExit(3)
"""


@dataclass
class Checkout:
    """A folder with a package and lessons, and a folder elsewhere to work in."""

    root: Path
    cwd: Path

    def add(self, stem: str, text: str, folder: str = "lessons") -> None:
        path = self.root / folder / f"{stem}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m minigrad WORDS`` with this package, from the other folder."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONUTF8": "1", **variables}
        return subprocess.run(
            [sys.executable, "-m", "minigrad", *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=environment,
            cwd=self.cwd,
            check=False,
        )


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package, without lessons beside it."""
    target = tmp_path_factory.mktemp("package") / "minigrad"
    ignored = shutil.ignore_patterns("__pycache__", "lessons")
    return shutil.copytree(ROOT / "minigrad", target, ignore=ignored)


@pytest.fixture
def empty(package: Path, tmp_path: Path) -> Checkout:
    """Return a checkout without any lesson."""
    root, cwd = tmp_path / "checkout", tmp_path / "elsewhere"
    cwd.mkdir()
    shutil.copytree(package, root / "minigrad")
    return Checkout(root, cwd)


@pytest.fixture
def checkout(empty: Checkout) -> Checkout:
    """Return a checkout with one lesson that goes well and one that fails."""
    empty.add("02_bad", BAD)
    empty.add("01_good", GOOD)
    empty.add("notes", "raise SystemExit('this is not a lesson')")
    return empty


@pytest.fixture
def real(tmp_path: Path) -> Checkout:
    """Return this checkout, worked with from another folder."""
    return Checkout(ROOT, tmp_path)
