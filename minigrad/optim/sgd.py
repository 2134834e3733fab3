"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from minigrad.backend import Array, Backend
from minigrad.optim.decay import as_numbers
from minigrad.optim.flat import Scalars
from minigrad.optim.optimizer import Optimizer, Update
from minigrad.optim.straight import by_numbers


class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum.

    With the gradient g (decay: `minigrad.optim.decay`; negated under ``maximize``)::

        without momentum    p <- p - lr * g
        with momentum       b <- momentum * b + (1 - dampening) * g     (b <- g at first)
                            p <- p - lr * b
        with nesterov       p <- p - lr * (g + momentum * b)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to update; groups may have options of their own (see `Optimizer`).
    lr, momentum, dampening, weight_decay : float
        As above; none may be negative.
    nesterov : bool
        Look ahead along the momentum; needs a momentum, and no dampening.
    l1_decay, decoupled_weight_decay, maximize : float, bool, bool
        L1 decay; both decays apart from the gradient; climb instead (see `minigrad.optim.decay`).

    Raises
    ------
    ValueError
        An option is negative, or ``nesterov`` has no momentum to look along.

    References
    ----------
    I. Sutskever et al., "On the importance of initialization and momentum in deep learning",
    ICML 2013; the momentum's scale is torch's (lr outside of b).

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.tolist()
    [0.8, -1.6]
    """

    _state_names = ("momentum_buffer",)
    _counts_steps = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        l1_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "l1_decay": l1_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        self._check_not_negative("momentum", group["momentum"])
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                f"SGD: nesterov looks ahead along the momentum, so it needs momentum > 0 and "
                f"dampening = 0, not {group['momentum']} and {group['dampening']}"
            )

    def _names(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return self._state_names if group["momentum"] else ()

    @by_numbers
    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        lr, momentum = number[float(group["lr"])], number[float(group["momentum"])]
        dampening, nesterov = float(group["dampening"]), group["nesterov"]
        undamped = number[1 - dampening]
        add, subtract, multiply = xp.add, xp.subtract, xp.multiply

        def plain(p: Array, g: Array, work: Array) -> None:
            multiply(g, lr, work)
            subtract(p, work, p)

        def with_momentum(p: Array, g: Array, work: Array, b: Array) -> None:
            if steps == 0:
                b[...] = g
            else:
                multiply(b, momentum, b)
                add(b, multiply(g, undamped, work) if dampening else g, b)
            if nesterov:
                add(g, multiply(b, momentum, work), work)
                plain(p, work, work)
            else:
                plain(p, b, work)

        return with_momentum if group["momentum"] else plain

    def _kernel_numbers(self, group: Mapping[str, Any], steps: int) -> tuple[float, ...]:
        undamped = 1 - float(group["dampening"])
        return float(group["lr"]), float(group["momentum"]), undamped, *as_numbers(group)

    def _kernel(self, group: Mapping[str, Any], steps: int, kernels: Any) -> Callable[..., None]:
        first, nesterov = steps == 0, bool(group["nesterov"])
        return lambda p, g, numbers, b=None: kernels.sgd(p, g, b, numbers, first, nesterov)
