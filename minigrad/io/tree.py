"""Nested dicts, lists and tuples, taken apart into JSON text and named arrays, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.backend import is_array, to_device
from minigrad.engine.tensor import Tensor

Arrays = dict[str, np.ndarray[Any, Any]]

# JSON has no tuples, no keys but text, and no arrays: a dict with one of these keys stands for them
TENSOR, ARRAY, TUPLE, PAIRS = "$tensor", "$array", "$tuple", "$dict"


def encode(value: Any) -> tuple[str, Arrays]:
    """Return the JSON text of a nested value, and the arrays that it names.

    An array's name is its path, joined by dots, so that a flat dict of tensors keeps its keys.

    Raises
    ------
    TypeError
        Something in it is no number, text, None, Tensor, array, dict, list or tuple.
    """
    arrays: Arrays = {}
    return json.dumps(_plain(value, (), arrays)), arrays


def decode(text: str, arrays: Arrays) -> Any:
    """Return the nested value that `encode` took apart."""
    return _nested(json.loads(text), arrays)


def _plain(value: Any, path: tuple[str, ...], arrays: Arrays) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Tensor):
        return {TENSOR: _keep(value._array, path, arrays)}
    if is_array(value):
        return {ARRAY: _keep(value, path, arrays)}
    if isinstance(value, Mapping):
        items = [(k, _plain(v, (*path, str(k)), arrays)) for k, v in value.items()]
        if all(isinstance(k, str) and not k.startswith("$") for k, _ in items):
            return dict(items)
        for k, _ in items:
            if not isinstance(k, (str, int, float, bool)):
                raise TypeError(
                    f"{_where(path)} has the key {k!r:.60}: use text or numbers as keys"
                )
        return {PAIRS: [[k, v] for k, v in items]}
    if isinstance(value, (list, tuple)):
        listed = [_plain(v, (*path, str(i)), arrays) for i, v in enumerate(value)]
        return {TUPLE: listed} if isinstance(value, tuple) else listed
    cure = ": pass its state_dict()" if hasattr(value, "state_dict") else ""
    raise TypeError(
        f"{_where(path)} is a {type(value).__name__}, which cannot be saved{cure}; saved are "
        "tensors, arrays, numbers, text, None, and dicts, lists and tuples of them"
    )


def _keep(array: Any, path: tuple[str, ...], arrays: Arrays) -> str:
    """Put an array among the named ones, on the host and in C order; return its name."""
    host = np.asarray(to_device(array, "cpu"), order="C")
    if host.dtype.kind not in "biuf":
        raise TypeError(f"{_where(path)} has dtype {host.dtype}, which cannot be saved")
    name = base = ".".join(path) or "value"
    count = 1
    while name in arrays:  # {"a": {"b": ...}, "a.b": ...}
        count += 1
        name = f"{base}#{count}"
    arrays[name] = host
    return name


def _nested(value: Any, arrays: Arrays) -> Any:
    if isinstance(value, list):
        return [_nested(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, content),) = value.items()
        if key == TENSOR:
            return Tensor(arrays[content])
        if key == ARRAY:
            return arrays[content]
        if key == TUPLE:
            return tuple(_nested(v, arrays) for v in content)
        if key == PAIRS:
            return {k: _nested(v, arrays) for k, v in content}
    return {k: _nested(v, arrays) for k, v in value.items()}


def _where(path: tuple[str, ...]) -> str:
    return f"entry {'.'.join(path)!r}" if path else "the value"
