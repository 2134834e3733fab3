"""W7: y = sum(tanh(a x + b) * sigmoid(x)) over many elements, forward and backward."""

from typing import Any

import numpy as np

from benchmarks.cost import Cost, passes
from benchmarks.peers import function_peers
from benchmarks.training import function
from benchmarks.workload import Workload

A, B = 1.5, 0.25


def compute(x: Any, **_: Any) -> Any:
    return ((x * A + B).tanh() * x.sigmoid()).sum()


def with_numpy(np: Any, x: Any, **_: Any) -> Any:
    """Return the same in the words of NumPy's copies."""
    return (np.tanh(x * A + B) / (1 + np.exp(-x))).sum()


def arrays(rng: np.random.Generator, elements: int) -> tuple[np.ndarray, ...]:
    return rng.standard_normal(elements).astype(np.float32), np.float32(1.0)


def cost(elements: int) -> Cost:
    return passes(elements, 3)  # x is read, and again in backward, where the gradient is written


WORKLOAD = Workload(
    "W7",
    "sum(tanh(a x + b) sigmoid(x)), 1e6 elements, both ways",
    sizes={"elements": 1_000_000},
    small={"elements": 100},
    contenders={**function(compute, arrays), **function_peers(with_numpy, arrays)},
    cost=cost,
    tolerance=5e-5,  # of a sum of 1e6 terms in float32, which no two add up in the same order
)
