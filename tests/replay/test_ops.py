"""Every op of the table, forward and backward: replays on other values equal eager, bit for bit."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from support.cases import Call, Case, cases, is_elementwise

from minigrad.engine.backward import gradients
from minigrad.engine.op import TABLE, Op
from minigrad.engine.recording import CaptureError
from minigrad.engine.tensor import Tensor
from minigrad.replay import capture, tiles
from minigrad.replay.passes.fuse import fits

# Operands of these decide a shape
DATA_SHAPED = {"masked_select", "nonzero", "repeat_interleave"}


def _function(case: Case) -> Any:
    """Return a function of a case's tensors: outputs, and gradients for cotangents."""

    def both(*tensors: Any) -> Any:
        call = case.draw(np.float32)
        outputs = call.on(tensors)
        inputs = [t for t in tensors if isinstance(t, Tensor) and t.requires_grad]
        wanted = [y for y in outputs if y.requires_grad]
        grads: list[Any] = []
        if wanted and inputs:
            seeds = [(y.detach() * 0.7 + 0.3) for y in wanted]
            grads = gradients(wanted, inputs, seeds)
        return outputs, grads

    return both


def tensors(call: Call) -> list[Any]:
    """Return a call's operands, as `support` makes them."""
    return call.tensors("cpu")


def same(a: Any, b: Any, what: str) -> None:
    """Compare results bit for bit (NaN equals NaN)."""
    if isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y, what)
    elif isinstance(a, Tensor):
        x, y = a.detach().numpy(), b.detach().numpy()
        assert (x.dtype, x.shape) == (y.dtype, y.shape), what
        assert np.array_equal(x, y, equal_nan=x.dtype.kind == "f"), f"{what}: {x} {y}"
    else:
        assert a == b, what


def check(case: Case, passes: Any) -> None:
    """Record a case and replay it on other values."""
    function = _function(case)
    replay = capture(function, passes=passes)
    for seed in (0, 1, 2, 1):
        call = case.draw(np.float32, seed)
        result = replay(*tensors(call))
        same(function(*tensors(call)), result, f"{case.id} with seed {seed}")


def test_fused_tiles_equal_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """With tiles of 16 elements, even the small samples are fused and cut."""
    monkeypatch.setattr(sys.modules[fits.__module__], "SMALLEST", 1)
    monkeypatch.setattr(tiles, "SMALLEST", 16)
    monkeypatch.setattr(tiles, "CACHE", 16)
    for row in TABLE.values():
        for case in cases([row]) if is_elementwise(row) else ():
            check(case, None)


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_replay_equals_eager(row: Op) -> None:
    for case in cases([row]):
        if row.name in DATA_SHAPED and not isinstance(case.sample.operands[-1], int):  # refused
            with pytest.raises(CaptureError, match=r"depends on values|reads a value"):
                check(case, None)
            continue
        check(case, None)
        check(case, [])
