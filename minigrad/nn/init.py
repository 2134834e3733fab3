"""First values of parameters, drawn on the host from a generator; each fills a tensor in place.

The fans of a weight of shape ``(out, in, *kernel)`` are the numbers of terms that meet in one
output going forward, ``fan_in = in * prod(kernel)``, and in one gradient going back,
``fan_out = out * prod(kernel)``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Generator, default_generator
from minigrad.engine.modes import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.nn.pretrained import pretrained_

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_",
    "normal_", "ones_", "orthogonal_", "pretrained_", "sparse_", "trunc_normal_", "uniform_",
    "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip


@no_grad()
def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from the uniform distribution on ``[a, b)``.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.uniform_(mg.empty(100), -2.0, 2.0)
    >>> bool((w.abs() <= 2).all())
    True
    """
    return tensor.uniform_(a, b, generator)


@no_grad()
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from the normal distribution.

    Examples
    --------
    >>> import minigrad as mg
    >>> bool(mg.nn.init.normal_(mg.empty(100), 50.0, 1.0).mean() > 49)
    True
    """
    return tensor.normal_(mean, std, generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with draws from the normal distribution, those outside of ``[a, b]`` drawn again.

    ``a`` and ``b`` are values, not multiples of ``std``.

    Raises
    ------
    ValueError
        ``a`` is not below ``b``, or ``std`` not positive.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.trunc_normal_(mg.empty(1000), std=0.02, a=-0.03, b=0.03)
    >>> bool((w.abs() <= 0.03).all())
    True
    """
    if not (a < b and std > 0):
        raise ValueError(f"trunc_normal_: a={a} must be below b={b}, and std={std} positive")
    low, high = (a - mean) / std, (b - mean) / std
    drawn = _truncated((generator or default_generator).host, math.prod(tensor.shape), low, high)
    return _fill(tensor, np.clip(mean + std * drawn, a, b))  # rounding may step over the edge


def _truncated(rng: np.random.Generator, count: int, low: float, high: float) -> Any:
    """Return standard normal numbers in ``[low, high]`` by rejection."""
    nearest = min(max(0.0, low), high)  # to 0, in [low, high]: where the density is greatest
    share = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    reach = math.sqrt(nearest * nearest + 80)  # beyond it, the density is e^-40 of the greatest
    left, right = max(low, -reach), min(high, reach)
    found = [np.empty(0)]
    missing = count
    while missing > 0:
        if share > 0.25:
            x = rng.standard_normal(missing + 16)
            x = x[(x >= low) & (x <= high)]
        else:
            x = rng.uniform(left, right, 4 * missing + 16)
            x = x[rng.random(len(x)) < np.exp((nearest * nearest - x * x) / 2)]
        found.append(x)
        missing -= len(x)
    return np.concatenate(found)[:count]


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with ``gain`` times a random matrix of orthonormal rows, or columns if those are fewer.

    A weight of more than two axes counts as the matrix of its first axis by all the others. It
    keeps the length of signals through a deep linear network.

    Raises
    ------
    ValueError
        The tensor has fewer than two axes.

    References
    ----------
    A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", ICLR 2014.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.orthogonal_(mg.empty(2, 3, dtype=mg.float64))
    >>> bool((w @ w.mT - mg.eye(2)).abs().max() < 1e-12)
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_ needs two axes or more, not {list(tensor.shape)}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    if 0 in tensor.shape:
        return tensor
    tall = (max(rows, columns), min(rows, columns))
    q, r = np.linalg.qr((generator or default_generator).host.standard_normal(tall))
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)  # else the distribution is not uniform
    return _fill(tensor, gain * (q if rows >= columns else q.T))


