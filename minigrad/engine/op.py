"""The op contract: one declaration makes a function, a method, a node of the graph and its tests.

An op is a forward on arrays and one derivative rule per operand::

    @op(x=lambda g, y: g * (1 - y * y))
    def tanh(xp: Backend, x: Array) -> Array:
        return xp.tanh(x)

A rule gets ``g``, the gradient of the output, and returns the operand's. What else it needs it
says by the names of its parameters, and nothing else is kept: ``y`` is the output, an operand's
name the operand, ``x_shape`` the shape of the rule's own operand, an option's name the option,
``aux`` what the forward returned beside its output. Rules are written with operators and other
ops, which take raw arrays and Tensors alike: on raw arrays a rule is the fast backward, on
Tensors it is recorded, and so has derivatives of its own.

The engine, not the rule, sums a broadcast gradient back to the operand's shape and casts it to
the operand's dtype.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec

from minigrad.backend import BACKENDS, Array, backend_of
from minigrad.backend.several import SEVERAL, elsewhere, staying
from minigrad.engine.dtypes import as_operand, float32, float64, settle
from minigrad.engine.errors import (
    GraphError,
    Line,
    check_finite,
    explain,
    show_line,
    user_line,
)
from minigrad.engine.modes import MODE, Mode
from minigrad.engine.mutation import CLOCK, check_view
from minigrad.engine.recording import RECORDERS, CaptureError
from minigrad.engine.tensor import Hook, Tensor

if TYPE_CHECKING:
    import weakref

    from minigrad.engine.facts import Facts

P = ParamSpec("P")
Rule = Callable[..., Any]
Picker = Callable[[tuple[Any, ...]], tuple[Any, ...]]

TABLE: dict[str, Op] = {}  # every op by name, in order of declaration
UFUNCS: dict[str, Callable[..., Any]] = {}  # NumPy's ufunc name -> the op that answers for it


class Node:
    """A recorded op: its parents in the graph, and what its rules need of the call."""

    op: Op
    parents: Sequence[Any]  # a Node or Leaf for each operand that wants a gradient, else None
    plan: Plan
    saved: tuple[Any, ...] | None = ()  # None once freed
    shape: tuple[int, ...]  # of the output, and so of its gradient
    dtype: Any
    time: int  # the mutation clock's reading when the op ran
    line: Line | None = None  # the user's line that ran the op (kept under detect_anomaly)
    module: str = ""  # the path of the module that ran the op (kept under the profiler)
    hooks: dict[int, Hook] | None = None
    watcher: weakref.ref[Tensor] | None = None  # the tensor to put the gradient on (retain_grad)

    def __repr__(self) -> str:
        return f"<{self.op.name} {self.dtype}{list(self.shape)}>"


class Step(NamedTuple):
    """How backward runs one rule: for which operand, and with which of the saved values."""

    operand: int
    rule: Rule
    pick: Picker | None  # None: the rule needs only g
    own_shape: bool  # the rule's last parameter is its operand's shape


class Plan(NamedTuple):
    """What a call keeps and backward runs, when a given set of operands wants gradients."""

    keep: Picker | None
    sources: tuple[int, ...]  # of each saved value: its place in (output, *operands, *options, aux)
    steps: tuple[Step, ...]
    shared: Picker | None  # what of the saved values the op's `shared` gets; no `shared`: None


class Op:
    """A row of the op table; made by the decorators `op`, `composite` and `fused`."""

    def __init__(
        self,
        forward: Callable[..., Any],
        rules: Mapping[str, Rule],
        *,
        cast: str | None = None,
        view: bool = False,
        aux: bool = False,
        add_at: Callable[..., None] | None = None,
        shared: Callable[..., Any] | None = None,
        meaning: Callable[..., Any] | None = None,
        hint: Callable[..., str | None] | None = None,
        facts: Facts | None = None,
        takes_backend: bool = True,
    ) -> None:
        self.name = forward.__name__.rstrip("_")
        self.forward = self.declared = forward
        self.rules = dict(rules)
        self.cast = cast
        self.view = view
        self.aux = aux
        self.add_at = add_at
        self.shared = shared
        self.meaning = meaning
        self.hint = hint
        self.facts = facts
        self.primitive = takes_backend
        parameters = list(inspect.signature(forward).parameters.values())[takes_backend:]
        is_operand = {p.name: "Array" in str(p.annotation) for p in parameters}
        operands = [p for p in parameters if is_operand[p.name]]
        options = [p for p in parameters if not is_operand[p.name]]
        self.names = tuple(p.name for p in parameters)
        self.operands = tuple(p.name for p in operands)
        self.attrs = tuple(p.name for p in options)
        self.empty = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.defaults = tuple(p.default for p in options)
        # An operand annotated Array is cast with the others, an IndexArray never is
        self.cast_at = tuple(i for i, p in enumerate(operands) if "Index" not in str(p.annotation))
        self.variadic = bool(operands) and str(operands[0].annotation).startswith("Sequence")
        if parameters != operands + options:  # torch's order mixes them; `apply` does not
            self.forward = _in_order(forward, parameters, operands + options)
        self.simple = parameters == operands + options and all(
            p.default is not p.empty for p in options
        )
        # A last option annotated Ints takes the rest of the arguments: x.permute(0, 2, 1)
        self.gathers = bool(options) and "Ints" in str(options[-1].annotation)
        self.plans: dict[int, Plan | None] = {}
        self.function: Callable[..., Any] = forward  # what users call; set when published
        unknown = set(self.rules) - set(self.operands)
        if unknown:
            raise TypeError(f"op {self.name}: rules for {sorted(unknown)}, which are no operands")

    def operand_names(self, count: int) -> list[str]:
        """Return a name for each of a call's ``count`` operands."""
        return list(self.operands) * (count if self.variadic else 1)

    def plan(self, needs: Sequence[bool]) -> Plan | None:
        """Return what to keep and run when the operands marked in ``needs`` want gradients."""
        names = self.operand_names(len(needs))
        place = {n: 1 + i for i, n in enumerate(names)}
        place.update({n: 1 + len(needs) + i for i, n in enumerate((*self.attrs, "aux"))}, y=0)
        sources: dict[int, int] = {}  # place in the call -> place among the saved values
        shared = None
        if self.shared is not None:
            wanted = list(inspect.signature(self.shared).parameters)[1:]
            shared = _picker([sources.setdefault(place[n], len(sources)) for n in wanted])
            shared = shared or (lambda saved: ())
        steps = []
        for i, name in enumerate(names):
            if not (needs[i] and self.rules):
                continue
            if name not in self.rules:
                raise GraphError(
                    f"{self.name} has no derivative by its operand {name!r}, which requires grad; "
                    "pass it detached, .detach(), if it is a constant"
                )
            rule = self.rules[name]
            wanted = list(inspect.signature(rule).parameters)[1:]
            if self.variadic:  # one rule serves all operands, and is told which
                rule, wanted = functools.partial(_with_index, rule, i), wanted[1:]
            own_shape = wanted[-1:] == [name + "_shape"]
            wanted = wanted[: len(wanted) - own_shape]
            missing = [n for n in wanted if n not in place and n != _SHARED]
            if missing:
                raise TypeError(f"op {self.name}: the rule for {name} asks for unknown {missing}")
            pick = _picker(
                [-1 if n == _SHARED else sources.setdefault(place[n], len(sources)) for n in wanted]
            )
            steps.append(Step(i, rule, pick, own_shape))
        if not steps:
            return None
        if self.meaning is not None:  # which is run again, on the whole call, for higher orders
            for i in range(len(names) + len(self.attrs)):
                sources.setdefault(1 + i, len(sources))
        return Plan(_picker(list(sources)), tuple(sources), tuple(steps), shared)

    def own_name(self, name: str) -> str:
        """Return this op's name for an argument that was given under NumPy's or torch's."""
        if name == "input" and name not in self.names:  # torch's first operand of every op
            return self.names[0]
        return name if name in self.names else _OTHER_NAMES.get(name, name)

    def bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Sequence[Any], tuple[Any, ...]]:
        """Sort a call's arguments into operands and options; NumPy's names for options work too."""
        count = len(self.names)
        if self.gathers and len(args) > count:
            args = (*args[: count - 1], tuple(args[count - 1 :]))
        if len(args) > count:
            raise TypeError(f"{self.name}() takes at most {count} arguments, got {len(args)}")
        given = dict(zip(self.names, args, strict=False))
        for name, value in kwargs.items():
            own = self.own_name(name)
            if own not in self.names:
                known = ", ".join(self.names)
                raise TypeError(f"{self.name}() has no argument {name!r}; it has: {known}")
            if own in given:
                raise TypeError(f"{self.name}() got two values for {own!r}")
            given[own] = value
        values = self.empty | given
        missing = [n for n in self.names if n not in values]
        if missing:
            which = "; say which axis, for example dim=-1, the last" if "dim" in missing else ""
            raise TypeError(f"{self.name}() misses {', '.join(missing)}{which}")
        inputs = [values[n] for n in self.operands]
        return inputs[0] if self.variadic else inputs, tuple(values[n] for n in self.attrs)

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.names)})>"


