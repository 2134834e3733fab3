"""``python -m minigrad doctor``: a report on every machine, and a traceback on none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import minigrad as mg
from minigrad.backend.blas import blas_threads
from minigrad.cli import doctor as doctor_module
from minigrad.cli import main
from minigrad.data.mnist import MNIST

SECTIONS = ["Core", "Threads", "Extras", "GPU", "Lessons", "Data"]


def test_report_of_this_machine(real) -> None:
    done = real.run("doctor", OMP_NUM_THREADS="3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.isascii()
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in SECTIONS] == SECTIONS
    assert lines[-1] == "The core works."
    said = {line[2:16].strip(): line[17:] for line in lines if line.startswith("  ")}
    assert said["minigrad"].startswith(mg.__version__)
    assert said["Python"].endswith(f" at {sys.executable}")
    assert "OMP_NUM_THREADS=3" in said["variables"]
    assert re.match(r"\d+, for products of matrices$|not known$", said["of BLAS"])
    assert said["of minigrad"].startswith("1")
    assert re.fullmatch(r"\d+ usable of \d+", said["cores"])
    assert said["lessons"].isdecimal()
    assert "problem" not in said


@pytest.mark.parametrize(
    ("of_blas", "usable", "blas", "ours"),
    [
        (4, 8, "4, for products of matrices", "1; minigrad.set_num_threads(8) shares large work"),
        (1, 1, "1, for products of matrices", "1: there is no second core"),
        (None, 8, "not known", "1: the threads of this BLAS cannot be set, so minigrad"),
    ],
)
def test_it_says_how_work_is_shared(
    of_blas: int | None, usable: int, blas: str, ours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_module, "blas_threads", lambda: of_blas)
    cores = set(range(usable))
    monkeypatch.setattr(doctor_module.os, "sched_getaffinity", lambda _: cores, raising=False)
    said = dict(doctor_module.thread_lines())
    assert said["cores"].startswith(f"{usable} usable of ")
    assert said["of BLAS"] == blas
    assert said["of minigrad"].startswith(ours)


def test_it_says_what_is_set() -> None:
    if blas_threads() is None:
        pytest.skip("NumPy's BLAS is none whose threads can be set")
    mg.set_num_threads(2)
    try:
        said = dict(doctor_module.thread_lines())
    finally:
        mg.set_num_threads(None)
    assert re.match("2[;:]", said["of minigrad"])


def test_it_imports_nothing_heavy() -> None:
    code = (
        "import json, sys; from minigrad.cli import main; main(['doctor']); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert loaded & {"matplotlib", "rich", "tqdm", "pooch", "scipy", "torch"} == set()


def test_it_takes_less_than_half_a_second(capsys) -> None:
    main(["doctor"])  # what is asked once is kept, so that CuPy's import is not in the time
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        main(["doctor"])
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5
    assert capsys.readouterr().out.count("The core works.") == 4


def test_a_sick_machine_still_gets_a_report(monkeypatch, capsys) -> None:
    def sick(*_: object, **__: object) -> None:
        raise OSError("the disk\nis gone")

    for name in ("core_lines", "thread_lines", "extra_lines", "gpu_lines", "lesson_lines"):
        monkeypatch.setattr(doctor_module, name, sick)
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("  problem        OSError: the disk is gone\n") == 5
    assert [line for line in printed.splitlines() if line in SECTIONS] == SECTIONS


def test_no_lessons_is_said_and_not_fatal(empty) -> None:
    done = empty.run("doctor")
    assert done.returncode == 0
    assert "LessonError: no lessons were found" in done.stdout


def test_a_wrong_gradient_breaks_the_core(monkeypatch, capsys) -> None:
    monkeypatch.setattr(mg.Tensor, "tanh", lambda x: x * 2)
    assert main(["doctor"]) == 1
    assert "The core is BROKEN: the derivative of x tanh x" in capsys.readouterr().out


def test_an_error_in_the_core_breaks_the_core(monkeypatch, capsys) -> None:
    def refuse(self: mg.Tensor) -> None:
        raise RuntimeError("no backward today")

    monkeypatch.setattr(mg.Tensor, "backward", refuse)
    assert main(["doctor"]) == 1
    assert "The core is BROKEN: RuntimeError: no backward today" in capsys.readouterr().out


def test_missing_extra_with_its_line(monkeypatch, capsys) -> None:
    from minigrad.cli import extras

    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "tqdm" else name)
    monkeypatch.setattr(extras, "version", lambda name: "1.2")
    main(["doctor"])
    printed = capsys.readouterr().out
    assert 'lacks tqdm: python -m pip install "minigrad-engine[lessons]"' in printed
    assert "lacks matplotlib" not in printed


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep this machine's data out, and return a folder to put some into."""
    from minigrad.data import places

    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(places, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.delenv("MINIGRAD_OFFLINE", raising=False)
    return tmp_path


def test_data_that_is_there(no_data: Path, capsys) -> None:
    folder = no_data / "data" / "mnist"
    folder.mkdir(parents=True)
    for file in MNIST.files:
        (folder / file.name).write_bytes(b"")
    main(["doctor"])
    printed = capsys.readouterr().out
    wanted = f"  MNIST          environment variable MINIGRAD_DATA: {folder} (checked when"
    assert wanted in printed
    assert printed.count("(no such folder)") == 2  # Fashion-MNIST: the cache, the system's


def test_data_that_is_not_there(no_data: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("MINIGRAD_OFFLINE", "1")
    main(["doctor"])
    printed = capsys.readouterr().out
    assert printed.count(f"cache: {no_data / 'cache'} (no such folder)") == 2
    assert "  download       forbidden by MINIGRAD_OFFLINE=1" in printed
