"""Changes in place, with their place in the graph: ``x += y``, ``x[i] = v``, ``x.relu_()``.

While the tape is on, a change that concerns gradients is an op like any other whose output
happens to lie in x's memory: x moves to the new node. Whoever saved the old values for a
derivative raises in backward (`minigrad.engine.mutation`). What the graph cannot express is
refused: changing a leaf that wants a gradient, and changing a view, since its base would not
know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend import Generator, backend_of, default_generator, is_array, to_device
from minigrad.engine.errors import GraphError, MutationError, describe, explain
from minigrad.engine.modes import is_grad_enabled
from minigrad.engine.mutation import CLOCK, changed, check_view
from minigrad.engine.op import TABLE, Node, record
from minigrad.engine.recording import recorder, replayed
from minigrad.engine.structural import alias, broadcast_to
from minigrad.engine.tensor import Leaf, Tensor, wrap
from minigrad.ops.index import plain_index, write


def check_writable(x: Tensor, name: str, operands: Any) -> bool:
    """Say whether a change of x must be recorded; raise where that is impossible."""
    tracked = [o for o in (x, *operands) if isinstance(o, Tensor) and o._node is not None]
    recorded = bool(tracked) and is_grad_enabled()
    if recorded and isinstance(x._node, Leaf):
        raise GraphError(
            f"{name} would change a leaf that requires grad ({describe(x)}) in place; its gradient "
            "would have no meaning. To update a parameter, do it under mg.no_grad(); "
            "to compute with it, write x = x + y instead of x += y"
        )
    if recorded and x._base is not None:
        raise MutationError(
            f"{name} would change a view ({describe(x)}) in place on the tape, and the tensor that "
            "it shows a part of would not know. Write to that tensor instead, base[index] = value, "
            "or change a copy, view.clone()"
        )
    if not getattr(x._array.flags, "writeable", True):  # CuPy has no read-only arrays
        raise ValueError(
            f"{name} would change {describe(x)}, which shows one element in several places "
            "(it was expanded) or memory that is read-only; change a copy, x.clone()"
        )
    return recorded


def assign(x: Tensor, y: Tensor, name: str, recorded: bool) -> Tensor:
    """Make x, in its own memory, what the op result y is."""
    if y.shape != x.shape:
        raise ValueError(
            f"{name}: the result has shape {list(y.shape)} and does not fit into the tensor's "
            f"{list(x.shape)}; write it out of place"
        )
    kinds = "biuf"
    if kinds.index(y.dtype.kind) > max(kinds.index(x.dtype.kind), 2 * (x.dtype.kind in "iu")):
        raise TypeError(
            f"{name}: the result is {y.dtype} and cannot be kept in a {x.dtype} tensor; "
            "write it out of place, or convert the tensor first, x.float()"
        )
    _memory(x)[...] = y._array
    if recorded:
        move(x, y._node)
    changed(x._array, name, recorded=recorded)
    return x


def _memory(x: Tensor) -> Any:
    """Return the array to write to: what a recorder sees, while one is at work."""
    recording = recorder()
    return x._array if recording is None else recording.lift(x._array, x)


def move(x: Tensor, node: Node | Leaf | None) -> None:
    """Give x another place in the graph; what `retain_grad` asked for is the new value's."""
    if isinstance(x._node, Node):
        watcher, x._node.watcher = x._node.watcher, None
        if isinstance(node, Node):
            node.watcher = watcher
    x._node = node


