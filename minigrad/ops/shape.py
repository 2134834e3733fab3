"""Shape: the same elements under other axes. Most rules are the arrangement undone.

The primitives are `reshape`, `view`, `permute` and `swapaxes` (with `broadcast_to` of the engine
and `getitem` of `minigrad.ops.index`); all else says which of them it means. The result shares
the operand's memory wherever NumPy's strides allow that.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.errors import broadcast_clash
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.engine.structural import broadcast_to
from minigrad.engine.tensor import Tensor
from minigrad.ops.convert import clone
from minigrad.ops.dims import Dim, Shape, check_dim, check_dims, check_int, checked, listed_dims
from minigrad.ops.index import getitem
from minigrad.ops.refuse import refuse

__all__ = [
    "broadcast_tensors", "contiguous", "expand", "expand_as", "flatten", "flip", "meshgrid",
    "movedim", "narrow", "permute", "ravel", "reshape", "reshape_as", "roll", "select", "squeeze",
    "swapaxes", "t", "transpose", "unflatten", "unsqueeze", "view", "view_as",
]  # fmt: skip

Ints = int | tuple[int, ...]  # an option that also takes its numbers one by one: x.reshape(2, 3)


def as_tuple(numbers: Any) -> tuple[Any, ...]:
    """Return one number, or a sequence of numbers, as a tuple."""
    return tuple(numbers) if isinstance(numbers, (tuple, list)) else (numbers,)


# ---- another shape for the same order ------------------------------------------------------------


def _reshape_hint(shapes: list[Shape], options: dict[str, Any]) -> str | None:
    """Say why a shape does not hold the elements."""
    (old,), new = shapes, as_tuple(next(iter(options.values())))
    if not all(isinstance(n, (int, np.integer)) for n in new):
        return None
    count, free = math.prod(old), new.count(-1)
    if min(new, default=0) < -1 or free > 1:
        return f"a shape holds lengths, of which one may be -1, not {list(new)}"
    known = math.prod(n for n in new if n != -1)
    if free and known == 0:
        return f"-1 could be any length in {list(new)}, as the others multiply to 0; write it out"
    if known != count and not (free and count % known == 0):
        holds = f"a multiple of {known}" if free else str(known)
        text = f"{list(old)} has {count} elements, {list(new)} holds {holds}"
        if len(old) > 2 and len(new) == 2 and new[0] in (-1, old[0]):  # flattening a batch
            each = " * ".join(map(str, old[1:]))
            text += f"; each of the {old[0]} examples has {each} = {math.prod(old[1:])}: "
            text += "flatten(1) keeps them apart whatever their size"
        return text
    return None


def _reshaped(x: Array, shape: Any) -> Array:
    shape = as_tuple(shape)
    for n in shape:
        if n < -1:
            raise ValueError(f"negative length {n}")
    return x.reshape(shape)


@op(
    view=True,
    x=lambda g, x_shape: g.reshape(x_shape),
    hint=_reshape_hint,
    facts=Facts(
        lambda x, shape: x.reshape(shape),
        [
            S((2, 6), shape=(3, 4)),
            S((2, 6), shape=(-1,)),
            S((2, 3, 4), shape=(4, -1, 2)),
            S((), shape=(1, 1)),
            S((1,), shape=()),
            S((0, 3), shape=(3, 0)),
        ],
        analytic=True,
    ),
)
def reshape(xp: Backend, x: Array, shape: Ints) -> Array:
    """Return the elements, in order, in another shape; one length may be -1.

    The result is a view where the strides allow it, else a copy.

    Raises
    ------
    ValueError
        The shape does not hold as many elements as x has.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return _reshaped(x, shape)


