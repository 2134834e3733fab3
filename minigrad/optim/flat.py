"""Parameters, and what an optimiser keeps about them, side by side in flat buffers.

An update of many small arrays costs calls, one of few large arrays memory traffic. So the
parameters of a group become views of one buffer, its state lies in buffers of the same length,
and an update runs over chunks that stay in the processor's cache: a dozen calls a chunk, however
many layers there are.

A parameter's stretch of the buffer holds it in its own memory order (a Linear weight lies
transposed, see `minigrad.nn.linear`), so the views look to all others as the arrays did before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from minigrad.backend import NUMPY, Array, Backend, backend_of, to_device
from minigrad.backend.threads import at_hand
from minigrad.engine.errors import describe
from minigrad.engine.tensor import Tensor

CHUNK = 65536  # elements of one update: parameter, gradient, state and scratch fit a 2 MB cache
DIRECT = 32768  # a gradient of more elements is used where it is; smaller ones are put side by side


class Chunk(NamedTuple):
    """A stretch of the buffers that one update covers."""

    p: Array
    state: tuple[Array, ...]  # and after it the spare scratch arrays, if any were asked for
    g: Array  # scratch, for the gradient
    work: Array  # scratch, for the update
    pieces: list[tuple[int, Array]]  # parameters whose gradients are copied, and where to in g
    part: tuple[int, slice]  # without pieces: one parameter, and the part of it


class Run(NamedTuple):
    """Consecutive parameters that have gradients and were updated equally often."""

    first: int
    last: int
    chunks: list[Chunk]


class Kept(NamedTuple):
    """What is kept about one parameter: how often it was updated, numbers, arrays of its shape."""

    steps: int
    numbers: Mapping[str, float]
    state: Mapping[str, Array]


class Scalars(dict[float, Any]):
    """Numbers as the kernels take them fastest: 0-d arrays on NumPy save 0.3 us a call."""

    def __init__(self, xp: Backend, dtype: Any) -> None:
        super().__init__()
        self._xp, self._dtype = xp, dtype

    def __missing__(self, value: float) -> Any:
        if self._xp.name != "numpy":
            return value  # to CuPy a number is an argument, a 0-d array a read of memory
        if len(self) >= 100:  # most are of one step only
            self.clear()
        self[value] = array = self._xp.asarray(value, self._dtype)
        return array


class Flat:
    """Some parameters of one dtype and device, gathered in one buffer.

    Parameters
    ----------
    params : sequence of Tensor
        The parameters; their arrays are copied into the buffer and replaced by views of it.

    Attributes
    ----------
    buffer : array
        All elements, in order of the parameters.
    state : dict of array
        By name, buffers of the same length (see `need`).
    steps : list of int
        For each parameter, how often its state was updated.
    numbers : dict of list of float
        By name, a number for each parameter.

    Other Parameters
    ----------------
    first_numbers : mapping
        The numbers of a parameter that was not updated yet, by name.
    """

    def __init__(
        self, params: Sequence[Tensor], first_numbers: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        self.params = list(params)
        arrays = [p._array for p in self.params]
        self.xp = backend_of(arrays[0])
        self._axes = [_memory_order(a) for a in arrays]
        self.buffer = self.xp.concatenate(
            [a.transpose(axes).reshape(-1) for a, axes in zip(arrays, self._axes, strict=True)]
        )
        ends = [0]
        for a in arrays:
            ends.append(ends[-1] + a.size)
        self._bounds = list(pairwise(ends))
        self._shapes = [a.shape for a in arrays]
        self._views = [self.view(self.buffer, i) for i in range(len(arrays))]
        for p, view in zip(self.params, self._views, strict=True):
            p._array = view
        self.state: dict[str, Array] = {}
        self.steps = [0] * len(arrays)
        self._first_numbers = dict(first_numbers)
        self.numbers = {name: [first] * len(arrays) for name, first in first_numbers.items()}
        self.scalars = Scalars(self.xp, self.buffer.dtype)
        self._planned: tuple[Any, ...] = ()
        self._plan: list[Run] = []
        self._sets = 1
        # On a GPU a call costs more than its memory traffic: all in one chunk
        on_cpu, size = self.xp.name == "numpy", int(self.buffer.size)
        self._chunk = min(CHUNK, size) if on_cpu else size
        self._direct = DIRECT if on_cpu else size
        self._scratch: list[list[Array]] = []  # a set for each thread that may share the chunks

    def view(self, flat: Array, i: int, start: int = 0) -> Array:
        """Return parameter i's stretch of a flat array (that begins at ``start``), in its shape."""
        first, last = self._bounds[i]
        shape, axes = self._shapes[i], self._axes[i]
        inverse = sorted(range(len(axes)), key=axes.__getitem__)
        stretch = flat[first - start : last - start]
        return stretch.reshape([shape[a] for a in axes]).transpose(inverse)

    def row_major(self, flat: Array) -> Array:
        """Return a flat array's elements with each parameter's in row-major order."""
        views = [self.view(flat, i) for i in range(len(self.params))]
        return self.xp.concatenate([view.reshape(-1) for view in views])

    def from_row_major(self, array: Array) -> Array:
        """Return elements in row-major order in the order of the buffer."""
        flat = self.xp.empty_like(self.buffer)
        for i, (first, last) in enumerate(self._bounds):
            self.view(flat, i)[...] = array[first:last].reshape(self._shapes[i])
        return flat

    def holds(self) -> bool:
        """Say whether the parameters still lie in the buffer: nobody gave one another array."""
        return all(p._array is view for p, view in zip(self.params, self._views, strict=True))

    def need(self, names: Sequence[str]) -> None:
        """Make sure that there is a state buffer of each name; new ones hold zeros."""
        for name in names:
            if name not in self.state:
                self.state[name] = self.xp.zeros_like(self.buffer)

    def state_of(self, i: int) -> dict[str, Array]:
        """Return parameter i's state, as views in its shape."""
        return {name: self.view(flat, i) for name, flat in self.state.items()}

    def kept(self, i: int) -> Kept:
        """Return what is kept about parameter i."""
        return Kept(self.steps[i], self.numbers_of(i), self.state_of(i))

    def numbers_of(self, i: int) -> dict[str, float]:
        """Return the numbers kept about parameter i."""
        return {name: values[i] for name, values in self.numbers.items()}

    def count(self, run: Run, steps: int, numbers: Mapping[str, float]) -> None:
        """Note, for a run's parameters, how often they were updated now, and their numbers."""
        size = run.last - run.first
        self.steps[run.first : run.last] = [steps] * size
        for name, value in numbers.items():
            self.numbers[name][run.first : run.last] = [value] * size

    def keep(self, entries: Sequence[Kept | None]) -> None:
        """Take over, for each parameter, what was kept about it elsewhere (None: nothing)."""
        self.state.clear()
        self._planned = ()
        self.steps = [0 if entry is None else entry.steps for entry in entries]
        self.numbers = {
            name: [first if entry is None else entry.numbers[name] for entry in entries]
            for name, first in self._first_numbers.items()
        }
        device = self.xp.device_of(self.buffer)
        for i, entry in enumerate(entries):
            for name, array in entry.state.items() if entry is not None else ():
                self.need([name])
                self.view(self.state[name], i)[...] = to_device(array, device)

    def gradients(self) -> list[Any]:
        """Return the parameters' gradients, None where there is none."""
        dtype, kind = self.buffer.dtype, type(self.buffer)
        grads: list[Any] = []
        for p, shape in zip(self.params, self._shapes, strict=True):
            if p.grad is None:
                grads.append(None)
                continue
            g = p.grad._array
            if g.shape != shape or g.dtype is not dtype or type(g) is not kind:
                self._check(p, g)
            grads.append(g)
        return grads

    def runs(self, grads: Sequence[Any], names: tuple[str, ...], spares: int = 0) -> list[Run]:
        """Return what these gradients update, with the state buffers of these names.

        ``spares`` is how many scratch arrays are wanted beside the usual two.
        """
        counts: Any = self.steps
        if self.numbers:
            counts = zip(counts, *self.numbers.values(), strict=True)
        live = [None if g is None else n for n, g in zip(counts, grads, strict=True)]
        spans = _equal_spans(live)
        sets = at_hand() if self.xp is NUMPY else 1
        if self._planned != (spans, names, sets):
            self.need(names)
            self._scratch += [[] for _ in range(sets - len(self._scratch))]
            for scratch in self._scratch[:sets]:
                for _ in range(2 + spares - len(scratch)):
                    scratch.append(self.xp.empty_like(self.buffer[: self._chunk]))
            self._sets = sets
            self._plan = [Run(*span, self._chunks(*span, names)) for span in spans]
            self._planned = (spans, names, sets)
        return self._plan

    def shares(self, run: Run) -> list[Run]:
        """Return a run's chunks in shares, none of which uses scratch memory of another."""
        count = min(self._sets, len(run.chunks))
        return [run._replace(chunks=run.chunks[k :: self._sets]) for k in range(count)]

    def chunks(self, run: Run, grads: Sequence[Any]) -> Iterator[tuple[Chunk, Array]]:
        """Yield a run's chunks, each with the gradient of its stretch (to be read only)."""
        owner = -1
        whole: Any = None
        for chunk in run.chunks:
            if chunk.pieces:
                for i, place in chunk.pieces:
                    place[...] = grads[i]
                yield chunk, chunk.g
            else:
                i, part = chunk.part
                if i != owner:  # a copy only if the gradient lies in another order
                    owner, whole = i, grads[i].transpose(self._axes[i]).reshape(-1)
                yield chunk, whole[part]

    def has_views(self, flat: Array, grads: Sequence[Any], run: Run) -> bool:
        """Say whether the gradients of a run lie in a flat array as the parameters in theirs."""
        bounds = self.xp.byte_bounds
        for i in range(run.first, run.last):
            place = self.view(flat, i)
            if bounds(grads[i]) != bounds(place) or grads[i].strides != place.strides:
                return False
        return True

    def stretches(self, run: Run, names: Sequence[str]) -> Iterator[tuple[slice, Chunk]]:
        """Yield a run's chunks for gradients that lie side by side, and where each of them lies."""
        start, end = self._bounds[run.first][0], self._bounds[run.last - 1][1]
        for low in range(start, end, self._chunk):
            high = min(low + self._chunk, end)
            yield slice(low, high), self._cut(low, high, names, (run.first, slice(0)), 0)

    def chunk_count(self) -> int:
        """Return how many chunks the buffer makes."""
        return -(-int(self.buffer.size) // max(1, self._chunk))

    def _check(self, p: Tensor, g: Array) -> None:
        """Raise if g cannot be the gradient of p."""
        if g.shape != p.shape or g.dtype != p.dtype or type(g) is not type(self.buffer):
            raise ValueError(
                f"{p.name or 'a parameter'} is {describe(p)} and its .grad is {describe(g)}; "
                "they must be alike: let backward() compute the gradient, or convert it"
            )

    def _cut(
        self, start: int, end: int, names: Sequence[str], part: tuple[int, slice], number: int
    ) -> Chunk:
        """Return the chunk of a stretch of the buffers, of which no gradients are copied."""
        own = self._scratch[number % self._sets]
        g, work, *spare = (scratch[: end - start] for scratch in own)
        state = tuple(self.state[name][start:end] for name in names) + tuple(spare)
        return Chunk(self.buffer[start:end], state, g, work, [], part)

    def _chunks(self, first: int, last: int, names: Sequence[str]) -> list[Chunk]:
        """Cut the buffers' stretch of some parameters into chunks."""
        chunks: list[Chunk] = []
        small: list[int] = []  # parameters that will share a chunk

        def add(start: int, end: int, members: list[int]) -> None:
            begin = self._bounds[members[0]][0]
            part = (members[0], slice(start - begin, end - begin))
            chunk = self._cut(start, end, names, part, len(chunks))
            if len(members) > 1:
                chunk.pieces.extend((i, self.view(chunk.g, i, begin)) for i in members)
            chunks.append(chunk)

        def add_small() -> None:
            if small:
                add(self._bounds[small[0]][0], self._bounds[small[-1]][1], small)
                small.clear()

        for i in range(first, last):
            start, end = self._bounds[i]
            if end - start > self._direct:
                add_small()
                for cut in range(start, end, self._chunk):
                    add(cut, min(cut + self._chunk, end), [i])
            else:
                if small and end - self._bounds[small[0]][0] > self._chunk:
                    add_small()
                small.append(i)
        add_small()
        return chunks


def gather(
    params: Sequence[Tensor], first_numbers: Mapping[str, float] = MappingProxyType({})
) -> list[Flat]:
    """Gather parameters in flat buffers, one for each dtype and device among them."""
    alike: dict[Any, list[Tensor]] = {}
    for p in params:
        alike.setdefault((p.dtype, p.device), []).append(p)
    return [Flat(members, first_numbers) for members in alike.values()]


def _memory_order(array: Array) -> list[int]:
    """Return an array's axes in the order of its memory, the slowest first."""
    return sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))


def _equal_spans(values: Sequence[Any]) -> list[tuple[int, int]]:
    """Return (first, last) of each stretch of equal values, without those of None."""
    if values.count(values[0]) == len(values):  # the usual case
        return [] if values[0] is None else [(0, len(values))]
    spans = []
    first = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[first]:
            if values[first] is not None:
                spans.append((first, i))
            first = i
    return spans
