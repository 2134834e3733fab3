"""Smells between the model's output and the loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.check.lints.step import Step, to_host
from minigrad.check.lints.table import Seen, smell
from minigrad.check.lints.tape import option_of, source
from minigrad.engine.op import Node
from minigrad.engine.tensor import Tensor

SCORES = ("cross_entropy", "logistic_loss")  # losses that take scores, before softmax or sigmoid
WORSE = 3.0  # times the loss of guessing, beyond which something is wrong


def _final(step: Step) -> Any:
    """Return the model's output on the host, if it is one Tensor of at least two axes."""
    y = step.output
    return to_host(y) if isinstance(y, Tensor) and y.ndim >= 2 and y.shape[0] else None


def _sums_to_one(values: Any, axis: int) -> bool:
    close = np.allclose(values.sum(axis=axis), 1.0, atol=1e-3)
    return bool(values.shape[axis] > 1 and close and (values >= 0).all())


@smell("double-softmax", "error", "05", evaluating=None)
def double_softmax(step: Step) -> Seen:
    """Find a softmax before a cross-entropy that has one inside."""
    losses = step.tape.named("cross_entropy")
    y = _final(step)
    for node in losses:
        before = source(node)
        softmax = before is not None and before.op.name == "softmax"
        rows = y is not None and node.shape == () and _sums_to_one(y, 1)
        if softmax or rows:
            where = step.tape.where(before) if before is not None and softmax else "the output"
            seen = "cross_entropy applies a softmax itself and here gets probabilities, so its "
            seen += "gradient shrinks"
            if rows:
                seen += (
                    f": each row of the output sums to 1, and its largest value is {y.max():.3g}"
                )
            yield where, seen, "remove the softmax; take it only to show probabilities"


@smell("double-sigmoid", "error", "05", evaluating=None)
def double_sigmoid(step: Step) -> Seen:
    """Find a sigmoid before a loss that has one inside."""
    for node in step.tape.named("logistic_loss"):
        before = source(node)
        if before is not None and before.op.name == "sigmoid":
            seen = "binary_cross_entropy_with_logits applies a sigmoid itself and here gets "
            seen += "probabilities"
            yield step.tape.where(before), seen, "remove the sigmoid, or use binary_cross_entropy"


@smell("wrong-softmax-axis", "error", "05", evaluating=None)
def wrong_softmax_axis(step: Step) -> Seen:
    """Find a softmax over the examples of the batch instead of the classes."""
    y = _final(step)
    for node in step.tape.named("softmax", "log_softmax"):
        dim = option_of(node, "dim")
        n = node.shape[0] if node.shape else 0
        if dim is None or len(node.shape) != 2 or dim % 2 != 0 or y is None or n != y.shape[0]:
            continue
        seen = f"{node.op.name} over dim={dim} of shape {list(node.shape)}: it shares 1 among the "
        seen += f"{n} examples of the batch, not among the {node.shape[1]} classes"
        yield step.tape.where(node), seen, "take it over the classes: dim=-1"


@smell("nll-needs-log-probabilities", "error", "05", evaluating=None)
def nll_needs_logs(step: Step) -> Seen:
    """Find nll_loss given scores or probabilities."""
    y = _final(step)
    if y is None or not np.isfinite(y).all():
        return
    for node in step.tape.named("nll_loss"):
        before = source(node)
        if before is not None and before.op.name == "log_softmax":
            continue
        sums = np.exp(y.astype(np.float64)).sum(axis=1)
        if not np.allclose(sums, 1.0, atol=1e-2):
            seen = "nll_loss takes logarithms of probabilities, but exp of the output's rows sums "
            seen += f"to {sums.min():.3g} at least and {sums.max():.3g} at most, not to 1"
            cure = "put nn.LogSoftmax(dim=-1) last, or use nn.CrossEntropyLoss on the scores"
            yield "the output", seen, cure


