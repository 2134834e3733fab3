"""Arguments of a captured function: what kind of call it is, and which Tensors are among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import Backend, get_backend, get_default_device, is_array
from minigrad.engine.dtypes import get_default_dtype
from minigrad.engine.errors import describe
from minigrad.engine.modes import MODE
from minigrad.engine.recording import CaptureError
from minigrad.engine.tensor import Leaf, Tensor

Match = Callable[[bool, tuple[Any, ...]], "tuple[Tensor, ...] | None"]


def swapped(nest: Any, twins: dict[int, Tensor]) -> Any:
    """Return arguments with other tensors in the place of the caller's."""
    if isinstance(nest, Tensor):
        return twins[id(nest)]
    return mapped(nest, lambda x: swapped(x, twins))


def key_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, list[Tensor]]:
    """Return what a program stands for, and the Tensors among the arguments, each once."""
    tensors: dict[int, Tensor] = {}
    parts: list[Any] = [MODE.get().grad, get_default_dtype()]
    for x in args:
        _add_key(x, parts, tensors)
    for name in sorted(kwargs):
        parts.append(name)
        _add_key(kwargs[name], parts, tensors)
    return tuple(parts), list(tensors.values())


def backend_for(tensors: list[Tensor]) -> Backend:
    """Return the backend that the arguments are on; without any, that of the default device."""
    if not tensors:
        return get_backend(get_default_device())
    device = tensors[0].device
    for t in tensors:
        if t.device != device:
            raise CaptureError(
                f"arguments of a captured function are on {device} and on {t.device}; a program "
                "runs on one device: move them before the call, .to(device)"
            )
    return get_backend(device)


def _add_key(x: Any, parts: list[Any], tensors: dict[int, Tensor]) -> None:
    if isinstance(x, Tensor):
        if id(x) in tensors:
            parts.append(list(tensors).index(id(x)))
            return
        tensors[id(x)] = x
        a = x._array
        if type(x._node) not in (Leaf, type(None)):
            raise CaptureError(
                f"an argument ({describe(x)}) was computed with a graph, and no gradient can flow "
                "back through a replay. Capture the whole computation, or pass x.detach()"
            )
        parts.append((a.shape, a.dtype, a.strides, x._node is None, x.device))
    elif isinstance(x, (tuple, list)):
        parts.append((type(x), len(x)))
        for y in x:
            _add_key(y, parts, tensors)
    elif isinstance(x, dict):
        parts.append((dict, tuple(x)))
        for y in x.values():
            _add_key(y, parts, tensors)
    elif is_array(x):
        raise TypeError(
            f"an argument of a captured function is a raw array ({x.dtype}{list(x.shape)}), "
            "whose values would become constants of the program; pass mg.tensor(array)"
        )
    else:
        try:
            hash(x)
        except TypeError:
            raise TypeError(
                f"an argument of a captured function is a {type(x).__name__}, which cannot be "
                "compared with that of another call; pass Tensors, numbers, strings, modules"
            ) from None
        parts.append((type(x), x))


def matcher(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Match | None:
    """Return a quick look at another call: its Tensors, if its kind is the same without doubt.

    None for a call with nested or named arguments: these always take the long way, by `key_of`.
    """
    if kwargs or any(isinstance(x, (tuple, list, dict)) for x in args):
        return None
    space: dict[str, Any] = {
        "ndarray": np.ndarray, "Leaf": Leaf, "Tensor": Tensor, "default": get_default_dtype,
        "dtype": get_default_dtype(),
    }  # fmt: skip
    names = [f"x{i}" for i in range(len(args))]
    tensors = [n for n, x in zip(names, args, strict=True) if isinstance(x, Tensor)]
    if len({id(x) for x in args if isinstance(x, Tensor)}) < len(tensors):
        return None
    lines, parts = [], [f"grad is {MODE.get().grad}", "default() is dtype"]
    for n, x in zip(names, args, strict=True):
        if n not in tensors:
            space[f"v_{n}"] = x
            parts.append(f"{n} is v_{n}")
            continue
        a = x._array
        space[f"d_{n}"] = a.dtype
        leaf = f"{n}._node is None" if x._node is None else f"type({n}._node) is Leaf"
        lines.append(f"    a_{n} = {n}._array")
        parts.append(
            f"type(a_{n}) is ndarray and a_{n}.shape == {a.shape} and a_{n}.dtype is d_{n}"
            f" and a_{n}.strides == {a.strides} and {leaf}"
        )
        parts += [f"{n} is not {m}" for m in tensors[: tensors.index(n)]]
    test = " and ".join(f"isinstance({n}, Tensor)" for n in tensors)
    text = "\n".join(
        [
            "def match(grad, args):",
            f"    if len(args) != {len(args)}:",
            "        return None",
            *([f"    {', '.join(names)}, = args"] if names else []),
            *([f"    if not ({test}):", "        return None"] if tensors else []),
            *lines,
            f"    if {' and '.join(parts)}:",
            f"        return ({''.join(n + ', ' for n in tensors)})",
            "    return None",
        ]
    )
    exec(compile(text, "<kind of a captured call>", "exec"), space)
    match: Match = space["match"]
    return match


def mapped(nest: Any, change: Callable[[Any], Any]) -> Any:
    """Return a tuple, list or dict with each entry changed; anything else as it is."""
    if type(nest) in (tuple, list):
        return type(nest)(change(x) for x in nest)
    if isinstance(nest, tuple) and hasattr(nest, "_fields"):
        return type(nest)(*(change(x) for x in nest))
    if type(nest) is dict:
        return {k: change(x) for k, x in nest.items()}
    return nest
