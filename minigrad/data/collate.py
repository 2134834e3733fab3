"""Samples into a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack samples along a new first axis, member by member.

    Arrays and numbers become an array, Tensors a Tensor. Tuples, named tuples, lists and dicts of
    them keep their form, with a batch in each place; strings and bytes stay a list. As torch's
    ``default_collate``, but arrays stay arrays.

    Parameters
    ----------
    samples : sequence
        At least one, all of one form.

    Raises
    ------
    ValueError
        Shapes or lengths differ.
    TypeError
        Samples of a kind that cannot be stacked.

    Examples
    --------
    >>> from minigrad.data import default_collate
    >>> default_collate([(1.5, {"name": "a", "row": [1, 2]}), (2.5, {"name": "b", "row": [3, 4]})])
    (array([1.5, 2.5]), {'name': ['a', 'b'], 'row': [array([1, 3]), array([2, 4])]})
    """
    first = samples[0]
    kind = type(first)
    if isinstance(first, (str, bytes)):
        return list(samples)
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        lengths = sorted({len(sample) for sample in samples})
        if len(lengths) > 1:
            raise ValueError(
                f"samples of one batch have {lengths[0]} to {lengths[-1]} members: make them alike "
                "in the data set, or pass a collate_fn that pads them"
            )
        members = [default_collate(member) for member in zip(*samples, strict=True)]
        if hasattr(first, "_fields"):
            return kind(*members)
        return tuple(members) if isinstance(first, tuple) else members
    if isinstance(first, (np.ndarray, np.generic, bool, int, float, complex)):
        arrays = [np.asarray(sample) for sample in samples]
        _check_alike(arrays)
        return np.stack(arrays)
    if kind.__module__.startswith("minigrad."):
        from minigrad.engine.tensor import Tensor
        from minigrad.ops.joining import stack

        if isinstance(first, Tensor):
            _check_alike(samples)
            return stack(samples)
    raise TypeError(
        f"cannot make a batch of {kind.__module__}.{kind.__qualname__}: let the data set return "
        "arrays, numbers, strings, or tuples, lists and dicts of them, or pass a collate_fn"
    )


def _check_alike(arrays: Sequence[Any]) -> None:
    for i, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise ValueError(
                f"samples of one batch differ in shape: the first is {list(arrays[0].shape)} and "
                f"number {i} is {list(array.shape)}; bring them to one size in the data set "
                "(for images: Resize or CenterCrop), or pass a collate_fn that pads them"
            )