@op(
    view=True,
    x=lambda g, x_shape: g.reshape(x_shape),
    hint=_reshape_hint,
    facts=Facts(
        lambda x, size: x.reshape(size),
        [S((2, 6), size=(3, 4)), S((2, 6), size=(-1,)), S((), size=(1,)), S((0, 3), size=(-1,))],
        analytic=True,
        torch="Tensor.view",
    ),
)
def view(xp: Backend, x: Array, size: Ints) -> Array:
    """Return the same memory in another shape; where that would take a copy, refuse.

    Raises
    ------
    ValueError
        The shape does not hold as many elements as x has, or x's elements are not in order in
        memory (after a transpose, say), so that `reshape` or `contiguous` must copy them.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(4).view(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    y = _reshaped(x, size)
    if y.size and not xp.may_share_memory(x, y):
        raise ValueError(
            f"a view as {list(y.shape)} would need a copy, since x's elements do not lie in order "
            f"in memory (strides {x.strides}); use .reshape(), or .contiguous() first"
        )
    return y


@composite(
    facts=Facts(
        lambda x, start_dim=0, end_dim=-1: x.reshape(
            [*x.shape[:start_dim], -1, *x.shape[end_dim % max(x.ndim, 1) + 1 :]]
        ),
        [
            S((2, 3, 4)),
            S((2, 3, 4), start_dim=1),
            S((2, 3, 4), start_dim=0, end_dim=-2),
            S((2, 3, 4), start_dim=1, end_dim=1),
            S(()),
            S((0, 3)),
        ],
        analytic=True,
    )
)
def flatten(x: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    """Join the axes from ``start_dim`` to ``end_dim`` (included) to one.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(5, 2, 3).flatten(1).shape
    (5, 6)
    """
    shape = tuple(x.shape)
    if not shape:
        for dim in (start_dim, end_dim):
            checked("flatten", x, check_dim, dim, 0)
        return reshape(x, (1,))
    start, end = (checked("flatten", x, check_dim, d, len(shape)) for d in (start_dim, end_dim))
    if start > end:
        raise refuse("flatten", f"start_dim {start_dim} comes after end_dim {end_dim}", x)
    length = math.prod(shape[start : end + 1])  # -1 is ambiguous for empty tensors
    return reshape(x, (*shape[:start], length, *shape[end + 1 :]))


@composite(facts=Facts(lambda x: x.ravel(), [S((2, 3)), S(()), S((0, 2))], analytic=True))
def ravel(x: Array) -> Array:
    """Return the elements as one axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1, 2], [3, 4]]).ravel()
    tensor([1, 2, 3, 4])
    """
    return reshape(x, (math.prod(x.shape),))


@composite(
    facts=Facts(
        lambda x, dim, sizes: x.reshape(
            x.shape[: dim % x.ndim] + tuple(sizes) + x.shape[dim % x.ndim + 1 :]
        ),
        [
            S((2, 6), dim=1, sizes=(2, 3)),
            S((6, 2), dim=-2, sizes=(-1, 2)),
            S((4,), dim=0, sizes=(2, 1, 2)),
        ],
        analytic=True,
    )
)
def unflatten(x: Array, dim: int, sizes: tuple[int, ...]) -> Array:
    """Split one axis into several; one of their lengths may be -1.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(2, 6).unflatten(1, (2, -1)).shape
    (2, 2, 3)
    """
    shape = tuple(x.shape)
    axis, sizes = checked("unflatten", x, check_dim, dim, len(shape)), as_tuple(sizes)
    if not shape:
        raise refuse("unflatten", "a 0-d tensor has no axis to split; use .reshape()", x)
    known, free = math.prod(n for n in sizes if n != -1), sizes.count(-1)
    if free == 1 and known and shape[axis] % known == 0:
        sizes = tuple(shape[axis] // known if n == -1 else n for n in sizes)
    if math.prod(sizes) != shape[axis] or free > 1:
        problem = f"sizes {list(sizes)} do not multiply to {shape[axis]}, the length of dim {dim}"
        raise refuse("unflatten", problem, x)
    return reshape(x, (*shape[:axis], *sizes, *shape[axis + 1 :]))


@composite(
    facts=Facts(
        lambda x, other: x.reshape(other.shape),
        [S((2, 3), (3, 2)), S((4,), (2, 2))],
        analytic=True,
        torch="Tensor.view_as",
    )
)
def view_as(x: Array, other: Array) -> Array:
    """Return x's memory in another tensor's shape (see `view`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(4).view_as(mg.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return view(x, tuple(other.shape))


@composite(
    facts=Facts(
        lambda x, other: x.reshape(other.shape),
        [S((2, 3), (3, 2)), S((4,), (2, 2))],
        analytic=True,
        torch="Tensor.reshape_as",
    )
)
def reshape_as(x: Array, other: Array) -> Array:
    """Return x in another tensor's shape (see `reshape`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(4).reshape_as(mg.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return reshape(x, tuple(other.shape))


# ---- axes of length 1 ---------------------------------------------------------------------------


def _squeezed(x: Any, dim: Any = None) -> Any:
    dims = range(x.ndim) if dim is None else np.atleast_1d(dim) % max(x.ndim, 1)
    return x.reshape([n for i, n in enumerate(x.shape) if n != 1 or i not in dims])


@composite(
    facts=Facts(
        _squeezed,
        [
            S((1, 3, 1)),
            S((1, 3, 1), dim=0),
            S((1, 3, 1), dim=-1),
            S((1, 3, 1), dim=1),
            S((1, 3, 1), dim=(0, 2)),
            S(()),
        ],
        analytic=True,
    )
)
def squeeze(x: Array, dim: Dim = None) -> Array:
    """Drop all axes of length 1, or those of them that ``dim`` names.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(1, 3, 1).squeeze().shape, mg.zeros(1, 3, 1).squeeze(0).shape
    ((3,), (3, 1))
    """
    shape = tuple(x.shape)
    dims = () if dim == () else checked("squeeze", x, check_dims, dim, len(shape))
    return reshape(x, tuple(n for i, n in enumerate(shape) if n != 1 or i not in dims))


@composite(
    facts=Facts(
        lambda x, dim: np.expand_dims(x, dim),
        [S((2, 3), dim=0), S((2, 3), dim=2), S((2, 3), dim=-1), S((2, 3), dim=-3), S((), dim=0)],
        analytic=True,
    )
)
def unsqueeze(x: Array, dim: int) -> Array:
    """Add an axis of length 1, which becomes axis ``dim`` of the result.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(2, 3).unsqueeze(0).shape, mg.zeros(2, 3).unsqueeze(-1).shape
    ((1, 2, 3), (2, 3, 1))
    """
    shape = tuple(x.shape)
    ndim = len(shape) + 1  # of the result, whose axis `dim` is meant
    if not -ndim <= checked("unsqueeze", x, check_int, dim, "dim") < ndim:
        problem = f"dim {dim} is out of range: the new axis can be {-ndim} to {ndim - 1}"
        raise refuse("unsqueeze", problem, x, kind=IndexError)
    axis = dim % ndim
    return reshape(x, (*shape[:axis], 1, *shape[axis:]))


# ---- repetition without copying -----------------------------------------------------------------


def _expanded(shape: Shape, size: tuple[int, ...]) -> Shape:
    """Return the shape that `expand` gives, with -1 filled in."""
    lead = len(size) - len(shape)
    if lead < 0:
        raise ValueError(
            f"{list(size)} has fewer axes than the tensor's {list(shape)}; give a length "
            "for every axis (-1 keeps one)"
        )
    full = []
    for i, n in enumerate(size):
        old = shape[i - lead] if i >= lead else None
        n = check_int(n, "a length")
        if n < -1 or (n == -1 and old is None):
            raise ValueError(
                f"length {n} of axis {i} in {list(size)}: -1 keeps the length of an axis "
                f"that {list(shape)} has; a new axis needs its length"
            )
        if old not in (None, 1, n) and n != -1:
            raise ValueError(
                f"only axes of length 1 are repeated, and axis {i - lead} of {list(shape)} "
                f"has length {old}, not {n}; use .repeat() for copies"
            )
        full.append(old if n == -1 else n)
    return tuple(full)  # type: ignore[arg-type]


@composite(
    facts=Facts(
        lambda x, size: np.broadcast_to(
            x, [x.shape[i - len(size) + x.ndim] if n == -1 else n for i, n in enumerate(size)]
        ),
        [
            S((3, 1), size=(3, 4)),
            S((3, 1), size=(2, -1, 4)),
            S((), size=(2,)),
            S((1, 2), size=(0, 2)),
            S((3,), size=(3,)),
        ],
        analytic=True,
        torch="Tensor.expand",
    )
)
def expand(x: Array, size: Ints) -> Array:
    """Repeat along axes of length 1 and new leading axes, without copying; -1 keeps a length.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1.0], [2.0]]).expand(-1, 3)
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """
    return broadcast_to(x, checked("expand", x, _expanded, tuple(x.shape), as_tuple(size)))


@composite(
    facts=Facts(
        lambda x, other: np.broadcast_to(x, other.shape),
        [S((3, 1), (2, 3, 4)), S((), (2,))],
        analytic=True,
        torch="Tensor.expand_as",
    )
)
def expand_as(x: Array, other: Array) -> Array:
    """Repeat x without copying to another tensor's shape (see `expand`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([1.0, 2.0]).expand_as(mg.zeros(2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return broadcast_to(x, checked("expand_as", x, _expanded, tuple(x.shape), tuple(other.shape)))


