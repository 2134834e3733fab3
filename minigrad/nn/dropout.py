"""Dropout of elements, of channels and of weights, as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from minigrad.backend import Device
from minigrad.engine.dtypes import DType
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.ops.arithmetic import mul
from minigrad.ops.dense import linear
from minigrad.ops.dropout import alpha_dropout, dropout, dropout1d, dropout2d
from minigrad.ops.reduce import sum
from minigrad.ops.shape import expand


class _Dropout(Module):
    """What the kinds of dropout share: a probability, and a function with torch's arguments."""

    function: ClassVar[Callable[..., Any]]

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = _check_probability(p)

    def forward(self, x: Any) -> Any:
        """Return x with a part of it dropped."""
        return type(self).function(x, self.p, self.training)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"


class Dropout(_Dropout):
    """In training, zero each element with probability p and divide the others by ``1 - p``.

    In evaluation mode (`Module.eval`) the input passes unchanged.

    Parameters
    ----------
    p : float
        The probability, from 0 to 1.

    Raises
    ------
    ValueError
        p is not from 0 to 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.Dropout(0.2)
    >>> sorted(set(layer(mg.ones(1000)).tolist()))
    [0.0, 1.25]
    >>> layer.eval()(mg.ones(2))
    tensor([1., 1.])
    """

    function = staticmethod(dropout)


class Dropout1d(_Dropout):
    """`Dropout` of whole channels of sequences, ``(N, C, L)`` or ``(C, L)``.

    Neighbouring elements of a channel say much the same; dropped one by one they would stand in
    for each other.

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.nn.Dropout1d()(mg.ones(8, 3, 5))
    >>> bool((y.amax(-1) == y.amin(-1)).all())
    True
    """

    function = staticmethod(dropout1d)


class Dropout2d(_Dropout):
    """`Dropout` of whole channels of images, ``(N, C, H, W)``.

    References
    ----------
    J. Tompson et al., "Efficient Object Localization Using Convolutional Networks", CVPR 2015.

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.nn.Dropout2d()(mg.ones(8, 3, 2, 2))
    >>> bool((y.amax((2, 3)) == y.amin((2, 3))).all())
    True
    """

    function = staticmethod(dropout2d)


class AlphaDropout(_Dropout):
    """`Dropout` for networks of SELU: mean and variance of normal input stay 0 and 1.

    In training dropped elements become SELU's limit at -infinity, about -1.758, and all are then
    scaled and shifted by numbers that depend on p. In evaluation mode the input passes unchanged.

    References
    ----------
    G. Klambauer et al., "Self-Normalizing Neural Networks", NeurIPS 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.nn.AlphaDropout(0.5)(mg.zeros(100))
    >>> sorted({round(v, 4) for v in y.tolist()})
    [-0.7792, 0.7792]
    """

    function = staticmethod(alpha_dropout)


class DropConnect(Linear):
    """A dense layer that drops connections: in training, weights are zeroed at random.

    Training: ``y = x (M * W)^T / (1 - p) + b``, each element of the mask M being 0 with
    probability p and 1 otherwise. Evaluation: ``y = x W^T + b``. Since ``M / (1 - p)`` has the
    mean 1, that is the mean of the training's outputs. (The paper scales at evaluation instead,
    and draws there from a normal distribution with that mean before the activation.)

    Parameters
    ----------
    in_features, out_features, bias, device, dtype
        As in `Linear`; so are the parameters and their first values.
    p : float
        The probability of dropping a weight, from 0 to 1. The bias is not dropped.
    per_example : bool
        Draw a mask for each example, as the paper does, and not one for the whole batch. It takes
        the memory of one W for each example.

    Raises
    ------
    ValueError
        p is not from 0 to 1.

    References
    ----------
    L. Wan et al., "Regularization of Neural Networks using DropConnect", ICML 2013.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.DropConnect(1000, 1, p=0.2)
    >>> layer
    DropConnect(in_features=1000, out_features=1, bias=True, p=0.2)  # 1,001 parameters
    >>> with mg.no_grad():
    ...     _ = layer.weight.fill_(1.0), layer.bias.zero_()
    >>> 900 < layer(mg.ones(1000)).item() < 1100, layer.eval()(mg.ones(1000)).item()
    (True, 1000.0)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        p: float = 0.5,
        per_example: bool = False,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(in_features, out_features, bias, device, dtype)
        self.p = _check_probability(p)
        self.per_example = per_example

    def forward(self, x: Any) -> Any:
        """Return ``x W^T + b``, in training with a part of W dropped."""
        if not (self.training and self.per_example):
            return linear(x, dropout(self.weight, self.p, self.training), self.bias)
        shape = (*x.shape[:-1], *self.weight.shape)
        y = sum(mul(dropout(expand(self.weight, shape), self.p), x[..., None, :]), -1)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        """Return the sizes and the probability."""
        more = ", per_example=True" if self.per_example else ""
        return f"{super().extra_repr()}, p={self.p}{more}"


def _check_probability(p: Any) -> Any:
    if isinstance(p, str) or not 0 <= p <= 1:
        raise ValueError(f"p is the probability of dropping an element, from 0 to 1, not {p!r}")
    return p
