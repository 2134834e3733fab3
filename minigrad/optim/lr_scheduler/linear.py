"""Schedules that change the learning rate for the first epochs: ConstantLR and LinearLR."""

from __future__ import annotations

from minigrad.optim.lr_scheduler.base import LRScheduler, check_whole
from minigrad.optim.optimizer import Optimizer


def _check_factor(name: str, what: str, value: float, *, zero: bool) -> None:
    if not (0 < value <= 1 or (zero and value == 0)):
        least = "from 0" if zero else "above 0"
        raise ValueError(f"{name}: {what} must be {least} to 1, not {value!r}")


class ConstantLR(LRScheduler):
    """Hold the learning rate at ``factor * initial_lr`` for the first ``total_iters`` epochs.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    factor : float
        Above 0, to 1.
    total_iters : int
        For how many epochs.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        An option is out of its range.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> for _ in range(3):
    ...     print(schedule.get_last_lr(), end=" ")
    ...     optimizer.step()
    ...     schedule.step()
    [0.5] [0.5] [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _check_factor("ConstantLR", "factor", factor, zero=False)
        check_whole("ConstantLR", "total_iters", total_iters, 0)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`."""
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._scaled(1.0 / self.factor if self.last_epoch == self.total_iters else 1.0)

    def _closed_form(self) -> list[float]:
        factor = 1.0 if self.last_epoch >= self.total_iters else self.factor
        return [lr * factor for lr in self.base_lrs]


class LinearLR(LRScheduler):
    """Change the learning rate linearly over the first ``total_iters`` epochs.

    With c = min(epoch, total_iters) / total_iters::

        lr = initial_lr * ((1 - c) * start_factor + c * end_factor)

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    start_factor, end_factor : float
        Above 0, and from 0, to 1.
    total_iters : int
        For how many epochs.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        An option is out of its range.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> for _ in range(4):
    ...     print(schedule.get_last_lr(), end=" ")
    ...     optimizer.step()
    ...     schedule.step()
    [0.5] [0.75] [1.0] [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _check_factor("LinearLR", "start_factor", start_factor, zero=False)
        _check_factor("LinearLR", "end_factor", end_factor, zero=True)
        check_whole("LinearLR", "total_iters", total_iters, 1)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`."""
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._starting or self.last_epoch > self.total_iters:
            return self._scaled(1.0)
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return self._scaled(1.0 + rise / before)

    def _closed_form(self) -> list[float]:
        done = min(self.last_epoch, self.total_iters) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * done
        return [lr * factor for lr in self.base_lrs]
