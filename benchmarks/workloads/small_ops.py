"""W8: 1,000 additions and multiplications on 10 elements, forward and backward."""

from typing import Any

import numpy as np

from benchmarks.cost import Cost, passes
from benchmarks.peers import function_peers
from benchmarks.training import function
from benchmarks.workload import Workload


def compute(x: Any, scale: Any, shift: Any, ops: int, **_: Any) -> Any:
    for _ in range(ops // 2):
        x = x * scale + shift
    return x


def with_numpy(np: Any, x: Any, scale: Any, shift: Any, **sizes: Any) -> Any:
    """Return the same; operators need no library."""
    return compute(x, scale, shift, **sizes)


def arrays(rng: np.random.Generator, elements: int, **_: Any) -> tuple[np.ndarray, ...]:
    start = rng.uniform(-1, 1, elements).astype(np.float32)
    shift = rng.uniform(-0.01, 0.01, elements).astype(np.float32)
    cotangent = rng.uniform(-1, 1, elements).astype(np.float32)
    return start, np.full(elements, 0.999, np.float32), shift, cotangent


def cost(ops: int, elements: int) -> Cost:
    return passes(elements, 3 * ops * 1.5)  # two read and one written; of backward the products


WORKLOAD = Workload(
    "W8",
    "1,000 tiny ops on 10 elements, both ways",
    sizes={"ops": 1000, "elements": 10},
    small={"ops": 20, "elements": 10},
    contenders={**function(compute, arrays), **function_peers(with_numpy, arrays)},
    cost=cost,
)
