"""OneCycleLR."""

from __future__ import annotations

import math
from typing import Any

from minigrad.optim.lr_scheduler.base import LRScheduler, check_whole, per_group
from minigrad.optim.optimizer import Optimizer


class OneCycleLR(LRScheduler):
    """Let the learning rate rise to ``max_lr`` and fall to almost 0, in one cycle; step per batch.

    It goes from ``max_lr / div_factor`` to ``max_lr`` in the first ``pct_start`` of the steps, and
    then to ``max_lr / div_factor / final_div_factor``. ``three_phase`` goes back to where it began
    in as many steps as it rose, and only then to the end. Momentum (or the first of the betas)
    moves against it, from ``max_momentum`` to ``base_momentum`` and back.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    max_lr : float, or list of float
        The highest learning rate; a list has one for each group.
    total_steps : int, optional
        The steps of the cycle; or give ``epochs`` and ``steps_per_epoch``.
    pct_start : float
        The part of the steps in which it rises.
    anneal_strategy : {"cos", "linear"}
        The shape of rise and fall.
    cycle_momentum : bool
        Whether momentum moves too.
    base_momentum, max_momentum : float, or list of float
        Its lowest and highest value.
    div_factor, final_div_factor, three_phase
        As above.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        An option is out of its range, the optimizer has no momentum to cycle, or `step` was
        called more often than ``total_steps``.

    References
    ----------
    L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using
    Large Learning Rates", 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> schedule = mg.optim.lr_scheduler.OneCycleLR(
    ...     optimizer, max_lr=1.0, total_steps=5, pct_start=0.4, anneal_strategy="linear"
    ... )
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     schedule.step()
    ...     group = optimizer.param_groups[0]
    ...     print(round(group["lr"], 3), round(group["momentum"], 3), end="; ")
    1.0 0.85; 0.667 0.883; 0.333 0.917; 0.0 0.95;
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is not None:
            check_whole("OneCycleLR", "total_steps", total_steps, 1)
        elif epochs is not None and steps_per_epoch is not None:
            check_whole("OneCycleLR", "epochs", epochs, 1)
            check_whole("OneCycleLR", "steps_per_epoch", steps_per_epoch, 1)
            total_steps = epochs * steps_per_epoch
        else:
            raise ValueError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be from 0 to 1, not {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}"
            )
        momentum = next((m for m in ("betas", "momentum") if m in optimizer.defaults), None)
        if cycle_momentum and momentum is None:
            raise ValueError(
                f"OneCycleLR: {type(optimizer).__name__} has neither momentum nor betas; "
                "pass cycle_momentum=False"
            )
        self.total_steps = total_steps
        self._schedule_phases = _phases(pct_start * total_steps, total_steps, three_phase)
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = momentum == "betas"
        if last_epoch == -1:
            lrs = per_group("OneCycleLR", "max_lr", max_lr, optimizer)
            highs = per_group("OneCycleLR", "max_momentum", max_momentum, optimizer)
            lows = per_group("OneCycleLR", "base_momentum", base_momentum, optimizer)
            for group, lr, high, low in zip(optimizer.param_groups, lrs, highs, lows, strict=True):
                group["initial_lr"], group["max_lr"] = lr / div_factor, lr
                group["min_lr"] = group["initial_lr"] / final_div_factor
                if cycle_momentum:
                    group["max_momentum"], group["base_momentum"] = high, low
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`; the momentum is set."""
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"OneCycleLR was made for {self.total_steps} steps, and this is step {step}; "
                "make it with as many total_steps as training has batches in all epochs"
            )
        begin = 0.0
        for phase in self._schedule_phases[:-1]:
            if step <= phase["end_step"]:
                break
            begin = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        length = phase["end_step"] - begin
        done = (step - begin) / length if length else 1.0
        lrs = []
        for group in self.optimizer.param_groups:
            lrs.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], done))
            if self.cycle_momentum:
                momentum = self._between(
                    group[phase["start_momentum"]], group[phase["end_momentum"]], done
                )
                if self.use_beta1:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return lrs

    def _between(self, start: float, end: float, done: float) -> float:
        if self._anneal_func_type == "linear":
            return start + (end - start) * done
        return end + (start - end) / 2 * (1 + math.cos(math.pi * done))


def _phases(rise: float, total_steps: int, three_phase: bool) -> list[dict[str, Any]]:
    """Return the phases in torch's layout: where each ends, and from what to what it goes."""
    names = ["initial_lr", "max_lr", "min_lr"]
    momenta = ["max_momentum", "base_momentum", "max_momentum"]
    ends = [rise - 1, total_steps - 1]
    if three_phase:
        names.insert(2, "initial_lr")
        momenta.append("max_momentum")
        ends.insert(1, 2 * rise - 2)
    return [
        {
            "end_step": ends[i],
            "start_lr": names[i],
            "end_lr": names[i + 1],
            "start_momentum": momenta[i],
            "end_momentum": momenta[i + 1],
        }
        for i in range(len(ends))
    ]
