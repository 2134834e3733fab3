"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.backend import Array, Backend
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class Adagrad(Optimizer):
    """Adagrad: steps that shrink with the root of all squared gradients so far.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``), at step t::

        s <- s + g * g                              from initial_accumulator_value
        p <- p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr, lr_decay : float
        The step's size, and how fast it falls with the steps.
    weight_decay : float
        L2 decay.
    initial_accumulator_value : float
        Where the sum of squares begins.
    eps : float
        Keeps the denominator from 0.
    l1_decay, decoupled_weight_decay, maximize : float, bool, bool
        L1 decay; both decays apart from the gradient; climb instead (see `minigrad.optim.decay`).

    Raises
    ------
    ValueError
        An option is out of its range.

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization", JMLR 12, 2011.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.9, -1.9]
    """

    _state_names = ("sum",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        l1_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "l1_decay": l1_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        for name in ("lr_decay", "initial_accumulator_value", "eps"):
            self._check_not_negative(name, group[name])

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        size = number[float(group["lr"]) / (1 + steps * float(group["lr_decay"]))]
        eps, first = number[float(group["eps"])], float(group["initial_accumulator_value"])
        add, subtract, multiply = xp.add, xp.subtract, xp.multiply
        divide, sqrt = xp.divide, xp.sqrt

        def update(p: Array, g: Array, work: Array, s: Array) -> None:
            if steps == 0:
                s.fill(first)
            add(s, multiply(g, g, work), s)
            add(sqrt(s, work), eps, work)
            divide(g, work, work)
            subtract(p, multiply(work, size, work), p)

        return update
