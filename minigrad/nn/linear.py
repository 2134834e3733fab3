"""The dense layer, and layers that only change shapes."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import Device
from minigrad.engine.dtypes import DType
from minigrad.nn import init
from minigrad.nn.blank import blank, check_count
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.dense import bilinear, linear
from minigrad.ops.shape import flatten

TRANSPOSED = (1, 0)  # how a weight (out, in) lies in memory


class Linear(Module):
    """Dense layer, ``y = x W^T + b``: ``(..., in_features) -> (..., out_features)``.

    Parameters
    ----------
    in_features, out_features : int
        The lengths of the last axes of x and y.
    bias : bool
        Whether there is a b.
    device, dtype : optional
        Where the parameters live, and their type.

    Attributes
    ----------
    weight : Parameter
        W, shape ``(out_features, in_features)``, drawn from U(-k, k) with
        ``k = 1 / sqrt(in_features)``. Its memory lies as ``(in_features, out_features)``, which
        makes products of small matrices twice as fast.
    bias : Parameter or None
        b, shape ``(out_features,)``, drawn like W.

    Raises
    ------
    TypeError, ValueError
        A number of features is no int, or negative. (At the call: x's last axis does not fit.)

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.Linear(784, 128)
    >>> layer
    Linear(in_features=784, out_features=128, bias=True)  # 100,480 parameters
    >>> layer(mg.ones(32, 784)).shape
    (32, 128)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.in_features = check_count("in_features", in_features)
        self.out_features = check_count("out_features", out_features)
        shape = (self.out_features, self.in_features)
        self.weight = Parameter(blank(shape, device, dtype, TRANSPOSED))
        self.register_parameter(
            "bias", Parameter(blank(shape[:1], device, dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(max(self.in_features, 1))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Any:
        """Return ``x W^T + b``."""
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """A bilinear form for each output: ``(..., in1), (..., in2) -> (..., out)``.

    ``y[..., k] = sum over i, j of x1[..., i] W[k, i, j] x2[..., j] + b[k]``.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
        The lengths of the last axes of x1, x2 and y.
    bias : bool
        Whether there is a b.
    device, dtype : optional
        Where the parameters live, and their type.

    Attributes
    ----------
    weight : Parameter
        W, shape ``(out_features, in1_features, in2_features)``, drawn from U(-k, k) with
        ``k = 1 / sqrt(in1_features)``.
    bias : Parameter or None
        b, shape ``(out_features,)``, drawn like W.

    Raises
    ------
    TypeError, ValueError
        A number of features is no int, or not at least 1. (At the call: the inputs do not fit.)

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.Bilinear(3, 4, 2)
    >>> layer
    Bilinear(in1_features=3, in2_features=4, out_features=2, bias=True)  # 26 parameters
    >>> layer(mg.ones(5, 3), mg.ones(5, 4)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.in1_features = check_count("in1_features", in1_features)
        self.in2_features = check_count("in2_features", in2_features)
        self.out_features = check_count("out_features", out_features)
        if not self.in1_features:
            raise ValueError("in1_features must be at least 1")
        shape = (self.out_features, self.in1_features, self.in2_features)
        self.weight = Parameter(blank(shape, device, dtype))
        self.register_parameter(
            "bias", Parameter(blank(shape[:1], device, dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x1: Any, x2: Any) -> Any:
        """Return the form of both inputs."""
        return bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(Module):
    """Return the input; takes and forgets any arguments, to stand in for another layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Identity(54, unused="argument")(mg.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """Return x."""
        return x


class Flatten(Module):
    """Make one axis of some neighbouring axes; by default of all but the first.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Flatten()(mg.ones(10, 1, 28, 28)).shape
    (10, 784)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        """Return x with fewer axes."""
        return flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Return the axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Make several axes of one; a size of -1 is worked out.

    Raises
    ------
    IndexError
        x has no axis ``dim``.
    ValueError
        The sizes do not multiply to the axis's length.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Unflatten(1, (1, 28, -1))(mg.ones(10, 784)).shape
    (10, 1, 28, 28)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        """Return x with more axes."""
        if not -x.ndim <= self.dim < x.ndim:
            raise IndexError(f"Unflatten(dim={self.dim}): x has {x.ndim} axes, {list(x.shape)}")
        dim = self.dim % x.ndim
        return x.reshape((*x.shape[:dim], *self.unflattened_size, *x.shape[dim + 1 :]))

    def extra_repr(self) -> str:
        """Return the axis and the sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
