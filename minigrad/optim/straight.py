"""An optimiser's step in a captured program: its array calls one by one, not one call of Python.

While `minigrad.replay` records, the update runs on arrays that tell the recorder what is done
with them, so a replay makes the same calls on the same memory. What changes from step to step are
numbers, such as Adam's corrections and whatever a schedule does to the learning rate. They stand
in 0-d arrays; at each replay the optimiser's own Python works them out again, in the same order,
and writes them there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from minigrad.backend import Array, Backend
from minigrad.engine.mutation import changed
from minigrad.optim.decay import NONE, decays
from minigrad.optim.flat import Chunk, Flat, Run, Scalars

if TYPE_CHECKING:
    from minigrad.optim.optimizer import Optimizer

F = TypeVar("F", bound=Callable[..., Any])
LONGEST = 64  # chunks; for more, Python's calls cost nothing beside the arithmetic


def by_numbers(update: F) -> F:
    """Mark an ``_update`` whose arithmetic a replay may repeat.

    It must ask ``number`` for all numbers before it returns, in an order that hangs on what
    `Optimizer._branches` returns alone, and so must its choice of calls.
    """
    update.by_numbers = True  # type: ignore[attr-defined]
    return update


class Numbers(Scalars):
    """The numbers of one update in the order in which it asks for them, in memory that stays."""

    def __init__(self, xp: Backend, dtype: Any) -> None:
        super().__init__(xp, dtype)
        self._arrays: list[Any] = []
        self.begin()

    def begin(self) -> None:
        """Go back to the first number."""
        self._rest = iter(self._arrays)

    def __getitem__(self, value: float) -> Any:
        array = next(self._rest, None)
        if array is None:  # the first time
            array = self._xp.asarray(value, self._dtype)
            self._arrays.append(array)
        else:
            array[()] = value
        return array


class Part:
    """A run of parameters that one program updates: what it goes by, and its numbers."""

    def __init__(
        self, optimizer: Optimizer, group: dict[str, Any], flat: Flat, run: Run, names: Any
    ) -> None:
        self.optimizer, self.group, self.flat, self.run = optimizer, group, flat, run
        self.numbers = Numbers(flat.xp, flat.buffer.dtype)
        self._decays = decays(group, flat.xp, flat.scalars) is not NONE
        self._counts = bool(names) and (optimizer._counts_steps or not flat.steps[run.first])
        self._all = (optimizer, flat, group, run.first, run.last)
        self._state = {name: flat.state[name] for name in names}
        self._options = dict(group)
        self._branches = optimizer._branches(group)
        self._phase = optimizer._phase(group, flat.steps[run.first])

    def holds(self) -> bool:
        """Say whether an update now would make the same calls on the same memory."""
        flat, group, first, last = self.flat, self.group, self.run.first, self.run.last
        if group != self._options:  # a schedule was here
            if self.optimizer._branches(group) != self._branches:
                return False
            self._options = dict(group)
        steps = flat.steps[first]
        if self.optimizer._phase(group, steps) != self._phase:
            return False
        for name, array in self._state.items():
            if flat.state.get(name) is not array:
                return False
        return flat.steps[first:last].count(steps) == last - first

    def first(self, at_work: Any) -> Callable[[Chunk, Any], None]:
        """Count the step that is recorded, and note its numbers; return what changes a chunk."""
        return self.optimizer.advance(self.flat, self.group, self.run, self.numbers)

    def advance(self) -> None:
        """Count a step and work out its numbers: `Optimizer.advance` without what is recorded."""
        optimizer, flat, group, first, last = self._all
        steps = flat.steps[first]
        if optimizer._first_numbers:
            numbers = optimizer._numbers(flat, group, self.run)
            group = {**group, **numbers}
            flat.count(self.run, steps, numbers)
        self.numbers.begin()
        if self._decays:
            decays(group, flat.xp, self.numbers)
        optimizer._update(group, steps, flat.xp, self.numbers)
        if self._counts:
            flat.steps[first:last] = [steps + 1] * (last - first)


class KernelPart(Part):
    """A part that a kernel of a GPU updates; its numbers stand in the device's memory."""

    def first(self, at_work: Any) -> Callable[[Chunk, Any], None]:
        """Count the step that is recorded, and note its numbers; return what changes a chunk."""
        optimizer, flat, group, first, _ = self._all
        steps, xp = flat.steps[first], flat.xp
        self._values = optimizer._kernel_numbers(group, steps) or ()
        memory = xp.asarray(list(self._values))
        self._places = tuple(memory[i : i + 1].reshape(()) for i in range(len(self._values)))
        kernel = optimizer._kernel(group, steps, xp.kernels)
        self._count(steps)

        def change(chunk: Chunk, g: Any) -> None:
            at_work.change(optimizer._name, kernel, chunk.p, g, self._places, chunk.state)

        return change

    def advance(self) -> None:
        """Count a step, and write the numbers that are others than at the last one."""
        optimizer, flat, group, first, _ = self._all
        steps = flat.steps[first]
        values = optimizer._kernel_numbers(group, steps) or ()
        for place, old, new in zip(self._places, self._values, values, strict=True):
            if old != new:
                place[...] = new
        self._values = values
        self._count(steps)

    def _count(self, steps: int) -> None:
        _, flat, _, first, last = self._all
        if self._counts:
            flat.steps[first:last] = [steps + 1] * (last - first)


