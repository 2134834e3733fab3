"""Every module that PyTorch has as well does, starts, and is called and shown as there."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from support import parity

from minigrad import nn
from minigrad.check import gradcheck

ROWS = parity.identified(parity.rows())
BUILDS = {name.partition(")(")[0] + ")": row for name, row in ROWS.items()}  # whatever they are fed
CLASSES = {row.name: row for row in ROWS.values()}
BUILT = {f"{row.name}{row.args}{row.options}": name for name, row in ROWS.items()}
WITH_FIRST_VALUES = list(BUILT.values())  # each way to build a module once
DERIVED = [name for name, row in ROWS.items() if row.derived]


@pytest.fixture(autouse=True)
def _torch() -> None:
    pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.parametrize("name", ROWS, ids=list(ROWS))
def test_numbers(name: str) -> None:
    """Outputs, gradients by inputs and parameters, and state, after loading torch's state."""
    row = ROWS[name]
    for dtype, mode in itertools.product(parity.TOLERANCE, parity.MODES):
        found = parity.deviation(row, dtype, mode)
        assert found <= row.limit(dtype), f"in {dtype}, mode {mode}"


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_FIRST_VALUES, ids=WITH_FIRST_VALUES)
def test_first_values(name: str) -> None:
    parity.compare_first_values(ROWS[name])


@pytest.mark.parametrize("name", WITH_FIRST_VALUES, ids=WITH_FIRST_VALUES)
def test_representation(name: str) -> None:
    parity.compare_repr(ROWS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_signature(name: str) -> None:
    parity.compare_signature(CLASSES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", DERIVED, ids=DERIVED)
def test_gradients_alone(name: str) -> None:
    """Backward agrees with differences of the module's own values: nothing of torch in it."""
    row = ROWS[name]
    for mode in ("eval",) if row.random else parity.MODES:
        function, point = parity.as_function(row, mode)
        if any(x.requires_grad for x in point):
            report: Any = gradcheck(function, point)
            assert report, f"mode {mode}: {report}"


def test_every_module_that_torch_has_is_compared() -> None:
    import torch

    apart = {  # have no forward, and tests of their own
        "Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList",
    }  # fmt: skip
    modules = [n for n in nn.__all__ if isinstance(getattr(nn, n), type)]
    modules = [n for n in modules if issubclass(getattr(nn, n), nn.Module) and n not in apart]
    shared = {n for n in modules if hasattr(torch.nn, n)}
    assert sorted(shared - CLASSES.keys()) == []
    assert sorted(CLASSES.keys() - shared) == []
