"""Recurrent cells: one time step, for loops of one's own."""

from __future__ import annotations

from typing import Any

from minigrad.backend import Device
from minigrad.engine.dtypes import DType
from minigrad.engine.errors import describe
from minigrad.nn import init
from minigrad.nn.blank import blank, check_count
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.create import zeros
from minigrad.ops.dense import linear
from minigrad.ops.recurrent import gru_step, lstm_step, rnn_step


def check_nonlinearity(name: str) -> str:
    """Return the activation of a simple recurrent layer, if there is such a one."""
    if name not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity is 'tanh' or 'relu', not {name!r}")
    return name


def check_hidden_size(value: Any) -> int:
    """Return the size of a state, if it is an int from 1."""
    if check_count("hidden_size", value) == 0:
        raise ValueError("hidden_size must be at least 1, not 0")
    return int(value)


def recurrent_parameters(
    module: Module, suffix: str, sizes: tuple[int, int, int], bias: bool, device: Any, dtype: Any
) -> None:
    """Register the weights and biases of one layer in one direction, not yet drawn.

    ``sizes`` are those of the input, of the state, and of all gates together. A weight's memory
    lies the other way round, as in `Linear`.
    """
    inputs, hidden, gates = sizes
    for name, size in (("weight_ih", inputs), ("weight_hh", hidden)):
        weight = Parameter(blank((gates, size), device, dtype, memory=(1, 0)))
        module.register_parameter(name + suffix, weight)
    for name in ("bias_ih", "bias_hh"):
        value = Parameter(blank((gates,), device, dtype)) if bias else None
        module.register_parameter(name + suffix, value)


def draw_recurrent(module: Module, hidden_size: int) -> None:
    """Draw all parameters from U(-k, k), ``k = 1 / sqrt(hidden_size)``."""
    bound = hidden_size**-0.5
    for p in module.parameters():
        init.uniform_(p, -bound, bound)


class _Cell(Module):
    """What the cells share: their parameters, and the checks of what they are called with."""

    gates: int  # how many times the state's size the gates have
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, device: Any, dtype: Any
    ) -> None:
        super().__init__()
        self.input_size = check_count("input_size", input_size)
        self.hidden_size = check_hidden_size(hidden_size)
        self.bias = bias
        sizes = (self.input_size, self.hidden_size, self.gates * self.hidden_size)
        recurrent_parameters(self, "", sizes, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        draw_recurrent(self, self.hidden_size)

    def _states(self, x: Any, given: tuple[Any, ...] | None, count: int) -> tuple[Any, ...]:
        """Check the input, and return the states: those given, or zeros."""
        name = type(self).__name__
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(
                f"{name}: x is {describe(x)}, it must be (N, {self.input_size}) or "
                f"({self.input_size},); a whole sequence goes to nn.{name.removesuffix('Cell')}"
            )
        shape = (*x.shape[:-1], self.hidden_size)
        if given is None:
            return (zeros(shape, dtype=self.weight_hh.dtype, device=x.device),) * count
        for state in given:
            if tuple(state.shape) != shape:
                raise ValueError(
                    f"{name}: a state is {describe(state)}; for x {describe(x)} and "
                    f"hidden_size={self.hidden_size} it must be {list(shape)}"
                )
        return given

    def _from_input(self, x: Any) -> Any:
        return linear(x, self.weight_ih, self.bias_ih)

    def _from_state(self, h: Any) -> Any:
        return linear(h, self.weight_hh, self.bias_hh)

    def extra_repr(self) -> str:
        """Return the sizes and options."""
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.bias else f"{text}, bias={self.bias}"


class RNNCell(_Cell):
    """One step of a simple recurrent layer: ``h' = tanh(x W_ih^T + b_ih + h W_hh^T + b_hh)``.

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of x and of the state.
    bias : bool
        Whether there are b_ih and b_hh.
    nonlinearity : {"tanh", "relu"}
        The activation.
    device, dtype : optional
        Where the parameters live, and their type.

    Raises
    ------
    TypeError, ValueError
        A size is no int, or too small. (At the call: x or the state has another size.)

    Examples
    --------
    >>> import minigrad as mg
    >>> cell = mg.nn.RNNCell(10, 20)
    >>> h = None
    >>> for x in mg.ones(6, 3, 10):
    ...     h = cell(x, h)
    >>> h.shape
    (3, 20)
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = check_nonlinearity(nonlinearity)

    def forward(self, x: Any, hx: Any = None) -> Any:
        """Return the next state of x ``(N, in)`` or ``(in,)`` and the state hx (None: zeros)."""
        (h,) = self._states(x, None if hx is None else (hx,), 1)
        return rnn_step(self._from_input(x) + self._from_state(h), self.nonlinearity)

    def extra_repr(self) -> str:
        """Return the sizes and options."""
        text = super().extra_repr()
        return text if self.nonlinearity == "tanh" else f"{text}, nonlinearity={self.nonlinearity}"


class LSTMCell(_Cell):
    """One step of an LSTM (see `LSTM` for the formulas and the order of the gates).

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of x and of each part of the state.
    bias : bool
        Whether there are b_ih and b_hh.
    device, dtype : optional
        Where the parameters live, and their type.

    Raises
    ------
    TypeError, ValueError
        A size is no int, or too small. (At the call: x or a part of the state has another size.)

    Examples
    --------
    >>> import minigrad as mg
    >>> h, c = mg.nn.LSTMCell(10, 20)(mg.ones(3, 10))
    >>> h.shape, c.shape
    ((3, 20), (3, 20))
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, x: Any, hx: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
        """Return the next ``(h, c)`` of x ``(N, in)`` or ``(in,)`` and the last (None: zeros)."""
        h, c = self._states(x, None if hx is None else pair_of_states("LSTMCell", hx), 2)
        return lstm_step(self._from_input(x) + self._from_state(h), c)


class GRUCell(_Cell):
    """One step of a GRU (see `GRU` for the formulas and the order of the gates).

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of x and of the state.
    bias : bool
        Whether there are b_ih and b_hh.
    device, dtype : optional
        Where the parameters live, and their type.

    Raises
    ------
    TypeError, ValueError
        A size is no int, or too small. (At the call: x or the state has another size.)

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.GRUCell(10, 20)(mg.ones(3, 10), mg.zeros(3, 20)).shape
    (3, 20)
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, x: Any, hx: Any = None) -> Any:
        """Return the next state of x ``(N, in)`` or ``(in,)`` and the state hx (None: zeros)."""
        (h,) = self._states(x, None if hx is None else (hx,), 1)
        return gru_step(self._from_input(x), self._from_state(h), h)


def pair_of_states(name: str, hx: Any) -> tuple[Any, Any]:
    """Return the state of an LSTM, if it is a pair."""
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        given = f"{len(hx)} of them" if isinstance(hx, (tuple, list)) else type(hx).__name__
        raise TypeError(f"{name}: the state is a pair (h, c), not {given}")
    return hx[0], hx[1]
