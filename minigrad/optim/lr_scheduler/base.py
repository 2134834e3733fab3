"""LRScheduler: what all schedules share."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

from minigrad.engine.recording import replayed
from minigrad.optim.optimizer import Optimizer

# In torch's states, and of no use here.
_TORCH_ONLY = (
    "_get_lr_called_within_step", "_is_initial", "default_min_lr", "lr_lambdas", "mode_worse",
    "verbose",
)  # fmt: skip


class LRScheduler:
    """Base of all schedules: subclass it and write `get_lr`.

    Each group's learning rate at the schedule's creation is kept in the group as ``initial_lr``.
    A schedule changes the learning rate that it finds, so several on one optimiser multiply.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups' learning rates to set.
    last_epoch : int
        The count of steps to go on from; -1 starts. (To go on from a checkpoint, start and use
        `load_state_dict`.)

    Attributes
    ----------
    last_epoch : int
        How often `step` was called.
    base_lrs : list of float
        The groups' ``initial_lr``.

    Raises
    ------
    TypeError
        ``optimizer`` is none.
    ValueError
        ``last_epoch`` is given, and the groups have no ``initial_lr`` to go on from.

    Examples
    --------
    >>> import minigrad as mg
    >>> class Halving(mg.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr * 0.5**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = Halving(optimizer)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    _not_saved: tuple[str, ...] = ("optimizer", "_starting")

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name} takes an optimizer, not a {type(optimizer).__name__}")
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ValueError(
                    f"{name}: group {k} has no 'initial_lr', so last_epoch={last_epoch} has "
                    "nothing to go on from: load the optimizer's state first, or leave "
                    "last_epoch out and load the schedule's state"
                )
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._starting = False
        self._start()

    def get_lr(self) -> list[float]:
        """Return each group's learning rate for `last_epoch`; `step` calls it, once an epoch.

        The one in use is what `get_last_lr` returns.
        """
        raise NotImplementedError(f"{type(self).__name__} has no get_lr()")

    def get_last_lr(self) -> list[float]:
        """Return the learning rates that the last step set."""
        return list(self._last_lr)

    @replayed
    def step(self) -> None:
        """Go on to the next epoch's learning rate; call it after ``optimizer.step()``.

        Warns
        -----
        UserWarning
            The optimizer has not made a step yet, so the first learning rate was never used.
        """
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(
                f"{type(self).__name__}.step() before optimizer.step(): the first learning rate "
                "of the schedule is skipped. Call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        self._advance()

    # ---- for the subclasses -------------------------------------------------------------------

    def _scaled(self, factor: float) -> list[float]:
        """Return the learning rates in use, times a factor."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _closed_form(self) -> list[float]:
        """Return the learning rates for `last_epoch`, whatever those in use are."""
        return self.get_lr()

    def _set(self, lrs: list[float]) -> None:
        groups = self.optimizer.param_groups
        if len(lrs) != len(groups):
            raise RuntimeError(
                f"{type(self).__name__} was made for {len(lrs)} groups and the optimizer has "
                f"{len(groups)} now: make the schedule after add_param_group()"
            )
        for group, lr in zip(groups, lrs, strict=True):
            group["lr"] = lr
        self._last_lr = [group["lr"] for group in groups]

    def _advance(self) -> None:
        self.last_epoch += 1
        self._set(self.get_lr())

    def _start(self) -> None:
        """Set the first learning rate."""
        self._step_count = 0
        self._starting = True
        self.step()
        self._starting = False

    def _undo(self) -> None:
        """Take the first step back: another schedule comes before this one."""
        self.last_epoch -= 1

    def _restart(self) -> None:
        """Begin now, where another schedule has ended."""
        self.last_epoch = 0
        self._set(self._closed_form())

    # ---- state --------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return what the schedule counts and was made with: numbers, strings, lists and dicts."""
        return copy.deepcopy({k: v for k, v in vars(self).items() if k not in self._not_saved})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, here or in torch.

        The learning rates in use are part of the optimizer's state: load that too.

        Raises
        ------
        ValueError
            The state is of another schedule, or of another number of groups.
        """
        name = type(self).__name__
        own = [k for k in vars(self) if k not in self._not_saved]
        missing = [k for k in own if k not in state_dict]
        unknown = [k for k in state_dict if k not in own and k not in _TORCH_ONLY]
        if missing or unknown:
            wrong = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}"
            raise ValueError(f"the state {wrong}: it is not of {name}")
        count, groups = len(state_dict["_last_lr"]), len(self.optimizer.param_groups)
        if count != groups:
            raise ValueError(f"the state is of {count} groups, and this optimizer has {groups}")
        vars(self).update(copy.deepcopy({k: state_dict[k] for k in own}))


def check_whole(name: str, what: str, value: Any, least: int) -> None:
    """Raise if a schedule's option is not a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name}: {what} must be a whole number >= {least}, not {value!r}")


def per_group(name: str, what: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """Return one value for each group, from one for all or a list."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name}: {what} has {len(value)} values, and the optimizer has {groups} groups"
        )
    return list(value)
