"""The backends that the tests run on: those named in MINIGRAD_TEST_BACKENDS (default: numpy)."""

from __future__ import annotations

import os
from typing import Any

import pytest

from minigrad.backend import gpu_problem

DEVICES = {"numpy": "cpu", "cupy": "cuda"}


def wanted() -> list[str]:
    """Return the names of the backends to test."""
    names = os.environ.get("MINIGRAD_TEST_BACKENDS", "numpy").replace(" ", "").split(",")
    unknown = set(names) - set(DEVICES)
    if unknown:
        raise pytest.UsageError(
            f"MINIGRAD_TEST_BACKENDS names {sorted(unknown)}; it may name {sorted(DEVICES)}"
        )
    return names


def parameters() -> list[Any]:
    """Return a test parameter for each wanted backend: its device, skipped if it is not there."""
    made = []
    for name in wanted():
        problem = gpu_problem() if name == "cupy" else None
        marks = [pytest.mark.gpu] if name == "cupy" else []
        if problem is not None:
            marks.append(pytest.mark.skip(reason=f"needs a CUDA GPU: {problem}"))
        made.append(pytest.param(DEVICES[name], id=name, marks=marks))
    return made