@no_grad()
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Fill a matrix from N(0, std), then a share ``sparsity`` of each column with 0.

    Raises
    ------
    ValueError
        The tensor is not a matrix, or ``sparsity`` is not from 0 to 1.

    References
    ----------
    J. Martens, "Deep learning via Hessian-free optimization", ICML 2010.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.sparse_(mg.empty(10, 4), sparsity=0.7)
    >>> (w == 0).sum(dim=0).tolist()
    [7, 7, 7, 7]
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_ needs a matrix, not {list(tensor.shape)}")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity={sparsity} must be from 0 to 1")
    rng = (generator or default_generator).host
    values = std * rng.standard_normal(tensor.shape)
    rank = rng.random(tensor.shape).argsort(axis=0).argsort(axis=0)  # in a random order
    values[rank < math.ceil(sparsity * tensor.shape[0])] = 0.0
    return _fill(tensor, values)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: a linear layer that passes on what it gets.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.eye_(mg.empty(2, 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_ needs a matrix, not {list(tensor.shape)}")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that it passes on as many channels as it can.

    Raises
    ------
    ValueError
        The weight has no kernel axes, or its channels are no multiple of ``groups``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.dirac_(mg.empty(1, 1, 3)).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    if tensor.ndim < 3:
        raise ValueError(f"dirac_ needs a weight (out, in, kernel...), not {list(tensor.shape)}")
    out, channels, *kernel = tensor.shape
    if out % groups:
        raise ValueError(f"dirac_: {out} output channels cannot be split into {groups} groups")
    values = np.zeros(tensor.shape)
    middle = tuple(n // 2 for n in kernel)
    for o in range(out):
        i = o % (out // groups)
        if i < channels:
            values[(o, i, *middle)] = 1.0
    return _fill(tensor, values)


def _fill(tensor: Tensor, values: Any) -> Tensor:
    """Copy values from the host into a tensor, in place."""
    return tensor.copy_(values.reshape(tensor.shape))


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.constant_(mg.empty(2), 0.5)
    tensor([0.5, 0.5])
    """
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.ones_(mg.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.zeros_(mg.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill from U(-a, a) with ``a = gain * sqrt(6 / (fan_in + fan_out))``.

    The variance stays about the same through a linear layer, forward and backward.

    References
    ----------
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.xavier_uniform_(mg.empty(2, 4))
    >>> bool((w.abs() <= 1).all())
    True
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill from N(0, std) with ``std = gain * sqrt(2 / (fan_in + fan_out))``.

    Examples
    --------
    >>> import minigrad as mg
    >>> bool(mg.nn.init.xavier_normal_(mg.empty(50, 50)).std() < 0.2)
    True
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill from U(-b, b) with ``b = gain * sqrt(3 / fan)``.

    The variance stays about the same through a layer and its activation: forward with
    ``mode="fan_in"``, backward with ``"fan_out"``. ``a`` is the negative slope of leaky ReLU.

    References
    ----------
    K. He et al., "Delving Deep into Rectifiers", ICCV 2015.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.kaiming_uniform_(mg.empty(8, 6), nonlinearity="relu")
    >>> bool((w.abs() <= 1).all())
    True
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill from N(0, std) with ``std = gain / sqrt(fan)`` (see `kaiming_uniform_`).

    Examples
    --------
    >>> import minigrad as mg
    >>> bool(mg.nn.init.kaiming_normal_(mg.empty(50, 50)).std() < 0.3)
    True
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return by how much weights should be larger to make up for an activation.

    ``param`` is the negative slope of ``"leaky_relu"`` (default 0.01).

    Examples
    --------
    >>> import minigrad as mg
    >>> round(mg.nn.init.calculate_gain("relu") ** 2, 6)
    2.0
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"no gain is known for {nonlinearity!r}; use one of {known}")
    return _GAINS[nonlinearity]


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(_fans(tensor)[mode == "fan_out"])


def _fans(tensor: Any) -> tuple[int, int]:
    """Return a weight's ``(fan_in, fan_out)``; 1 for none, so that an empty weight is no error."""
    if tensor.ndim < 2:
        raise ValueError(
            f"fans need a weight of shape (out, in, ...), this one has shape {list(tensor.shape)}; "
            "fill it with zeros_, uniform_ or normal_"
        )
    kernel = math.prod(tensor.shape[2:])
    return max(tensor.shape[1] * kernel, 1), max(tensor.shape[0] * kernel, 1)
