"""An optimiser's state as a dict, in torch's layout, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from minigrad.backend import is_array
from minigrad.engine.errors import describe
from minigrad.engine.tensor import Tensor
from minigrad.optim.flat import Kept

if TYPE_CHECKING:
    from minigrad.optim.optimizer import Optimizer


OURS = ("l1_decay", "decoupled_weight_decay")  # options that torch's states may lack
# What schedules note in a group; all else that is no option (torch's "fused", ...) is left out.
OF_SCHEDULES = ("initial_lr", "max_lr", "min_lr", "swa_lr", "max_momentum", "base_momentum")


def save(optimizer: Optimizer) -> dict[str, Any]:
    """Return the options and the state (see `Optimizer.state_dict`)."""
    state = optimizer.state
    entries: dict[int, dict[str, Any]] = {}
    groups = []
    count = 0
    for group in optimizer.param_groups:
        numbers = list(range(count, count + len(group["params"])))
        count += len(numbers)
        for number, p in zip(numbers, group["params"], strict=True):
            if p in state:
                entries[number] = state[p]
        groups.append({**group, "params": numbers})
    return {"state": entries, "param_groups": groups}


def options_of(optimizer: Optimizer, saved: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the saved options of each group, checked."""
    groups, saved_groups = optimizer.param_groups, saved["param_groups"]
    counts = [len(group["params"]) for group in groups]
    saved_counts = [len(group["params"]) for group in saved_groups]
    if counts != saved_counts:
        raise ValueError(
            f"the saved groups have {saved_counts} parameters, those of this {optimizer._name} "
            f"{counts}; make it over the same parameters, in the same order, as when saving"
        )
    return [_options(optimizer, s) for s in saved_groups]


def load(optimizer: Optimizer, saved: Mapping[str, Any]) -> None:
    """Take options and state over (see `Optimizer.load_state_dict`): check all, then write all."""
    options = options_of(optimizer, saved)
    groups, saved_groups = optimizer.param_groups, saved["param_groups"]
    kept: dict[int, Kept | None] = {}
    for group, new, saved_group in zip(groups, options, saved_groups, strict=True):
        required = optimizer._names(group | new)
        for p, number in zip(group["params"], saved_group["params"], strict=True):
            entry = saved["state"].get(number)
            kept[id(p)] = None if not entry else _entry(optimizer, required, p, number, entry)
    for k, (group, new) in enumerate(zip(groups, options, strict=True)):
        group.update(new)
        for flat in optimizer.gathered(k):
            flat.keep([kept[id(p)] for p in flat.params])


def _options(optimizer: Optimizer, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return a saved group's options, checked."""
    missing = [name for name in optimizer.defaults if name not in saved and name not in OURS]
    if missing:
        raise ValueError(
            f"the state is not of {optimizer._name}: its options lack {', '.join(missing)}"
        )
    options = {name: saved.get(name, default) for name, default in optimizer.defaults.items()}
    optimizer._check(options)
    return options | {name: saved[name] for name in OF_SCHEDULES if name in saved}


def _entry(
    optimizer: Optimizer,
    required: tuple[str, ...],
    p: Tensor,
    number: int,
    saved: Mapping[str, Any],
) -> Kept:
    """Return what is saved about one parameter, checked against it."""
    what = f"the state of parameter {number}"
    steps = 1
    first_numbers = optimizer._first_numbers
    if optimizer._counts_steps:
        required = ("step", *first_numbers, *required)
    known = ("step", *first_numbers, *optimizer._state_names)
    unknown = [name for name in saved if name not in known]
    missing = [name for name in required if saved.get(name) is None]
    if unknown or (missing and optimizer._counts_steps):
        wrong = f"has {unknown[0]!r}" if unknown else f"lacks {missing[0]!r}"
        raise ValueError(f"{what} {wrong}: it is not of {optimizer._name} with these options")
    arrays = {}
    numbers = dict(first_numbers)
    for name, value in saved.items():
        if value is None:
            continue
        if name == "step":
            steps = int(float(value))
            continue
        if name in numbers:
            numbers[name] = float(value)
            continue
        array = value._array if isinstance(value, Tensor) else value
        if not is_array(array) or array.dtype.kind != "f":
            raise TypeError(
                f"{what}: {name} must be a floating Tensor or array, not {type(value).__name__} "
                f"{describe(value)}; a torch tensor becomes an array by .numpy()"
            )
        if array.shape != p.shape:
            raise ValueError(
                f"{what}: {name} has shape {list(array.shape)}, the parameter {list(p.shape)}"
            )
        arrays[name] = array
    return Kept(steps if arrays else 0, numbers, arrays)