@composite(
    facts=Facts(
        lambda *arrays: np.broadcast_arrays(*arrays), [S((3, 1), (4,)), S((), (2,), (1, 1))]
    )
)
def broadcast_tensors(*tensors: Array) -> tuple[Array, ...]:
    """Return the tensors, each repeated without copying to their common shape.

    Examples
    --------
    >>> import minigrad as mg
    >>> a, b = mg.broadcast_tensors(mg.zeros(3, 1), mg.zeros(4))
    >>> a.shape, b.shape
    ((3, 4), (3, 4))
    """
    shapes = [tuple(x.shape) for x in tensors]
    clash = broadcast_clash(shapes)
    if clash is not None:
        raise refuse("broadcast_tensors", f"{clash}; sizes must be equal or 1", *tensors)
    shape = np.broadcast_shapes(*shapes)
    return tuple(broadcast_to(x, shape) for x in tensors)


@composite(
    facts=Facts(
        lambda *arrays, indexing="ij": np.meshgrid(*arrays, indexing=indexing),
        [
            S((2,), (3,), indexing="ij"),
            S((2,), (3,), (4,), indexing="ij"),
            S((2,), (3,), indexing="xy"),
        ],
    )
)
def meshgrid(*tensors: Array, indexing: str = "ij") -> tuple[Array, ...]:
    """Return the coordinates of a grid's points, one tensor of the grid's shape an axis.

    ``indexing="ij"``: result i varies along axis i; ``"xy"``: the first two axes are swapped.

    Examples
    --------
    >>> import minigrad as mg
    >>> rows, columns = mg.meshgrid(mg.arange(2), mg.arange(3))
    >>> rows
    tensor([[0, 0, 0],
            [1, 1, 1]])
    """
    if indexing not in ("ij", "xy"):
        problem = f"indexing must be 'ij' or 'xy', not {indexing!r}"
        raise refuse("meshgrid", problem, *tensors)
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    for x in tensors:
        if len(x.shape) > 1:
            raise refuse("meshgrid", "the tensors must be 0-d or 1-d", *tensors)
    count = len(tensors)
    lengths = [math.prod(x.shape) for x in tensors]
    order = list(range(count))
    if indexing == "xy" and count > 1:
        order[:2] = [1, 0]
    shape = tuple(lengths[i] for i in order)
    result = []
    for i, x in enumerate(tensors):
        own = tuple(lengths[i] if j == i else 1 for j in order)
        result.append(broadcast_to(reshape(x, own), shape))
    return tuple(result)


