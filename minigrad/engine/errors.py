"""Errors that teach: the op, all operands with the clashing axis, the user's line, one cure."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from minigrad.backend import DeviceError, DeviceMismatchError, backend_of, is_array

if TYPE_CHECKING:
    from minigrad.engine.op import Op

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LESSONS = os.path.join(_PACKAGE, "lessons") + os.sep  # a wheel keeps the lessons in the package


class GraphError(RuntimeError):
    """Backward was asked of a graph that cannot give it (freed, never recorded, no scalar)."""


class MutationError(RuntimeError):
    """Memory that a derivative needs was changed in place."""


class AnomalyError(ArithmeticError):
    """An op made a NaN or an infinity while `detect_anomaly` was on."""


Line = tuple[str, int]  # a file and a line number in it


def user_frame() -> FrameType | None:
    """Return the innermost frame that is not minigrad's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith(_PACKAGE) or path.startswith(_LESSONS):
            break
        frame = frame.f_back
    return frame


def user_line() -> Line:
    """Return where the innermost frame that is not minigrad's own stands."""
    frame = user_frame()
    if frame is None:
        return "(no line outside minigrad)", 0
    return frame.f_code.co_filename, frame.f_lineno


def show_line(line: Line) -> str:
    """Return ``file:line: source`` of a place in the user's code."""
    path, number = line
    where = f"{os.path.basename(path)}:{number}"
    source = linecache.getline(path, number).strip()
    return f"{where}: {source}" if source else where


def describe(x: Any) -> str:
    """Return one operand as the messages show it: ``float32[2, 3]``, with its device if not cpu."""
    array = getattr(x, "_array", x)
    if is_array(array):
        device = backend_of(array).device_of(array)
        where = "" if device.type == "cpu" else f" on {device}"
        return f"{array.dtype}{list(array.shape)}{where}"
    text = repr(x)
    return text if len(text) <= 60 else text[:57] + "..."


def broadcast_clash(shapes: Sequence[tuple[int, ...]]) -> str | None:
    """Say which axis keeps the shapes from broadcasting together; None when they do.

    Examples
    --------
    >>> from minigrad.engine.errors import broadcast_clash
    >>> broadcast_clash([(2, 3), (4,)])
    'axis -1 is 3 in the first operand and 4 in the second'
    """
    names = ("first", "second", "third", "fourth")
    for back in range(1, max((len(s) for s in shapes), default=0) + 1):
        seen: tuple[int, int] | None = None  # (operand, size) of the first size that is not 1
        for i, shape in enumerate(shapes):
            if back > len(shape) or shape[-back] == 1:
                continue
            if seen is not None and seen[1] != shape[-back]:
                return (
                    f"axis -{back} is {seen[1]} in the {names[seen[0]]} operand "
                    f"and {shape[-back]} in the {names[i]}"
                )
            seen = seen or (i, shape[-back])
    return None


_KEPT = (IndexError, TypeError, MemoryError, OverflowError, NotImplementedError, ZeroDivisionError,
         DeviceError)  # fmt: skip


def explain(op: Op, inputs: Sequence[Any], attrs: Sequence[Any], error: Exception) -> Exception:
    """Turn an array library's error inside an op's forward into one that says what to do."""
    arrays = [getattr(x, "_array", x) for x in inputs]
    arrays = [a for a in arrays if is_array(a)]
    shown = ", ".join(
        f"{name} {describe(x)}"
        for name, x in zip(op.operand_names(len(inputs)), inputs, strict=True)
    )
    options = ", ".join(f"{n}={v!r}" for n, v in zip(op.attrs, attrs, strict=True))
    head = f"{op.name}({shown}{', ' if options else ''}{options})"

    devices = sorted({str(backend_of(a).device_of(a)) for a in arrays})
    if len(devices) > 1:
        return DeviceMismatchError(
            f"{head}: the operands are on {' and '.join(devices)}; "
            f"move one of them, for example with .to({devices[-1]!r})\n"
            f"  at {show_line(user_line())}"
        )
    shapes = [a.shape for a in arrays]
    reason = None
    if op.hint is not None:
        reason = op.hint(shapes, dict(zip(op.attrs, attrs, strict=True)))
    elif op.cast is not None:
        reason = broadcast_clash(shapes)
        if reason is not None:
            reason += (
                "; sizes must be equal or 1, counted from the last axis "
                "(reshape one operand, or add an axis of size 1 with unsqueeze)"
            )
    kind = next((k for k in _KEPT if isinstance(error, k)), ValueError)
    return kind(f"{head}: {reason or error}\n  at {show_line(user_line())}")


def ranges(arrays: Sequence[Any]) -> str:
    """Return the ranges of some arrays, with what is not finite counted."""
    parts = []
    for a in arrays:
        if not is_array(a):
            parts.append(repr(a))
            continue
        xp = backend_of(a)
        finite = a[xp.isfinite(a)] if a.dtype.kind == "f" else a
        span = f"{float(finite.min()):.4g} to {float(finite.max()):.4g}" if finite.size else "none"
        parts.append(f"{describe(a)} finite values {span}, {a.size - finite.size} not finite")
    return "; ".join(parts)


def check_finite(what: str, array: Any, inputs: Sequence[Any], line: str) -> None:
    """Raise `AnomalyError` if ``array`` has a NaN or an infinity (for `detect_anomaly`)."""
    if array.dtype.kind != "f":
        return
    xp = backend_of(array)
    nans, infs = int(xp.isnan(array).sum()), int(xp.isinf(array).sum())
    if nans or infs:
        made = " and ".join(
            f"{n} {several if n > 1 else one}"
            for n, one, several in ((nans, "NaN", "NaNs"), (infs, "infinity", "infinities"))
            if n
        )
        raise AnomalyError(
            f"{what} made {made} among {array.size} values\n  at {line}\n"
            f"  inputs: {ranges(inputs)}\n"
            "  look for log or division of 0, exp of a large number, sqrt of a negative one, "
            "or a learning rate that diverges"
        )
