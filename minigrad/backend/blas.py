"""The threads of BLAS: one while our own threads run, so that the cores have one owner.

OpenBLAS computes a product on threads of its own, and its helpers go on spinning for a while after
the last one. Beside threads of ours they make everything slower: 18 ms a step became 36.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

_NAMES = ("scipy_openblas_{}64_", "openblas_{}64_", "scipy_openblas_{}", "openblas_{}")


@cache
def _functions() -> tuple[Any, Any] | None:
    """Return OpenBLAS' functions that give and set the number of threads, None without them."""
    import ctypes  # here, since `import minigrad` does not need it

    extension = importlib.import_module("numpy._core._multiarray_umath")  # it is linked to BLAS
    library = ctypes.CDLL(extension.__file__)
    for name in _NAMES:
        try:
            get = getattr(library, name.format("get_num_threads"))
            return get, getattr(library, name.format("set_num_threads"))
        except AttributeError:
            continue
    return None


def blas_threads() -> int | None:
    """Return how many threads NumPy's products may use now, None if that is not known.

    Examples
    --------
    >>> from minigrad.backend.blas import blas_threads
    >>> threads = blas_threads()
    >>> threads is None or threads >= 1
    True
    """
    found = _functions()
    return None if found is None else int(found[0]())


def set_blas_threads(count: int) -> None:
    """Let NumPy's products use so many threads; only where `blas_threads` is known."""
    found = _functions()
    assert found is not None
    found[1](count)


def kept_to(count: int, run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that lets BLAS use so many threads meanwhile."""
    found = _functions()
    assert found is not None
    get, set_to = found

    def run_so(*args: Any) -> Any:
        before = get()
        if before == count:
            return run(*args)
        set_to(count)
        try:
            return run(*args)
        finally:
            set_to(before)

    return run_so
