"""Smells that show when parameters are updated: the optimiser's step, and the user's own."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import is_array
from minigrad.check.lints.step import Step, to_host
from minigrad.check.lints.table import Seen, smell
from minigrad.check.lints.trial import trial
from minigrad.engine.modes import no_grad
from minigrad.engine.op import Node
from minigrad.engine.tensor import Tensor

STEPS = 5  # of the optimiser on the one batch
WORSE = 2.0  # times the first loss, that none of these steps may exceed at its best
CALLS = 3  # of the user's step, to see whether its graphs stay
TENTHS = 6  # how far a smaller learning rate is looked for


def _ready(step: Step) -> bool:
    """Say whether an optimiser's step can be tried: a finite loss with gradients."""
    loss = step.loss
    if step.optimizer is None or not isinstance(loss, Tensor) or not loss.requires_grad:
        return False
    return bool(np.isfinite(to_host(loss)).all()) and loss.numel() == 1


def _values(step: Step) -> list[Any]:
    return [to_host(p).copy() for _, p in step.parameters()]


@smell("lr-too-high", "error", "06")
def lr_too_high(step: Step) -> Seen:
    """Find steps that make the loss on their own batch larger."""
    if not _ready(step):
        return
    first = float(step.loss.item())
    losses = _losses(step, 1.0)
    if not _worse(first, losses):
        return
    rates = sorted({float(g["lr"]) for g in step.optimizer.param_groups if "lr" in g})
    better = next((10.0**-k for k in range(1, TENTHS + 1) if _falls(step, first, 10.0**-k)), None)
    path = " -> ".join(f"{x:.3g}" for x in (first, *losses))
    seen = f"with lr {', '.join(f'{r:g}' for r in rates)} the loss on this very batch goes {path}"
    cure = "a lower learning rate"
    if better is not None and rates:
        cure += f": with {', '.join(f'{r * better:g}' for r in rates)} it falls"
    yield type(step.optimizer).__name__, seen, cure


def _losses(step: Step, factor: float) -> list[float]:
    """Return the losses after some steps with the learning rates times a factor."""
    losses: list[float] = []
    with trial(step.model, step.optimizer):
        for group in step.optimizer.param_groups:
            if "lr" in group:
                group["lr"] *= factor
        while len(losses) < STEPS and all(map(math.isfinite, losses)):
            step.learn()
            with no_grad():
                losses.append(float(step.forward()[1].item()))
    return losses


def _worse(first: float, losses: list[float]) -> bool:
    if not all(map(math.isfinite, losses)):
        return True
    return min(losses) - first > (WORSE - 1) * abs(first) + 1e-6


def _falls(step: Step, first: float, factor: float) -> bool:
    losses = _losses(step, factor)
    return all(map(math.isfinite, losses)) and losses[-1] < first


@smell("no-update", "error", "06")
def no_update(step: Step) -> Seen:
    """Find a step of the optimiser, or the user's own, that changes no parameter."""
    if not _ready(step) or not any(g is not None and g.any() for g in step.grads.values()):
        return
    with trial(step.model, step.optimizer):
        before = _values(step)
        step.learn()
        same = all(np.array_equal(a, b) for a, b in zip(before, _values(step), strict=True))
    if not same:
        return
    if step.train_step is not None:
        seen = "one call leaves all parameters as they were"
        cure = "call loss.backward() and then optimizer.step(), of an optimiser over these "
        cure += "parameters with lr > 0"
        yield "the training step", seen, cure
    elif any(id(p) in _held(step) for _, p in step.parameters()):
        rates = sorted({float(g.get("lr", 0.0)) for g in step.optimizer.param_groups})
        seen = f"with lr {', '.join(f'{r:g}' for r in rates)} a step leaves all parameters as they "
        seen += "were, though they have gradients"
        yield type(step.optimizer).__name__, seen, "raise the learning rate"


def _held(step: Step) -> set[int]:
    return {id(p) for group in step.optimizer.param_groups for p in group["params"]}


@smell("missing-zero-grad", "error", "06")
def missing_zero_grad(step: Step) -> Seen:
    """Find a training step that adds its gradients to those of the step before."""
    if step.train_step is None:
        return
    alone = _after_step(step, None)
    large = {name: 10 * float(np.abs(g).max()) + 1.0 for name, g in alone.items() if g.any()}
    after = _after_step(step, large)
    for name, size in large.items():
        if name in after and np.allclose(after[name] - alone[name], size, rtol=1e-3):
            norms = " -> ".join(f"{x:.3g}" for x in _norms(step, name))
            seen = "what is in .grad before a call is still in it after: called again and again "
            seen += f"on this batch, the gradient's norm in {name} goes {norms}"
            cure = "call optimizer.zero_grad() in each step, before loss.backward()"
            yield "the training step", seen, cure
            return


def _norms(step: Step, name: str) -> list[float]:
    """Return the norms of a parameter's gradient after each of some calls of the user's step."""
    p = dict(step.parameters())[name]
    norms = []
    with trial(step.model, step.optimizer):
        for _ in range(STEPS):
            step.learn()
            norms.append(float(np.linalg.norm(to_host(p.grad))))
    return norms


def _after_step(step: Step, planted: dict[str, float] | None) -> dict[str, Any]:
    """Return the gradients after the user's step, which may start from planted ones."""
    with trial(step.model, step.optimizer):
        for name, p in step.parameters():
            if planted and name in planted:
                p.grad = Tensor(np.full(p.shape, planted[name], p.dtype), device=p.device)
        step.learn()
        return {n: to_host(p.grad).copy() for n, p in step.parameters() if p.grad is not None}


@smell("graph-kept", "warning", "13")
def graph_kept(step: Step) -> Seen:
    """Find a step that leaves its graph alive, as a loss kept in a list does."""
    if step.train_step is None:
        return
    with trial(step.model, step.optimizer):
        for _ in range(2):  # the first calls may fill caches
            step.learn()
        grown, size = _growth(step)
        if grown >= 1:  # again, without what merely waits for the garbage collector
            gc.collect()
            grown, size = _growth(step, gc.collect)
    if grown >= 1:
        held = f" with {size / 1024:,.1f} KiB of values" if size > 0 else ""
        seen = f"each call leaves {grown:g} recorded op{'' if grown == 1 else 's'}{held} alive: "
        seen += "memory grows with every step"
        cure = "keep the number, not the tensor: losses.append(loss.item()), total += loss.item()"
        yield "the training step", seen, cure


def _growth(step: Step, before_counting: Callable[[], Any] | None = None) -> tuple[float, float]:
    """Return how many recorded ops a call of the user's step leaves alive, and their bytes."""
    collecting = gc.isenabled()
    gc.disable()  # it would take away what was there before
    try:
        before = _alive()
        for _ in range(CALLS):
            step.learn()
        if before_counting is not None:
            before_counting()
        after = _alive()
    finally:
        if collecting:
            gc.enable()
    return (after[0] - before[0]) / CALLS, (after[1] - before[1]) / CALLS


def _alive() -> tuple[int, int]:
    """Return how many recorded ops are alive, and the bytes of what they keep."""
    nodes = [x for x in gc.get_objects() if type(x) is Node]
    arrays = [a for node in nodes for a in node.saved or () if is_array(a)]
    return len(nodes), sum({id(a): a.nbytes for a in arrays}.values())