# ---- another order of the axes -------------------------------------------------------------------


@op(
    view=True,
    x=lambda g, dim0, dim1: swapaxes(g, dim0, dim1),
    facts=Facts(
        lambda x, dim0, dim1: np.swapaxes(x, dim0, dim1),
        [
            S((2, 3), dim0=0, dim1=1),
            S((2, 3, 4), dim0=-1, dim1=0),
            S((2, 3), dim0=1, dim1=1),
            S((0, 3), dim0=0, dim1=1),
        ],
        analytic=True,
        torch="transpose",
    ),
)
def swapaxes(xp: Backend, x: Array, dim0: int, dim1: int) -> Array:
    """Swap two axes.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.swapaxes(mg.tensor([[1.0, 2.0]]), 0, 1)
    tensor([[1.],
            [2.]])
    """
    return _swapped(xp, x, dim0, dim1)


def _swapped(xp: Backend, x: Array, dim0: int, dim1: int) -> Array:
    axis0, axis1 = check_dim(dim0, x.ndim), check_dim(dim1, x.ndim)
    return xp.swapaxes(x, axis0, axis1) if x.ndim else x.reshape(())


@op(
    view=True,
    x=lambda g, dim0, dim1: transpose(g, dim0, dim1),
    facts=Facts(
        lambda x, dim0, dim1: np.swapaxes(x, dim0, dim1) if x.ndim else x,
        [S((2, 3), dim0=0, dim1=1), S((2, 3, 4), dim0=1, dim1=-1), S((), dim0=0, dim1=-1)],
        analytic=True,
    ),
)
def transpose(xp: Backend, x: Array, dim0: int, dim1: int) -> Array:
    """Swap two axes (`permute` takes a whole order); NumPy's name for it is `swapaxes`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(2, 3, 4).transpose(0, 2).shape
    (4, 3, 2)
    """
    return _swapped(xp, x, dim0, dim1)


