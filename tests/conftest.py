"""What all tests share: the backends they run on, seeds, hypothesis profiles."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import minigrad as mg

# Helpers for the tests are in tests/support; this makes them importable however pytest is started.
TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, max_examples=20)
settings.register_profile("dev", deadline=None, print_blob=True, max_examples=200)
# What tests/seeds.py runs many times, each with another seed.
settings.register_profile("seeds", deadline=None, print_blob=True, database=None, max_examples=30)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


START = time.perf_counter()
OUTCOMES: list[str] = []  # of the tests marked gpu
FIGURES: dict[str, Any] = {}  # what they measured


def pytest_configure(config: pytest.Config) -> None:
    """Let ``-m gpu`` take the tests that run on every backend too, on the GPU."""
    if config.option.markexpr == "gpu":
        os.environ.setdefault("MINIGRAD_TEST_BACKENDS", "numpy,cupy")


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, Any], None]:
    """Record what a test marked ``gpu`` measured, for the report."""
    return lambda name, value: request.node.user_properties.append((name, value))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what became of a test marked ``gpu``, and what it measured."""
    if "gpu" in report.keywords and (report.when == "call" or report.outcome != "passed"):
        OUTCOMES.append(report.outcome)
        FIGURES.update(report.user_properties)


@pytest.hookimpl(trylast=True)  # so that the backend comes last in a test's name
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``backend`` on each wanted one; it gets the device to use."""
    if "backend" in metafunc.fixturenames:
        from support.backends import parameters

        metafunc.parametrize("backend", parameters())


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """Start every test from the same random numbers, whichever tests ran before it."""
    mg.manual_seed(0)
    np.random.seed(0)  # the global stream, for code under test that uses it


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much of the op table was compared with PyTorch, and what was found on a GPU."""
    if OUTCOMES:
        from support.gpu_report import write

        path = write(TESTS.parent, OUTCOMES, FIGURES, time.perf_counter() - START)
        if path is not None:
            terminalreporter.write_line(f"what the tests marked gpu found: {path}")
    start = "test_against_torch.py::test_values_and_derivatives["
    compared = [r.nodeid for r in terminalreporter.getreports("passed") if start in r.nodeid]
    if compared:
        ops = {name.split(start)[1].split("-")[0] for name in compared}
        terminalreporter.write_line(
            f"compared with torch: {len(ops)} ops in {len(compared)} calls "
            "(values, gradients and second derivatives; float64 and float32)"
        )
