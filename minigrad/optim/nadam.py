"""NAdam."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class NAdam(Optimizer):
    """NAdam: Adam with Nesterov's look ahead along the momentum.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``), at step t::

        mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2)
        m <- beta1 * m + (1 - beta1) * g
        v <- beta2 * v + (1 - beta2) * g * g
        m' = mu_(t+1) / (1 - mu_1 ... mu_(t+1)) * m + (1 - mu_t) / (1 - mu_1 ... mu_t) * g
        p <- p - lr * m' / (sqrt(v / (1 - beta2^t)) + eps)

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
    momentum_decay : float
        How fast mu_t rises from beta1 / 2 to beta1.
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

    Notes
    -----
    The product of the mu so far is kept as a float32, ``mu_product``, as torch keeps it.

    References
    ----------
    T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.8944, -1.8944]
    """

    _state_names = ("exp_avg", "exp_avg_sq")
    _first_numbers: Mapping[str, float] = MappingProxyType({"mu_product": 1.0})
    _spares = 1

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
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
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "l1_decay": l1_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        self._check_betas(group)
        for name in ("eps", "momentum_decay"):
            self._check_not_negative(name, group[name])

    def _mu(self, group: Mapping[str, Any], t: int) -> float:
        return group["betas"][0] * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))

    def _next(self, group: Mapping[str, Any], steps: int) -> dict[str, float]:
        product = np.float32(group["mu_product"]) * np.float32(self._mu(group, steps + 1))
        return {"mu_product": float(product)}

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        lr, (beta1, beta2) = float(group["lr"]), (float(beta) for beta in group["betas"])
        t, product = steps + 1, group["mu_product"]
        now, ahead = self._mu(group, t), self._mu(group, t + 1)
        of_g = number[lr * (1 - now) / (1 - product)]
        of_m = number[lr * ahead / (1 - product * ahead)]
        correction, eps = number[1 - beta2**t], number[float(group["eps"])]
        keep1, new1 = number[beta1], number[1 - beta1]
        keep2, new2 = number[beta2], number[1 - beta2]
        add, subtract, multiply = xp.add, xp.subtract, xp.multiply
        divide, sqrt = xp.divide, xp.sqrt

        def update(p: Array, g: Array, work: Array, m: Array, v: Array, spare: Array) -> None:
            multiply(m, keep1, m)
            add(m, multiply(g, new1, work), m)
            multiply(v, keep2, v)
            multiply(multiply(g, g, work), new2, work)
            add(v, work, v)
            add(multiply(g, of_g, work), multiply(m, of_m, spare), work)
            sqrt(divide(v, correction, spare), spare)
            divide(work, add(spare, eps, spare), work)
            subtract(p, work, p)

        return update
