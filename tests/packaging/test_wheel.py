"""The built distributions are complete, and the wheel works outside of the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import minigrad as mg

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def build(kind: str, source: Path, out: Path) -> Path:
    """Build one distribution of the project in ``source`` and return its file."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)],
        check=True,
        capture_output=True,
        cwd=source,
    )
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel built from this checkout."""
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """Return the names of the wheel's files."""
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the installed wheel and nothing else."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True, capture_output=True)
    return target


def run_installed(installed: Path, cwd: Path, *words: str) -> str:
    """Run ``python WORDS`` with the installed wheel first in line, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        cwd=cwd,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


MADE_HERE = {"__pycache__", "lessons-output"}  # by running the lessons, like notebooks of them


def files_below(folder: str) -> set[str]:
    """Return the files of a folder of the checkout that belong in a wheel."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not MADE_HERE.intersection(path.parts) and path.suffix != ".ipynb"
    }


def test_wheel_holds_the_package_and_its_data(names: set[str]) -> None:
    expected = files_below("minigrad")
    assert "minigrad/py.typed" in expected
    assert any(name.startswith("minigrad/data/_files/") for name in expected)
    assert expected <= names


def test_wheel_holds_the_lessons(names: set[str]) -> None:
    expected = {f"minigrad/{name}" for name in files_below("lessons")}
    assert any(name.endswith(".py") for name in expected)
    assert expected <= names


def test_wheel_holds_nothing_else(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names} == {
        "minigrad",
        f"minigrad_engine-{mg.__version__}.dist-info",
    }


@pytest.mark.parametrize("path", ["LICENSE", "minigrad/data/_files/ATTRIBUTION.md"])
def test_wheel_holds_the_licences(wheel: Path, names: set[str], path: str) -> None:
    (licence,) = (name for name in names if name.endswith(f".dist-info/licenses/{path}"))
    assert zipfile.ZipFile(wheel).read(licence) == (ROOT / path).read_bytes()


def test_core_depends_on_numpy_only(wheel: Path, names: set[str]) -> None:
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode("utf-8")
    needs = [line for line in text.splitlines() if line.startswith("Requires-Dist:")]
    assert [line for line in needs if "extra ==" not in line] == ["Requires-Dist: numpy>=2.0"]


def test_sdist_builds_the_same_wheel(names: set[str], tmp_path: Path) -> None:
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    for path in ("README.md", "tests/packaging/test_wheel.py", ".ci/run", ".gitignore"):
        assert (source / path).is_file(), path
    again = build("wheel", source, tmp_path / "again")
    assert set(zipfile.ZipFile(again).namelist()) == names


def test_installed_wheel_is_what_runs(installed: Path, tmp_path: Path) -> None:
    printed = run_installed(
        installed, tmp_path, "-c", "import minigrad; print(minigrad.__file__, end='')"
    )
    assert Path(printed) == installed / "minigrad" / "__init__.py"


def test_installed_wheel_lists_the_lessons(installed: Path, tmp_path: Path) -> None:
    printed = run_installed(installed, tmp_path, "-m", "minigrad", "lessons", "list")
    lessons = sorted(path.stem for path in (ROOT / "lessons").glob("[0-9]*.py"))
    assert lessons
    assert [name for name in lessons if name not in printed] == []


@pytest.mark.slow
def test_installed_wheel_runs_a_lesson(installed: Path, tmp_path: Path) -> None:
    printed = run_installed(installed, tmp_path, "-m", "minigrad", "lessons", "run", "1")
    (lesson,) = (path.stem for path in (ROOT / "lessons").glob("01_*.py"))
    assert lesson in printed


def test_installed_wheel_brings_the_exercises(installed: Path, tmp_path: Path) -> None:
    printed = run_installed(installed, tmp_path, "-m", "minigrad", "lessons", "next")
    (exercise,) = (path.name for path in (ROOT / "lessons" / "exercises").glob("01a_*"))
    assert f"exercise {exercise} " in printed
    solution = ROOT / "lessons" / "exercises" / exercise / "solution.py"
    answer = tmp_path / "minigrad-exercises" / f"{exercise}.py"
    answer.write_bytes(solution.read_bytes())
    assert "passed: 1 of" in run_installed(
        installed, tmp_path, "-m", "minigrad", "lessons", "check"
    )
