"""Dropout as a module."""

from __future__ import annotations

from typing import Any

from minigrad.nn.module import Module
from minigrad.ops.dropout import dropout


class Dropout(Module):
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

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if isinstance(p, str) or not 0 <= p <= 1:
            raise ValueError(f"p is the probability of dropping an element, from 0 to 1, not {p!r}")
        self.p = p

    def forward(self, x: Any) -> Any:
        """Return x with elements dropped."""
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"
