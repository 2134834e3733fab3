"""LambdaLR."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minigrad.optim.lr_scheduler.base import LRScheduler, per_group
from minigrad.optim.optimizer import Optimizer


class LambdaLR(LRScheduler):
    """Set the learning rate by a function of the epoch: ``lr = initial_lr * lr_lambda(epoch)``.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    lr_lambda : callable, or list of callable
        Returns the factor for an epoch; a list has one for each group.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    TypeError
        ``lr_lambda`` cannot be called.

    Notes
    -----
    The functions are not part of the state: pass the same ones when the schedule is made again.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    _not_saved = (*LRScheduler._not_saved, "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = per_group("LambdaLR", "lr_lambda", lr_lambda, optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(
                    f"LambdaLR: lr_lambda must be a function of the epoch, not {function!r}"
                )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`."""
        return [
            lr * factor(self.last_epoch)
            for lr, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)
        ]
