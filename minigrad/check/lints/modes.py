"""Smells of modes: training or evaluating, recording or not."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from minigrad.backend import default_generator, is_array
from minigrad.check.lints.step import Call, Step, shown, to_host
from minigrad.check.lints.table import Seen, smell
from minigrad.check.lints.trial import tensors_in
from minigrad.engine.modes import no_grad


def _sensitive(step: Step) -> list[tuple[Call, float]]:
    """Return the first call of each module that acts by its own mode, and by how much."""
    found = []
    seen: set[int] = set()
    for call in step.calls:
        if id(call.module) not in seen:
            seen.add(id(call.module))
            distance = _distance(step, call)
            if distance:
                found.append((call, distance))
    return found


def _distance(step: Step, call: Call) -> float:
    """Return how far a module's outputs in its two modes are apart, at most."""
    outputs = []
    mode = call.module.training
    for training in (True, False):
        call.module.training = training
        default_generator.set_state(step.start)
        try:
            with no_grad():
                outputs.append(tensors_in(call.forward(*call.args, **call.kwargs)))
        except (ValueError, RuntimeError):  # batch norm refuses to train on one example
            outputs.append([])
        finally:
            call.module.training = mode
    pairs = itertools.zip_longest(*outputs)
    return max((_apart(a, b) for a, b in pairs), default=0.0)


def _apart(a: Any, b: Any) -> float:
    if a is None or b is None or a.shape != b.shape:
        return float("inf")
    difference = np.abs(to_host(a).astype(np.float64) - to_host(b))
    return float(np.nan_to_num(difference, nan=0.0).max()) if difference.size else 0.0


def _named(calls: list[tuple[Call, float]]) -> str:
    names = [shown(c.path, c.module) for c, _ in calls[:4]]
    return ", ".join(names) + (f" and {len(calls) - 4} more" if len(calls) > 4 else "")


@smell("eval-mode", "error", "07", evaluating=True)
def eval_mode(step: Step) -> Seen:
    """Find evaluating with dropout or batch norm in training mode."""
    found = [(c, d) for c, d in _sensitive(step) if c.module.training]
    if found:
        most = max(d for _, d in found)
        seen = "in training mode while evaluating: outputs are random, or depend on the rest of "
        seen += f"the batch, and differ from those of evaluation by up to {most:.2g}"
        yield _named(found), seen, "call model.eval() before evaluating, model.train() after"


@smell("random-evaluation", "warning", "07", evaluating=True)
def random_evaluation(step: Step) -> Seen:
    """Find outputs that are random though no module is in training mode."""
    if any(c.module.training for c, _ in _sensitive(step)):
        return
    default_generator.set_state(step.start)
    with no_grad():
        outputs = [tensors_in(step.model(*step.inputs)) for _ in range(2)]  # the second draws anew
    most = max((_apart(a, b) for a, b in zip(*outputs, strict=True)), default=0.0)
    if most:
        seen = f"two evaluations of the same batch differ by up to {most:.2g}, though no module is "
        seen += "in training mode"
        cure = "tie dropout to the mode: nn.Dropout, or mg.dropout(x, p, training=self.training)"
        yield "the output", seen, cure


@smell("train-mode", "warning", "07")
def train_mode(step: Step) -> Seen:
    """Find training with everything in evaluation mode, as after a forgotten ``train()``."""
    if step.training:
        return
    found = _sensitive(step)
    if found and not any(c.module.training for c, _ in found):
        seen = "in evaluation mode while training: dropout drops nothing, batch norm learns no "
        seen += "statistics"
        yield _named(found), seen, "call model.train() before training, also after each evaluation"


@smell("no-grad", "error", "01")
def left_no_grad(step: Step) -> Seen:
    """Find training under no_grad."""
    if not step.recording:
        seen = "no_grad is on here, so nothing is recorded and backward has no graph"
        yield "the mode", seen, "leave the no_grad block before training"


@smell("eval-grad", "warning", "01", evaluating=True)
def eval_grad(step: Step) -> Seen:
    """Find evaluating while everything is recorded."""
    if step.recording and step.parameters():
        kept = [a for node in step.tape for a in node.saved or () if is_array(a)]
        size = sum({id(a): a.nbytes for a in kept}.values())
        seen = f"evaluation is recorded: {len(step.tape.nodes)} ops with {size / 1024:,.1f} KiB "
        seen += "are kept for a backward that never comes"
        yield "the mode", seen, "evaluate inside: with mg.no_grad(): ..."
