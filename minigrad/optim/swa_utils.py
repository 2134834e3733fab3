"""Averages of a model's weights over training, under the names of ``torch.optim.swa_utils``.

The mean of the weights of many epochs (SWA), or their exponential moving average (EMA), often
generalises better than the last ones. Batch normalisation's running statistics belong to weights:
recompute them for the averaged ones with `update_bn`, or average them with ``use_buffers=True``.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minigrad.backend import Device
from minigrad.engine.dtypes import int64
from minigrad.engine.modes import no_grad
from minigrad.engine.recording import replayed
from minigrad.engine.tensor import Tensor
from minigrad.nn import Module
from minigrad.ops.create import zeros
from minigrad.optim.lr_scheduler.base import LRScheduler, check_whole, per_group
from minigrad.optim.optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn",
    "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip

AvgFn = Callable[[Tensor, Tensor, int], Tensor]
MultiAvgFn = Callable[[Sequence[Tensor], Sequence[Tensor], int], None]


class AveragedModel(Module):
    """A copy of a model whose weights are averages of the model's weights.

    The first `update_parameters` copies the weights; each later one averages, by default to the
    mean of all (SWA)::

        w <- w + (w_model - w) / (n_averaged + 1)

    ``get_ema_multi_avg_fn(decay)`` makes it ``w <- decay * w + (1 - decay) * w_model`` (EMA).

    Parameters
    ----------
    model : Module
        What to average; it is copied, and goes on being trained by itself.
    device : str or Device, optional
        Where the averages are kept; by default where the model is.
    avg_fn : callable, optional
        ``avg_fn(averaged, current, n_averaged)`` returns the new average of one tensor.
    multi_avg_fn : callable, optional
        ``multi_avg_fn(averaged, current, n_averaged)`` changes lists of tensors in place.
    use_buffers : bool
        Average floating buffers too. Otherwise, and for other dtypes, buffers are copied.

    Raises
    ------
    ValueError
        Both functions are given, or the model's parameters are not those that were copied.

    Notes
    -----
    The functions are not part of the state, ``n_averaged`` is. Keys begin with ``module.``.

    References
    ----------
    P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI
    2018; B. T. Polyak and A. B. Juditsky, "Acceleration of Stochastic Approximation by
    Averaging", SIAM J. Control Optim. 30, 1992.

    Examples
    --------
    >>> import minigrad as mg
    >>> model = mg.nn.Linear(1, 1, bias=False)
    >>> averaged = mg.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = mg.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged(mg.ones(1, 1)).item(), averaged.n_averaged.item()
    (3.0, 3)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: str | Device | None = None,
        avg_fn: AvgFn | None = None,
        multi_avg_fn: MultiAvgFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel takes avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", zeros((), dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the averaged model."""
        return self.module(*args, **kwargs)

    @replayed
    def update_parameters(self, model: Module) -> None:
        """Take the model's weights of now into the average."""
        n = int(self.n_averaged)
        pairs = _pairs(self.module.parameters(), model.parameters(), "parameters")
        buffers = _pairs(self.module.buffers(), model.buffers(), "buffers")
        if self.use_buffers:
            pairs += [(b, new) for b, new in buffers if b.is_floating_point()]
            buffers = [(b, new) for b, new in buffers if not b.is_floating_point()]
        with no_grad():
            if n == 0:
                buffers = pairs + buffers
            elif self.avg_fn is not None:
                for average, new in pairs:
                    average.copy_(self.avg_fn(average, new, n))
            else:
                multi = self.multi_avg_fn or get_swa_multi_avg_fn()
                multi([average for average, _ in pairs], [new for _, new in pairs], n)
            for own, new in buffers:
                own.copy_(new)
            self.n_averaged.add_(1)


def _pairs(own: Iterable[Tensor], new: Iterable[Tensor], what: str) -> list[tuple[Tensor, Tensor]]:
    ours, theirs = list(own), list(new)
    if [p.shape for p in ours] != [p.shape for p in theirs]:
        raise ValueError(f"the model's {what} are not those of the model that is averaged")
    return [(a.detach(), b.detach().to(a.device)) for a, b in zip(ours, theirs, strict=True)]


