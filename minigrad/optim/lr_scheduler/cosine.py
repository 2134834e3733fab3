"""Schedules along a cosine: CosineAnnealingLR and CosineAnnealingWarmRestarts."""

from __future__ import annotations

import math

from minigrad.engine.recording import replayed
from minigrad.optim.lr_scheduler.base import LRScheduler, check_whole
from minigrad.optim.optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    """Let the learning rate fall to ``eta_min`` along half a cosine, within ``T_max`` epochs.

    ``lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2``

    After ``T_max`` it rises again along the cosine.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    T_max : int
        The epochs of the fall.
    eta_min : float
        The lowest learning rate.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        ``T_max`` is below 1.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(round(schedule.get_last_lr()[0], 3), end=" ")
    0.854 0.5 0.146 0.0
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        check_whole("CosineAnnealingLR", "T_max", T_max, 1)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`."""
        if self._starting:
            return self._scaled(1.0)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # it was at its lowest: a factor would be one of 0
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [
                lr + (base - self.eta_min) * rise
                for lr, base in zip(self._scaled(1.0), self.base_lrs, strict=True)
            ]
        factor = self._height(self.last_epoch) / self._height(self.last_epoch - 1)
        return [factor * (lr - self.eta_min) + self.eta_min for lr in self._scaled(1.0)]

    def _height(self, epoch: int) -> float:
        return 1 + math.cos(math.pi * epoch / self.T_max)

    def _closed_form(self) -> list[float]:
        height = self._height(self.last_epoch) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Let the learning rate fall along half a cosine, again and again.

    With ``T_cur`` the epochs since the last restart, and ``T_i`` those between two::

        lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    T_0 : int
        The epochs until the first restart.
    T_mult : int
        Each fall is so many times longer than the one before.
    eta_min : float
        The lowest learning rate.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        ``T_0`` or ``T_mult`` is below 1.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(4):
    ...     print(round(schedule.get_last_lr()[0], 3), end=" ")
    ...     optimizer.step()
    ...     schedule.step()
    1.0 0.5 1.0 0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_whole("CosineAnnealingWarmRestarts", "T_0", T_0, 1)
        check_whole("CosineAnnealingWarmRestarts", "T_mult", T_mult, 1)
        self.T_0 = self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`."""
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]

    @replayed
    def step(self, epoch: float | None = None) -> None:
        """Go on by an epoch, or to one; fractions let the learning rate fall within an epoch.

        For example ``schedule.step(epoch + batch / batches)`` after each batch.
        """
        if epoch is None and self.last_epoch >= 0:
            super().step()
            return
        epoch = epoch or 0.0
        if epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: epoch must be >= 0, not {epoch!r}")
        self.T_i, self.T_cur = self.T_0, epoch
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def _advance(self) -> None:
        self.T_cur += 1
        if self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        super()._advance()
