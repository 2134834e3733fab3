"""What a program is made of: storages, views of them, and instructions on views."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

INPUT = "input"  # an argument's values are copied in before each replay
TEMP = "temp"  # belongs to the program
LIVE = "live"  # memory that was there before: parameters, buffers, whatever the function refers to


@dataclass(eq=False)
class Storage:
    """A piece of memory: what one array owns."""

    number: int
    kind: str
    nbytes: int
    start: int  # its address while recording
    owner: Any  # the array that owns it, None where only the recorded function holds it
    kept: bool = False  # something outside of the program holds it: a gradient, an argument
    constant: bool = False  # each call begins by writing the same values, and writes no other
    pure: bool = True  # all that was written came from inputs, by arithmetic
    written: bool = False


@dataclass(eq=False)
class View:
    """An array: where it lies in a storage, and how."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    array: Any = None  # what it is at replay

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of the elements."""
        return self.size * self.dtype.itemsize

    @property
    def in_rows(self) -> bool:
        """Whether its elements lie side by side, the last axis fastest."""
        expected = self.dtype.itemsize
        for n, s in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n != 1 and s != expected:
                return False
            expected *= n
        return True

    @property
    def whole(self) -> bool:
        """Whether it covers its storage, each byte once."""
        return self.nbytes == self.storage.nbytes

    @property
    def place(self) -> tuple[Any, ...]:
        """What makes two views one."""
        return (self.storage, self.offset, self.shape, self.strides, self.dtype)

    @property
    def span(self) -> tuple[int, int]:
        """Where in its storage it begins and ends."""
        if not self.size:
            return self.offset, self.offset
        steps = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        low = self.offset + sum(s for s in steps if s < 0)
        return low, self.offset + sum(s for s in steps if s > 0) + self.dtype.itemsize

    @property
    def turned(self) -> View:
        """The view with its axes in the other order."""
        return View(self.storage, self.offset, self.shape[::-1], self.strides[::-1], self.dtype)

    def rows(self, first: int, last: int) -> View:
        """Return some entries of the first axis."""
        offset = self.offset + first * self.strides[0]
        shape = (last - first, *self.shape[1:])
        return View(self.storage, offset, shape, self.strides, self.dtype)

    def on(self, storage: Storage, shift: int = 0) -> View:
        """Return the same view of another storage, so many bytes further on."""
        return View(storage, self.offset + shift, self.shape, self.strides, self.dtype)

    def __str__(self) -> str:
        sign = {INPUT: "in", TEMP: "t", LIVE: "m"}[self.storage.kind]
        return f"{sign}{self.storage.number}"


@dataclass(eq=False)
class Instr:
    """One call: which function, on which views and constants, and what it writes.

    ``kind`` says how it is run: a ``ufunc`` (with ``out=``), one of its ``method``s, another
    ``function`` of NumPy or of arrays (its result is copied out, unless it takes ``out=``), a
    ``copy`` of values, a ``write`` in place, an ``opaque`` op or rule, or ``python``: a call of
    Python that is repeated at each replay.
    """

    kind: str
    name: str
    run: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outs: list[View]
    op: str = ""  # the op, or the rule of an op, that it belongs to
    pure: bool = True  # the same operands give the same result
    cut: bool = False  # works on a stretch that fits the cache, one of several
    prologue: bool = False  # runs before anything is changed, to see whether the program applies
    also_reads: list[View] = field(default_factory=list)
    lane: int = 0  # its chain, in a group whose chains run side by side
    scratch: View | None = None  # of such a group: a piece for each thread
    touched: list[str] = field(default_factory=list)  # the passes that changed it
    template: Any = None  # of an opaque result: which parts go to which of ``outs``
    parts: list[Instr] = field(default_factory=list)  # of a fused group
    local: set[Storage] = field(default_factory=set)  # of a fused group: what only it uses

    def operands(self) -> Iterator[View]:
        """Yield the views among the arguments."""
        yield from views_in(self.args)
        yield from views_in(self.kwargs)

    def reads(self) -> list[View]:
        """Return the views whose values it uses."""
        found = [*self.operands(), *self.also_reads]
        return found + self.outs if self.updates else found

    @property
    def updates(self) -> bool:
        """Whether what it writes to is also read (or written only in part)."""
        return self.kind in ("write", "python")

    @property
    def elementwise(self) -> bool:
        """Whether each element of the one output depends on the operands' element there alone."""
        return (
            self.kind == "ufunc"
            and len(self.outs) == 1
            and getattr(self.run, "signature", None) is None
            and "where" not in self.kwargs
        ) or (self.kind == "copy")

    def arguments(self) -> tuple[Any, ...]:
        """Return the arguments with numbers as arrays of no axes, which ufuncs take faster.

        The number then is of the dtype that the ufunc would give it.
        """
        dtypes = {v.dtype for v in self.args if isinstance(v, View)}
        if not isinstance(self.run, np.ufunc) or len(dtypes) != 1 or "dtype" in self.kwargs:
            return self.args
        (dtype,) = dtypes
        if dtype.kind != "f":
            return self.args
        return tuple(np.asarray(a, dtype) if type(a) in (int, float) else a for a in self.args)

    def replace(self, change: Callable[[View], View]) -> None:
        """Put other views in the place of all."""
        self.args = map_views(self.args, change)
        self.kwargs = map_views(self.kwargs, change)
        self.outs = [change(v) for v in self.outs]
        self.also_reads = [change(v) for v in self.also_reads]
        for part in self.parts:
            part.replace(change)


def views_in(nest: Any) -> Iterator[View]:
    """Yield the views in nested tuples, lists and dicts."""
    if isinstance(nest, View):
        yield nest
    elif isinstance(nest, (tuple, list)):
        for x in nest:
            yield from views_in(x)
    elif isinstance(nest, dict):
        for x in nest.values():
            yield from views_in(x)
    elif isinstance(nest, slice):
        yield from views_in((nest.start, nest.stop, nest.step))


def map_views(nest: Any, change: Callable[[Any], Any], kind: type = View) -> Any:
    """Return nested tuples, lists and dicts with each view (or other ``kind``) changed."""
    if isinstance(nest, kind):
        return change(nest)
    if type(nest) in (tuple, list):
        return type(nest)(map_views(x, change, kind) for x in nest)
    if isinstance(nest, tuple) and hasattr(nest, "_fields"):
        return type(nest)(*(map_views(x, change, kind) for x in nest))
    if type(nest) is dict:
        return {k: map_views(x, change, kind) for k, x in nest.items()}
    return nest


def pointer(array: Any) -> int:
    """Return where an array's first element lies."""
    return int(array.__array_interface__["data"][0])


def owner_of(array: Any) -> Any:
    """Return the array that owns the memory."""
    while True:
        base = array.base
        if not isinstance(base, np.ndarray):  # NumPy's windows have a helper between
            base = getattr(base, "base", None)
        if not isinstance(base, np.ndarray):
            return array
        array = base
