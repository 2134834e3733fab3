"""Recurrent layers over whole sequences: RNN, LSTM, GRU."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minigrad.backend import Device, backend_of, is_array, to_device
from minigrad.engine.dtypes import DType
from minigrad.engine.errors import describe
from minigrad.engine.tensor import Tensor, wrap
from minigrad.nn.blank import check_count
from minigrad.nn.cells import (
    check_hidden_size,
    check_nonlinearity,
    draw_recurrent,
    pair_of_states,
    recurrent_parameters,
)
from minigrad.nn.dropout import Dropout
from minigrad.nn.module import Module
from minigrad.ops.compare import where
from minigrad.ops.create import zeros
from minigrad.ops.dense import linear
from minigrad.ops.dropout import dropout
from minigrad.ops.joining import cat, stack
from minigrad.ops.recurrent import gru_sequence, lstm_sequence, rnn_sequence
from minigrad.ops.shape import swapaxes


class _Recurrent(Module):
    """What the layers share: layers on layers, directions, padding, the shapes of it all."""

    gates: int  # how many times the state's size the gates have
    parts: int = 1  # of the state: an LSTM's is (h, c)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        self.input_size = check_count("input_size", input_size)
        self.hidden_size = check_hidden_size(hidden_size)
        self.num_layers = check_count("num_layers", num_layers)
        if num_layers < 1:
            raise ValueError("num_layers must be at least 1, not 0")
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = Dropout(dropout).p  # which checks it
        self.bidirectional = bidirectional
        if dropout and num_layers == 1:
            warnings.warn(
                f"dropout={dropout} acts between layers, and num_layers is 1, so nothing is "
                "dropped; to drop outputs add an nn.Dropout",
                stacklevel=3,
            )
        width = self.hidden_size * (1 + bidirectional)
        for layer in range(self.num_layers):
            inputs = self.input_size if layer == 0 else width
            sizes = (inputs, self.hidden_size, self.gates * self.hidden_size)
            for suffix in self._suffixes(layer):
                recurrent_parameters(self, suffix, sizes, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        draw_recurrent(self, self.hidden_size)

    def _suffixes(self, layer: int) -> list[str]:
        """Return what the names of a layer's parameters end in, for each direction."""
        return [f"_l{layer}", f"_l{layer}_reverse"][: 1 + self.bidirectional]

    def _run(
        self, x: Any, suffix: str, state: tuple[Any, ...], lengths: Any, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs of one layer in one direction, and the states of all time steps."""
        raise NotImplementedError

    def _one_bias(self, suffix: str) -> Any:
        """Return the sum of both biases, where the formula adds one to the other."""
        return (
            getattr(self, "bias_ih" + suffix) + getattr(self, "bias_hh" + suffix)
            if self.bias
            else None
        )

    def _layers(
        self, x: Any, states: tuple[Any, ...] | None, lengths: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs ``(T, N, ...)`` and each part of the final state."""
        name, batched = type(self).__name__, x.ndim == 3
        self._check_input(x)
        if not batched:
            if lengths is not None:
                raise ValueError(
                    f"{name}: lengths need a batch, and x is one sequence {describe(x)}; cut it"
                )
            x = x.reshape((x.shape[0], 1, x.shape[1]))
            states = states and tuple(s.reshape((s.shape[0], 1, *s.shape[1:])) for s in states)
        elif self.batch_first:
            x = swapaxes(x, 0, 1)
        count, batch = x.shape[:2]
        if count == 0:
            raise ValueError(f"{name}: x is {describe(x)}, without a time step; it needs one")
        states = self._first_states(x, states, batched)
        inside = None
        if lengths is not None:
            lengths = self._check_lengths(lengths, count, batch, x)
            steps = backend_of(lengths._array).arange(count)[:, None]
            inside = wrap((steps < lengths._array)[..., None], None)
            x = where(inside, x, 0.0)  # what stands in the padding, even a NaN, has no effect
        finals: list[tuple[Any, ...]] = []
        for layer in range(self.num_layers):
            if layer:
                x = dropout(x, self.dropout, self.training)
            outputs = []
            for reverse, suffix in enumerate(self._suffixes(layer)):
                first = tuple(s[len(finals)] for s in states)
                y, passed = self._run(x, suffix, first, lengths, bool(reverse))
                finals.append(tuple(s[0 if reverse else count - 1] for s in passed))
                outputs.append(y)
            x = outputs[0] if len(outputs) == 1 else cat(outputs, -1)
        if inside is not None:
            x = where(inside, x, 0.0)
        ends = tuple(stack(part, 0) for part in zip(*finals, strict=True))
        if not batched:
            return x[:, 0], tuple(e[:, 0] for e in ends)
        return (swapaxes(x, 0, 1) if self.batch_first else x), ends

    def _check_input(self, x: Any) -> None:
        wanted = f"(N, T, {self.input_size})" if self.batch_first else f"(T, N, {self.input_size})"
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            raise ValueError(
                f"{type(self).__name__}: x is {describe(x)}; with input_size={self.input_size} and "
                f"batch_first={self.batch_first} it must be {wanted}, or (T, {self.input_size}) "
                "for one sequence"
            )

    def _first_states(
        self, x: Any, given: tuple[Any, ...] | None, batched: bool
    ) -> tuple[Any, ...]:
        """Return the initial state of all layers and directions: what was given, or zeros."""
        rows = self.num_layers * (1 + self.bidirectional)
        shape = (rows, x.shape[1], self.hidden_size)
        if given is None:
            dtype = self.weight_hh_l0.dtype
            return (zeros(shape, dtype=dtype, device=x.device),) * self.parts
        for state in given:
            if tuple(state.shape) != shape:
                shown = list(state.shape if batched else (state.shape[0], *state.shape[2:]))
                wanted = list(shape if batched else (shape[0], shape[2]))
                raise ValueError(
                    f"{type(self).__name__}: the state has shape {shown}, it must be {wanted}: "
                    f"layers * directions{', batch' if batched else ''}, hidden_size (batch_first "
                    "does not change it)"
                )
        return given

    def _check_lengths(self, lengths: Any, count: int, batch: int, x: Any) -> Tensor:
        """Return the lengths as an int tensor beside x."""
        name = type(self).__name__
        array = lengths._array if isinstance(lengths, Tensor) else lengths
        array = array if is_array(array) else np.asarray(array)
        if array.dtype.kind not in "iu":
            raise TypeError(f"{name}: lengths are ints, not {array.dtype}")
        if array.shape != (batch,):
            raise ValueError(
                f"{name}: lengths has shape {list(array.shape)}; one for each sequence of the "
                f"batch is [{batch}]"
            )
        if array.size and (int(array.min()) < 1 or int(array.max()) > count):
            worst = int(array.min()) if int(array.min()) < 1 else int(array.max())
            raise ValueError(
                f"{name}: the length {worst} is not from 1 to {count}, the time steps of x; "
                + ("leave empty sequences out" if worst < 1 else "pad x, or cut the length")
            )
        return wrap(to_device(array, x.device), None)

    def extra_repr(self) -> str:
        """Return the sizes and the options that are not the default."""
        text = f"{self.input_size}, {self.hidden_size}"
        for name, default in (
            ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0),
            ("bidirectional", False),
        ):  # fmt: skip
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(_Recurrent):
    """Simple recurrent layers: ``h[t] = tanh(x[t] W_ih^T + b_ih + h[t - 1] W_hh^T + b_hh)``.

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of x's last axis and of the state.
    num_layers : int
        Each layer but the first reads the outputs of the one before.
    nonlinearity : {"tanh", "relu"}
        The activation.
    bias : bool
        Whether there are b_ih and b_hh.
    batch_first : bool
        Whether x and the outputs are ``(N, T, ...)`` rather than ``(T, N, ...)``; the state is
        ``(layers, N, ...)`` either way.
    dropout : float
        Probability of dropping an output of a layer, in training; not of the last one.
    bidirectional : bool
        Whether each layer also reads backwards; its outputs then stand behind the others'.
    device, dtype : optional
        Where the parameters live, and their type.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        Of layer 0, ``weight_ih_l0`` of shape ``(hidden_size, input_size)``; ``_l1`` is layer 1,
        ``_l0_reverse`` the other direction. All are drawn from U(-k, k),
        ``k = 1 / sqrt(hidden_size)``.

    Raises
    ------
    TypeError, ValueError
        An option is out of its range. (At the call: x, hx or lengths do not fit.)

    References
    ----------
    J. Elman, "Finding Structure in Time", Cognitive Science 14(2), 1990.

    Examples
    --------
    >>> import minigrad as mg
    >>> rnn = mg.nn.RNN(10, 20, num_layers=2)
    >>> outputs, h = rnn(mg.ones(5, 3, 10))
    >>> outputs.shape, h.shape
    ((5, 3, 20), (2, 3, 20))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device, dtype,
        )  # fmt: skip
        self.nonlinearity = check_nonlinearity(nonlinearity)

    def forward(self, x: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """Return the outputs of the last layer and the final state of each.

        Parameters
        ----------
        x : Tensor
            ``(T, N, input_size)``, ``(N, T, input_size)`` with ``batch_first``, or
            ``(T, input_size)`` for one sequence.
        hx : Tensor, optional
            The state before the first step, ``(layers * directions, N, hidden_size)``; else zeros.
        lengths : ints of shape (N,), optional
            How many time steps of each sequence count; what follows is padding, whose values have
            no effect. Outputs are 0 there, final states are those at each sequence's end, and the
            other direction starts at that end: what torch computes on packed sequences.
        """
        y, (h,) = self._layers(x, None if hx is None else (hx,), lengths)
        return y, h

    def _run(
        self, x: Any, suffix: str, state: tuple[Any, ...], lengths: Any, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        gates = linear(x, getattr(self, "weight_ih" + suffix), self._one_bias(suffix))
        weight = getattr(self, "weight_hh" + suffix)
        y = rnn_sequence(gates, weight, state[0], lengths, self.nonlinearity, reverse)
        return y, (y,)


class LSTM(_Recurrent):
    """Long short-term memory: a state c that gates keep or write, and an output h of it.

    ``c[t] = f c[t - 1] + i g`` and ``h[t] = o tanh(c[t])``, where i, f, o are sigmoids, and g a
    tanh, of ``x[t] W_ih^T + b_ih + h[t - 1] W_hh^T + b_hh``, in the order i, f, g, o.

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of x's last axis and of h and c.
    num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        As in `RNN`.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        As in `RNN`, with ``4 * hidden_size`` rows.

    Raises
    ------
    TypeError, ValueError
        An option is out of its range. (At the call: x, hx or lengths do not fit.)

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997.

    Examples
    --------
    >>> import minigrad as mg
    >>> lstm = mg.nn.LSTM(10, 20, bidirectional=True)
    >>> outputs, (h, c) = lstm(mg.ones(5, 3, 10), lengths=[5, 2, 4])
    >>> outputs.shape, h.shape, c.shape
    ((5, 3, 40), (2, 3, 20), (2, 3, 20))
    """

    gates = 4
    parts = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device, dtype,
        )  # fmt: skip

    def forward(
        self, x: Any, hx: tuple[Any, Any] | None = None, lengths: Any = None
    ) -> tuple[Any, tuple[Any, Any]]:
        """Return the outputs of the last layer and the final ``(h, c)`` of each (see `RNN`)."""
        given = None if hx is None else pair_of_states("LSTM", hx)
        y, (h, c) = self._layers(x, given, lengths)
        return y, (h, c)

    def _run(
        self, x: Any, suffix: str, state: tuple[Any, ...], lengths: Any, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        gates = linear(x, getattr(self, "weight_ih" + suffix), self._one_bias(suffix))
        weight = getattr(self, "weight_hh" + suffix)
        h, c = lstm_sequence(gates, weight, state[0], state[1], lengths, reverse)
        return h, (h, c)


class GRU(_Recurrent):
    """Gated recurrent units: a state of which a gate z keeps a part and replaces the rest.

    ``h[t] = (1 - z) n + z h[t - 1]`` with ``n = tanh(x_n + r (h[t - 1] W_hn^T + b_hn))``, where r
    and z are sigmoids; the rows of the weights are those of r, z, n.

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of x's last axis and of the state.
    num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        As in `RNN`.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        As in `RNN`, with ``3 * hidden_size`` rows.

    Raises
    ------
    TypeError, ValueError
        An option is out of its range. (At the call: x, hx or lengths do not fit.)

    References
    ----------
    K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", EMNLP 2014.

    Examples
    --------
    >>> import minigrad as mg
    >>> outputs, h = mg.nn.GRU(10, 20, batch_first=True)(mg.ones(3, 5, 10))
    >>> outputs.shape, h.shape
    ((3, 5, 20), (1, 3, 20))
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device, dtype,
        )  # fmt: skip

    def forward(self, x: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """Return the outputs of the last layer and the final state of each (see `RNN`)."""
        y, (h,) = self._layers(x, None if hx is None else (hx,), lengths)
        return y, h

    def _run(
        self, x: Any, suffix: str, state: tuple[Any, ...], lengths: Any, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        weights = [getattr(self, name + suffix) for name in ("weight_ih", "weight_hh")]
        biases = [getattr(self, name + suffix) for name in ("bias_ih", "bias_hh")]
        gates = linear(x, weights[0], biases[0])
        y = gru_sequence(gates, weights[1], biases[1], state[0], lengths, reverse)
        return y, (y,)
