"""The networks of the benchmarks, W1 to W6: a hundred replays are a hundred eager steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from benchmarks.libraries import library
from benchmarks.workload import load, names
from minigrad.replay import capture

TRAINED = [name for name in names() if load(name).training is not None]


def trained(name: str, size: str, steps: int, captured: bool) -> tuple[list[float], dict[str, Any]]:
    """Return the losses of so many steps, on a new batch each, and all arrays afterwards."""
    made = load(name)
    sizes = getattr(made, size)
    mg.manual_seed(5)
    loop = made.training.loop(library("minigrad"), **sizes)
    run = capture(loop.step) if captured else loop.step
    rng = np.random.default_rng(3)
    losses = [run(*map(mg.tensor, made.training.batch(rng, **sizes))).item() for _ in range(steps)]
    if captured:
        assert len(run.programs) == 1
    arrays = {f"state {k}": v for k, v in loop.model.state_dict().items()}
    arrays |= {f"gradient {k}": p.grad for k, p in loop.model.named_parameters()}
    for number, state in loop.updates.state_dict()["state"].items():
        arrays |= {f"{k} of {number}": v for k, v in state.items()}
    arrays["the next draw"] = mg.rand(3)
    return losses, {k: v.detach().numpy() for k, v in arrays.items()}


def test_the_six_are_here() -> None:
    assert [load(name).label for name in TRAINED] == ["W1", "W2", "W3", "W4", "W5", "W6"]


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("size", ["small", pytest.param("sizes", marks=pytest.mark.slow)])
def test_a_hundred_steps(name: str, size: str) -> None:
    losses, arrays = trained(name, size, 100, captured=False)
    replayed, others = trained(name, size, 100, captured=True)
    assert len(set(losses)) > 90, "each batch has a loss of its own"
    assert replayed == losses
    assert others.keys() == arrays.keys()
    for what, array in arrays.items():
        np.testing.assert_array_equal(others[what], array, err_msg=what)
