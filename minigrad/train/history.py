"""The history of a training run: the numbers that were shown, epoch by epoch."""

from __future__ import annotations

import os
from typing import Any


class History(dict[str, list[Any]]):
    """A dict of lists, one entry for each epoch: "loss", "val_loss", "accuracy", "lr", ...

    Examples
    --------
    >>> from minigrad.train import History
    >>> history = History(loss=[0.9, 0.5, 0.6])
    >>> history.epochs, history.best("loss")
    (3, (1, 0.5))
    """

    @property
    def history(self) -> History:
        """The dict itself, under the name that Keras has for it."""
        return self

    @property
    def epochs(self) -> int:
        """How many epochs there were."""
        return max(map(len, self.values()), default=0)

    def append(self, logs: dict[str, Any]) -> None:
        """Add the numbers of an epoch."""
        for name, value in logs.items():
            self.setdefault(name, []).append(value)

    def best(self, monitor: str = "val_loss", mode: str = "auto") -> tuple[int, float]:
        """Return the epoch (from 0) with the best value, and the value.

        Raises
        ------
        KeyError
            Nothing of that name was recorded; the text lists what was.
        """
        values = self[known(monitor, self)]
        better = min if lower_is_better(monitor, mode) else max
        epoch = better(range(len(values)), key=values.__getitem__)
        return epoch, values[epoch]

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the curves into a picture file: one panel a quantity, training and validation.

        Needs matplotlib (extra ``train``).
        """
        from minigrad.train.plots import draw

        draw(self, path)


def lower_is_better(monitor: str, mode: str = "auto") -> bool:
    """Say which direction of a quantity is the better one; ``"auto"`` goes by its name."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"mode is 'auto', 'min' or 'max', not {mode!r}")
    if mode != "auto":
        return mode == "min"
    rising = ("accuracy", "precision", "recall", "f1", "r2")
    return not monitor.endswith(rising)


def known(monitor: str, logs: dict[str, Any]) -> str:
    """Return the name of a quantity that is there; raise with a list of what is."""
    if monitor not in logs:
        hint = "; give fit validation_data" if monitor.startswith("val_") else ""
        there = ", ".join(logs) or "nothing"
        raise KeyError(f"nothing called {monitor!r} is recorded, there is {there}{hint}")
    return monitor
