"""Adam."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from minigrad.backend import Array, Backend
from minigrad.optim.decay import as_numbers
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class Adam(Optimizer):
    """Adam: steps of about lr per element, whatever the gradient's scale.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``), at step t::

        m <- beta1 * m + (1 - beta1) * g            its mean
        v <- beta2 * v + (1 - beta2) * g * g        its mean square
        p <- p - lr * m' / (sqrt(v') + eps)         m' = m / (1 - beta1^t),  v' = v / (1 - beta2^t)

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
        L2 decay; coupled, it is added to the gradient, and so to both means.
    amsgrad : bool
        Divide by the root of the largest v so far.
    l1_decay, decoupled_weight_decay, maximize : float, bool, bool
        L1 decay; both decays apart from the gradient (then it is `AdamW`); climb instead.

    Raises
    ------
    ValueError
        An option is out of its range.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; amsgrad:
    S. J. Reddi et al., "On the Convergence of Adam and Beyond", ICLR 2018.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.9, -1.9]
    """

    _state_names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
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
            "amsgrad": amsgrad,
            "l1_decay": l1_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative("eps", group["eps"])
        self._check_betas(group)

    def _names(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return self._state_names if group["amsgrad"] else self._state_names[:2]

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        beta1, beta2 = (float(beta) for beta in group["betas"])
        t = steps + 1
        # sqrt(v') = sqrt(v) / root, so with the division moved to lr and eps, a call is saved:
        # lr * m' / (sqrt(v') + eps) = (lr * root / (1 - beta1^t)) * m / (sqrt(v) + eps * root)
        root = math.sqrt(1 - beta2**t)
        size = number[float(group["lr"]) * root / (1 - beta1**t)]
        eps = number[float(group["eps"]) * root]
        keep1, new1 = number[beta1], number[1 - beta1]
        keep2, new2 = number[beta2], number[1 - beta2]
        add, subtract, multiply = xp.add, xp.subtract, xp.multiply
        divide, sqrt, maximum = xp.divide, xp.sqrt, xp.maximum

        def update(
            p: Array, g: Array, work: Array, m: Array, v: Array, largest: Array | None = None
        ) -> None:
            multiply(m, keep1, m)
            add(m, multiply(g, new1, work), m)
            multiply(v, keep2, v)
            multiply(multiply(g, g, work), new2, work)
            add(v, work, v)
            sqrt(v if largest is None else maximum(largest, v, out=largest), work)
            divide(m, add(work, eps, work), work)
            subtract(p, multiply(work, size, work), p)

        return update

    def _kernel_numbers(self, group: Mapping[str, Any], steps: int) -> tuple[float, ...]:
        beta1, beta2 = (float(beta) for beta in group["betas"])
        root = math.sqrt(1 - beta2 ** (steps + 1))  # as in `_update`
        size = float(group["lr"]) * root / (1 - beta1 ** (steps + 1))
        eps = float(group["eps"]) * root
        return size, eps, beta1, 1 - beta1, beta2, 1 - beta2, *as_numbers(group)

    def _kernel(self, group: Mapping[str, Any], steps: int, kernels: Any) -> Callable[..., None]:
        return lambda p, g, numbers, *state: kernels.adam(p, g, numbers, *state)
