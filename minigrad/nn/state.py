"""Loading a module's state: check everything, then copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from minigrad.backend import is_array, to_device
from minigrad.engine.mutation import changed
from minigrad.engine.tensor import Tensor
from minigrad.nn.parameter import Uninitialized


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` returns."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not (self.missing_keys or self.unexpected_keys):
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing={self.missing_keys}, unexpected={self.unexpected_keys})"


def load(
    name: str,
    own: Mapping[str, Tensor],
    saved: Mapping[str, Any],
    strict: bool,
    lazy: Mapping[str, Any],
) -> IncompatibleKeys:
    """Copy saved values into a module's tensors (see `Module.load_state_dict`).

    ``lazy`` are the module's lazy parts (`minigrad.nn.lazy`) by path: they get the sizes that the
    saved values have.
    """
    if not isinstance(saved, Mapping):
        raise TypeError(f"a state dict maps names to tensors; this is a {type(saved).__name__}")
    missing = [key for key in own if key not in saved]
    unexpected = [key for key in saved if key not in own]
    arrays = {k: v._array if isinstance(v, Tensor) else v for k, v in saved.items() if k in own}
    problems = [text for key in arrays if (text := _misfit(key, own[key], arrays[key]))]
    resized = any(is_array(a) and not _same_shape(own[key], a) for key, a in arrays.items())
    sizes: list[tuple[Any, int, dict[str, Any]]] = []
    for path, part in lazy.items():
        prefix = f"{path}." if path else ""
        shapes = {k.removeprefix(prefix): a.shape for k, a in arrays.items() if is_array(a)}
        try:
            size = part.size_in_state(shapes)
        except ValueError as error:
            problems.append(f"{path or name}: {error}")
        else:
            sizes += [] if size is None else [(part, size, shapes)]
    if strict and missing:
        problems.append(f"missing: {', '.join(missing)}")
    if strict and unexpected:
        problems.append(f"unexpected: {', '.join(unexpected)}")
    if problems:
        problems += _cure(own, missing, unexpected, resized) if strict or resized else []
        lines = "\n  ".join(problems)
        raise RuntimeError(f"the state does not fit {name}, nothing was loaded:\n  {lines}")
    for part, size, found in sizes:
        part.load_size(size, found)
    moved = {k: to_device(array, own[k].device) for k, array in arrays.items()}
    for key, array in moved.items():
        own[key]._array[...] = array
        changed(own[key]._array, "load_state_dict")
    return IncompatibleKeys(missing, unexpected)


def _misfit(key: str, target: Tensor, value: Any) -> str | None:
    """Say why a value cannot be copied into a tensor's array; None if it can."""
    if not is_array(value):
        kind = type(value).__name__
        return f"{key}: a Tensor or an array is needed, not {kind} (torch: tensor.numpy())"
    if not _same_shape(target, value):
        here = target.open_shape if isinstance(target, Uninitialized) else target.shape
        sizes = ", ".join("?" if n is None else str(n) for n in here)
        return f"{key}: the shape is [{sizes}] here and {list(value.shape)} in the state"
    dtype = target.like.dtype if isinstance(target, Uninitialized) else target.dtype
    if value.dtype.kind not in "biuf" or "biuf".index(value.dtype.kind) > _room(dtype.kind):
        return f"{key}: the dtype is {dtype} here and {value.dtype} in the state"
    return None


def _same_shape(target: Tensor, value: Any) -> bool:
    if isinstance(target, Uninitialized):
        return target.fits(value.shape)
    return bool(target.shape == value.shape)


def _room(kind: str) -> int:
    return {"b": 0, "i": 2, "u": 2, "f": 3}[kind]


def _cure(
    own: Mapping[str, Any], missing: list[str], unexpected: list[str], resized: bool
) -> list[str]:
    """Say what would make the keys fit, where it is plain."""
    for key in unexpected[:1]:
        for i in range(len(key)):
            prefix = key[: i + 1]
            if key[i] == "." and {k.removeprefix(prefix) for k in unexpected} == set(missing):
                return [f"fix: remove {prefix!r} from the names in the state"]
    if resized:
        return [
            "fix: build the module with the sizes that it had when saving (strict=False loads no "
            "other sizes either)"
        ]
    if missing or unexpected:
        return [
            "fix: build the module as it was when saving, or pass strict=False to load the rest"
        ]
    return []
