"""ReduceLROnPlateau."""

from __future__ import annotations

import math
from typing import Any

from minigrad.engine.recording import replayed
from minigrad.optim.lr_scheduler.base import LRScheduler, check_whole, per_group
from minigrad.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """Lower the learning rate when a quantity has stopped getting better.

    After more than ``patience`` epochs without a better value, ``lr <- max(factor * lr, min_lr)``,
    and then bad epochs are not counted for ``cooldown`` epochs. A value v is better than the best
    so far, b, with the threshold t, if::

                 mode "min"         mode "max"
        "rel"    v < b * (1 - t)    v > b * (1 + t)
        "abs"    v < b - t          v > b + t

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    mode : {"min", "max"}
        Whether small or large values are good.
    factor : float
        What the learning rate is multiplied by; below 1.
    patience : int
        How many epochs without a better value are borne.
    threshold, threshold_mode : float, {"rel", "abs"}
        As above.
    cooldown : int
        As above.
    min_lr : float, or list of float
        The lowest learning rate; a list has one for each group.
    eps : float
        A change that is no larger is not made.

    Raises
    ------
    ValueError
        An option is out of its range.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for val_loss in (0.9, 0.8, 0.8, 0.8):
    ...     schedule.step(val_loss)
    ...     print(schedule.get_last_lr(), end=" ")
    [1.0] [1.0] [1.0] [0.5]
    """

    _not_saved = (*LRScheduler._not_saved, "base_lrs")

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, not {factor!r}")
        for what, value, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in known:
                raise ValueError(
                    f"ReduceLROnPlateau: {what} must be {known[0]!r} or {known[1]!r}, not {value!r}"
                )
        check_whole("ReduceLROnPlateau", "patience", patience, 0)
        check_whole("ReduceLROnPlateau", "cooldown", cooldown, 0)
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.eps = eps
        super().__init__(optimizer)
        self.min_lrs = per_group("ReduceLROnPlateau", "min_lr", min_lr, optimizer)
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def _start(self) -> None:
        self.last_epoch = 0
        self._set(self._scaled(1.0))

    @property
    def in_cooldown(self) -> bool:
        """Whether bad epochs are not counted at the moment."""
        return self.cooldown_counter > 0

    @replayed
    def step(self, metrics: Any = None) -> None:
        """Look at an epoch's value, for example the validation loss."""
        if metrics is None:
            raise TypeError("ReduceLROnPlateau.step() needs the value to watch: step(val_loss)")
        value = float(metrics)
        self.last_epoch += 1
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        lrs = self._scaled(1.0)
        if self.num_bad_epochs > self.patience:
            lrs = self.get_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._set(lrs)

    def get_lr(self) -> list[float]:
        """Return each group's next lower learning rate."""
        lower = [
            max(lr, least)
            for lr, least in zip(self._scaled(self.factor), self.min_lrs, strict=True)
        ]
        return [
            new if old - new > self.eps else old
            for old, new in zip(self._scaled(1.0), lower, strict=True)
        ]

    def _is_better(self, value: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "abs":
            return sign * value < sign * self.best - self.threshold
        return sign * value < sign * self.best * (1 - sign * self.threshold)
