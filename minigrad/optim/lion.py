"""Lion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.backend import Array, Backend
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class Lion(Optimizer):
    """Lion: steps of exactly lr per element, along the sign of a momentum.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``)::

        p <- (1 - lr * weight_decay) * p
        p <- p - lr * sign(beta1 * m + (1 - beta1) * g)
        m <- beta2 * m + (1 - beta2) * g

    It keeps one array a parameter, half of what Adam keeps. The paper's rule of thumb: a learning
    rate 3 to 10 times smaller than Adam's, and a decay as many times larger.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr : float
        The step's size.
    betas : (float, float)
        How much of the momentum is in the step, and is kept in it, from 0 to below 1.
    weight_decay : float
        L2 decay.
    l1_decay : float
        L1 decay.
    decoupled_weight_decay : bool
        Decay apart from the gradient, as in the paper (see `minigrad.optim.decay`).
    maximize : bool
        Climb instead.

    Raises
    ------
    ValueError
        An option is out of its range.

    References
    ----------
    X. Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023, algorithm 2.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.Lion([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.9, -1.9]
    """

    _state_names = ("exp_avg",)
    _counts_steps = False
    _spares = 1

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        l1_decay: float = 0.0,
        decoupled_weight_decay: bool = True,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "l1_decay": l1_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        self._check_betas(group)

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        beta1, beta2 = (float(beta) for beta in group["betas"])
        lr, look, at = number[float(group["lr"])], number[beta1], number[1 - beta1]
        keep, new = number[beta2], number[1 - beta2]
        add, subtract, multiply, sign = xp.add, xp.subtract, xp.multiply, xp.sign

        def update(p: Array, g: Array, work: Array, m: Array, spare: Array) -> None:
            add(multiply(m, look, work), multiply(g, at, spare), work)
            subtract(p, multiply(sign(work, spare), lr, work), p)  # in place, sign is 10 x slower
            multiply(m, keep, m)
            add(m, multiply(g, new, work), m)

        return update
