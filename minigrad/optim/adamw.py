"""AdamW."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.optim.adam import Adam


class AdamW(Adam):
    """AdamW: Adam whose weight decay shrinks the parameters themselves, not through the gradient.

    At step t, with Adam's m' and v'::

        p <- (1 - lr * weight_decay) * p
        p <- p - lr * m' / (sqrt(v') + eps)

    It is `Adam` with ``decoupled_weight_decay=True`` and a ``weight_decay`` to begin with. Adam
    with the same ``weight_decay`` gives other weights: there the decay is divided by sqrt(v')
    with the rest of the gradient (see `minigrad.optim.decay`).

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr, betas, eps, amsgrad, maximize
        As in `Adam`.
    weight_decay : float
        L2 decay.
    l1_decay : float
        L1 decay, as a soft threshold.

    Raises
    ------
    ValueError
        An option is out of its range.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.85, -1.8]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        l1_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            l1_decay=l1_decay,
            decoupled_weight_decay=True,
            maximize=maximize,
        )

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        if not group["decoupled_weight_decay"]:
            raise ValueError(
                "AdamW: decoupled_weight_decay is what makes it AdamW; without it, use Adam"
            )
