"""Tensors of a second GPU are worked on there, outside of any device block.

No test machine has two GPUs: here a backend is told that it has, arrays of 3 columns (and a flat
buffer of 6 elements) are said to be on the second, and what is made current is written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.backend import Device, DeviceMismatchError, get_backend
from minigrad.backend.several import SEVERAL
from minigrad.engine.tensor import wrap

FIRST, SECOND = Device("cuda", 0), Device("cuda", 1)


@pytest.fixture
def log(backend: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Device]]:
    """Let the backend have two devices; return which were current, in order."""
    xp: Any = get_backend(backend)
    switched = [FIRST]

    def make_current(device: Device) -> Device:
        switched.append(device)
        return switched[-2]

    def device_of(array: Any) -> Device:
        return SECOND if array.ndim and array.shape[-1] in (3, 6) else FIRST

    for name, value in {
        "make_current": make_current, "device_of": device_of, "current": lambda: switched[-1],
    }.items():  # fmt: skip
        monkeypatch.setattr(xp, name, value, raising=False)
    SEVERAL.append(xp)
    yield switched
    SEVERAL.remove(xp)


def second(backend: str) -> Any:
    """Return a tensor that is said to be on the second device."""
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    return wrap(get_backend(backend).asarray(values), None).requires_grad_()


def test_an_op_runs_where_its_operands_are(backend: str, log: list[Device]) -> None:
    x = second(backend)
    del log[1:]
    y = x * 2.0
    assert log == [FIRST, SECOND, FIRST]
    assert get_backend(backend).to_host(y._array)[1, 2] == 10.0


def test_backward_follows_and_comes_back(backend: str, log: list[Device]) -> None:
    x = second(backend)
    y = (x * x).tanh()
    del log[1:]
    y.backward(second(backend).detach())
    assert SECOND in log
    assert log[-1] == FIRST
    assert x.grad is not None


def test_an_optimiser_steps_where_its_parameters_are(backend: str, log: list[Device]) -> None:
    p = nn.Parameter(second(backend).detach())
    p.grad = second(backend).detach()
    updates = optim.SGD([p], lr=0.5)
    updates.gathered(0)
    del log[1:]
    updates.step()
    assert log[1] == SECOND
    assert log[-1] == FIRST


def test_two_devices_in_one_op_are_refused(backend: str, log: list[Device]) -> None:
    x = second(backend)
    other = x.detach()[:, :1]
    with pytest.raises(DeviceMismatchError, match=r"cuda:0 and cuda:1"):
        mg.add(x, other)
    assert log[-1] == FIRST
