"""What this machine has, what is missing, and the line that installs it."""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Callable
from typing import TypeVar

import numpy as np

import minigrad as mg
from minigrad.backend import get_num_threads
from minigrad.backend.blas import blas_threads
from minigrad.cli.extras import EXTRAS, missing, pip_line, version
from minigrad.cli.gpu import gpu_lines
from minigrad.cli.lessons import PACKAGE, find_lessons
from minigrad.data.fetch import has_pooch, why_offline
from minigrad.data.mnist import FASHION_MNIST, MNIST
from minigrad.data.places import find, places
from minigrad.engine.dtypes import float64

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENBLAS_CORETYPE",
)

Lines = list[tuple[str, str]]
T = TypeVar("T")


def doctor() -> int:
    """Print the report; return 0, or 1 if the core itself does not work."""
    problem = _attempt(core_problem)
    sections: dict[str, Callable[[], Lines]] = {
        "Core": core_lines,
        "Threads": thread_lines,
        "Extras": extra_lines,
        "GPU": gpu_lines,
        "Lessons": lesson_lines,
        "Data": data_lines,
    }
    for title, find_out in sections.items():
        print(title)
        lines = _attempt(find_out)
        for label, text in [("problem", lines)] if isinstance(lines, str) else lines or []:
            print(f"  {label:14} {text}")
    print(f"\nThe core is BROKEN: {problem}" if problem else "\nThe core works.")
    return 1 if problem else 0


def _attempt(find_out: Callable[[], T]) -> T | str:
    """Return what a function finds out; an error as text, since a sick machine wants a report."""
    try:
        return find_out()
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())}"


def core_problem() -> str | None:
    """Say what is wrong with a derivative of x tanh x; None when it equals its formula."""
    x = mg.tensor([0.5, -1.0], dtype=float64, requires_grad=True)
    (x * x.tanh()).sum().backward()
    found = x.grad.tolist() if x.grad is not None else []
    right = [math.tanh(v) + v * (1 - math.tanh(v) ** 2) for v in (0.5, -1.0)]
    if np.shape(found) == (2,) and np.allclose(found, right, rtol=1e-14, atol=0):
        return None
    return f"the derivative of x tanh x at 0.5 and -1 came out as {found}, and is {right}"


def core_lines() -> Lines:
    """Return Python, minigrad, NumPy and its BLAS."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    described = f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    return [
        ("minigrad", f"{mg.__version__} in {PACKAGE}"),
        ("Python", f"{platform.python_version()} at {sys.executable}"),
        ("system", platform.platform()),
        ("NumPy", np.__version__),
        ("BLAS", described),
    ]


def thread_lines() -> Lines:
    """Return the cores, who computes on how many of them, and how that is changed."""
    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    given = [f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ]
    default = f"as BLAS likes ({THREAD_VARIABLES[0]} limits them)"
    of_blas = blas_threads()
    if of_blas is None:
        ours = "1: the threads of this BLAS cannot be set, so minigrad starts none of its own"
    elif usable == 1:
        ours = f"{get_num_threads()}: there is no second core"
    else:
        ours = f"{get_num_threads()}; minigrad.set_num_threads({usable}) shares large work"
    return [
        ("cores", f"{usable} usable of {cores}"),
        ("variables", ", ".join(given) or default),
        ("of BLAS", "not known" if of_blas is None else f"{of_blas}, for products of matrices"),
        ("of minigrad", ours),
    ]


def extra_lines() -> Lines:
    """Return what is installed of each extra."""
    lines = []
    for extra, names in EXTRAS.items():
        absent = missing(extra)
        there = ", ".join(f"{n} {version(n) or '?'}" for n in names if n not in absent)
        lines.append((extra, there or "not installed"))
        if absent:
            lines.append(("", f"lacks {', '.join(absent)}: {pip_line(extra)}"))
    return lines


def lesson_lines() -> Lines:
    """Return where the lessons are."""
    lessons = find_lessons()
    return [("folder", str(lessons[0].path.parent)), ("lessons", str(len(lessons)))]


def data_lines() -> Lines:
    """Return where each set was found, or every place that was looked at."""
    lines = [("with minigrad", "iris, digits")]
    for wanted in (MNIST, FASHION_MNIST):
        notes = []
        for place in places(None)[1:]:  # the first is for a caller who names a folder
            paths, note = find(place, wanted)
            if paths is not None:
                notes = [f"{note} (checked when it is loaded)"]
                break
            notes.append(note)
        labels = (wanted.title, *[""] * len(notes))
        lines += zip(labels, notes, strict=False)
    forbidden = why_offline(None)
    if forbidden:
        download = f"forbidden by {forbidden}"
    else:
        download = "when a set is asked for" if has_pooch() else f"needs {pip_line('data')}"
    return [*lines, ("download", download)]
