"""RAdam."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.backend import Array, Backend
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class RAdam(Optimizer):
    """RAdam: Adam that does not divide while too few gradients were seen to know their size.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``), at step t::

        m <- beta1 * m + (1 - beta1) * g
        v <- beta2 * v + (1 - beta2) * g * g
        m' = m / (1 - beta1^t)
        n = N - 2 * t * beta2^t / (1 - beta2^t),  N = 2 / (1 - beta2) - 1     gradients in v
        n > 5    p <- p - lr * r * m' * sqrt(1 - beta2^t) / (sqrt(v) + eps)
                 r = sqrt((n - 4) * (n - 2) * N / ((N - 4) * (N - 2) * n))
        else     p <- p - lr * m'

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr : float
        The step's size.
    betas : (float, float)
        How much of the two means is kept in a step, from 0 to below 1.
    eps : float
        Keeps the denominator from 0.
    weight_decay : float
        L2 decay.
    decoupled_weight_decay : bool
        Decay apart from the gradient (see `minigrad.optim.decay`).
    l1_decay : float
        L1 decay.
    maximize : bool
        Climb instead.

    Raises
    ------
    ValueError
        An option is out of its range.

    References
    ----------
    L. Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.8, -1.6]
    """

    _state_names = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        l1_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "l1_decay": l1_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        self._check_betas(group)
        self._check_not_negative("eps", group["eps"])

    def _seen(self, group: Mapping[str, Any], t: int) -> float:
        """Return how many gradients the mean of squares stands for, at step t."""
        beta2 = float(group["betas"][1])
        return 2 / (1 - beta2) - 1 - 2 * t * beta2**t / (1 - beta2**t)

    def _phase(self, group: Mapping[str, Any], steps: int) -> Any:
        return steps == 0, self._seen(group, steps + 1) > 5

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        beta1, beta2 = (float(beta) for beta in group["betas"])
        t = steps + 1
        unbias2 = 1 - beta2**t
        limit = 2 / (1 - beta2) - 1
        seen = self._seen(group, t)
        size = float(group["lr"]) / (1 - beta1**t)
        rectified = seen > 5
        if rectified:
            size *= math.sqrt(unbias2 * (seen - 4) * (seen - 2) * limit)
            size /= math.sqrt((limit - 4) * (limit - 2) * seen)
        factor, eps = number[size], number[float(group["eps"])]
        keep1, new1 = number[beta1], number[1 - beta1]
        keep2, new2 = number[beta2], number[1 - beta2]
        add, subtract, multiply = xp.add, xp.subtract, xp.multiply
        divide, sqrt = xp.divide, xp.sqrt

        def update(p: Array, g: Array, work: Array, m: Array, v: Array) -> None:
            multiply(m, keep1, m)
            add(m, multiply(g, new1, work), m)
            multiply(v, keep2, v)
            multiply(multiply(g, g, work), new2, work)
            add(v, work, v)
            if rectified:
                divide(m, add(sqrt(v, work), eps, work), work)
                multiply(work, factor, work)
            else:
                multiply(m, factor, work)
            subtract(p, work, p)

        return update