def setitem(x: Tensor, key: Any, value: Any) -> None:
    """Do ``x[key] = value`` in x's memory; value may be a Tensor, an array or a number."""
    recorded = check_writable(x, "x[...] = value", (value,))
    if isinstance(value, Tensor) and value._base is not None and value._time < CLOCK.recorded:
        check_view(value)
    index, basic = plain_index(x, key)
    xp = backend_of(x._array)
    array = value._array if isinstance(value, Tensor) else value
    if not is_array(array) and not isinstance(array, (int, float)):
        array = Tensor(array, dtype=x.dtype, device=x.device)._array
    try:
        if is_array(array) and array.dtype.kind == "f" and x.dtype.kind != "f":
            raise TypeError(
                f"float values do not fit into a {x.dtype} tensor; convert it with .float()"
            )
        stayed = write(xp, _memory(x), array, index)
    except Exception as error:
        raise explain(TABLE["index_put"], (x, value), (key,), error) from error
    if recorded:
        parents = (x._node, value._node if isinstance(value, Tensor) else None)
        wanting = (parents[0] is not None) + 2 * (parents[1] is not None)
        row, aux = TABLE["index_put"], (index, stayed)
        node = record(row, wanting, parents, x._array, (x._array, array), (index,), aux)
        move(x, node)
    changed(_touched(x._array, index, basic), "x[...] = value", recorded=recorded)


def _touched(array: Any, index: Any, basic: bool) -> Any:
    """Return the part of the array that an index names, as a view, or all where it has none."""
    if not basic:
        return array
    parts = index if isinstance(index, tuple) else (index,)
    return array[parts if ... in parts else (*parts, ...)]


def _method(name: str) -> Callable[..., Tensor]:
    """Return the in-place form of an op: ``x.add_(y)``."""
    function = TABLE[name].function

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        recorded = check_writable(self, f"{name}_", (*args, *kwargs.values()))
        # On the tape the rules may save the operand: they get a copy of what is overwritten here.
        before = wrap(self._array.copy(order="K") if recorded else self._array, self._node)
        return assign(self, function(before, *args, **kwargs), f"{name}_", recorded)

    method.__name__ = f"{name}_"
    method.__doc__ = f"In-place form of `{name}`."
    return method


def fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to one number."""
    setitem(self, ..., value)
    return self


def zero_(self: Tensor) -> Tensor:
    """Set every element to 0."""
    return fill_(self, 0)


def copy_(self: Tensor, source: Any) -> Tensor:
    """Copy a tensor's values in, cast and broadcast to this one's dtype and shape."""
    source = source if isinstance(source, Tensor) else Tensor(source)
    recorded = check_writable(self, "copy_", (source,))
    # An alias, so that this tensor gets a place in the graph of its own and not the source's.
    y = broadcast_to(source, self.shape) if source.shape != self.shape else alias(source)
    if y.device != self.device:
        y = wrap(to_device(y._array, self.device), y._node)
    if y.dtype != self.dtype:
        y = TABLE["cast"].function(y, self.dtype)
    return assign(self, y, "copy_", recorded)


@replayed
def uniform_(
    self: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from the uniform distribution on ``[a, b)``."""
    host = (generator or default_generator).host
    return copy_(self, host.uniform(a, b, self.shape))


@replayed
def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from the normal distribution."""
    host = (generator or default_generator).host
    return copy_(self, host.normal(mean, std, self.shape))


def install() -> None:
    """Give `Tensor` its in-place operators and methods."""
    for name, row in TABLE.items():
        if row.cast is not None and hasattr(Tensor, name) and name not in _NOT_IN_PLACE:
            setattr(Tensor, f"{name}_", _method(name))
    for name in ("masked_fill", "scatter", "scatter_add", "index_add"):
        setattr(Tensor, f"{name}_", _method(name))
    for function in (fill_, zero_, copy_, uniform_, normal_):
        setattr(Tensor, function.__name__, function)
    Tensor.__setitem__ = setitem  # type: ignore[method-assign]
    for name in ("add", "sub", "mul", "pow"):
        setattr(Tensor, f"__i{name}__", _method(name))
    for dunder, name in {
        "__itruediv__": "div",
        "__ifloordiv__": "floor_divide",
        "__imod__": "remainder",
    }.items():
        setattr(Tensor, dunder, _method(name))


_NOT_IN_PLACE = {"matmul", "where", "index_put", "isnan", "isinf", "isfinite", "isclose", "prelu"}
