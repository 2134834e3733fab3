"""A callback that writes checkpoints."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from minigrad.io import save, save_checkpoint
from minigrad.train.callback import Callback, Logs
from minigrad.train.history import known, lower_is_better


class ModelCheckpoint(Callback):
    """Save the run, or only the weights, after every epoch and, if asked to, between.

    A whole checkpoint (model, optimiser, loader's place, generators, callbacks, history) lets
    ``trainer.fit(..., resume=path)`` go on with the same bits as if nothing had happened.

    Parameters
    ----------
    path : str or path
        Where to; ``{epoch}`` (from 1) and the names of the history are filled in, as in
        ``"run-{epoch:02d}-{val_loss:.3f}.safetensors"``. Each file is written atomically.
    monitor : str
        With ``save_best_only``: which entry of the history.
    save_best_only : bool
        Save after an epoch only if it is the best so far.
    save_weights_only : bool
        Save the model's `state_dict` instead of the run.
    mode : {"auto", "min", "max"}
        Which direction of ``monitor`` is better; "auto" goes by the name.
    every_steps : int, optional
        Save after every so many steps of the optimiser as well.

    Examples
    --------
    >>> import minigrad as mg
    >>> callbacks = [mg.train.ModelCheckpoint("run.safetensors", every_steps=100)]
    """

    saves = True  # the trainer lets it go last, when all other callbacks are in their new states

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "val_loss",
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        *,
        every_steps: int | None = None,
    ) -> None:
        if every_steps is not None and every_steps < 1:
            raise ValueError(f"every_steps={every_steps} must be 1 or more")
        if every_steps is not None and save_best_only:
            raise ValueError("save_best_only goes by the epoch: leave every_steps out")
        self.path, self.monitor, self.every_steps = os.fspath(path), monitor, every_steps
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.sign = 1.0 if lower_is_better(monitor, mode) else -1.0
        self.best = math.inf
        self._saved_at = 0

    def on_train_begin(self) -> None:
        """Start to look, unless a resumed run has begun before."""
        if self.trainer.epoch == 0:
            self.best = math.inf
        self._saved_at = self.trainer.steps

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Save if it is time to."""
        steps = self.trainer.steps
        if self.every_steps and steps != self._saved_at and steps % self.every_steps == 0:
            self._save(self.trainer.epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save, if it is the best one or all are wanted."""
        if self.save_best_only:
            value = logs[known(self.monitor, logs)] * self.sign
            if not value < self.best:
                return
            self.best = value
        self._save(epoch, logs)

    def _save(self, epoch: int, logs: Logs) -> None:
        try:
            path = self.path.format(epoch=epoch + 1, **logs)
        except (KeyError, IndexError) as error:
            raise KeyError(
                f"the path {self.path!r} asks for {error}; there is epoch, {', '.join(logs)}"
            ) from error
        if self.save_weights_only:
            save(self.trainer.model, path)
        else:
            save_checkpoint(path, **self.trainer.parts())
        self._saved_at = self.trainer.steps

    def state_dict(self) -> dict[str, Any]:
        """Return the best value."""
        return {"best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the best value back."""
        self.best = state["best"]
