"""Every module that PyTorch has as well does, starts, and is called and shown as there."""

from __future__ import annotations

from typing import Any

import pytest
from support import parity

from minigrad.check import gradcheck

ROWS = parity.identified(parity.rows())
CLASSES = {row.name: row for row in ROWS.values()}


@pytest.fixture(autouse=True)
def _torch() -> None:
    pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.parametrize("dtype", parity.TOLERANCE)
@pytest.mark.parametrize("mode", parity.MODES)
@pytest.mark.parametrize("name", ROWS)
def test_numbers(name: str, mode: str, dtype: str) -> None:
    """Outputs, gradients by inputs and parameters, and buffers, after loading torch's state."""
    row = ROWS[name]
    assert parity.deviation(row, dtype, mode) <= row.limit(dtype)


@pytest.mark.parametrize("name", ROWS)
def test_first_values(name: str) -> None:
    parity.compare_first_values(ROWS[name])


@pytest.mark.parametrize("name", ROWS)
def test_representation(name: str) -> None:
    parity.compare_repr(ROWS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_signature(name: str) -> None:
    parity.compare_signature(CLASSES[name])


@pytest.mark.parametrize("mode", parity.MODES)
@pytest.mark.parametrize("name", ROWS)
def test_gradients_alone(name: str, mode: str) -> None:
    """Backward agrees with differences of the module's own values: nothing of torch in it."""
    row = ROWS[name]
    if row.random and mode == "train":
        pytest.skip("two calls differ: its mask is tested in tests/ops")
    function, point = parity.as_function(row, mode)
    if any(x.requires_grad for x in point):
        report: Any = gradcheck(function, point)
        assert report, str(report)
