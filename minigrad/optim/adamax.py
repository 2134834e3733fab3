"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.backend import Array, Backend
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class Adamax(Optimizer):
    """Adamax: Adam whose denominator is the largest gradient lately, not the root of a mean square.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``), at step t::

        m <- beta1 * m + (1 - beta1) * g
        u <- max(beta2 * u, |g| + eps)
        p <- p - lr / (1 - beta1^t) * m / u

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr : float
        The step's size.
    betas : (float, float)
        How much of m and u is kept in a step, from 0 to below 1.
    eps : float
        Keeps the denominator from 0.
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
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, section 7.1.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.9, -1.9]
    """

    _state_names = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        l1_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "l1_decay": l1_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        self._check_betas(group)
        self._check_not_negative("eps", group["eps"])

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        beta1, beta2 = (float(beta) for beta in group["betas"])
        size = number[float(group["lr"]) / (1 - beta1 ** (steps + 1))]
        eps, keep1, new1, keep2 = (
            number[x] for x in (float(group["eps"]), beta1, 1 - beta1, beta2)
        )
        add, subtract, multiply = xp.add, xp.subtract, xp.multiply
        divide, absolute, maximum = xp.divide, xp.absolute, xp.maximum

        def update(p: Array, g: Array, work: Array, m: Array, u: Array) -> None:
            multiply(m, keep1, m)
            add(m, multiply(g, new1, work), m)
            multiply(u, keep2, u)
            maximum(u, add(absolute(g, work), eps, work), out=u)
            multiply(divide(m, u, work), size, work)
            subtract(p, work, p)

        return update
