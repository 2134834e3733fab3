"""Dropout: zero random elements while training, and scale the rest so that means stay the same.

The random mask is an op of its own, so the rest is a plain product with a constant: backward and
derivatives of any order use the very mask that the forward drew. A kernel would gain nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, Generator, default_generator
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.engine.recording import filled_by

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d"]

_ALPHA = -1.7580993408473766  # what SELU tends to at -infinity, so what it "switched off" means


def _fill_mask(
    out: Array, xp: Backend, x: Array, p: float, scale: float, dims: int | None, generator: Any
) -> None:
    """Draw a mask into an array (while capturing, so on NumPy)."""
    if p == 1:
        out[...] = 0
        return
    generator = default_generator if generator is None else generator
    xp.dropout_mask(out.shape, p, scale, x.dtype, generator, out)


@op(
    facts=Facts(
        lambda x, p, scale=1.0, dims=None: np.full(
            x.shape[:dims] + (1,) * (x.ndim - len(x.shape[:dims])), scale * (p == 0), x.dtype
        ),
        [S((3, 4), p=1.0, scale=2.0), S((2, 3, 4), p=0.0, scale=1.5, dims=2), S((0, 3), p=0.0)],
        order=0,
        torch="",
    )
)
@filled_by(_fill_mask)
def dropout_mask(
    xp: Backend,
    x: Array,
    p: float = 0.5,
    scale: float = 1.0,
    dims: int | None = None,
    generator: Generator | None = None,
) -> Array:
    """Return a mask for x: 0 with probability p, else ``scale``, in x's dtype and on its device.

    It is drawn where x is. A seed gives one mask on the CPU and another on a GPU, the same at
    every run. Only the first ``dims`` axes are drawn for, the others have size 1 (None: all axes
    are drawn for).

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.dropout import dropout_mask
    >>> sorted(set(dropout_mask(mg.ones(100), 0.5, 2.0).tolist()))
    [0.0, 2.0]
    """
    shape = x.shape[:dims] + (1,) * (x.ndim - len(x.shape[:dims]))
    if x.dtype.kind != "f":
        raise TypeError(f"dropout needs floating input, not {x.dtype}; convert it with .float()")
    if p == 1:
        return xp.zeros(shape, x.dtype)
    generator = default_generator if generator is None else generator
    return xp.dropout_mask(shape, p, scale, x.dtype, generator)


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(
            f"dropout: p={p} must be from 0 to 1, the probability of dropping an element"
        )


def _drop(x: Any, p: float, training: bool, dims: int | None, generator: Generator | None) -> Any:
    _check_probability(p)
    if not training or p == 0:
        return x
    return x * dropout_mask(x, p, 1 / (1 - p) if p < 1 else 0.0, dims, generator)


_SURE = [  # the samples of a random op have but one outcome
    S((3, 4), p=0.0),
    S((3, 4), p=1.0),
    S((3, 4), p=0.7, training=False),
    S((), p=1.0),
    S((0, 3), p=0.5),
]


def _sure(x: Any, p: float = 0.5, training: bool = True) -> Any:
    return x * float(p < 1 or not training)


@composite(facts=Facts(_sure, _SURE, torch="nn.functional.dropout"))
def dropout(
    x: Array, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Array:
    """Zero each element with probability p and divide the others by ``1 - p``.

    Out of training x itself is returned. The mask comes from ``generator``, or from minigrad's
    default generator (`manual_seed`); a seed gives one mask on the CPU, and another on a GPU.

    Raises
    ------
    ValueError
        p is not from 0 to 1.
    TypeError
        x is not floating.

    References
    ----------
    N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    JMLR 15 (2014).

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.dropout(mg.ones(1000), p=0.2, generator=mg.Generator(0))
    >>> sorted(set(y.tolist())), 750 < int((y > 0).sum()) < 850
    ([0.0, 1.25], True)
    """
    return _drop(x, p, training, None, generator)


@composite(
    facts=Facts(
        _sure,
        [S((2, 3, 4), p=1.0), S((3, 4), p=0.0), S((2, 3, 4), training=False)],
        torch="nn.functional.dropout1d",
    )
)
def dropout1d(
    x: Array, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Array:
    """Zero whole channels of ``(N, C, L)`` or ``(C, L)`` with probability p, scaling the others.

    Raises
    ------
    ValueError
        p is not from 0 to 1, or x has not two or three axes.

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.dropout1d(mg.ones(8, 3, 5), generator=mg.Generator(0))
    >>> bool((y.amax(-1) == y.amin(-1)).all())
    True
    """
    if x.ndim not in (2, 3):
        raise ValueError(
            f"dropout1d: input has shape {list(x.shape)}; it takes (N, C, L) or (C, L)"
        )
    return _drop(x, p, training, x.ndim - 1, generator)


@composite(
    facts=Facts(
        _sure,
        [S((2, 3, 4, 5), p=1.0), S((2, 3, 4, 5), p=0.0), S((2, 3, 4, 5), training=False)],
        torch="nn.functional.dropout2d",
    )
)
def dropout2d(
    x: Array, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Array:
    """Zero whole channels of ``(N, C, H, W)`` with probability p, scaling the others.

    Raises
    ------
    ValueError
        p is not from 0 to 1, or x has not four axes. (torch takes three, but as ``(N, C, L)``.)

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.dropout2d(mg.ones(8, 3, 2, 2), generator=mg.Generator(0))
    >>> bool((y.amax((2, 3)) == y.amin((2, 3))).all())
    True
    """
    if x.ndim != 4:
        raise ValueError(
            f"dropout2d: input has shape {list(x.shape)}; it takes (N, C, H, W): "
            "add a batch axis to one image with x.unsqueeze(0), or use dropout1d for (N, C, L)"
        )
    return _drop(x, p, training, 2, generator)


@composite(
    facts=Facts(
        lambda x, p, training=False: _sure(x, p, training),
        [
            S((3, 4), p=0.0, training=True),
            S((3, 4), p=1.0, training=True),
            S((3, 4), p=0.7),
            S((), p=1.0, training=True),
            S((0, 3), p=0.5, training=True),
        ],
        torch="nn.functional.alpha_dropout",
    )
)
def alpha_dropout(
    x: Array, p: float = 0.5, training: bool = False, *, generator: Generator | None = None
) -> Array:
    """Dropout for networks of SELU: mean and variance of normal input stay 0 and 1.

    Dropped elements become SELU's limit at -infinity, about -1.758, and all are then scaled by
    a and shifted by b, which depend on p. (As in torch, ``training`` is False by default.)

    Raises
    ------
    ValueError
        p is not from 0 to 1.

    References
    ----------
    G. Klambauer et al., "Self-Normalizing Neural Networks", NeurIPS 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.alpha_dropout(mg.zeros(100), 0.5, True, generator=mg.Generator(0))
    >>> sorted({round(v, 4) for v in y.tolist()})
    [-0.7792, 0.7792]
    """
    _check_probability(p)
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0.0
    a = 1 / math.sqrt((1 - p) * (1 + p * _ALPHA * _ALPHA))
    mask = dropout_mask(x, p, a, None, generator)  # a or 0
    return x * mask + (a * (1 - p) - mask) * _ALPHA
