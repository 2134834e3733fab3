"""A machine that does with tensors whatever comes to mind, and knows what must come of it.

Each rule is something that users do. It is done to tensors and to their twins (`support.twins`);
after each, every tensor must show its numbers and every leaf have its gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

import minigrad as mg
from minigrad.check.scalar import Value, derivatives, in_order
from support.twins import (
    ONE,
    Memory,
    Place,
    Twin,
    each,
    expected,
    is_higher,
    numbers,
    rewrite,
    weighted_sum,
    write,
)

SHAPES = [(), (1,), (3,), (2, 1), (2, 3), (1, 3), (3, 2)]
LARGEST, MOST = 40.0, 12  # of a number, and of a tensor's elements: so that rounding stays small

seeds = st.integers(0, 999)
factors = st.sampled_from([-1.5, 0.5, 2.0])


def drawn(seed: int, shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(seed).uniform(-1.5, 1.5, shape)


def fits(values: Any) -> bool:
    """Say whether numbers are few and small enough to go on with."""
    return values.size <= MOST and all(abs(v.data) < LARGEST for v in values.ravel())


def can_reach(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Say whether broadcasting brings one shape to another."""
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def computed(t: Twin) -> bool:
    return t.place is not None and not t.leaf


def element(values: Any) -> Any:
    """Return the Value in an array without axes: NumPy would store the array as an element."""
    return values.item() if isinstance(values, np.ndarray) and values.ndim == 0 else values


def same(found: mg.Tensor, wanted: Any, what: str) -> None:
    array = found.detach().numpy()
    assert array.shape == wanted.shape, f"{what} has shape {array.shape}, not {wanted.shape}"
    scale = 1 + np.abs(wanted).max(initial=0.0)
    if not (np.abs(array - wanted) <= 1e-8 * scale).all():  # of NaN as well
        raise AssertionError(f"{what} is {array.tolist()}, must be {wanted.tolist()}")


# ---- what can be done: on tensors, on arrays of Values, what the derivative needs, where it is ---

Both = Callable[..., Any]
anywhere = lambda *arrays: True  # noqa: E731

# ``needs`` says, for each operand, which of (a, b, output) its derivative needs.
BINARY: dict[str, tuple[Both, Both, tuple[str, str], Both]] = {
    "add": (mg.add, lambda a, b: a + b, ("", ""), anywhere),
    "sub": (mg.sub, lambda a, b: a - b, ("", ""), anywhere),
    "mul": (mg.mul, lambda a, b: a * b, ("b", "a"), anywhere),
    "div": (mg.div, lambda a, b: a / b, ("by", "aby"), lambda a, b: np.abs(b).min() > 0.2),
    "maximum": (
        mg.maximum,
        lambda a, b: each(lambda p, q: p.maximum(q), a, b),
        ("ab", "ab"),
        lambda a, b: np.abs(np.subtract(a, b)).min() > 1e-6,
    ),
    "matmul": (mg.matmul, lambda a, b: a @ b, ("b", "a"), anywhere),
}
UNARY: dict[str, tuple[Both, Both, str, Both]] = {
    "neg": (mg.neg, lambda a: -a, "", anywhere),
    "tanh": (mg.tanh, lambda a: each(Value.tanh, a), "ay", anywhere),
    "exp": (mg.exp, lambda a: each(Value.exp, a), "ay", lambda a: a.max() < 3),
    "log": (mg.log, lambda a: each(Value.log, a), "ay", lambda a: a.min() > 0.2),
    "relu": (
        mg.relu,
        lambda a: each(Value.relu, a),
        "ay",
        lambda a: not ((a != 0) & (np.abs(a) < 1e-6)).any(),
    ),
    "square": (lambda x: x**2, lambda a: each(lambda v: v**2, a), "ay", anywhere),
    "cube": (lambda x: x**3, lambda a: each(lambda v: v**3, a), "ay", anywhere),
    "times_2": (lambda x: 2 * x, lambda a: 2.0 * a, "", anywhere),
    "1_minus": (lambda x: 1 - x, lambda a: 1.0 - a, "", anywhere),
    "half": (lambda x: x / 2, lambda a: a * 0.5, "", anywhere),
    "sum": (lambda x: x.sum(), lambda a: a.sum(), "", anywhere),
    "sum_first": (lambda x: x.sum(0, keepdim=True), lambda a: a.sum(0, keepdims=True), "", np.ndim),
    "mean_last": (lambda x: x.mean(-1), lambda a: a.sum(-1) * (1 / a.shape[-1]), "", np.ndim),
    "repeated_rows": (lambda x: x[[0, 0, -1]], lambda a: a[[0, 0, -1]], "", np.ndim),
    "clone": (lambda x: x.clone(), lambda a: a.copy(), "", anywhere),
}
VIEWS: dict[str, tuple[Both, Both, Both]] = {
    "flat": (lambda x: x.reshape(-1), lambda a: a.reshape(-1), anywhere),
    "column": (lambda x: x.reshape(-1, 1), lambda a: a.reshape(-1, 1), anywhere),
    "transposed": (lambda x: x.T, lambda a: a.T, lambda a: a.ndim == 2),
    "first": (lambda x: x[0], lambda a: a[0, ...], np.ndim),
    "rest": (lambda x: x[1:], lambda a: a[1:], lambda a: a.ndim and len(a) > 1),
    "backwards": (lambda x: x[..., ::-1], lambda a: a[..., ::-1], np.ndim),
    "new_axis": (lambda x: x[None], lambda a: a[None], lambda a: a.ndim < 3),
    "expanded": (
        lambda x: x.expand(2, *x.shape),
        lambda a: np.broadcast_to(a, (2, *a.shape)),
        lambda a: a.ndim < 3,
    ),
}
INDICES = [..., 0, -1, slice(1, None), slice(None, None, -1), (..., 0), [0, -1]]


