"""Numbers as a reader wants them: six significant digits, nested lists, summaries of many."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import backend_of, is_array

MANY = 64  # elements: what is larger is summarised


def host(x: Any) -> Any:
    """Return an array in the host's memory; anything else as it is."""
    return backend_of(x).to_host(x) if is_array(x) else x


def number(x: Any, digits: int = 6) -> str:
    """Return one number with six significant digits, or another number of them.

    Examples
    --------
    >>> from minigrad.explain.numbers import number
    >>> number(0.1 + 0.2), number(-0.0), number(2.0), number(True)
    ('0.3', '0', '2', 'True')
    """
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    return f"{float(x) + 0.0:.{digits}g}"


def show(x: Any, many: int = MANY, digits: int = 6) -> str:
    """Return numbers on one line; more than ``many`` as their range.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.explain.numbers import show
    >>> show(np.array([[1.0, 2.5], [0.1, 1e-9]]))
    '[[1, 2.5], [0.1, 1e-09]]'
    >>> show(np.arange(100.0))
    '100 values from 0 to 99'
    """
    if x is None:
        return "not kept"
    if not is_array(x):
        return number(x, digits) if isinstance(x, (bool, int, float, np.generic)) else repr(x)
    array = host(x)
    if array.size > many:
        finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
        span = (
            f" from {number(finite.min(), digits)} to {number(finite.max(), digits)}"
            if finite.size
            else ""
        )
        lost = array.size - finite.size
        return f"{array.size} values{span}" + (f", {lost} not finite" if lost else "")
    return _nested(array.tolist(), digits)


def _nested(x: Any, digits: int) -> str:
    if isinstance(x, list):
        return f"[{', '.join(_nested(part, digits) for part in x)}]"
    return number(x, digits)
