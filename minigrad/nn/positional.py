"""Positional encodings: attention sees a set, so what says the order is added to the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Device, get_default_device, to_device
from minigrad.engine.dtypes import DType, check_dtype, get_default_dtype
from minigrad.engine.errors import describe
from minigrad.engine.tensor import wrap
from minigrad.nn import init
from minigrad.nn.blank import blank, check_count
from minigrad.nn.dropout import Dropout
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter


class _Positional(Module):
    """What both share: one row for each position is added to the input, then some is dropped."""

    def __init__(self, d_model: int, max_len: int, dropout: float, batch_first: bool) -> None:
        super().__init__()
        self.d_model = check_count("d_model", d_model)
        self.max_len = check_count("max_len", max_len)
        self.batch_first = batch_first
        self.dropout = Dropout(dropout)

    def _table(self) -> Any:
        """Return the rows, ``(max_len, d_model)``."""
        raise NotImplementedError

    def forward(self, x: Any) -> Any:
        """Return x plus the encoding of each position.

        x is ``(T, N, d_model)``, ``(N, T, d_model)`` with ``batch_first``, or ``(T, d_model)``.
        """
        name = type(self).__name__
        if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
            order = "(N, T, {})" if self.batch_first else "(T, N, {})"
            raise ValueError(
                f"{name}: x is {describe(x)}; with d_model={self.d_model} and batch_first="
                f"{self.batch_first} it must be {order.format(self.d_model)}, or "
                f"(T, {self.d_model}) for one sequence"
            )
        between = x.ndim == 3 and not self.batch_first  # the batch stands between T and d_model
        count = x.shape[0 if between or x.ndim == 2 else 1]
        if count > self.max_len:
            raise ValueError(
                f"{name}: x {describe(x)} has {count} positions, and max_len={self.max_len}; make "
                f"the module with max_len={count} or more, or cut the sequences "
                f"(batch_first={self.batch_first} says which axis holds the positions)"
            )
        rows = self._table()[:count]
        return self.dropout(x + (rows[:, None] if between else rows))

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.d_model}, max_len={self.max_len}, batch_first={self.batch_first}"


class SinusoidalPositionalEncoding(_Positional):
    """Add sines and cosines of the position, with wavelengths from 2 pi to about 10000 * 2 pi.

    ``encoding[t, 2i] = sin(t / 10000^(2i / d_model))``, and cos in column ``2i + 1``. A shift by a
    fixed number of positions is a rotation of each pair, the same at every position.

    Parameters
    ----------
    d_model : int
        The length of the last axis.
    max_len : int
        The most positions there can be.
    dropout : float
        Probability of dropping an element of the sum, in training.
    batch_first : bool
        Whether x is ``(N, T, d_model)`` rather than ``(T, N, d_model)``.
    device, dtype : optional
        Where the table lives, and its type.

    Attributes
    ----------
    encoding : Tensor
        ``(max_len, d_model)``; a buffer that is not part of `state_dict`.

    Raises
    ------
    TypeError, ValueError
        An option is out of its range. (At the call: x has another length, or more positions.)

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> encoding = mg.nn.SinusoidalPositionalEncoding(4, max_len=50)
    >>> encoding(mg.zeros(2, 4))
    tensor([[0.        , 1.        , 0.        , 1.        ],
            [0.84147096, 0.5403023 , 0.00999983, 0.99995   ]])
    """

    def __init__(
        self,
        d_model: int,
        max_len: int = 5000,
        dropout: float = 0.0,
        batch_first: bool = False,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(d_model, max_len, dropout, batch_first)
        pairs = np.arange(self.d_model) // 2
        angles = np.arange(self.max_len)[:, None] / 10000 ** (2 * pairs / max(self.d_model, 1))
        angles[:, 0::2] = np.sin(angles[:, 0::2])
        angles[:, 1::2] = np.cos(angles[:, 1::2])
        table = angles.astype(get_default_dtype() if dtype is None else check_dtype(dtype))
        table = to_device(table, get_default_device() if device is None else device)
        self.register_buffer("encoding", wrap(table, None), persistent=False)

    def _table(self) -> Any:
        return self.encoding


class LearnedPositionalEncoding(_Positional):
    """Add a learned row for each position.

    Parameters
    ----------
    d_model, max_len, dropout, batch_first, device, dtype
        As in `SinusoidalPositionalEncoding`, but ``max_len`` has no default: each position costs
        ``d_model`` parameters, and learns only where there are sequences as long.

    Attributes
    ----------
    weight : Parameter
        ``(max_len, d_model)``, drawn from N(0, 0.02).

    Raises
    ------
    TypeError, ValueError
        An option is out of its range. (At the call: x has another length, or more positions.)

    References
    ----------
    J. Gehring et al., "Convolutional Sequence to Sequence Learning", ICML 2017; the spread is that
    of J. Devlin et al., "BERT", NAACL 2019.

    Examples
    --------
    >>> import minigrad as mg
    >>> encoding = mg.nn.LearnedPositionalEncoding(4, max_len=50, batch_first=True)
    >>> encoding(mg.zeros(2, 10, 4)).shape
    (2, 10, 4)
    """

    def __init__(
        self,
        d_model: int,
        max_len: int,
        dropout: float = 0.0,
        batch_first: bool = False,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(d_model, max_len, dropout, batch_first)
        self.weight = Parameter(blank((self.max_len, self.d_model), device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new rows."""
        init.normal_(self.weight, 0.0, 0.02)

    def _table(self) -> Any:
        return self.weight