_SHARED = "shared"
_OTHER_NAMES = {"axis": "dim", "keepdims": "keepdim", "axes": "dims", "other": "b"}


def _picker(places: Sequence[int]) -> Picker | None:
    """Return a function that picks some entries of a tuple, always as a tuple."""
    if len(places) == 1:
        (only,) = places
        return lambda values: (values[only],)
    return itemgetter(*places) if places else None


def _in_order(forward: Callable[..., Any], wanted: list[Any], given: list[Any]) -> Any:
    """Return the forward with its parameters in the order of ``given``."""
    places = [given.index(p) for p in wanted]
    return lambda xp, *values: forward(xp, *[values[k] for k in places])


def _with_index(rule: Rule, index: int, g: Any, *values: Any) -> Any:
    return rule(g, index, *values)


def apply(op: Op, inputs: Sequence[Any], attrs: tuple[Any, ...]) -> Any:
    """Run an op: on raw arrays just its forward; on Tensors the forward, recorded where wanted."""
    arrays = []
    parents = []
    wanting = 0  # one bit for each operand that wants a gradient
    bit = 1
    dtype: Any = None
    alike = True  # the operands are arrays of one dtype, and Python floats
    recorded = CLOCK.recorded
    for x in inputs:
        if isinstance(x, Tensor):
            array = x._array
            node = x._node
            if recorded and x._base is not None and x._time < recorded:
                check_view(x)
            if node is not None:
                wanting |= bit
            if array.dtype is not dtype:
                if dtype is None:
                    dtype = array.dtype
                else:
                    alike = False
            arrays.append(array)
            parents.append(node)
        else:
            if type(x) is not float:
                alike = False
            arrays.append(x)
            parents.append(None)
        bit += bit
    if dtype is None:  # no operand is a Tensor
        return _apply_raw(op, arrays, attrs)
    mode = _mode()
    if mode.watched:
        return _apply_watched(op, inputs, attrs, mode)
    if SEVERAL and (devices := elsewhere(arrays)):
        if len(devices) > 1:
            raise explain(op, inputs, attrs, ValueError("operands on several devices"))
        with staying(devices.pop()):
            return apply(op, inputs, attrs)
    forward = op.forward
    if RECORDERS and (recorder := mode.recorder) is not None:
        arrays = recorder.operands(inputs, arrays)
        forward = recorder.forward(op)
    try:
        if op.cast is not None and not (alike and (dtype is float32 or dtype is float64)):
            at = range(len(arrays)) if op.variadic else op.cast_at
            settle(arrays, at, op.cast == "float")
        xp = BACKENDS.get(type(arrays[0])) or _backend(arrays)
        if op.variadic:
            out = forward(xp, arrays, *attrs)
        else:
            out = forward(xp, *arrays, *attrs)
    except CaptureError:
        raise
    except Exception as error:
        raise explain(op, inputs, attrs, error) from error
    aux = None
    if op.aux:
        out, aux = out
    if type(out) is not type(array):  # NumPy reduces to scalars; to_device changes the library
        out = backend_of(out).asarray(out)
    y = _new(Tensor)
    y._array = out
    if wanting and mode.grad:
        y._node = record(op, wanting, parents, out, arrays, attrs, aux)
    else:
        y._node = None
    if op.view:
        base = inputs[0]._base
        y._base = inputs[0] if base is None else base
        y._time = CLOCK.time
    return y


