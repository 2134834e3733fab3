"""Every module that PyTorch has as well does, starts, and is called and shown as there."""

from __future__ import annotations

from typing import Any

import pytest
from support import parity

from minigrad.check import gradcheck

ROWS = parity.identified(parity.rows())
BUILDS = {name.partition(")(")[0] + ")": row for name, row in ROWS.items()}  # whatever they are fed
CLASSES = {row.name: row for row in ROWS.values()}
BUILT = {f"{row.name}{row.args}{row.options}": name for name, row in ROWS.items()}
WITH_FIRST_VALUES = list(BUILT.values())  # each way to build a module once
DERIVED = [
    (name, mode)
    for name, row in ROWS.items()
    for mode in parity.MODES
    if row.derived and not (row.random and mode == "train")
]


@pytest.fixture(autouse=True)
def _torch() -> None:
    pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.parametrize("dtype", parity.TOLERANCE)
@pytest.mark.parametrize("mode", parity.MODES)
@pytest.mark.parametrize("name", ROWS, ids=list(ROWS))
def test_numbers(name: str, mode: str, dtype: str) -> None:
    """Outputs, gradients by inputs and parameters, and buffers, after loading torch's state."""
    row = ROWS[name]
    assert parity.deviation(row, dtype, mode) <= row.limit(dtype)


@pytest.mark.parametrize("name", WITH_FIRST_VALUES, ids=WITH_FIRST_VALUES)
def test_first_values(name: str) -> None:
    parity.compare_first_values(ROWS[name])


@pytest.mark.parametrize("name", WITH_FIRST_VALUES, ids=WITH_FIRST_VALUES)
def test_representation(name: str) -> None:
    parity.compare_repr(ROWS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_signature(name: str) -> None:
    parity.compare_signature(CLASSES[name])


@pytest.mark.parametrize(("name", "mode"), DERIVED, ids=[f"{n}-{m}" for n, m in DERIVED])
def test_gradients_alone(name: str, mode: str) -> None:
    """Backward agrees with differences of the module's own values: nothing of torch in it."""
    function, point = parity.as_function(ROWS[name], mode)
    if any(x.requires_grad for x in point):
        report: Any = gradcheck(function, point)
        assert report, str(report)