def _possible(optimizer: Optimizer, group: dict[str, Any], flat: Flat) -> bool:
    """Say whether a step can be recorded: on a GPU, as a kernel."""
    return flat.xp.kernels is None or optimizer._kernel_numbers(group, 0) is not None


def record_step(optimizer: Optimizer, at_work: Any) -> bool:
    """Do a step while recording, call by call; say whether that was possible."""
    flats = [flat for k in range(len(optimizer.param_groups)) for flat in optimizer._flats[k]]
    groups = [g for k, g in enumerate(optimizer.param_groups) for _ in optimizer._flats[k]]
    known = sum(len(flat.params) for flat in flats)
    if (
        not hasattr(optimizer._update, "by_numbers")
        or any(other is optimizer for other in at_work.stepped)  # its second step in one call
        or known != sum(len(group["params"]) for group in optimizer.param_groups)
        or not all(flat.holds() for flat in flats)
        or not all(_possible(optimizer, g, flat) for g, flat in zip(groups, flats, strict=True))
        or any(flat.chunk_count() > LONGEST for flat in flats)
    ):
        return False
    at_work.stepped.append(optimizer)
    at_work.settle_grads()
    work = []
    for group, flat in zip(groups, flats, strict=True):
        grads, names = flat.gradients(), optimizer._names(group)
        for run in flat.runs(grads, names, optimizer._spares):
            kind = Part if flat.xp.kernels is None else KernelPart
            work.append((kind(optimizer, group, flat, run, names), grads, names))
    parts = [part for part, _, _ in work]
    lists = [list(flats) for flats in optimizer._flats]
    at_work.look_after(lambda: optimizer._flats == lists)
    for part in parts:
        at_work.look_after(part.holds)

    def advance() -> None:
        optimizer._stepped = True
        for part in parts:
            part.advance()

    at_work.repeat(f"{optimizer._name}.advance", advance)
    optimizer._stepped = True
    for part, grads, names in work:
        change = part.first(at_work)
        with at_work.inside(f"{optimizer._name}.step"):
            for chunk, g in _chunks(part.flat, part.run, names, grads, at_work):
                change(chunk, g)
        changed(part.flat.buffer, f"{optimizer._name}.step")
    return True


def _chunks(
    flat: Flat, run: Run, names: Sequence[str], grads: Sequence[Any], at_work: Any
) -> Iterator[tuple[Chunk, Array]]:
    """Yield a run's chunks, each with its gradient, as arrays that tell the recorder."""

    def lifted(chunk: Chunk) -> Chunk:
        pieces = [(i, at_work.tracer(place)) for i, place in chunk.pieces]
        p, *state = map(at_work.tracer, (chunk.p, *chunk.state[: len(names)]))
        g = at_work.tracer(chunk.g) if pieces else scratch(chunk.g)
        work, *spare = map(scratch, (chunk.work, *chunk.state[len(names) :]))
        return Chunk(p, (*state, *spare), g, work, pieces, chunk.part)

    def scratch(array: Array) -> Array:
        """Return scratch memory of the chunk's own, so that chunks do not wait for each other."""
        return at_work.make(flat.xp.empty_like(array), False)

    together = at_work.beside(flat.buffer)
    if together is None or not flat.has_views(together, grads, run):
        same = Run(run.first, run.last, [lifted(chunk) for chunk in run.chunks])
        yield from flat.chunks(same, [g if g is None else at_work.tracer(g) for g in grads])
        return
    for stretch, chunk in flat.stretches(run, names):
        yield lifted(chunk), at_work.tracer(together[stretch])