@composite(facts=Facts(lambda x: x.T, [S((2, 3)), S((3,)), S(())], analytic=True))
def t(x: Array) -> Array:
    """Transpose a matrix; tensors with fewer axes stay as they are.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1, 2]]).t()
    tensor([[1],
            [2]])
    """
    if len(x.shape) > 2:
        problem = "it is no matrix; use .mT for the last two axes, or .transpose(dim0, dim1)"
        raise refuse("t", problem, x)
    return swapaxes(x, 0, -1)


def _permute_rule(g: Any, dims: Any) -> Any:
    order = listed_dims(as_tuple(dims), len(g.shape))
    return permute(g, tuple(order.index(i) for i in range(len(order))))


@op(
    view=True,
    x=_permute_rule,
    facts=Facts(
        lambda x, dims: np.transpose(x, dims),
        [
            S((2, 3, 4), dims=(2, 0, 1)),
            S((2, 3, 4), dims=(0, -1, -2)),
            S((2, 3), dims=(0, 1)),
            S((), dims=()),
            S((0, 3), dims=(1, 0)),
        ],
        analytic=True,
    ),
)
def permute(xp: Backend, x: Array, dims: Ints) -> Array:
    """Put the axes into another order: axis i of the result is axis ``dims[i]`` of x.

    Raises
    ------
    ValueError
        ``dims`` does not name every axis once.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(2, 3, 4).permute(2, 0, 1).shape
    (4, 2, 3)
    """
    order = as_tuple(dims)
    if len(order) != x.ndim:
        raise ValueError(f"{order} has {len(order)} dims, x has {x.ndim}; name each axis once")
    return xp.transpose(x, listed_dims(order, x.ndim))