def _check_decay(decay: float) -> float:
    if not 0 <= decay <= 1:
        raise ValueError(f"decay must be a number from 0 to 1, not {decay!r}")
    return decay


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAvgFn:
    """Return the exponential moving average ``w <- decay * w + (1 - decay) * w_model``, in place.

    Raises
    ------
    ValueError
        ``decay`` is not from 0 to 1.
    """
    _check_decay(decay)

    def ema_update(averaged: Sequence[Tensor], current: Sequence[Tensor], n: int) -> None:
        with no_grad():
            for average, new in zip(averaged, current, strict=True):
                average.add_((new - average).mul_(1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> MultiAvgFn:
    """Return the mean of all, ``w <- w + (w_model - w) / (n + 1)``, in place."""

    def swa_update(averaged: Sequence[Tensor], current: Sequence[Tensor], n: int) -> None:
        with no_grad():
            for average, new in zip(averaged, current, strict=True):
                average.add_((new - average).mul_(1 / (int(n) + 1)))

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> AvgFn:
    """Return the exponential moving average of one tensor; see `get_ema_multi_avg_fn`."""
    _check_decay(decay)

    def ema_update(average: Tensor, new: Tensor, n: int) -> Tensor:
        with no_grad():
            return decay * average + (1 - decay) * new

    return ema_update


def get_swa_avg_fn() -> AvgFn:
    """Return the mean of all, of one tensor; see `get_swa_multi_avg_fn`."""

    def swa_update(average: Tensor, new: Tensor, n: int) -> Tensor:
        with no_grad():
            return average + (new - average) / (n + 1)

    return swa_update


def update_bn(loader: Iterable[Any], model: Module, device: str | Device | None = None) -> None:
    """Compute the running statistics of a model's batch normalisation anew, from all the data.

    They become the mean over all batches (each layer's ``momentum`` is None meanwhile). The
    model's weights stay, and its training mode is put back.

    Parameters
    ----------
    loader : iterable
        Batches: tensors, or tuples or lists whose first entry is the input.
    model : Module
        For example an `AveragedModel`. Without batch normalisation nothing is done.
    device : str or Device, optional
        Where to move the batches.

    Examples
    --------
    >>> import minigrad as mg
    >>> model = mg.nn.Sequential(mg.nn.BatchNorm1d(1))
    >>> mg.optim.swa_utils.update_bn([mg.tensor([[1.0], [3.0]]), mg.tensor([[5.0], [7.0]])], model)
    >>> model[0].running_mean
    tensor([4.])
    """
    layers = [m for m in model.modules() if getattr(m, "running_mean", None) is not None]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        with no_grad():
            for batch in loader:
                x = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(x if device is None else x.to(device))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for module, mode in modes:
            module.training = mode


class SWALR(LRScheduler):
    """Bring the learning rate to ``swa_lr`` within ``anneal_epochs``, and hold it there.

    With c from 0 to 1 over the epochs, and lr the learning rate at its creation::

        linear   lr' = (1 - c) * lr + c * swa_lr
        cos      the same, with (1 - cos(pi * c)) / 2 for c

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    swa_lr : float, or list of float
        Where they go; a list has one for each group.
    anneal_epochs : int
        In how many epochs; 0 goes there at the first step.
    anneal_strategy : {"cos", "linear"}
        As above.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        An option is out of its range.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.swa_utils.SWALR(optimizer, 0.5, 2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(schedule.get_last_lr(), end=" ")
    [0.75] [0.5] [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_whole("SWALR", "anneal_epochs", anneal_epochs, 0)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"SWALR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}"
            )
        lrs = per_group("SWALR", "swa_lr", swa_lr, optimizer)
        for group, lr in zip(optimizer.param_groups, lrs, strict=True):
            group["swa_lr"] = lr
        self.anneal_epochs = anneal_epochs
        self._anneal_strategy = anneal_strategy
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for the next epoch."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        lrs = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            lrs.append(end * now + start * (1 - now))
        return lrs

    def _part(self, step: int) -> float:
        done = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return done if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * done)) / 2
