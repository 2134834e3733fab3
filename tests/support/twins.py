"""A model of what tensors are, for the state machine: each has a twin made of scalar Values.

The model knows nothing of how the engine works. Memory is a flat list of numbers, and a twin says
which of its cells it shows. Values (`minigrad.check.scalar`) never change, so that what a
derivative needs cannot be overwritten: the model's gradients are right whatever was changed in
place. The engine must agree with them, or raise; and it may raise only where a number that a
derivative needs was overwritten, or where the graph was freed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.check.scalar import Value, derivatives

ValueArray = Any  # a NumPy array of Values
ViewFunction = Callable[[Any], Any]  # does to any NumPy array what the view op does to its tensor

ONE = Value(1.0)


def each(function: Callable[..., Any], *arrays: Any) -> Any:
    """Apply a function to each element of arrays that broadcast together."""
    result = np.frompyfunc(function, len(arrays), 1)(*arrays)
    return np.asarray(result, dtype=object)


def numbers(values: ValueArray) -> Any:
    """Return the numbers in an array of Values."""
    return each(lambda v: v.data, values).astype(float)


def layer(values: ValueArray) -> ValueArray:
    """Return new Values equal to these: what one tensor gets is told apart from what others get."""
    return each(lambda v: Value(v.data, [(v, lambda: ONE)]), values)


def weighted_sum(values: ValueArray, weights: Any) -> Value:
    """Return the one number whose derivatives a backward with this cotangent computes."""
    return sum((v * w for v, w in zip(values.ravel(), np.ravel(weights), strict=True)), Value(0.0))


class Memory:
    """Numbers that one or several tensors show."""

    def __init__(self, data: Any) -> None:
        self.data = np.array(data, float).ravel()
        self.changed = 0  # the machine's time of the last change
        self.twins: list[Twin] = []  # that show it, oldest first


class Place:
    """A tensor's place in the graph.

    ``needs`` are the memories that its derivative needs unchanged since a time. ``sure`` says
    whether backward certainly goes on to the parents: of a gradient that was itself recorded the
    model does not know on which of the tensors behind it depends.
    """

    def __init__(
        self, parents: Iterable[Place | None], needs: Iterable[tuple[Memory, int]], sure: bool
    ) -> None:
        self.parents = [p for p in parents if p is not None]
        self.needs = list(needs)
        self.sure = sure
        self.freed: bool | None = False  # None: perhaps
        self.twin: Twin | None = None
        self.hooks: list[float] = []

    def reached(self) -> dict[Place, bool]:
        """Return the places that backward meets from here, and whether it does so certainly."""
        found: dict[Place, bool] = {}
        stack = [(self, True)]
        while stack:
            place, surely = stack.pop()
            if place in found and (found[place] or not surely):
                continue
            found[place] = surely
            if place.freed is not True or not surely:  # a recorded gradient may lead around it
                go_on = surely and place.sure and place.freed is False
                stack.extend((parent, go_on) for parent in place.parents)
        return found


class Twin:
    """A tensor and what it must be."""

    def __init__(
        self,
        tensor: mg.Tensor,
        values: ValueArray,
        place: Place | None,
        *,
        leaf: bool = False,
        source: tuple[Twin, ViewFunction] | None = None,
        shown: tuple[Memory, Any] | None = None,
    ) -> None:
        self.tensor = tensor
        self.leaf = leaf
        self.source = source  # of a view: the tensor that it is taken of, and how
        if shown is None:
            memory = Memory(numbers(values))
            shown = memory, np.arange(memory.data.size).reshape(values.shape)
        self.memory, self.cells = shown
        self.memory.twins.append(self)
        self.grad: Any = None
        self.retained = False
        self.stale = False  # a view whose base was changed on the tape: the engine may refuse it
        self.perhaps_refused = False  # a change in place, though it would be right
        self.alive = True
        self.move(values, place)

    def move(self, values: ValueArray, place: Place | None) -> None:
        """Give the tensor another place in the graph: what it is a function of."""
        if self.__dict__.get("place") is not None:
            self.place.twin = None
        self.place = place
        self.hooks: list[float] = []  # the factors by which hooks scale the gradient
        if place is not None:
            place.twin, place.hooks = self, self.hooks
        self.inner = layer(values)
        self.show()

    def show(self) -> None:
        """Take the numbers from memory: what is computed from the tensor from now on sees them."""
        data, hooks = self.memory.data[self.cells], self.hooks
        if self.place is None:
            self.values = each(lambda d: Value(d), np.asarray(data))
        else:
            scale = lambda: Value(float(np.prod(hooks)))  # noqa: E731
            self.values = each(lambda v, d: Value(d, [(v, scale)]), self.inner, data)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.cells.shape

    @property
    def data(self) -> Any:
        """Return the numbers that the tensor must show."""
        return self.memory.data[self.cells]

    def gradient(self, found: dict[Value, Value]) -> ValueArray:
        """Return what was found for this tensor: 0 where nothing reached it."""
        return each(lambda v: found.get(v, Value(0.0)), self.inner)


def write(twin: Twin, cells: Any, data: Any, time: int) -> None:
    """Change memory where ``twin`` shows it; whoever shows it too sees the new numbers."""
    twin.memory.data[cells] = data
    twin.memory.changed = time
    for other in twin.memory.twins:
        other.show()


def rewrite(
    twin: Twin,
    values: ValueArray,
    cells: Any,
    parents: Sequence[Twin],
    needs: Sequence[Memory],
    time: int,
) -> None:
    """Change some cells of a tensor in place on the tape: it becomes ``values``.

    Views that show one of these cells follow it. The others go on to be views of what it was: that
    is right too, but not the same for a hook on what it becomes.
    """
    place = None
    if any(p.place is not None for p in parents):
        place = Place([p.place for p in parents], [(m, time - 1) for m in needs], sure=True)
    twin.retained = twin.retained and place is not None
    twin.memory.data[twin.cells] = numbers(values)
    twin.memory.changed = time
    twin.move(values, place)
    for other in twin.memory.twins:
        follows = other.source is not None and np.isin(other.cells, cells).any()
        if follows and other.place is not None:
            base, view = other.source
            other.inner = layer(np.asarray(view(base.values)))
        other.stale = other.stale or other.source is not None
        if other.stale and other.retained:  # by which of its values would its gradient be?
            other.alive = False
        other.show()


def is_higher(reached: Iterable[Place]) -> bool:
    """Say whether backward goes through a gradient that was recorded.

    Then only derivatives by leaves mean something. A derivative by a tensor in between is the sum
    over the ways through it, and of a derivative there are several forms: that of tanh may be
    computed from the operand or from the result.
    """
    return any(not place.sure for place in reached)


def expected(outputs: Sequence[Twin], cotangents: Sequence[Any]) -> dict[Value, Value]:
    """Return the derivatives of the outputs, weighted by their cotangents, by everything."""
    pairs = zip(outputs, cotangents, strict=True)
    return derivatives(sum((weighted_sum(y.values, c) for y, c in pairs), Value(0.0)))
