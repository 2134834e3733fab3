"""Optimisers compared with PyTorch's: a table of options, and 200 steps of each in both libraries.

`deviations` yields the table's rows with the largest deviation of any parameter at any step,
measured by the largest element of that parameter; ``python tests/parity.py`` prints them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

import minigrad as mg

SHAPES = [(5, 4), (5,), (24, 16), (24,), (), (2, 3, 2)]
STEPS = 200
LIMITS = {"float64": 1e-7, "float32": 1e-4}

# Steps are 0.01 unless the options say otherwise.
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"weight_decay": 0.1}),
    ("SGD", {"maximize": True}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"momentum": 0.8, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "eps": 1e-3, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"momentum": 0.7, "centered": True, "weight_decay": 0.1, "maximize": True}),
    ("Adadelta", {"lr": 1.0}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-4}),
    ("Adadelta", {"lr": 1.0, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"betas": (0.7, 0.8), "eps": 1e-3}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"maximize": True}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "maximize": True, "eps": 1e-4}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.5, "betas": (0.8, 0.9)}),
    ("AdamW", {"amsgrad": True, "weight_decay": 0.2, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"momentum_decay": 0.05, "betas": (0.8, 0.95), "eps": 1e-4}),
    ("NAdam", {"weight_decay": 0.1, "maximize": True}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"betas": (0.8, 0.9), "eps": 1e-4}),
    ("RAdam", {"betas": (0.9, 0.6)}),  # never more than five gradients in the mean
    ("RAdam", {"weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adamax", {}),
    ("Adamax", {"betas": (0.7, 0.9), "eps": 1e-3}),
    ("Adamax", {"weight_decay": 0.1, "maximize": True}),
]

# Each optimiser over flat buffers once, keeping all that it can keep.
EVERY: list[tuple[str, dict[str, Any]]] = [
    ("GD", {}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.1}),
    ("RMSprop", {"momentum": 0.9, "centered": True, "alpha": 0.9}),
    ("Adadelta", {}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {"weight_decay": 0.1}),
    ("NAdam", {}),
    ("RAdam", {"betas": (0.9, 0.9)}),
    ("Adamax", {}),
    ("Lion", {}),
]

# Each step makes up to max_iter iterations: more than 200 in all.
LBFGS_ROWS: list[tuple[str, dict[str, Any]]] = [
    ("LBFGS", {}),
    ("LBFGS", {"line_search_fn": "strong_wolfe"}),
    ("LBFGS", {"line_search_fn": "strong_wolfe", "history_size": 5, "max_iter": 7}),
    ("LBFGS", {"line_search_fn": "strong_wolfe", "lr": 0.5, "max_eval": 6}),
    ("LBFGS", {"lr": 0.5, "max_iter": 4, "history_size": 3}),
    ("LBFGS", {"tolerance_grad": 1e-2, "tolerance_change": 1e-3}),
]


SCHEDULE_STEPS = 100

# ReduceLROnPlateau looks at what `watched` returns.
SCHEDULE_ROWS: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [3, 50, 50, 80]}),
    ("MultiStepLR", {"milestones": [0, 10], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 40}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.5, "total_iters": 60}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 30}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.001}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 100}),
    ("OneCycleLR", {"max_lr": [0.5, 0.2], "epochs": 10, "steps_per_epoch": 11,
                    "anneal_strategy": "linear", "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 120, "three_phase": True,
                    "base_momentum": 0.7, "max_momentum": 0.9}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 100, "cycle_momentum": False,
                    "div_factor": 5.0, "final_div_factor": 10.0}),
    ("ReduceLROnPlateau", {"patience": 2}),
    ("ReduceLROnPlateau", {"mode": "max", "factor": 0.5, "patience": 0, "cooldown": 3}),
    ("ReduceLROnPlateau", {"threshold": 0.1, "threshold_mode": "abs", "patience": 1,
                           "min_lr": [0.01, 0.001]}),
    ("ReduceLROnPlateau", {"mode": "max", "threshold": 0.2, "threshold_mode": "abs",
                           "patience": 1, "factor": 0.8, "eps": 0.01}),
    ("SequentialLR", {"milestones": [10], "schedulers": [
        ("LinearLR", {"start_factor": 0.1, "total_iters": 10}),
        ("CosineAnnealingLR", {"T_max": 90}),
    ]}),
    ("SequentialLR", {"milestones": [5, 30, 60], "schedulers": [
        ("ConstantLR", {"factor": 0.1, "total_iters": 100}),
        ("StepLR", {"step_size": 6, "gamma": 0.5}),
        ("CosineAnnealingWarmRestarts", {"T_0": 8}),
        ("ExponentialLR", {"gamma": 0.9}),
    ]}),
    ("SequentialLR", {"milestones": [3, 20, 40], "schedulers": [
        ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
        ("MultiStepLR", {"milestones": [0, 4, 9], "gamma": 0.5}),
        ("ConstantLR", {"factor": 0.3, "total_iters": 7}),
        ("LinearLR", {"start_factor": 0.2, "end_factor": 0.9, "total_iters": 11}),
    ]}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.95**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 1 / (1 + epoch), lambda epoch: epoch // 10]}),
]  # fmt: skip


def text(options: dict[str, Any]) -> str:
    """Return options as the table shows them."""
    return ", ".join(f"{k}={v}" for k, v in options.items()) or "defaults"


def starts(dtype: str) -> list[np.ndarray]:
    """Return the parameters' first values; matrices lie in Fortran order, as Linear's do."""
    rng = np.random.default_rng(1)
    arrays = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    return [np.array(a, order="F") for a in arrays]


def tensor(array: np.ndarray) -> Any:
    """Return a torch tensor of an array of any memory order."""
    import torch

    return torch.tensor(np.array(array, order="C"))


def ours(arrays: list[np.ndarray]) -> list[Any]:
    """Return parameters of minigrad."""
    return [mg.nn.Parameter(a) for a in arrays]


def theirs(arrays: list[np.ndarray]) -> list[Any]:
    """Return parameters of torch."""
    import torch

    return [torch.nn.Parameter(tensor(a)) for a in arrays]


@functools.cache
def gradients(dtype: str, count: int = STEPS, seed: int = 2) -> list[list[Any]]:
    """Return gradients of changing size and memory order; one parameter often has none."""
    rng = np.random.default_rng(seed)
    made = []
    for step in range(count):
        grads: list[Any] = []
        for i, shape in enumerate(SHAPES):
            g = np.asarray(rng.standard_normal(shape) * 10 ** rng.uniform(-2, 1), dtype)
            if i == 3 and step % 3:
                grads.append(None)
            else:
                grads.append(np.array(g, order="F" if step % 2 else "C"))
        made.append(grads)
    return made


def give(params: list[Any], grads: list[Any], make: Callable[[np.ndarray], Any]) -> None:
    """Give the parameters these gradients, as tensors that ``make`` makes."""
    for p, g in zip(params, grads, strict=True):
        p.grad = None if g is None else make(g)


def distance(mine: list[Any], other: list[Any], first: list[np.ndarray]) -> float:
    """Return the largest difference, relative to the largest value of its tensor.

    That is the larger one of now and at first: a single number may cross 0.
    """
    worst = 0.0
    for a, b, start in zip(mine, other, first, strict=True):
        got, want = a.detach().cpu().numpy(), b.detach().numpy()
        size = max(np.abs(want).max(), np.abs(start).max())
        worst = max(worst, float(np.abs(got - want).max() / size))
    return worst


def pair(name: str, options: dict[str, Any], dtype: str) -> tuple[Any, Any, list[Any], list[Any]]:
    """Return the optimiser in minigrad and in torch, and the parameters of each."""
    import torch

    mine, other = ours(starts(dtype)), theirs(starts(dtype))
    options = {"lr": 0.01} | options
    a, b = getattr(mg.optim, name)(mine, **options), getattr(torch.optim, name)(other, **options)
    return a, b, mine, other


def deviation(name: str, options: dict[str, Any], dtype: str) -> float:
    """Return the largest deviation of `STEPS` steps, or of some hundred iterations of LBFGS."""
    if name == "LBFGS":
        return _lbfgs_deviation(options, dtype)
    a, b, mine, other = pair(name, options, dtype)
    first = starts(dtype)
    worst = 0.0
    for grads in gradients(dtype):
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
        worst = max(worst, distance(mine, other, first))
    return worst


def regression(lib: Any, arrays: list[np.ndarray], make: Callable[[np.ndarray], Any]) -> Any:
    """Return a function of the parameters: a small network's error, with some L2 penalty."""
    w1, _, w2 = arrays
    rng = np.random.default_rng(5)
    x = make(rng.standard_normal((40, w1.shape[0])).astype(w1.dtype))
    y = make(rng.standard_normal((40, w2.shape[1])).astype(w1.dtype))

    def loss(params: list[Any]) -> Any:
        hidden = lib.tanh(x @ params[0] + params[1])
        error = hidden @ params[2] - y
        return (error * error).mean() + 0.05 * sum((p * p).sum() for p in params)

    return loss