_new = Tensor.__new__
_mode = MODE.get


def _apply_watched(op: Op, inputs: Sequence[Any], attrs: tuple[Any, ...], mode: Mode) -> Any:
    """Run an op as `apply` does, under the profiler, `detect_anomaly`, or both."""
    token = MODE.set(mode._replace(watched=False))
    try:
        y = (
            apply(op, inputs, attrs)
            if mode.scope is None
            else mode.scope.run_op(op, inputs, attrs, apply)
        )
    finally:
        MODE.reset(token)
    if mode.anomaly:
        line = user_line()
        arrays = [getattr(x, "_array", x) for x in inputs]
        check_finite(op.name, y._array, arrays, show_line(line))
        if y._node is not None:
            y._node.line = line
    return y


def _apply_raw(op: Op, arrays: Sequence[Any], attrs: tuple[Any, ...]) -> Any:
    """Run an op where no operand is a Tensor: arrays give an array, plain numbers a Tensor."""
    for x in arrays:
        if type(x) in BACKENDS:
            xp = BACKENDS[type(x)]
            out = op.forward(xp, arrays, *attrs) if op.variadic else op.forward(xp, *arrays, *attrs)
            return out[0] if op.aux else out
    try:
        made = [x if x is None else Tensor(as_operand(x)) for x in arrays]
    except TypeError as error:
        raise explain(op, arrays, attrs, error) from None
    if all(x is None for x in made):
        raise TypeError(f"{op.name}() needs at least one tensor")
    return apply(op, made, attrs)


