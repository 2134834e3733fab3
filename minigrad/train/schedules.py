"""A callback that moves the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.optim.lr_scheduler import ReduceLROnPlateau
from minigrad.train.callback import Callback, Logs
from minigrad.train.history import known


class LRScheduler(Callback):
    """Step a schedule of `minigrad.optim.lr_scheduler` after every epoch, or every step.

    Parameters
    ----------
    schedule : schedule
        Made over the trainer's optimiser.
    interval : {"epoch", "step"}
        After what to step it: an epoch, or a step of the optimiser.
    monitor : str
        What a `ReduceLROnPlateau` looks at.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.zeros(1).requires_grad_()], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    >>> callbacks = [mg.train.LRScheduler(schedule)]
    """

    def __init__(
        self, schedule: Any, interval: str = "epoch", *, monitor: str = "val_loss"
    ) -> None:
        if interval not in ("epoch", "step"):
            raise ValueError(f"interval is 'epoch' or 'step', not {interval!r}")
        self.plateau = isinstance(schedule, ReduceLROnPlateau)
        if self.plateau and interval == "step":
            raise ValueError("ReduceLROnPlateau looks at epochs: use interval='epoch'")
        self.schedule, self.interval, self.monitor = schedule, interval, monitor
        self._stepped_at = 0

    def on_train_begin(self) -> None:
        """Look whether the schedule moves the right optimiser."""
        if self.schedule.optimizer is not self.trainer.optimizer:
            raise ValueError("the schedule moves another optimiser than the trainer's")
        self._stepped_at = self.trainer.steps

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Step after a step of the optimiser."""
        if self.interval == "step" and self.trainer.steps != self._stepped_at:
            self._stepped_at = self.trainer.steps
            self.schedule.step()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Step after an epoch."""
        if self.plateau:
            self.schedule.step(logs[known(self.monitor, logs)])
        elif self.interval == "epoch":
            self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the schedule's state."""
        return {"schedule": self.schedule.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the schedule's state back."""
        self.schedule.load_state_dict(state["schedule"])
