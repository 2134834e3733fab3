"""Callbacks: what else should happen during training, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.train.trainer import Trainer

Logs = dict[str, Any]


class Callback:
    """Base of callbacks, with Keras' names: override what should happen.

    ``self.trainer`` is the running `Trainer`; ``self.trainer.stop("why")`` ends training after
    the batch or epoch at hand. What a callback must remember over an interruption it returns from
    `state_dict`, and takes back in `load_state_dict`.

    Examples
    --------
    >>> import minigrad as mg
    >>> class Announce(mg.train.Callback):
    ...     def on_epoch_end(self, epoch, logs):
    ...         print(f"epoch {epoch} has loss {logs['loss']:.3f}")
    >>> model = mg.nn.Linear(1, 1)
    >>> trainer = mg.train.Trainer(model, mg.nn.MSELoss(), mg.optim.SGD(model.parameters(), lr=0.1))
    >>> x = mg.zeros(4, 1)
    >>> _ = trainer.fit((x, model(x).detach() + 1), callbacks=[Announce()], verbose=0)
    epoch 0 has loss 1.000
    """

    trainer: Trainer

    def on_train_begin(self) -> None:
        """Before the first batch, after a resumed run's state is back."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Before the first batch of an epoch (from 0)."""

    def on_train_batch_begin(self, batch: int) -> None:
        """Before a batch (from 0)."""

    def on_before_optimizer_step(self) -> None:
        """When the gradients are complete, before the parameters change."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """After a batch; ``logs["loss"]`` is its loss."""

    def add_logs(self, logs: Logs) -> None:
        """Before an epoch's numbers are recorded: add to them."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After an epoch and its validation, with its numbers."""

    def on_train_end(self) -> None:
        """After the last epoch, also where training was stopped or failed."""

    def state_dict(self) -> dict[str, Any]:
        """Return what must outlive an interruption."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