def _backend(arrays: Sequence[Any]) -> Any:
    """Return the backend of the first operand that is an array (the first may be a number)."""
    return next(BACKENDS[type(a)] for a in arrays if type(a) in BACKENDS)


def record(
    op: Op,
    wanting: int,
    parents: Sequence[Any],
    out: Array,
    operands: Sequence[Any],
    attrs: tuple[Any, ...],
    aux: Any,
) -> Node | None:
    """Return the node of a call in the graph, or None if no rule could carry a gradient.

    ``wanting`` has the bit ``1 << i`` for each operand i that has a parent.
    """
    key = wanting | 1 << len(parents) if op.variadic else wanting  # its saved values move along
    try:
        plan = op.plans[key]
    except KeyError:
        plan = op.plans[key] = op.plan([p is not None for p in parents])
    dtype = out.dtype
    if plan is None or dtype.kind != "f":  # ints and bools have no derivatives
        return None
    node = Node()
    node.op = op
    node.plan = plan
    node.parents = parents
    node.shape = out.shape
    node.dtype = dtype
    node.time = CLOCK.time
    if plan.keep is not None:
        node.saved = plan.keep((out, *operands, *attrs, aux))
    return node


def op(
    *,
    cast: str | None = None,
    view: bool = False,
    aux: bool = False,
    add_at: Callable[..., None] | None = None,
    hint: Callable[..., str | None] | None = None,
    facts: Facts | None = None,
    **rules: Rule,
) -> Callable[[Callable[Concatenate[Any, P], Any]], Callable[P, Any]]:
    """Declare an op: decorate its forward ``(xp, *operands, *options)`` with its rules and facts.

    Parameters
    ----------
    cast : {"common", "float"}, optional
        Cast the operands to one dtype before the forward; "float" turns ints to floats as well.
    view : bool
        The output may share the first operand's memory.
    aux : bool
        The forward returns ``(output, aux)``, and rules may ask for ``aux``.
    add_at : callable, optional
        For an op of one operand that reads a piece of it, so that its rule is g amid new zeros:
        ``add_at(total, g, ...)`` adds g in place where it belongs, with the rule's other arguments
        but the shape. So backward of many pieces costs what they hold, not the whole for each.
    hint : callable, optional
        ``hint(shapes, options)`` says in words what is wrong with a call that failed, or None.
    facts : Facts, optional
        What the tests, the documentation and the benchmarks know about the op.
    **rules
        The derivative rule of each operand, under the operand's name.
    """

    def declare(forward: Callable[Concatenate[Any, P], Any]) -> Callable[P, Any]:
        row = Op(
            forward, rules, cast=cast, view=view, aux=aux, add_at=add_at, hint=hint, facts=facts
        )
        return _publish(row, _caller(row))

    return declare


