"""Run a function without NumPy's floating-point warnings, in 0.1 us instead of `np.errstate`'s 0.8.

NumPy keeps what `np.errstate` sets in a context variable. Which one is found by looking at what
`np.errstate` changes; where it changes none (before NumPy 2), it is entered each time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

import numpy as np


def _find() -> tuple[ContextVar[Any], Any] | None:
    """Return the variable that `np.errstate` sets, and what to."""
    before = dict(copy_context().items())
    with np.errstate(all="ignore"):
        inside = dict(copy_context().items())
    found = [(v, x) for v, x in inside.items() if v not in before or before[v] is not x]
    return found[0] if len(found) == 1 else None


_STATE = _find()


def quietly(run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return ``run(*args, **kwargs)``."""
    if _STATE is None:
        with np.errstate(all="ignore"):
            return run(*args, **kwargs)
    variable, value = _STATE
    token = variable.set(value)
    try:
        return run(*args, **kwargs)
    finally:
        variable.reset(token)
