"""What all tests share: the backends they run on, seeds, hypothesis profiles."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import minigrad as mg

# Helpers for the tests are in tests/support; this makes them importable however pytest is started.
sys.path.insert(0, str(Path(__file__).resolve().parent))

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, max_examples=20)
settings.register_profile("dev", deadline=None, print_blob=True, max_examples=200)
# What tests/seeds.py runs many times, each with another seed.
settings.register_profile("seeds", deadline=None, print_blob=True, database=None, max_examples=30)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


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
    """Say how much of the op table was compared with PyTorch in this run."""
    start = "test_against_torch.py::test_values_and_derivatives["
    compared = [r.nodeid for r in terminalreporter.getreports("passed") if start in r.nodeid]
    if compared:
        ops = {name.split(start)[1].split("-")[0] for name in compared}
        terminalreporter.write_line(
            f"compared with torch: {len(ops)} ops in {len(compared)} calls "
            "(values, gradients and second derivatives; float64 and float32)"
        )