def network(dtype: str) -> list[np.ndarray]:
    """Return the first weights and biases of the network of `regression`."""
    rng = np.random.default_rng(4)
    return [np.asarray(0.5 * rng.standard_normal(s), dtype) for s in [(4, 6), (6,), (6, 2)]]


def lbfgs(lib: Any, params: list[Any], options: dict[str, Any], make: Any) -> tuple[Any, Any]:
    """Return LBFGS, with the closure that it is to be called with, and the parameters."""
    optimizer = lib.optim.LBFGS(params, **options)
    loss = regression(lib, network(str(params[0].dtype).removeprefix("torch.")), make)

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss(params)
        value.backward()
        return value

    optimizer.closure = closure
    return optimizer, params


def _lbfgs_deviation(options: dict[str, Any], dtype: str, steps: int = 10) -> float:
    """Return the largest deviation of the parameters; in float32, of the losses.

    Near the lowest loss, rounding in it decides how long a line search's steps are: by about the
    root of the rounding, which in float32 is more than the limit. The losses agree.
    """
    import torch

    first = network(dtype)
    a, mine = lbfgs(mg, ours([np.array(p, order="F") for p in first]), options, mg.tensor)
    b, other = lbfgs(torch, theirs(first), options, tensor)
    worst = 0.0
    for _ in range(steps):
        got, want = (optimizer.step(optimizer.closure).item() for optimizer in (a, b))
        if dtype == "float32":
            worst = max(worst, abs(got - want) / abs(want))
        else:
            worst = max(worst, distance(mine, other, first))
    return worst


