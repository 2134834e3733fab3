"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.backend import Array, Backend
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class RMSprop(Optimizer):
    """RMSprop: the gradient divided by the root of its mean square.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``)::

        v <- alpha * v + (1 - alpha) * g * g
        centered            m <- alpha * m + (1 - alpha) * g,  and below  v - m * m  for v
        without momentum    p <- p - lr * g / (sqrt(v) + eps)
        with momentum       b <- momentum * b + g / (sqrt(v) + eps)
                            p <- p - lr * b

    Rounding may bring v - m * m below 0 when the gradients hardly change; it counts as 0 then.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr : float
        The step's size.
    alpha : float
        How much of the means is kept in a step, from 0 to 1.
    eps : float
        Keeps the denominator from 0.
    weight_decay : float
        L2 decay.
    momentum : float
        How much of the last step goes on.
    centered : bool
        Divide by the gradient's standard deviation.
    maximize : bool
        Climb instead.
    l1_decay, decoupled_weight_decay : float, bool
        L1 decay; both decays apart from the gradient (see `minigrad.optim.decay`).

    Raises
    ------
    ValueError
        An option is out of its range.

    References
    ----------
    T. Tieleman and G. Hinton, "Lecture 6.5: rmsprop", Neural Networks for Machine Learning, 2012;
    centered: A. Graves, "Generating Sequences With Recurrent Neural Networks", 2013.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.RMSprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.0, -1.0]
    """

    _state_names = ("square_avg", "momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
        *,
        l1_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
            "l1_decay": l1_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        self._check_fraction("alpha", group["alpha"], "to 1")
        for name in ("eps", "momentum"):
            self._check_not_negative(name, group[name])

    def _names(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        wanted = (True, group["momentum"] > 0, group["centered"])
        return tuple(name for name, want in zip(self._state_names, wanted, strict=True) if want)

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        lr, momentum = number[float(group["lr"])], number[float(group["momentum"])]
        alpha, eps = float(group["alpha"]), number[float(group["eps"])]
        keep, new, zero = number[alpha], number[1 - alpha], number[0.0]
        has_momentum, centered = group["momentum"] > 0, group["centered"]
        add, subtract, multiply = xp.add, xp.subtract, xp.multiply
        divide, sqrt, maximum = xp.divide, xp.sqrt, xp.maximum

        def update(p: Array, g: Array, work: Array, v: Array, *others: Array) -> None:
            multiply(v, keep, v)
            multiply(multiply(g, g, work), new, work)
            add(v, work, v)
            if centered:
                m = others[-1]
                multiply(m, keep, m)
                add(m, multiply(g, new, work), m)
                subtract(v, multiply(m, m, work), work)
                sqrt(maximum(work, zero, out=work), work)
            else:
                sqrt(v, work)
            divide(g, add(work, eps, work), work)
            if has_momentum:
                b = others[0]
                multiply(b, momentum, b)
                add(b, work, b)
                multiply(b, lr, work)
            else:
                multiply(work, lr, work)
            subtract(p, work, p)

        return update
