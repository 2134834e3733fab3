"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.backend import Array, Backend
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class Adadelta(Optimizer):
    """Adadelta: steps in the parameter's own unit, from the mean squares of gradients and steps.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``)::

        v <- rho * v + (1 - rho) * g * g
        d = sqrt(u + eps) / sqrt(v + eps) * g
        u <- rho * u + (1 - rho) * d * d
        p <- p - lr * d

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr : float
        A factor of the step, 1 in the paper.
    rho : float
        How much of the two means is kept in a step, from 0 to 1.
    eps : float
        Lets the first steps begin: they are of about its root.
    weight_decay : float
        L2 decay.
    l1_decay, decoupled_weight_decay, maximize : float, bool, bool
        L1 decay; both decays apart from the gradient; climb instead (see `minigrad.optim.decay`).

    Raises
    ------
    ValueError
        An option is out of its range.

    References
    ----------
    M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.Adadelta([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.9968, -1.9968]
    """

    _state_names = ("square_avg", "acc_delta")
    _spares = 1

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        l1_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "l1_decay": l1_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        self._check_fraction("rho", group["rho"], "to 1")
        self._check_not_negative("eps", group["eps"])

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        lr, eps, rho = number[float(group["lr"])], number[float(group["eps"])], float(group["rho"])
        keep, new = number[rho], number[1 - rho]
        add, subtract, multiply = xp.add, xp.subtract, xp.multiply
        divide, sqrt = xp.divide, xp.sqrt

        def update(p: Array, g: Array, work: Array, v: Array, u: Array, d: Array) -> None:
            multiply(v, keep, v)
            multiply(multiply(g, g, work), new, work)
            add(v, work, v)
            sqrt(add(u, eps, d), d)
            divide(d, sqrt(add(v, eps, work), work), d)
            multiply(d, g, d)
            multiply(u, keep, u)
            multiply(multiply(d, d, work), new, work)
            add(u, work, u)
            subtract(p, multiply(d, lr, work), p)

        return update