class Machine(RuleBasedStateMachine):
    """The engine against the scalars."""

    tensors = Bundle("tensors")

    def __init__(self) -> None:
        super().__init__()
        self.twins: list[Twin] = []
        self.time = 0

    def pick(self, t: Twin, wanted: Callable[[Twin], Any]) -> Twin | None:
        """Return the first tensor from ``t`` on with which something can be done."""
        start = self.twins.index(t) if t in self.twins else 0
        order = self.twins[start:] + self.twins[:start]
        return next((x for x in order if x.alive and wanted(x)), None)

    def add(self, tensor: mg.Tensor, values: Any, place: Place | None, **about: Any) -> Twin:
        assert tensor.requires_grad == (place is not None)
        twin = Twin(tensor, np.asarray(values, dtype=object), place, **about)
        self.twins.append(twin)
        return twin

    def tried(self, operands: Sequence[Twin], action: Callable[[], Any]) -> Any:
        """Do something with tensors; the engine may refuse those that are stale, no others."""
        try:
            return action()
        except mg.MutationError:
            stale = [t for t in operands if t.stale]
            assert stale, "a tensor was refused that no change had touched"
            for twin in stale:
                twin.alive = False
            return None

    def made(
        self, tensor: mg.Tensor, values: Any, operands: Sequence[Twin], needs: Sequence[str]
    ) -> Twin:
        """Take a new result into the machine."""
        if not mg.is_grad_enabled() or all(t.place is None for t in operands):
            return self.add(tensor, values, None)
        place = Place([t.place for t in operands], [], sure=True)
        twin = self.add(tensor, values, place)
        memories = dict(zip("ab", (t.memory for t in operands), strict=False), y=twin.memory)
        for t, letters in zip(operands, needs, strict=True):
            if t.place is not None:
                place.needs += [(memories[c], self.time) for c in letters if c in memories]
        return twin

    # ---- making tensors ---------------------------------------------------------------------

    @initialize(target=tensors, seed=seeds)
    def start(self, seed: int) -> Any:
        return multiple(*(self.leaf(seed + i, shape) for i, shape in enumerate([(2, 3), (3,), ()])))

    def leaf(self, seed: int, shape: tuple[int, ...], wanted: bool = True) -> Twin:
        data = drawn(seed, shape)
        tensor = mg.tensor(data, dtype=mg.float64, requires_grad=wanted)
        values = each(Value, np.asarray(data))
        return self.add(tensor, values, Place([], [], sure=True) if wanted else None, leaf=wanted)

    @rule(target=tensors, seed=seeds, shape=st.sampled_from(SHAPES), wanted=st.booleans())
    def new(self, seed: int, shape: tuple[int, ...], wanted: bool) -> Twin:
        return self.leaf(seed, shape, wanted)

    @rule(target=tensors, t=tensors)
    def detach(self, t: Twin) -> Any:
        if (t := self.pick(t, anywhere)) is None:
            return multiple()
        return self.add(t.tensor.detach(), t.values, None, shown=(t.memory, t.cells))

    @rule(t=tensors)
    def forget(self, t: Twin) -> None:
        """Drop the tensor: what was computed from it stays as it is."""
        if sum(twin.leaf for twin in self.twins) > 1:
            t.alive = False
            self.twins = [twin for twin in self.twins if twin.alive]

    # ---- ops --------------------------------------------------------------------------------

    @rule(target=tensors, name=st.sampled_from(sorted(UNARY)), t=tensors, tape=st.integers(0, 7))
    def unary(self, name: str, t: Twin, tape: int) -> Any:
        function, by_value, needs, where = UNARY[name]
        if (t := self.pick(t, lambda t: where(t.data))) is None:
            return multiple()
        values = np.asarray(by_value(t.values), dtype=object)
        if not fits(values):
            return multiple()
        with nullcontext() if tape else mg.no_grad():
            y = self.tried([t], lambda: function(t.tensor))
            return multiple() if y is None else self.made(y, values, [t], [needs])

    @rule(
        target=tensors, name=st.sampled_from(sorted(BINARY)), a=tensors, b=tensors,
        tape=st.integers(0, 7),
    )  # fmt: skip
    def binary(self, name: str, a: Twin, b: Twin, tape: int) -> Any:
        function, by_value, needs, where = BINARY[name]
        if not (a.alive and b.alive):
            return multiple()
        try:
            if not where(a.data, b.data):
                return multiple()
            values = np.asarray(by_value(a.values, b.values), dtype=object)
        except ValueError:  # NumPy says that the shapes do not fit
            try:
                result = function(a.tensor, b.tensor)
            except (ValueError, mg.MutationError):
                return multiple()
            raise AssertionError(f"{name} of {a.shape} and {b.shape} gave {result}") from None
        if not fits(values):
            return multiple()
        with nullcontext() if tape else mg.no_grad():
            y = self.tried([a, b], lambda: function(a.tensor, b.tensor))
            return multiple() if y is None else self.made(y, values, [a, b], needs)

    @rule(target=tensors, a=tensors, b=tensors)
    def joined(self, a: Twin, b: Twin) -> Any:
        if (a := self.pick(a, lambda a: 2 * a.cells.size <= MOST)) is None:
            return multiple()
        if (b := self.pick(b, lambda b: b.shape == a.shape)) is None:
            return multiple()
        y = self.tried([a, b], lambda: mg.stack([a.tensor, b.tensor]))
        values = np.stack([a.values, b.values])
        return multiple() if y is None else self.made(y, values, [a, b], ["", ""])

    @rule(target=tensors, name=st.sampled_from(sorted(VIEWS)), t=tensors)
    def view(self, name: str, t: Twin) -> Any:
        function, by_array, where = VIEWS[name]
        if t.leaf:  # rather something that may be changed on the tape
            t = self.pick(t, lambda t: computed(t) and t.source is None and where(t.data)) or t
        if (t := self.pick(t, lambda t: where(t.data))) is None:
            return multiple()
        values = np.asarray(by_array(t.values), dtype=object)
        if not fits(values):
            return multiple()
        y = self.tried([t], lambda: function(t.tensor))
        if y is None:
            return multiple()
        if not np.shares_memory(y._array, t.tensor._array):  # a reshape that cannot be a view
            copy = self.made(y, values, [t], [""])
            copy.perhaps_refused = True  # the engine may take it for a view
            return copy
        place = None if t.place is None else Place([t.place], [], sure=True)
        shown = t.memory, np.asarray(by_array(t.cells))
        return self.add(y, values, place, source=(t, by_array), shown=shown)

    # ---- changes in place -------------------------------------------------------------------

    @rule(t=tensors, how=st.sampled_from(["add_", "mul_", "fill", "set"]), factor=factors,
          index=st.sampled_from(INDICES))  # fmt: skip
    def change_silently(self, t: Twin, how: str, factor: float, index: Any) -> None:
        """Under no_grad, whatever the tensor is."""
        needed = {m for x in self.twins if x.place is not None for m, _ in x.place.needs}
        if factor > 0:  # rather something that a derivative needs
            t = self.pick(t, lambda t: t.memory in needed) or t
        # NumPy makes what is expanded read-only, and a part of it too.
        single = lambda t: len(np.unique(t.cells)) == t.cells.size  # noqa: E731
        free = lambda t: single(t) and t.tensor._array.flags.writeable  # noqa: E731
        if (t := self.pick(t, free)) is None:
            return
        try:
            cells = t.cells[index] if how in ("set", "fill") else t.cells
        except IndexError:
            return
        data = {"add_": t.data + factor, "mul_": t.data * factor}.get(how, np.asarray(factor))
        if np.abs(data).max() >= LARGEST:
            return
        with mg.no_grad():
            if how == "add_":
                t.tensor.add_(factor)
            elif how == "mul_":
                t.tensor *= factor
            else:
                t.tensor[index] = factor if how == "fill" else mg.tensor(factor, dtype="float64")
        self.time += 1
        write(t, cells, data, self.time)

    @rule(t=tensors, b=tensors, how=st.sampled_from(["mul_", "add_", "copy_", "set", "tanh_"]),
          index=st.sampled_from(INDICES))  # fmt: skip
    def change_recorded(self, t: Twin, b: Twin, how: str, index: Any) -> None:
        """On the tape: refused on leaves and views, else an op like any other."""
        if index is not ...:  # else often a leaf or a view, which are refused
            bases = [x.source[0] for x in self.twins if x.alive and x.source is not None]
            free = lambda x: x.place and not x.leaf and x.source is None  # noqa: E731
            t = self.pick(t, lambda x: free(x) and x in bases) or self.pick(t, free) or t
        fitting = lambda b: can_reach(b.shape, t.shape)  # noqa: E731
        if how == "mul_":  # whose derivative by b needs what is overwritten
            b = self.pick(b, lambda b: b.place and fitting(b)) or b
        if not t.alive or (b := self.pick(b, fitting)) is None:
            return
        if not t.tensor._array.flags.writeable and t.source is None:  # expanded, then detached
            return
        operands = [t] if how == "tanh_" else [t, b]
        if all(x.place is None for x in operands):
            return
        values = t.values.copy()
        try:
            if how == "set":
                values[index] = element(np.broadcast_to(b.values, t.cells[index].shape))
            else:
                new = {
                    "add_": lambda: t.values + b.values,
                    "mul_": lambda: t.values * b.values,
                    "copy_": lambda: b.values,
                    "tanh_": lambda: each(Value.tanh, t.values),
                }[how]()
                values[...] = element(np.broadcast_to(new, t.shape))
        except (ValueError, IndexError):
            return
        if not fits(values):
            return

        def change() -> bool:
            x, other = t.tensor, b.tensor
            if how == "set":
                x[index] = other
            elif how == "tanh_":
                x.tanh_()
            else:
                getattr(x, how)(other)
            return True

        refused = mg.GraphError if t.leaf else mg.MutationError if t.source is not None else None
        if refused is not None:
            try:
                change()
            except refused:
                return
            raise AssertionError(f"{how} on a {'leaf' if t.leaf else 'view'} was not refused")
        try:
            if self.tried(operands, change) is None:
                return
        except AssertionError:
            if t.perhaps_refused:
                return
            raise
        needs: list[Memory] = {"mul_": [b.memory] if t.place else [], "tanh_": []}.get(how, [])
        self.time += 1
        cells = t.cells[index] if how == "set" else t.cells
        rewrite(t, values, cells, [b] if how == "copy_" else operands, needs, self.time)
        self.twins.remove(t)
        self.twins.append(t)  # the newest again

    # ---- hooks ------------------------------------------------------------------------------

    @rule(t=tensors, factor=factors, keep=st.booleans())
    def hook(self, t: Twin, factor: float, keep: bool) -> None:
        if (t := self.pick(t, lambda t: t.place and len(t.hooks) < 2)) is None:
            return
        handle = t.tensor.register_hook(lambda g: g * factor)
        if keep:
            t.hooks.append(factor)
        else:
            handle.remove()

    @rule(t=tensors)
    def retain(self, t: Twin) -> None:
        if (t := self.pick(t, lambda t: computed(t) and not t.stale)) is not None:
            t.tensor.retain_grad()
            t.retained = True

    # ---- backward ---------------------------------------------------------------------------

    def outlook(self, outputs: Sequence[Twin]) -> tuple[dict[Place, bool], bool, bool, bool]:
        """Return what backward meets, and if it must raise GraphError, may, may MutationError."""
        reached: dict[Place, bool] = {}
        for y in outputs:
            assert y.place is not None
            for place, surely in y.place.reached().items():
                reached[place] = reached.get(place, False) or surely
        must = any(surely and place.freed is True for place, surely in reached.items())
        may = any(place.freed is not False for place in reached)
        overwritten = any(m.changed > time for place in reached for m, time in place.needs)
        return reached, must, may, overwritten or any(y.stale for y in outputs)

    def ran(self, outputs: Sequence[Twin], reached: dict[Place, bool], must: bool, may: bool,
            overwritten: bool, action: Callable[[], Any]) -> Any:  # fmt: skip
        """Run a backward; None where it was rightly refused."""
        try:
            result = action()
        except (mg.GraphError, mg.MutationError) as error:
            if not (may if isinstance(error, mg.GraphError) else overwritten):
                raise AssertionError("refused without cause") from error
            for place in reached:  # it may have come far, freeing what it passed
                if place.parents and place.freed is False:
                    place.freed = None
                if place.twin is not None and place.twin.retained:
                    self.take_over_grad(place.twin)
            return None
        assert not must, "backward ran through a graph that was freed"
        return result

    def take_over_grad(self, t: Twin) -> None:
        """Believe the engine: here the model does not know whether the gradient came."""
        g = t.tensor.grad if t.alive else None
        t.grad = None if g is None else g.detach().numpy().copy()

    def go_back(self, outputs: Sequence[Twin], seed: int, keep: bool, record: bool) -> None:
        cotangents = [drawn(seed + i, y.shape) for i, y in enumerate(outputs)]
        reached, must, may, overwritten = self.outlook(outputs)
        higher = is_higher(reached)
        if higher and self.hooked(reached):
            return
        done = self.ran(outputs, reached, must, may, overwritten, lambda: (
            mg.autograd.backward([y.tensor for y in outputs], cotangents, retain_graph=keep,
                                 create_graph=record), True))  # fmt: skip
        if done is None:
            return
        found = expected(outputs, cotangents)
        for place, surely in reached.items():
            t = place.twin
            if t is not None and t.alive and (t.leaf or t.retained):
                g = numbers(t.gradient(found))
                if higher and not t.leaf:
                    self.take_over_grad(t)
                elif not surely and t.tensor.grad is None:
                    assert not g.any(), "no gradient came where one is due"
                else:
                    t.grad = g if t.grad is None else t.grad + g
            if not keep and place.parents and place.freed is not True:
                place.freed = True if surely else None

    def hooked(self, reached: dict[Place, bool]) -> bool:
        return any(place.hooks and place.parents for place in reached)

    @rule(y=tensors, seed=seeds, keep=st.booleans(), record=st.integers(0, 2))
    def backward(self, y: Twin, seed: int, keep: bool, record: int) -> None:
        if y.alive and y.place is None and record:
            try:
                y.tensor.backward(np.ones(y.shape))
            except mg.GraphError:
                return
            raise AssertionError("backward from a tensor without a graph")
        if (y := self.pick(y, computed)) is not None:
            self.go_back([y], seed, keep or not record, record=not record)

    @rule(y=tensors, z=tensors, seed=seeds, keep=st.booleans())
    def backward_from_two(self, y: Twin, z: Twin, seed: int, keep: bool) -> None:
        if (y := self.pick(y, computed)) and (z := self.pick(z, lambda z: z.place)):
            self.go_back([y, z], seed, keep, record=False)

    @rule(target=tensors, y=tensors, xs=st.lists(tensors, min_size=1, max_size=2, unique=True),
          c=tensors, seed=seeds)  # fmt: skip
    def gradient_with_a_graph(self, y: Twin, xs: list[Twin], c: Twin, seed: int) -> Any:
        """Gradients that can be differentiated again, by the cotangent as well."""
        found = [self.pick(x, lambda x: x.place) for x in xs]
        xs = list(dict.fromkeys(x for x in found if x is not None))
        if not xs or (y := self.pick(y, computed)) is None:
            return multiple()
        if len(in_order(weighted_sum(y.values, drawn(seed, y.shape)))) > 1500:
            return multiple()  # each order has several times the numbers of the one before
        given: Any = drawn(seed, y.shape)
        parents, weights = [y], each(Value, given)
        weighted = c.alive and c.shape == y.shape and not c.stale
        if weighted:
            given, parents, weights = c.tensor, [y, c], each(Value, c.data)
        reached, must, may, overwritten = self.outlook([y])
        if is_higher(reached):
            xs = [x for x in xs if x.leaf]
            if not xs or self.hooked(reached):
                return multiple()
        overwritten = overwritten or any(x.stale for x in xs)
        # Only places on a way to an input are met, so that a freed one may be none of them.
        grads = self.ran([y], reached, False, may or must, overwritten, lambda: mg.autograd.grad(
            y.tensor, [x.tensor for x in xs], given, create_graph=True, allow_unused=True
        ))  # fmt: skip
        for place in reached:
            if place.twin is not None and place.twin.retained:
                self.take_over_grad(place.twin)
        if grads is None:
            return multiple()
        found = expected([y], [weights])
        if weighted:  # now, not before: c may itself depend on x, and is a constant here
            each(lambda w, v: setattr(w, "edges", [(v, lambda: ONE)]), weights, c.values)
        needs = [(t.memory, self.time) for t in parents]
        made: list[Twin] = []
        for x, g in zip(xs, grads, strict=True):
            values = x.gradient(found)
            if g is None:
                sure = x.place in reached and reached[x.place]  # type: ignore[index]
                assert not sure, "no gradient came where one is due"
                assert not numbers(values).any()
                continue
            same(g, numbers(values), "a gradient")
            place = None
            if g.requires_grad:
                place = Place([t.place for t in parents], needs, sure=False)
            else:
                self.must_be_constant(values)
            if fits(values):
                made.append(self.add(g, values, place))
                made[-1].perhaps_refused = True  # it may be a view of something inside
        for twin in made:
            if twin.place is not None:
                twin.place.needs += [(other.memory, self.time) for other in made]
                # One of them may be on the way to another.
                twin.place.parents += [x.place for x in made if x is not twin and x.place]
        return multiple(*made)

    def must_be_constant(self, values: Any) -> None:
        """A gradient without a graph must depend on no leaf."""
        found = derivatives(weighted_sum(values, drawn(0, values.shape)))
        for t in self.twins:
            if t.leaf and t.alive:
                assert not numbers(t.gradient(found)).any(), "a second derivative was lost"

    # ---- .grad ------------------------------------------------------------------------------

    @rule(t=tensors)
    def drop_grad(self, t: Twin) -> None:
        if t.alive:
            t.tensor.grad = t.grad = None

    @precondition(lambda self: any(t.grad is not None for t in self.twins))
    @rule(t=tensors, factor=factors)
    def scale_grad(self, t: Twin, factor: float) -> None:
        """In place, as clipping does: it is this tensor's gradient and nobody else's."""
        if (t := self.pick(t, lambda t: t.grad is not None)) is not None:
            with mg.no_grad():
                t.tensor.grad *= factor
            t.grad = t.grad * factor

    # ---- what always holds ------------------------------------------------------------------

    @invariant()
    def tensors_show_their_numbers(self) -> None:
        for i, t in enumerate(self.twins):
            if t.alive:
                same(t.tensor, t.data, f"tensor {i}")

    @invariant()
    def gradients_are_the_scalars(self) -> None:
        for i, t in enumerate(self.twins):
            if t.alive and (t.grad is None) != (t.tensor.grad is None):
                raise AssertionError(f"tensor {i}: .grad is {t.tensor.grad}, must be {t.grad}")
            if t.alive and t.grad is not None:
                same(t.tensor.grad, t.grad, f"the gradient of tensor {i}")

    def teardown(self) -> None:
        """Go back from all that was made, twice, so that nothing wrong stays unseen."""
        ends = [t for t in self.twins if t.alive and computed(t)][-10:]
        for y in ends:
            self.go_back([y], 1, keep=True, record=False)
        self.scale_all()
        for y in ends[-4:]:
            reached = self.outlook([y])[0]
            leaves = [t for t in self.twins if t.alive and t.leaf and t.place in reached]
            if leaves:
                self.gradient_with_a_graph(y=y, xs=leaves[-2:], c=y, seed=2)
                if self.twins[-1] not in ends and computed(self.twins[-1]):
                    self.go_back([self.twins[-1]], 3, keep=True, record=True)
            for t in leaves:
                t.tensor.grad = t.grad = None
            self.go_back([y], 4, keep=True, record=y in ends[-2:])
            self.scale_all()

    def scale_all(self) -> None:
        """Scale each leaf's gradient in place, which must leave the others' alone."""
        for t in self.twins:
            if t.alive and t.leaf and t.grad is not None:
                self.scale_grad(t=t, factor=0.5)
        self.gradients_are_the_scalars()