@composite(
    facts=Facts(
        lambda x, source, destination: np.moveaxis(x, source, destination),
        [
            S((2, 3, 4), source=0, destination=-1),
            S((2, 3, 4), source=(0, -1), destination=(1, 0)),
            S((2, 3), source=1, destination=1),
        ],
        analytic=True,
    )
)
def movedim(x: Array, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Array:
    """Move axes to other places; the others keep their order.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(2, 3, 4).movedim(0, -1).shape
    (3, 4, 2)
    """
    ndim = len(x.shape)
    start, end = (
        checked("movedim", x, listed_dims, as_tuple(dims), ndim) for dims in (source, destination)
    )
    if len(start) != len(end):
        problem = f"source {source} and destination {destination} must name as many dims"
        raise refuse("movedim", problem, x)
    if ndim == 0:
        return reshape(x, ())
    order = [i for i in range(ndim) if i not in start]
    for to, axis in sorted(zip(end, start, strict=True)):
        order.insert(to, axis)
    return permute(x, tuple(order))


# ---- another order of the entries: copies --------------------------------------------------------


@op(
    x=lambda g, dims: flip(g, dims),
    facts=Facts(
        lambda x, dims: np.flip(x, dims),
        [
            S((2, 3), dims=(0,)),
            S((2, 3, 4), dims=(0, -1)),
            S((2, 3), dims=()),
            S((), dims=()),
            S((0, 3), dims=(1,)),
        ],
        analytic=True,
    ),
)
def flip(xp: Backend, x: Array, dims: Ints) -> Array:
    """Reverse the order of the entries along axes; a copy, as in torch.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1, 2], [3, 4]]).flip(1)
    tensor([[2, 1],
            [4, 3]])
    """
    axes = listed_dims(as_tuple(dims), x.ndim)
    return xp.flip(x, axes).copy() if x.ndim and axes else x.copy()


def _shifts(shifts: Any, dims: Any, ndim: int) -> tuple[Any, Any]:
    """Return what NumPy's ``roll`` takes."""
    if dims is None:
        return check_int(shifts, "shifts (without dims)"), None
    places, axes = as_tuple(shifts), as_tuple(dims)
    if len(places) != len(axes):
        raise ValueError(f"shifts {shifts} and dims {dims} must be as many")
    return tuple(check_int(n, "a shift") for n in places), tuple(check_dim(d, ndim) for d in axes)


def _backwards(shifts: Any) -> Any:
    return -shifts if isinstance(shifts, int) else tuple(-n for n in shifts)


@op(
    x=lambda g, shifts, dims: roll(g, _backwards(shifts), dims),
    facts=Facts(
        lambda x, shifts, dims=None: np.roll(x, shifts, axis=dims),
        [
            S((2, 3), shifts=1),
            S((2, 3), shifts=-1, dims=1),
            S((2, 3), shifts=(1, 2), dims=(0, -1)),
            S((3,), shifts=7, dims=0),
            S((0, 3), shifts=1, dims=1),
        ],
        analytic=True,
    ),
)
def roll(
    xp: Backend,
    x: Array,
    shifts: int | tuple[int, ...],
    dims: int | tuple[int, ...] | None = None,
) -> Array:
    """Move the entries along axes by ``shifts`` places; what leaves one end enters at the other.

    Without ``dims`` the tensor is rolled as one axis and keeps its shape.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(4).roll(1)
    tensor([3, 0, 1, 2])
    """
    places, axes = _shifts(shifts, dims, x.ndim)
    return xp.roll(x, places, axis=axes) if x.ndim else x.copy()


# ---- parts --------------------------------------------------------------------------------------


@composite(
    facts=Facts(
        lambda x, dim, start, length: np.take(x, np.arange(start, start + length), axis=dim),
        [
            S((5, 2), dim=0, start=1, length=3),
            S((2, 5), dim=-1, start=-2, length=2),
            S((3,), dim=0, start=3, length=0),
        ],
        analytic=True,
    )
)
def narrow(x: Array, dim: int, start: int, length: int) -> Array:
    """Return ``length`` entries along one axis, from ``start`` on, as a view.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = tuple(x.shape)
    if not shape:
        raise refuse("narrow", "a 0-d tensor has no axis to take a part of", x)
    axis = checked("narrow", x, check_dim, dim, len(shape))
    start, length = (
        checked("narrow", x, check_int, n, name)
        for n, name in ((start, "start"), (length, "length"))
    )
    size = shape[axis]
    first = start + size if start < 0 else start
    if not 0 <= first <= size:
        problem = f"start {start} is out of range: dim {dim} takes {-size} to {size}"
        raise refuse("narrow", problem, x, kind=IndexError)
    if length < 0 or first + length > size:
        problem = f"{length} entries from {start} on do not fit into dim {dim} of length {size}"
        raise refuse("narrow", problem, x)
    return part(x, axis, first, length)


def part(x: Any, axis: int, start: int, length: int) -> Any:
    """Return `narrow` without its checks."""
    return getitem(x, (slice(None),) * axis + (slice(start, start + length),))


@composite(
    facts=Facts(
        lambda x, dim, index: np.take(x, index, axis=dim),
        [S((5, 2), dim=0, index=3), S((5, 2), dim=-1, index=-1)],
        analytic=True,
    )
)
def select(x: Array, dim: int, index: int) -> Array:
    """Return one entry along an axis, which goes, as a view.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1, 2], [3, 4]]).select(1, 0)
    tensor([1, 3])
    """
    shape = tuple(x.shape)
    axis = checked("select", x, check_dim, dim, len(shape))
    size = shape[axis] if shape else 0
    at = checked("select", x, check_int, index, "index")
    if not -size <= at < size:
        problem = f"index {at} is out of range: dim {dim} has {size} entries"
        raise refuse("select", problem, x, kind=IndexError)
    return getitem(x, (*(slice(None),) * axis, at))


@composite(facts=Facts(lambda x: x, [S((2, 3)), S(()), S((0, 2))], torch="Tensor.contiguous"))
def contiguous(x: Array) -> Array:
    """Return x itself if its elements lie in order in memory, else a copy in which they do.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(2, 3).mT.contiguous().view(6).shape
    (6,)
    """
    array = x._array if isinstance(x, Tensor) else x
    return x if array.flags.c_contiguous else clone(x)