def watched(step: int) -> float:
    """Return a quantity that falls, stays and jumps, for the schedule that watches one."""
    return float(np.random.default_rng(step // 3).uniform(0.5, 1.5) + 5 / (1 + step))


def schedule(lib: Any, optimizer: Any, name: str, options: dict[str, Any]) -> Any:
    """Return a schedule of a row in minigrad or torch."""
    kind = getattr(lib.optim.lr_scheduler, name)
    if name == "SequentialLR":
        parts = [schedule(lib, optimizer, *part) for part in options["schedulers"]]
        return kind(optimizer, parts, options["milestones"])
    return kind(optimizer, **options)


def grouped(lib: Any, kind: str = "SGD") -> Any:
    """Return an optimiser of two groups with learning rates of their own."""
    p, q = (ours if lib is mg else theirs)([np.ones(2), np.ones(3)])
    groups = [{"params": [p], "lr": 0.1}, {"params": [q]}]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(lib.optim, kind)(groups, lr=0.3, **options)


def advance(optimizer: Any, schedule: Any, step: int) -> list[float]:
    """Make a step of both; return all that a schedule may set in the groups."""
    optimizer.step()
    watches = type(schedule).__name__ == "ReduceLROnPlateau"
    schedule.step(*([watched(step)] if watches else []))
    assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    return [
        value
        for group in optimizer.param_groups
        for value in (group["lr"], group.get("momentum", 0.0), *group.get("betas", ()))
    ]


def schedule_deviation(name: str, options: dict[str, Any], kind: str = "SGD") -> float:
    """Return the largest deviation in `SCHEDULE_STEPS` steps, relative to the first values."""
    import torch

    runs = []
    for lib in (mg, torch):
        optimizer = grouped(lib, kind)
        made = schedule(lib, optimizer, name, options)
        runs.append([advance(optimizer, made, step) for step in range(SCHEDULE_STEPS)])
    got, want = (np.array(run) for run in runs)
    return float(np.abs(got - want).max() / np.abs(want).max())


def schedule_text(options: dict[str, Any]) -> str:
    """Return a schedule's options as the table shows them."""
    shown = dict(options)
    if "lr_lambda" in shown:
        many = isinstance(shown["lr_lambda"], list)
        shown["lr_lambda"] = "one for each group" if many else "one for all"
    if "schedulers" in shown:
        shown["schedulers"] = "+".join(name for name, _ in shown["schedulers"])
    return text(shown)


def deviations(names: Collection[str] = ()) -> Iterator[tuple[str, str, float, float]]:
    """Yield each row's name, options, and largest deviations in float64 and float32.

    All rows, or those of some names. Schedules compute with Python's floats alone; their second
    deviation is NaN.
    """
    for name, options in ROWS + LBFGS_ROWS:
        if names and name not in names:
            continue
        yield (
            name,
            text(options) + ("; float32: of the loss" if name == "LBFGS" else ""),
            deviation(name, options, "float64"),
            deviation(name, options, "float32"),
        )
    for name, options in SCHEDULE_ROWS:
        if names and name not in names:
            continue
        yield name, schedule_text(options), schedule_deviation(name, options), float("nan")
