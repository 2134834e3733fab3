"""Random tensors, drawn on the host from a generator: the same numbers on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Generator, default_generator
from minigrad.engine.dtypes import DType, check_dtype, float32, float64, int64
from minigrad.engine.recording import replayed
from minigrad.engine.tensor import Tensor
from minigrad.ops.create import Where, _dtype, _finish, _size

__all__ = [
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randn", "randn_like",
    "randperm",
]  # fmt: skip


def _host(generator: Generator | None) -> np.random.Generator:
    return (generator or default_generator).host


@replayed
def rand(
    *size: Any, generator: Generator | None = None, dtype: DType = None, device: Where = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Draw from the uniform distribution on [0, 1).

    Examples
    --------
    >>> import minigrad as mg
    >>> a = mg.rand(3, generator=mg.Generator(0))
    >>> b = mg.rand(3, generator=mg.Generator(0))
    >>> bool((a == b).all()), a.shape
    (True, (3,))
    """
    dtype = _dtype(dtype)
    kind = dtype if dtype in (float32, float64) else float32
    return _finish(_host(generator).random(_size(size), kind).astype(dtype), device, requires_grad)


@replayed
def randn(
    *size: Any, generator: Generator | None = None, dtype: DType = None, device: Where = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Draw from the standard normal distribution."""
    dtype = _dtype(dtype)
    kind = dtype if dtype in (float32, float64) else float32
    drawn = np.asarray(_host(generator).standard_normal(_size(size), kind))
    return _finish(drawn.astype(dtype), device, requires_grad)


def rand_like(x: Tensor, **options: Any) -> Tensor:
    """Draw uniform numbers with another tensor's shape, dtype and device."""
    return rand(x.shape, **{"dtype": x.dtype, "device": x.device, **options})


def randn_like(x: Tensor, **options: Any) -> Tensor:
    """Draw normal numbers with another tensor's shape, dtype and device."""
    return randn(x.shape, **{"dtype": x.dtype, "device": x.device, **options})


@replayed
def normal(
    mean: float, std: float, size: Any, *, generator: Generator | None = None, dtype: DType = None,
    device: Where = None,
) -> Tensor:  # fmt: skip
    """Draw from a normal distribution with a mean and a standard deviation."""
    if std < 0:
        raise ValueError(f"std must not be negative, got {std}")
    drawn = _host(generator).normal(mean, std, _size((size,)))
    return _finish(drawn.astype(_dtype(dtype)), device, False)


@replayed
def randint(
    low: int, high: Any, size: Any = None, *, generator: Generator | None = None,
    dtype: DType = int64, device: Where = None,
) -> Tensor:  # fmt: skip
    """Draw ints from ``low`` to ``high - 1``; ``randint(high, size)`` starts at 0."""
    low, high, size = (0, low, high) if size is None else (low, high, size)
    if high <= low:
        raise ValueError(f"randint needs low < high, got {low} and {high}")
    drawn = _host(generator).integers(low, high, _size((size,)))
    return _finish(np.asarray(drawn).astype(check_dtype(dtype)), device, False)


@replayed
def randperm(n: int, *, generator: Generator | None = None, device: Where = None) -> Tensor:
    """Draw an order of ``0 .. n-1``."""
    return _finish(_host(generator).permutation(n), device, False)


@replayed
def bernoulli(p: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Draw 1 with each element's probability, else 0, in p's dtype."""
    chance = p.detach().cpu().numpy()
    if chance.size and not (chance.min() >= 0 and chance.max() <= 1):
        raise ValueError(f"probabilities lie in [0, 1], got {chance.min()} to {chance.max()}")
    drawn = (_host(generator).random(chance.shape) < chance).astype(p.dtype)
    return _finish(drawn, p.device, False)


@replayed
def multinomial(
    weights: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Draw indices with chances in proportion to the weights (1-d, or a row each)."""
    table = weights.detach().cpu().numpy().astype(float)
    rows = table.reshape(-1, table.shape[-1])
    if (rows < 0).any() or not (rows.sum(1) > 0).all():
        raise ValueError("the weights of a row must not be negative, nor all 0")
    host = _host(generator)
    drawn = [
        host.choice(rows.shape[1], num_samples, replace=replacement, p=row / row.sum())
        for row in rows
    ]
    shape = (*table.shape[:-1], num_samples)
    return _finish(np.array(drawn, dtype=np.int64).reshape(shape), weights.device, False)
