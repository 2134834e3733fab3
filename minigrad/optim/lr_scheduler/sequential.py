"""Schedules one after the other: SequentialLR, and warm-up with it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from minigrad.engine.recording import replayed
from minigrad.optim.lr_scheduler.base import LRScheduler, check_whole
from minigrad.optim.lr_scheduler.linear import LinearLR
from minigrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minigrad.optim.optimizer import Optimizer


class SequentialLR(LRScheduler):
    """Use one schedule after the other; each begins with its epoch 0.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    schedulers : list of LRScheduler
        Made on this optimizer, in their order.
    milestones : list of int
        The epochs at which the second, the third, ... begins.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    TypeError, ValueError
        A schedule is none, is of another optimizer or needs a value to step
        (`ReduceLROnPlateau`), or the milestones do not fit between them.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> parts = [ConstantLR(optimizer, 0.125), ExponentialLR(optimizer, 0.5)]
    >>> schedule = SequentialLR(optimizer, parts, milestones=[2])
    >>> for _ in range(5):
    ...     print(schedule.get_last_lr(), end=" ")
    ...     optimizer.step()
    ...     schedule.step()
    [0.125] [0.125] [1.0] [0.5] [0.25]
    """

    _not_saved = ("optimizer", "_schedulers")

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: between {len(schedulers)} schedules there are "
                f"{max(len(schedulers) - 1, 0)} milestones, not {len(milestones)}"
            )
        for milestone in milestones:
            check_whole("SequentialLR", "a milestone", milestone, 0)
        if any(a >= b for a, b in pairwise(milestones)):
            raise ValueError(f"SequentialLR: milestones must rise, not {list(milestones)}")
        for i, part in enumerate(schedulers):
            if not isinstance(part, LRScheduler) or isinstance(part, ReduceLROnPlateau):
                kind = type(part).__name__
                raise TypeError(
                    f"SequentialLR: schedule {i} is a {kind}, which has no plain step()"
                )
            if part.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: schedule {i} was made for another optimizer")
        self.optimizer = optimizer
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self._undo()
        self._start()

    @replayed
    def step(self) -> None:
        """Step the schedule whose turn it is, or begin with the next one."""
        self.last_epoch += 1
        part = self._part(self.last_epoch)
        if self.last_epoch in self._milestones:
            part._restart()
        else:
            part.step()
        self._last_lr = part.get_last_lr()

    def _part(self, epoch: int) -> LRScheduler:
        return self._schedulers[bisect_right(self._milestones, epoch)]

    def _start(self) -> None:
        part = self._part(0)
        part._start()
        self._last_lr = part.get_last_lr()

    def _undo(self) -> None:
        for part in self._schedulers:
            part._undo()

    def _restart(self) -> None:
        self.last_epoch = 0
        part = self._part(0)
        part._restart()
        self._last_lr = part.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Return the count and the states of the schedules."""
        return super().state_dict() | {"_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, here or in torch.

        Raises
        ------
        ValueError
            The state is of another schedule, or of another number of groups.
        """
        own = dict(state_dict)
        saved = own.pop("_schedulers", None)
        if saved is None or len(saved) != len(self._schedulers):
            raise ValueError(f"the state is not of {len(self._schedulers)} schedules in a row")
        before = self.state_dict()["_schedulers"]
        try:
            for part, state in zip(self._schedulers, saved, strict=True):
                part.load_state_dict(state)
            super().load_state_dict(own)
        except ValueError:
            for part, state in zip(self._schedulers, before, strict=True):
                part.load_state_dict(state)
            raise


def warmup(scheduler: LRScheduler, iterations: int, start_factor: float = 0.1) -> SequentialLR:
    """Put a linear warm-up before a schedule.

    It is `LinearLR` from ``start_factor * initial_lr``, and after ``iterations`` steps the
    schedule from its beginning, in a `SequentialLR`.

    Parameters
    ----------
    scheduler : LRScheduler
        What comes after the warm-up.
    iterations : int
        The steps of the warm-up.
    start_factor : float
        Where it begins, above 0, to 1.

    Returns
    -------
    SequentialLR
        The schedule to step.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> cosine = mg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> schedule = mg.optim.lr_scheduler.warmup(cosine, iterations=2, start_factor=0.5)
    >>> for _ in range(5):
    ...     print(round(schedule.get_last_lr()[0], 3), end=" ")
    ...     optimizer.step()
    ...     schedule.step()
    0.5 0.75 1.0 0.854 0.5
    """
    optimizer = scheduler.optimizer
    rise = LinearLR(optimizer, start_factor, total_iters=iterations)
    return SequentialLR(optimizer, [rise, scheduler], [iterations])
