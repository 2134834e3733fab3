"""Callbacks that end training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from minigrad.train.callback import Callback, Logs
from minigrad.train.history import known, lower_is_better


class EarlyStopping(Callback):
    """Stop when a quantity has not improved for ``patience`` epochs, with Keras' meaning.

    An epoch improves if its value is better than the best one by more than ``min_delta``.

    Parameters
    ----------
    monitor : str
        Which entry of the history.
    min_delta : float
        The least change that counts.
    patience : int
        How many epochs without improvement are allowed; training stops after that many.
    mode : {"auto", "min", "max"}
        Which direction is better; "auto" goes by the name.
    baseline : float, optional
        What the first epochs must beat.
    restore_best_weights : bool
        Put the model back to its best epoch when training ends (parameters and buffers).
    start_from_epoch : int
        Epochs before this one are not looked at.

    References
    ----------
    L. Prechelt, "Early Stopping - But When?", 1998.

    Examples
    --------
    >>> import minigrad as mg
    >>> stopping = mg.train.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        if patience < 0 or min_delta < 0:
            raise ValueError(f"patience={patience} and min_delta={min_delta} must not be negative")
        self.monitor, self.min_delta, self.patience = monitor, min_delta, patience
        self.sign = 1.0 if lower_is_better(monitor, mode) else -1.0
        self.baseline, self.start_from_epoch = baseline, start_from_epoch
        self.restore_best_weights = restore_best_weights
        self._begin()

    def _begin(self) -> None:
        self.wait = 0
        self.best_epoch: int | None = None
        self.best = math.inf if self.baseline is None else self.baseline * self.sign
        self.weights: dict[str, Any] | None = None

    def on_train_begin(self) -> None:
        """Start to look, unless a resumed run has begun before."""
        if self.trainer.epoch == 0:
            self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Compare with the best."""
        value = logs[known(self.monitor, logs)] * self.sign
        if epoch < self.start_from_epoch:
            return
        if value < self.best - self.min_delta:
            self.best, self.best_epoch, self.wait = value, epoch, 0
            if self.restore_best_weights:
                state = self.trainer.model.state_dict()
                self.weights = {k: v.clone() for k, v in state.items()}
            return
        self.wait += 1
        if self.wait >= max(self.patience, 1):
            best = "none" if self.best_epoch is None else f"epoch {self.best_epoch + 1}"
            self.trainer.stop(
                f"{self.monitor} has not improved for {self.wait} epochs (best: {best})"
            )

    def on_train_end(self) -> None:
        """Put the best weights back, if asked to."""
        if self.weights is not None:
            self.trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, its epoch and weights, and how long it has been."""
        return {
            "wait": self.wait,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "weights": self.weights,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on waiting."""
        self.wait, self.best = state["wait"], state["best"]
        self.best_epoch, self.weights = state["best_epoch"], state["weights"]


class TerminateOnNaN(Callback):
    """Stop as soon as a batch's loss is NaN or infinite.

    Examples
    --------
    >>> import minigrad as mg
    >>> callbacks = [mg.train.TerminateOnNaN()]
    """

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Look at the loss."""
        if not math.isfinite(logs["loss"]):
            self.trainer.stop(
                f"the loss of batch {batch} of epoch {self.trainer.epoch + 1} is {logs['loss']}: "
                "lower the learning rate, clip the gradients, or find the op with "
                "mg.detect_anomaly()"
            )
