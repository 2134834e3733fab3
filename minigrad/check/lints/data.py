"""Smells of the batch: what is in it, before any layer sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.check.lints.step import Step, to_host
from minigrad.check.lints.table import Seen, smell
from minigrad.engine.tensor import Tensor

LARGE = 10.0  # root mean square of a feature beyond which first weights of usual size saturate
FEW = 16  # examples below which one class alone may be chance


def _arrays(step: Step) -> Iterator[tuple[str, Any]]:
    """Yield the batch's arrays, with what to call them."""
    several = len(step.inputs) > 1
    for i, x in enumerate(step.inputs):
        yield (f"input {i} of the batch" if several else "the batch's input"), x
    yield "the batch's target", step.target


def _floating(step: Step) -> Iterator[tuple[str, Any]]:
    for where, x in _arrays(step):
        if hasattr(x, "dtype") and to_host(x).dtype.kind == "f":
            yield where, to_host(x)


@smell("not-finite-data", "error", "08", evaluating=None)
def not_finite_data(step: Step) -> Seen:
    """Find NaN or infinity in the batch."""
    for where, x in _floating(step):
        bad = np.argwhere(~np.isfinite(x))
        if len(bad):
            rows = len(np.unique(bad[:, 0])) if bad.shape[1] else 1
            first = ", ".join(map(str, bad[0].tolist()))
            seen = (
                f"{np.isnan(x).sum()} NaN and {np.isinf(x).sum()} infinite of {x.size} values, in "
                f"{rows} of {len(x) if x.ndim else 1} examples, the first at [{first}]"
            )
            yield where, seen, "leave these examples out, or fill the gaps before training"


@smell("unscaled-data", "warning", "08", evaluating=None)
def unscaled_data(step: Step) -> Seen:
    """Find features so large that weights of usual size saturate or overshoot."""
    for where, x in list(_floating(step)):
        if "input" not in where or x.ndim < 2 or not x.size or not np.isfinite(x).all():
            continue
        axis = 1 if x.ndim > 2 else x.ndim - 1  # channels of images, else features
        rest = tuple(i for i in range(x.ndim) if i != axis)
        sizes = np.sqrt(np.square(x, dtype=np.float64).mean(axis=rest))
        if sizes.max() > LARGE:
            seen = (
                f"feature {sizes.argmax()} has root mean square {sizes.max():.3g}, feature "
                f"{sizes.argmin()} {sizes.min():.3g}"
                if len(sizes) > 1
                else f"its root mean square is {sizes.max():.3g}"
            )
            cure = (
                "standardise each feature, (x - mean) / std, with the mean and std of the "
                "training data alone; divide pixels by 255"
            )
            yield where, seen, cure


@smell("mixed-dtype", "warning", "08", evaluating=None)
def mixed_dtype(step: Step) -> Seen:
    """Find input of more bits than the parameters: everything is computed in the wider dtype."""
    dtypes = [p.dtype for p in step.model.parameters()]
    for where, x in _floating(step):
        if "input" in where and dtypes and x.dtype.itemsize > max(d.itemsize for d in dtypes):
            seen = f"it is {x.dtype}, the parameters are {dtypes[0]}: every layer computes in "
            seen += f"{x.dtype} and casts its parameters to it at each call"
            yield where, seen, f"convert the data once: x.{_METHODS[dtypes[0].name]}()"


_METHODS = {"float16": "half", "float32": "float", "float64": "double"}


@smell("input-requires-grad", "warning", "01")
def input_requires_grad(step: Step) -> Seen:
    """Find data marked as if they were to be learned."""
    for where, x in _arrays(step):
        if isinstance(x, Tensor) and x.requires_grad and x.is_leaf:
            seen = "it requires grad, so each step computes and adds up a gradient that no one uses"
            yield where, seen, "make data without requires_grad; only parameters need it"


@smell("one-class-batch", "warning", "06")
def one_class_batch(step: Step) -> Seen:
    """Find a batch of one class only, as from sorted data that nobody shuffled."""
    if not hasattr(step.target, "dtype") or not isinstance(step.output, Tensor):
        return
    labels = to_host(step.target)
    classes = step.output.shape[1] if step.output.ndim > 1 else 1
    if labels.dtype.kind not in "iu" or labels.ndim != 1 or len(labels) < FEW or classes < 2:
        return
    if len(np.unique(labels)) == 1:
        seen = f"all {len(labels)} labels are {labels[0]}, of {classes} classes"
        cure = "shuffle the examples before cutting them into batches (shuffle=True)"
        yield "the batch's target", seen, cure


@smell("target-in-input", "error", "08", evaluating=None)
def target_in_input(step: Step) -> Seen:
    """Find a feature that is the target itself, left in the table by mistake."""
    if not hasattr(step.target, "dtype"):
        return
    y = to_host(step.target).reshape(-1)
    if len(y) < FEW or len(np.unique(y)) < 2:
        return
    for where, x in _floating(step):
        if "input" not in where or x.ndim != 2 or x.shape[1] < 2 or len(x) != len(y):
            continue
        same = np.flatnonzero((x == y[:, None]).all(axis=0))
        if len(same):
            seen = f"feature {same[0]} equals the target in all {len(y)} examples"
            yield where, seen, "take the target's column out of the input"
