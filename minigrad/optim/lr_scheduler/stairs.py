"""Schedules that fall in steps: StepLR and MultiStepLR."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.optim.lr_scheduler.base import LRScheduler, check_whole
from minigrad.optim.optimizer import Optimizer


class StepLR(LRScheduler):
    """Multiply the learning rate by gamma every ``step_size`` epochs.

    ``lr = initial_lr * gamma^floor(epoch / step_size)``

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    step_size : int
        The epochs between two falls.
    gamma : float
        The factor of a fall.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        ``step_size`` is below 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(schedule.get_last_lr(), end=" ")
    [1.0] [0.5] [0.5] [0.25] [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_whole("StepLR", "step_size", step_size, 1)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`."""
        falls = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return self._scaled(self.gamma if falls else 1.0)

    def _closed_form(self) -> list[float]:
        factor = self.gamma ** (self.last_epoch // self.step_size)
        return [lr * factor for lr in self.base_lrs]


class MultiStepLR(LRScheduler):
    """Multiply the learning rate by gamma at each milestone.

    ``lr = initial_lr * gamma^(how many milestones are <= epoch)``

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    milestones : iterable of int
        The epochs of the falls; one that occurs twice counts twice.
    gamma : float
        The factor of a fall.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        A milestone is no whole number of at least 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.MultiStepLR(optimizer, [1, 4], gamma=0.5)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(schedule.get_last_lr(), end=" ")
    [0.5] [0.5] [0.5] [0.25] [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = list(milestones)
        for milestone in self.milestones:
            check_whole("MultiStepLR", "a milestone", milestone, 0)
        self.milestones.sort()
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`."""
        return self._scaled(self.gamma ** self.milestones.count(self.last_epoch))

    def _closed_form(self) -> list[float]:
        factor = self.gamma ** bisect_right(self.milestones, self.last_epoch)
        return [lr * factor for lr in self.base_lrs]

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, here or in torch (whose milestones are counts)."""
        milestones = state_dict.get("milestones")
        if isinstance(milestones, Mapping):
            state_dict = {**state_dict, "milestones": sorted(Counter(milestones).elements())}
        super().load_state_dict(state_dict)