@smell("relu-output", "error", "05", evaluating=None)
def relu_output(step: Step) -> Seen:
    """Find a ReLU on the scores: no class can be voted against."""
    for node in step.tape.named(*SCORES):
        before = source(node)
        if before is not None and before.op.name == "relu":
            zeros = 0.0 if step.output is None else float((to_host(step.output) == 0).mean())
            seen = f"{node.op.name} takes scores of both signs; after ReLU {zeros:.0%} are 0, and "
            seen += "get no gradient"
            yield step.tape.where(before), seen, "remove the activation after the last layer"


@smell("broadcast-loss", "error", "05", evaluating=None)
def broadcast_loss(step: Step) -> Seen:
    """Find outputs compared with the targets of other examples, (N, 1) against (N,)."""
    y, target = step.output, step.target
    if not isinstance(y, Tensor) or not hasattr(target, "shape") or y._node is None:
        return
    shape, goal = tuple(y.shape), tuple(target.shape)
    if shape == goal or math.prod(shape) != math.prod(goal):
        return
    for node in step.tape:
        if any(_behind(p, y._node) for p in node.parents) and math.prod(node.shape) > y.numel():
            seen = f"{node.op.name} of the output {list(shape)} and the target {list(goal)} is "
            seen += f"{list(node.shape)}: each output is compared with every target"
            cure = f"give both one shape first: output.reshape({list(goal)})"
            yield "the loss", seen, cure
            return


def _behind(node: Any, end: Any) -> bool:
    """Say whether a node is ``end``, but for ops that only move values."""
    while isinstance(node, Node) and node is not end and node.op.name in ("alias", "cast"):
        node = node.parents[0]
    return node is end


@smell("worse-than-guessing", "warning", "05")
def worse_than_guessing(step: Step) -> Seen:
    """Find a cross-entropy far above that of equal chances: sure, and wrong."""
    y, loss = _final(step), to_host(step.loss)
    if y is None or loss.shape != () or not np.isfinite(loss):
        return
    for node in step.tape.named("cross_entropy"):
        guess = math.log(y.shape[1]) if y.shape[1] > 1 else math.inf
        if option_of(node, "reduction") == "mean" and loss > WORSE * guess:
            seen = f"the loss is {loss:.3g}; equal chances for all {y.shape[1]} classes would have "
            seen += f"ln {y.shape[1]} = {guess:.3g}, so the model is sure and wrong"
            cure = "before training: smaller first weights, scaled data; else look at the labels "
            cure += "and the learning rate"
            yield "the loss", seen, cure


@smell("not-finite-loss", "error", "05", evaluating=None)
def not_finite_loss(step: Step) -> Seen:
    """Find NaN or infinity in the loss."""
    loss = to_host(step.loss)
    if not np.isfinite(loss).all():
        seen = f"the loss is {loss.ravel()[~np.isfinite(loss.ravel())][0]}"
        seen += f": {step.anomaly}" if step.anomaly else ""
        cure = "use a loss that takes scores (cross_entropy, binary_cross_entropy_with_logits), "
        cure += "keep log and division away from 0, and look at the data"
        yield "the loss", seen, cure


@smell("no-graph", "error", "01")
def no_graph(step: Step) -> Seen:
    """Find a loss that no parameter gets a gradient from."""
    if isinstance(step.loss, Tensor) and step.loss.requires_grad:
        return
    if not step.parameters():
        seen, cure = "no parameter of the model requires grad", "unfreeze some: requires_grad_()"
    elif isinstance(step.output, Tensor) and step.output.requires_grad:
        seen = "the output has a graph and the loss has none: the loss function leaves it"
        cure = "compute the loss from the output itself, with minigrad's ops: no item(), numpy(), "
        cure += "detach() or argmax() on the way"
    else:
        seen = "the output has no graph: the forward leaves it"
        cure = "no detach(), numpy(), mg.tensor(...) or no_grad inside forward"
    yield "the loss", seen, cure
