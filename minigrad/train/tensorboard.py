"""A callback that writes event files for TensorBoard."""

from __future__ import annotations

import os
from typing import Any

from minigrad.train.callback import Callback, Logs

INSTALL = 'python -m pip install "minigrad-engine[tensorboard]"'


class TensorBoard(Callback):
    """Write every number of the history as a scalar, by epoch (from 1).

    Parameters
    ----------
    log_dir : str or path
        The folder that ``tensorboard --logdir`` is given.

    Raises
    ------
    ImportError
        tensorboardX is missing; the text has the line that installs it.

    Examples
    --------
    >>> import minigrad as mg
    >>> callback = mg.train.TensorBoard("runs/first")
    """

    def __init__(self, log_dir: str | os.PathLike[str] = "runs") -> None:
        self.log_dir = os.fspath(log_dir)
        self._writer: Any = None

    def on_train_begin(self) -> None:
        """Open the event file; what a resumed run repeats is hidden by TensorBoard."""
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(f"event files need tensorboardX: {INSTALL}") from error
        self._writer = SummaryWriter(self.log_dir, purge_step=self.trainer.epoch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write the numbers."""
        for name, value in logs.items():
            if isinstance(value, (int, float)):
                self._writer.add_scalar(name, value, epoch + 1)
        self._writer.flush()

    def on_train_end(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
