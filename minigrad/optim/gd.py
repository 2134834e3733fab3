"""Gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.optim.sgd import SGD


class GD(SGD):
    """Gradient descent: ``p <- p - lr * g``, nothing kept from step to step.

    The update is `SGD`'s without momentum, and so is the code: whether descent is stochastic
    depends on what the gradient was computed from, all of the data or a batch of it. The name
    is for lessons; torch has none. Its state loads into an `SGD`.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr, weight_decay : float
        The step's size, and L2 decay.
    l1_decay, decoupled_weight_decay, maximize : float, bool, bool
        L1 decay; both decays apart from the gradient; climb instead (see `minigrad.optim.decay`).

    Raises
    ------
    ValueError
        An option is negative, or a group asks for momentum.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.GD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.tolist()
    [0.8, -1.6]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        *,
        l1_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            weight_decay=weight_decay,
            l1_decay=l1_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        if group["momentum"]:
            raise ValueError(f"GD has no momentum, and momentum is {group['momentum']}; use SGD")
