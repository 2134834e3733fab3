"""ExponentialLR."""

from __future__ import annotations

from minigrad.optim.lr_scheduler.base import LRScheduler
from minigrad.optim.optimizer import Optimizer


class ExponentialLR(LRScheduler):
    """Multiply the learning rate by gamma every epoch: ``lr = initial_lr * gamma^epoch``.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    gamma : float
        The factor.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(schedule.get_last_lr(), end=" ")
    [0.5] [0.25] [0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`."""
        return self._scaled(1.0 if self._starting else self.gamma)

    def _closed_form(self) -> list[float]:
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]
