"""The backend: one object that stands for an array library.

An op's forward gets it as ``xp``. ``xp.tanh`` is the library's own function (NumPy's or CuPy's);
the methods of this class are what the two spell differently, or lack. They are written once, in
terms of ``self``; a subclass overrides only what its library does better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from minigrad.backend.device import CPU, Device
from minigrad.backend.erf import erf, erfc, normal_cdf
from minigrad.backend.random import Generator

Array = Any  # numpy.ndarray or cupy.ndarray


class Backend:
    """Array functions of one library; see the module's text.

    Parameters
    ----------
    module : module
        The array library, ``numpy`` or ``cupy``.
    """

    name: str
    kernels: Any = None  # ops written by hand as single kernels, where there are any: for a GPU

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.ndarray: Any = module.ndarray  # its type

    def __getattr__(self, name: str) -> Any:
        # Reached once per name: the function is kept on the object, so later look-ups are plain.
        if name.startswith("__"):
            raise AttributeError(name)
        value = getattr(self.module, name)
        setattr(self, name, value)
        return value

    def __deepcopy__(self, memo: dict[int, Any]) -> Backend:
        return self  # one object stands for the library; a copied model uses the same one

    # ---- arrays and devices -------------------------------------------------------------------

    def device_of(self, array: Array) -> Device:
        """Return the device that holds ``array``."""
        raise NotImplementedError

    def to_host(self, array: Array) -> Array:
        """Return the values as a NumPy array (the same memory where that is possible)."""
        raise NotImplementedError

    def from_host(self, array: Array, device: Device) -> Array:
        """Return a NumPy array's values as an array of this backend on ``device``."""
        raise NotImplementedError

    def make_current(self, device: Device) -> Device | None:
        """Compute on ``device`` from now on; return the one before, None if there is but one."""
        return None

    def current(self) -> Device:
        """Return the device that work is done on."""
        return CPU

    def byte_bounds(self, array: Array) -> tuple[int, int]:
        """Return the address of an array's first byte, and the one after its last."""
        raise NotImplementedError

    def owner(self, array: Array) -> Array:
        """Return the array that owns the memory which ``array`` is a view of."""
        while isinstance(array.base, self.ndarray):
            array = array.base
        return array

    # ---- memory, for programs that place their own arrays (`minigrad.replay`) -------------------

    def pointer(self, array: Array) -> int:
        """Return the address of an array's first element."""
        raise NotImplementedError

    def memory(self, nbytes: int) -> Array:
        """Return bytes that nothing else uses, from an address that is good for all kernels."""
        raise NotImplementedError

    def bytes_of(self, owner: Array) -> Array:
        """Return the memory that an array owns as bytes."""
        raise NotImplementedError

    def array_in(
        self,
        memory: Array,
        start: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: Any,
    ) -> Array:
        """Return an array that lies in such bytes, its first element at ``start``."""
        raise NotImplementedError

    def graphed(self, function: Callable[[], Any]) -> Any:
        """Return what does as a function that launches the same kernels at each call: a graph.

        It has ``captured``, whether it is one by now, and ``problem``, why it cannot be. Where
        there are no graphs, it is the function itself.
        """
        return function

    # ---- what the libraries lack or spell differently -----------------------------------------

    def erf(self, x: Array) -> Array:
        """Error function, elementwise, in x's dtype."""
        return erf(self, x)

    def erfc(self, x: Array) -> Array:
        """``1 - erf(x)``, elementwise, in x's dtype, with its relative precision in the tail."""
        return erfc(self, x)

    def normal_cdf(self, x: Array) -> Array:
        """Return the normal distribution function at x, in x's dtype, precise in the lower tail."""
        return normal_cdf(self, x)

    def each(self, items: Sequence[Any], function: Callable[[Any], Any], take: bool = True) -> None:
        """Call a function for each of some tiles, which do not touch each other's results.

        On a processor several threads may share them (`minigrad.set_num_threads`); ``take`` says
        whether the work is worth taking the cores from BLAS, if they are still its.
        """
        for item in items:
            function(item)

    def in_blocks(self, function: Callable[..., Any], *arrays: Array) -> Any:
        """Return ``function(self, *arrays)``, an elementwise function of arrays of one shape.

        It gets arrays of at least one axis, so that it can work in place, and returns an array or
        a tuple of them. On a processor it gets large ones in pieces that stay in the cache.
        """
        if arrays[0].ndim:
            return function(self, *arrays)
        out = function(self, *(a.reshape(1) for a in arrays))
        return tuple(o.reshape(()) for o in out) if type(out) is tuple else out.reshape(())

    def into_blocks(self, function: Callable[..., Any], *arrays: Array) -> Array:
        """Return an array like the first, which ``function(self, out, *arrays)`` writes to.

        As `in_blocks`, for functions that write one result where they are told.
        """
        out = self.empty_like(arrays[0])
        function(self, out, *arrays)
        return out

    def quietly(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return ``function(*args)`` without a warning that a value is infinite or not a number.

        For functions that have such values: log(0), 1 / 0. It costs a third of ``errstate``.
        """
        return function(*args)

    def diagonal(self, x: Array, offset: int, axis1: int, axis2: int) -> Array:
        """Return a diagonal as a view, which can be written to if x can (it is the last axis)."""
        return self.module.diagonal(x, offset, axis1, axis2)

    def row_dots(self, x: Array, y: Array) -> Array:
        """Return the products of the rows of two matrices, ``(n, d), (n, d) -> (n,)``."""
        return self.module.einsum("ij,ij->i", x, y)

    def scatter_add(self, out: Array, index: Any, values: Array) -> None:
        """Add ``values`` into ``out[index]`` in place; an index that occurs twice counts twice."""
        self.module.add.at(out, index, values)

    def write_last(self, out: Array, index: Any, values: Array) -> None:
        """Do ``out[index] = values``; of an index that occurs twice, the last value stays."""
        out[index] = values

    def int_range(self, x: Array) -> tuple[int, int]:
        """Return the least and the largest of an int array; 0 and -1 if it is empty."""
        return (int(x.min()), int(x.max())) if x.size else (0, -1)

    def in_range(self, x: Array, low: int, high: int, besides: int | None = None) -> bool:
        """Say whether all of an int array lies in ``[low, high)``, or is the value ``besides``.

        A GPU is asked, and waited for, only if `int_range` or this knows no better: of an array
        that came from the host, or a part of one, the least and the largest are known.
        """
        x = x if besides is None else x[x != besides]
        least, largest = self.int_range(x)
        return x.size == 0 or (low <= least and largest < high)

    def forget_range(self, x: Array) -> None:
        """Take note that an array's values were changed in place."""

    def take_range(self, x: Array, source: Array) -> None:
        """Take note that an array has got the values of another."""

    def inv(self, A: Array) -> Array:
        """Return the inverses of matrices; `numpy.linalg.LinAlgError` for a singular one."""
        return self.module.linalg.inv(A)

    def solve(self, A: Array, B: Array) -> Array:
        """Return X with ``A X = B``; `numpy.linalg.LinAlgError` for a singular A."""
        return self.module.linalg.solve(A, B)

    def dropout_mask(
        self,
        shape: tuple[int, ...],
        p: float,
        scale: float,
        dtype: Any,
        generator: Generator,
        out: Array | None = None,
    ) -> Array:
        """Draw a mask: 0 with probability p (0 < p < 1), else ``scale``, in a floating dtype.

        It is written to ``out`` if that is given.
        """
        raise NotImplementedError

    def sliding_windows(self, x: Array, window: tuple[int, ...], axes: tuple[int, ...]) -> Array:
        """All windows of size ``window`` along ``axes``, as a read-only view (windows last)."""
        return self.module.lib.stride_tricks.sliding_window_view(x, window, axis=axes)