def fused(
    meaning: Callable[..., Any],
    *,
    aux: bool = False,
    shared: Callable[..., Any] | None = None,
    cast: str | None = None,
    hint: Callable[..., str | None] | None = None,
    facts: Facts | None = None,
    **rules: Rule,
) -> Callable[[Callable[Concatenate[Any, P], Any]], Callable[P, Any]]:
    """Declare a fused op: kernels for its forward and first backward, and what they mean.

    ``meaning`` computes the same from other ops; it is called with the operands first, then the
    options. Derivatives of derivatives go through it, and the tests hold the kernels to it. The
    rules need to work on raw arrays only. What several of them have in common is written once, in
    ``shared(g, ...)``, which asks for saved values as rules do and runs before them; a rule gets
    its result by the name ``shared``.
    """

    def declare(forward: Callable[Concatenate[Any, P], Any]) -> Callable[P, Any]:
        row = Op(
            forward, rules, aux=aux, shared=shared, cast=cast, meaning=meaning, hint=hint,
            facts=facts,
        )  # fmt: skip
        return _publish(row, _caller(row))

    return declare


def composite(*, facts: Facts | None = None) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Put a function that is made of other ops into the table; it needs no rules of its own."""

    def declare(function: Callable[P, Any]) -> Callable[P, Any]:
        row = Op(function, {}, facts=facts, takes_backend=False)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if row.gathers and len(args) > len(row.names):
                args = (*args[: len(row.names) - 1], tuple(args[len(row.names) - 1 :]))
            if kwargs:
                kwargs = {row.own_name(n): v for n, v in kwargs.items()}
            return function(*args, **kwargs)

        return _publish(row, call)

    return declare


def _caller(row: Op) -> Callable[..., Any]:
    """Return the function that users call."""
    count, total, defaults = len(row.operands), len(row.names), row.defaults
    given = sum(name not in row.empty for name in row.operands)  # operands that have no default
    fills = {n: tuple(row.empty[o] for o in row.operands[n:]) for n in range(given, count)}

    if row.variadic or not row.simple:

        def call(*args: Any, **kwargs: Any) -> Any:
            return apply(row, *row.bind(args, kwargs))

    else:

        def call(*args: Any, **kwargs: Any) -> Any:
            n = len(args)
            if not kwargs:  # the usual calls, sorted without `bind`, which takes 3 microseconds
                if n == count:
                    return apply(row, args, defaults)
                if count < n <= total:
                    return apply(row, args[:count], args[count:] + defaults[n - count :])
                if n in fills:
                    return apply(row, args + fills[n], defaults)
            return apply(row, *row.bind(args, kwargs))

    forward = row.declared
    call.__name__, call.__qualname__ = forward.__name__, forward.__qualname__
    call.__doc__, call.__module__ = forward.__doc__, forward.__module__
    signature = inspect.signature(forward)
    call.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=list(signature.parameters.values())[1:]
    )
    return call


def _publish(row: Op, call: Callable[..., Any]) -> Callable[..., Any]:
    if row.name in TABLE:
        raise TypeError(f"an op named {row.name} is declared already")
    row.function = call
    call.op = row  # type: ignore[attr-defined]
    TABLE[row.name] = row
    return call
