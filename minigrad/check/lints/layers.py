"""Smells of layers and activations."""

from __future__ import annotations

import math

import numpy as np

from minigrad.check.lints.step import Step, to_host
from minigrad.check.lints.table import Seen, smell
from minigrad.check.lints.tape import output_of, source

DEAD = 0.75  # share of a layer's units
SATURATED = 0.9  # share of an activation's values
FLAT = 0.01  # an activation is flat where its slope is below this share of its greatest
FEW = 8  # examples below which a unit that is 0 on all of them may be chance
DEEP = 3  # weight matrices from which on a network is deep
VANISHED = 1e-4  # the first layer's gradient, in the last one's
EXPLODED = 1e3  # a layer's gradient, in its weights


@smell("no-nonlinearity", "warning", "04", evaluating=None)
def no_nonlinearity(step: Step) -> Seen:
    """Find two dense layers with nothing between them."""
    pairs = [(source(node), node) for node in reversed(step.tape.named("linear"))]
    found = [(a, b) for a, b in pairs if a is not None and a.op.name == "linear"]
    if found:
        first, second = (step.tape.where(node) for node in found[0])
        more = f", and so in {len(found) - 1} more places" if len(found) > 1 else ""
        seen = f"it takes what {first} gives, with nothing between{more}: linear layers in a row "
        seen += "can do no more than one"
        yield second, seen, "put an activation such as nn.ReLU() between them"


@smell("dead-relu", "warning", "04")
def dead_relu(step: Step) -> Seen:
    """Find units that are 0 for every example of the batch, and so get no gradient."""
    for node in reversed(step.tape.named("relu")):
        y = output_of(node)
        if y is None or y.ndim < 2 or y.shape[0] < FEW:
            continue
        axis = 1 if y.ndim > 3 else y.ndim - 1  # channels of images, else features
        rest = tuple(i for i in range(y.ndim) if i != axis)
        dead = int((to_host(y) == 0).all(axis=rest).sum())
        if dead >= DEAD * y.shape[axis]:
            seen = f"{dead} of {y.shape[axis]} units are 0 on all {y.shape[0]} examples, so they "
            seen += "get no gradient and stay so"
            cure = "a lower learning rate, smaller or newly drawn weights (biases that are not far "
            cure += "below 0), scaled data, or nn.LeakyReLU"
            yield step.tape.where(node), seen, cure


@smell("saturated", "warning", "04")
def saturated(step: Step) -> Seen:
    """Find sigmoid or tanh far out, where its slope is 0."""
    last = getattr(step.output, "_node", None)
    for node in reversed(step.tape.named("sigmoid", "tanh")):
        y = output_of(node)
        if y is None or node is last or not y.size:
            continue
        y = to_host(y).astype(np.float64)
        slope = 1 - y * y if node.op.name == "tanh" else 4 * y * (1 - y)  # greatest slope: 1
        share = float((slope < FLAT).mean())
        if share >= SATURATED:
            seen = f"{share:.0%} of its values lie where the slope of {node.op.name} is below "
            seen += f"{FLAT:.0%} of its greatest: hardly any gradient passes"
            cure = "scale the data, draw smaller first weights (nn.init.xavier_uniform_), or use "
            cure += "ReLU"
            yield step.tape.where(node), seen, cure


@smell("equal-units", "error", "04")
def equal_units(step: Step) -> Seen:
    """Find units with equal weights and equal gradients: they stay copies of each other."""
    for name, p in step.parameters():
        g = step.grads[name]
        if p.ndim < 2 or p.shape[0] < 2 or g is None:
            continue
        w = to_host(p)
        if (w == w[:1]).all() and np.isfinite(g).all() and (g == g[:1]).all():
            seen = f"all {p.shape[0]} units (rows) have the same weights and the same gradient, so "
            seen += "no step will ever make them differ"
            cure = "draw the weights at random, as the layer does by itself; only biases start at 0"
            yield name, seen, cure


def _norms(step: Step) -> list[tuple[str, float]]:
    """Return the gradient norm of each weight matrix, in the order of the modules' calls."""
    order = {id(call.module): i for i, call in reversed(list(enumerate(step.calls)))}
    owners = {
        f"{path}.{name}" if path else name: order.get(id(module), math.inf)
        for path, module in step.model.named_modules()
        for name, _ in module.named_parameters(recurse=False)
    }
    norms = [
        (name, float(np.linalg.norm(g.astype(np.float64))))
        for name, g in step.grads.items()
        if g is not None and g.ndim >= 2
    ]
    return sorted(norms, key=lambda pair: owners.get(pair[0], math.inf))


@smell("vanishing-gradient", "warning", "04")
def vanishing(step: Step) -> Seen:
    """Find first layers whose gradient is tiny beside the last one's."""
    norms = [pair for pair in _norms(step) if pair[1] > 0 and math.isfinite(pair[1])]
    if len(norms) < DEEP:
        return
    (first, low), (last, high) = norms[0], norms[-1]
    if low / high < VANISHED:
        seen = f"the gradient's norm falls from {high:.2g} in {last} to {low:.2g} in {first}: "
        seen += f"the first layer gets {low / high:.1g} of the last one's"
        cure = "ReLU in place of sigmoid or tanh, first weights for it (nn.init.kaiming_normal_), "
        cure += "normalisation layers, shortcuts, or fewer layers"
        yield first, seen, cure


@smell("exploding-gradient", "error", "04")
def exploding(step: Step) -> Seen:
    """Find layers of a deep network whose gradient is huge beside their weights."""
    weights = dict(step.parameters())
    sizes = {name: float(np.linalg.norm(to_host(p))) for name, p in weights.items()}
    norms = [(name, norm) for name, norm in _norms(step) if sizes[name] and math.isfinite(norm)]
    if len(norms) < DEEP:
        return
    name, norm = max(norms, key=lambda pair: pair[1] / sizes[pair[0]])
    if norm / sizes[name] > EXPLODED:
        seen = f"the gradient's norm is {norm:.2g}, {norm / sizes[name]:.1g} times that of the "
        seen += "weights"
        cure = "smaller first weights, scaled data, normalisation layers, or clipping of the "
        cure += "gradient's norm"
        yield name, seen, cure
