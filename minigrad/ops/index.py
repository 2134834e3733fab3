"""Indexing: reading and writing chosen elements.

Reading and scattering are each other's transpose, so their rules refer to each other. Basic
indices (ints, slices, None, ``...``) give views and never meet an element twice; index arrays and
masks give copies, and an element that is chosen twice gets its gradient twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import NUMPY, Array, Backend, backend_of, is_array
from minigrad.engine.facts import Facts, S, at, booleans, integers
from minigrad.engine.op import composite, op
from minigrad.engine.recording import checked
from minigrad.engine.structural import broadcast_to
from minigrad.engine.tensor import Tensor
from minigrad.ops.compare import where

__all__ = [
    "embedding", "gather", "index_add", "index_put", "index_select", "masked_fill", "masked_select",
    "nonzero", "one_hot", "scatter", "scatter_add", "take_along_dim",
]  # fmt: skip

IndexArray = Any  # an array of ints or bools: never cast, without a gradient


# ---- x[...] -------------------------------------------------------------------------------------


def _add_piece(total: Any, g: Any, index: Any) -> None:
    total[index] += g


@op(
    view=True,
    x=lambda g, index, x_shape: _place(g, x_shape, index),
    add_at=_add_piece,
    facts=Facts(
        lambda x, index: x[index],
        [
            S((3, 4), index=1),
            S((3, 4), index=(slice(None), -1)),
            S((5,), index=slice(1, None, 2)),
            S((5,), index=slice(None, None, -2)),
            S((2, 3, 4), index=(..., None, 0)),
            S((3,), index=slice(2, 2)),
            S((), index=()),
        ],
        analytic=True,
        torch="",
    ),
)
def getitem(xp: Backend, x: Array, index: Any) -> Array:
    """Read by a basic index: ints, slices, None and ``...``; the result is a view.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1.0, 2.0], [3.0, 4.0]])[:, 0]
    tensor([1., 3.])
    """
    parts = index if isinstance(index, tuple) else (index,)
    return x[parts if ... in parts else (*parts, ...)]  # the dots keep a single element a view


@op(
    x=lambda g, index: g[index],
    facts=Facts(
        lambda x, shape, index: _assign(np.zeros(shape), index, x),
        [S((4,), shape=(3, 4), index=1), S((2,), shape=(5,), index=slice(0, 3, 2))],
        torch="",
    ),
)
def _place(xp: Backend, x: Array, shape: tuple[int, ...], index: Any) -> Array:
    """Return zeros of ``shape`` with x at a basic index: the transpose of `getitem`."""
    return _assign(xp.zeros(shape, x.dtype), index, x)


@op(
    x=lambda g, index, x_shape: _accumulate(g, x_shape, index),
    facts=Facts(
        lambda x, index: x[index],
        [
            S((3, 4), index=np.array([0, 2, 2])),
            S((3, 4), index=(np.array([0, 2, 2]), np.array([1, -1, 1]))),
            S((2, 3, 4), index=(slice(None), np.array([[0, 2], [1, 1]]), 1)),
            S((2, 2), index=np.array([[True, False], [True, True]])),
            S((2, 3), index=(slice(None), np.array([True, False, True]))),
            S((3,), index=np.zeros((0,), int)),
        ],
        analytic=True,
        torch="",
    ),
)
def index(xp: Backend, x: Array, index: Any) -> Array:
    """Read by index arrays or masks, mixed with basic indices; the result is a copy.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([10.0, 20.0, 30.0])[[2, 0, 2]]
    tensor([30., 10., 30.])
    """
    return x[index]


@op(
    x=lambda g, index: g[index],
    facts=Facts(
        lambda x, shape, index: _added(np.zeros(shape), index, x),
        [
            S((3, 4), shape=(3, 4), index=np.array([0, 2, 2])),
            S((2,), shape=(4,), index=np.array([1, 1])),
        ],
        torch="",
    ),
)
def _accumulate(xp: Backend, x: Array, shape: tuple[int, ...], index: Any) -> Array:
    """Return zeros of ``shape`` with x added at an index: the transpose of `index`."""
    out = xp.zeros(shape, x.dtype)
    if is_array(index) and index.dtype.kind == "b":  # a mask meets no element twice
        return _assign(out, index, x)
    xp.scatter_add(out, index, x)
    return out


def read(x: Tensor, index: Any) -> Tensor:
    """Return ``x[index]``."""
    key, basic = plain_index(x, index)
    return getitem(x, key) if basic else _index_op(x, key)


_index_op = index  # the name is a parameter's in most functions here


def plain_index(x: Any, key: Any) -> tuple[Any, bool]:
    """Return an index without Tensors and lists, and whether it is a basic one."""
    parts = key if isinstance(key, tuple) else (key,)
    plain, basic = [], True
    for part in parts:
        if isinstance(part, Tensor):
            part = part._array if part.ndim or part.dtype.kind == "b" else int(part)
        elif isinstance(part, (list, bool, np.bool_, range)):
            part = np.asarray(part, dtype=None if np.size(part) else np.int64)
        if is_array(part) and not isinstance(part, np.integer):
            if part.dtype.kind not in "biu":
                raise IndexError(
                    f"an index must be int or bool, not {part.dtype}{list(part.shape)}"
                )
            basic = False
        elif isinstance(part, float):
            raise IndexError(f"an index must be int or bool, not the float {part}")
        plain.append(part)
    if not basic and backend_of(x._array if isinstance(x, Tensor) else x).name != NUMPY.name:
        check_ranges(x.shape, plain)
    return (tuple(plain) if isinstance(key, tuple) else plain[0]), basic


def check_ranges(shape: tuple[int, ...], parts: Sequence[Any]) -> None:
    """Raise `IndexError` for an index array out of range, where the library wraps it silently."""
    used = sum(
        p.ndim if is_array(p) and p.dtype.kind == "b" else p is not None and p is not ...
        for p in parts
    )
    axis = 0
    for part in parts:
        if part is ...:
            axis += len(shape) - used
        elif is_array(part) and part.dtype.kind == "b":
            axis += part.ndim
        elif part is not None:
            if is_array(part):
                check_index(part, shape[axis], f"axis {axis}")
            axis += 1


@checked
def check_index(index: Any, size: int, what: str, who: str = "") -> None:
    """Raise `IndexError` unless all of an int array lies in ``[-size, size)``."""
    xp = backend_of(index)
    if not xp.in_range(index, -size, size):
        low, high = xp.int_range(index)
        worst = high if high >= size else low
        raise IndexError(f"{who}index {worst} is out of range for {what}, which has {size} entries")


def _assign(out: Any, index: Any, values: Any) -> Any:
    out[index] = values
    return out


def _added(out: Any, index: Any, values: Any) -> Any:
    np.add.at(out, index, values)
    return out


# ---- writing ------------------------------------------------------------------------------------


@op(
    aux=True,
    x=lambda g, aux: index_put(g, 0.0, aux[0]),
    value=lambda g, aux: g[aux[0]] if aux[1] is None else g[aux[0]] * aux[1],
    facts=Facts(
        lambda x, value, index: _assign(x.copy(), index, value),
        [
            S((3, 4), (4,), index=1),
            S((3, 4), (), index=(slice(None), 2)),
            S((3, 4), (2, 4), index=np.array([2, 0])),
            S((5,), (3,), index=np.array([1, 3, 1])),
            S((2, 2), (), index=np.array([[True, False], [False, True]])),
        ],
        convention="an element written twice keeps the last value, which alone has a gradient",
        torch="",
    ),
)
def index_put(xp: Backend, x: Array, value: Array, index: Any) -> tuple[Array, Any]:
    """Return a copy of x in which ``x[index]`` is ``value`` (broadcast to fit).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.index_put(mg.tensor([1.0, 2.0, 3.0]), 0.0, slice(1, None))
    tensor([1., 0., 0.])
    """
    key, _ = plain_index(x, index)
    out = x.copy()
    return out, (key, write(xp, out, value, key))


def write(xp: Backend, out: Array, value: Array, index: Any) -> Array | None:
    """Do ``out[index] = value``; return a mask of the values that stayed, None if all did."""
    xp.write_last(out, index, value)
    parts = index if isinstance(index, tuple) else (index,)
    if not any(is_array(p) and p.dtype.kind in "iu" for p in parts):
        return None
    order = xp.arange(math.prod(out[index].shape)).reshape(out[index].shape)
    last = xp.zeros(out.shape, order.dtype)
    xp.write_last(last, index, order)
    stayed = last[index] == order
    return None if bool(stayed.all()) else stayed.astype(out.dtype)


# ---- along one axis -----------------------------------------------------------------------------


def _corner(x: Any, dim: int, index: Any) -> Any:
    """Return the part of x that an index array reaches: torch lets it be smaller off the axis."""
    axis = dim % max(len(x.shape), 1)
    return x[tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(index.shape))]


def _check_gather(name: str, x: Any, dim: int, index: Any) -> None:
    if index.dtype.kind not in "iu":
        raise TypeError(f"{name}: the index must be an int tensor, not {index.dtype}")
    axis = dim % max(x.ndim, 1)
    if x.ndim != index.ndim or any(
        m > n for i, (m, n) in enumerate(zip(index.shape, x.shape, strict=True)) if i != axis
    ):
        raise ValueError(
            f"{name} along dim {dim}: the index {list(index.shape)} must have as many axes as "
            f"{list(x.shape)}, and be no longer on the other axes"
        )
    who = "" if name == "gather" else f"{name}: "  # the engine names ops, not compositions
    check_index(index, x.shape[axis] if x.ndim else 1, f"dim {dim}", who)


@op(
    x=lambda g, dim, index, x_shape: _scatter_zeros(g, dim, index, x_shape),
    facts=Facts(
        lambda x, dim, index: np.take_along_axis(_corner(x, dim, index), index, axis=dim),
        [
            S((3, 4), integers((3, 2), 0, 4), dim=1),
            S((3, 4), integers((2, 4), 0, 3), dim=0),
            S((2, 3, 4), integers((2, 5, 1), 0, 3), dim=-2),
        ],
        analytic=True,
    ),
)
def gather(xp: Backend, x: Array, dim: int, index: IndexArray) -> Array:
    """Pick along one axis: for 2-d x and ``dim=1``, ``y[i, j] = x[i, index[i, j]]``.

    Raises
    ------
    IndexError
        An index is out of range.
    ValueError
        The index has other axes than x, or is longer than x off ``dim``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.gather(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, mg.tensor([[0, 0], [1, 0]]))
    tensor([[1., 1.],
            [4., 3.]])
    """
    _check_gather("gather", x, dim, index)
    if x.ndim == 0:
        return x.reshape(1)[index]
    return xp.take_along_axis(_corner(x, dim, index), index, axis=dim)


@op(
    x=lambda g, dim, index: gather(g, dim, index),
    facts=Facts(
        lambda x, dim, index, shape: _added(np.zeros(shape), _grid(np, dim, index), x),
        [
            S((3, 2), integers((3, 2), 0, 4), dim=1, shape=(3, 4)),
            S((2, 4), integers((2, 4), 0, 3), dim=0, shape=(3, 4)),
        ],
        torch="",
    ),
)
def _scatter_zeros(
    xp: Backend, x: Array, dim: int, index: IndexArray, shape: tuple[int, ...]
) -> Array:
    """Return zeros of ``shape`` with x added at the places `gather` would read."""
    out = xp.zeros(shape, x.dtype)
    xp.scatter_add(out, _grid(xp, dim, index), x)
    return out


def _grid(xp: Any, dim: int, index: Any) -> tuple[Any, ...]:
    """Return the full index of each element that `gather` reads."""
    if index.ndim == 0:
        return ()
    grid = [
        xp.arange(n).reshape(tuple(-1 if j == i else 1 for j in range(index.ndim)))
        for i, n in enumerate(index.shape)
    ]
    grid[dim] = index
    return tuple(grid)


@composite(
    facts=Facts(
        lambda x, dim, index, src: _added(
            x.copy(), _grid(np, dim, index), src[tuple(map(slice, index.shape))]
        ),
        [
            S((3, 4), integers((3, 2), 0, 4), (3, 2), dim=1),
            S((3, 4), integers((2, 4), 0, 3), (3, 4), dim=0),
        ],
    )
)
def scatter_add(x: Array, dim: int, index: IndexArray, src: Array) -> Array:
    """Add src at chosen places of x: for 2-d x and ``dim=1``, ``x[i, index[i, j]] += src[i, j]``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.scatter_add(mg.zeros(3), 0, mg.tensor([2, 0, 2]), mg.tensor([1.0, 2.0, 3.0]))
    tensor([2., 0., 4.])
    """
    raw = index._array if isinstance(index, Tensor) else index
    _check_gather("scatter_add", x._array if isinstance(x, Tensor) else x, dim, raw)
    part = src[tuple(slice(n) for n in raw.shape)]
    return x + _scatter_zeros(part, dim, index, tuple(x.shape))


@composite(
    facts=Facts(
        lambda x, dim, index, src: _assign(x.copy(), _grid(np, dim, index), src),
        [
            S((3, 4), lambda rng: np.argsort(rng.random((3, 4)), 1)[:, :2], (3, 2), dim=1),
            S((3, 4), integers((3, 2), 0, 4), 1.5, dim=1),
        ],
    )
)
def scatter(x: Array, dim: int, index: IndexArray, src: Array) -> Array:
    """Write src (a tensor or a number) at chosen places of a copy of x (see `scatter_add`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.scatter(mg.zeros(2, 3), 1, mg.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    raw = index._array if isinstance(index, Tensor) else index
    _check_gather("scatter", x._array if isinstance(x, Tensor) else x, dim, raw)
    value = src if isinstance(src, (int, float)) else src[tuple(slice(n) for n in raw.shape)]
    return index_put(x, value, _grid(backend_of(raw), dim, raw))


@composite(
    facts=Facts(
        lambda x, indices, dim=None: (
            np.take_along_axis(x, indices, axis=dim)
            if dim is not None
            else x.ravel()[indices.ravel()]
        ),
        [
            S((3, 4), integers((3, 2), 0, 4), dim=1),
            S((3, 4), integers((1, 4), 0, 3), dim=0),
            S((3, 4), integers((5,), 0, 12)),
        ],
    )
)
def take_along_dim(x: Array, indices: IndexArray, dim: int | None = None) -> Array:
    """Pick along one axis with indices that broadcast against x on the others; None: flattened.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[3.0, 1.0], [2.0, 4.0]])
    >>> mg.take_along_dim(x, mg.argsort(x, dim=1), dim=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    if dim is None:
        return x.reshape((-1,))[indices.reshape((-1,))]
    axis = dim % len(x.shape)
    off = np.broadcast_shapes(
        *(tuple(1 if i == axis else n for i, n in enumerate(a.shape)) for a in (x, indices))
    )
    full = [(*off[:axis], a.shape[axis], *off[axis + 1 :]) for a in (x, indices)]
    x = x if tuple(x.shape) == full[0] else broadcast_to(x, full[0])
    indices = indices if tuple(indices.shape) == full[1] else broadcast_to(indices, full[1])
    return gather(x, dim, indices)


@composite(
    facts=Facts(
        lambda x, dim, index: np.take(x, index, axis=dim),
        [S((3, 4), integers((3,), 0, 4), dim=1), S((3, 4), integers((2,), 0, 3), dim=-2)],
    )
)
def index_select(x: Array, dim: int, index: IndexArray) -> Array:
    """Pick whole slices along one axis, by a 1-d index.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.index_select(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, mg.tensor([1, 1]))
    tensor([[2., 2.],
            [4., 4.]])
    """
    if len(index.shape) > 1:
        raise ValueError(f"index_select needs a 1-d index, not {list(index.shape)}")
    return x[(slice(None),) * (dim % max(len(x.shape), 1)) + (index.reshape((-1,)),)]


@composite(
    facts=Facts(
        lambda x, dim, index, source, alpha=1: _added(
            x.copy(), (slice(None),) * (dim % x.ndim) + (index,), alpha * source
        ),
        [
            S((3, 4), integers((2,), 0, 3), (2, 4), dim=0),
            S((3, 4), integers((5,), 0, 4), (3, 5), dim=-1, alpha=2.0),
        ],
    )
)
def index_add(x: Array, dim: int, index: IndexArray, source: Array, alpha: float = 1) -> Array:
    """Add ``alpha`` times the slices of source to the slices of x that a 1-d index names.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.index_add(mg.zeros(2, 2), 0, mg.tensor([1, 1]), mg.ones(2, 2))
    tensor([[0., 0.],
            [2., 2.]])
    """
    raw = index._array if isinstance(index, Tensor) else index
    axis = dim % max(len(x.shape), 1)
    check_index(raw, x.shape[axis], f"dim {dim}", "index_add: ")
    place = (slice(None),) * axis + (raw,)
    scaled = source if alpha == 1 else source * alpha
    return x + _accumulate(scaled, tuple(x.shape), place)


# ---- by masks -----------------------------------------------------------------------------------


@composite(
    facts=Facts(
        lambda x, mask, value: np.where(mask, value, x),
        [S((3, 4), booleans((3, 4)), value=-1.5), S((3, 4), booleans((4,)), value=0.0)],
    )
)
def masked_fill(x: Array, mask: IndexArray, value: Any) -> Array:
    """Return x with ``value`` where the mask is true.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.masked_fill(mg.tensor([1.0, 2.0]), mg.tensor([True, False]), 0.0)
    tensor([0., 2.])
    """
    if mask.dtype.kind != "b":
        raise TypeError(f"the mask must be bool, not {mask.dtype}; compare first, as in x > 0")
    return where(mask, value, x)


@composite(
    facts=Facts(
        lambda x, mask: x[np.broadcast_to(mask, x.shape)],
        [S((3, 4), booleans((3, 4))), S((3, 4), booleans((4,)))],
    )
)
def masked_select(x: Array, mask: IndexArray) -> Array:
    """Return the elements where the mask is true, as one axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.masked_select(mg.tensor([1.0, 2.0, 3.0]), mg.tensor([True, False, True]))
    tensor([1., 3.])
    """
    if mask.dtype.kind != "b":
        raise TypeError(f"the mask must be bool, not {mask.dtype}; compare first, as in x > 0")
    shape = np.broadcast_shapes(tuple(x.shape), tuple(mask.shape))
    x = x if tuple(x.shape) == shape else broadcast_to(x, shape)
    return x[mask if tuple(mask.shape) == shape else broadcast_to(mask, shape)]


# ---- look-up ------------------------------------------------------------------------------------


def _embedding_rule(
    g: Any, ids: Any, padding_idx: int | None, weight_shape: tuple[int, ...]
) -> Any:
    raw = ids._array if isinstance(ids, Tensor) else ids
    if padding_idx is not None:
        g = g * (raw != padding_idx % weight_shape[0])[..., None]
    return _accumulate(g, weight_shape, raw)


_TABLE = [[0.5, 1.0], [1.5, 2.0], [2.5, 3.0]]


@op(
    weight=_embedding_rule,
    facts=Facts(
        lambda ids, weight, padding_idx=None: weight[ids],
        [
            S(integers((2, 3), 0, 5), (5, 4)),
            S(integers((), 0, 5), (5, 4)),
            S(integers((0,), 0, 5), (5, 4)),
            at([0, 1, 2], _TABLE, slopes=(None, [[1, 1], [0, 0], [1, 1]]), padding_idx=1),
            at([0, 1, 2], _TABLE, slopes=(None, [[1, 1], [1, 1], [0, 0]]), padding_idx=-1),
        ],
        torch="nn.functional.embedding",
        analytic=True,
        formula="y[..., :] = weight[ids[...], :]",
    ),
)
def embedding(xp: Backend, ids: IndexArray, weight: Array, padding_idx: int | None = None) -> Array:
    """Look rows of a table up: ids ``(...)``, weight ``(n, d)``, result ``(..., d)``.

    Row ``padding_idx`` gets no gradient.

    Raises
    ------
    IndexError
        An id is negative or not below n.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.embedding(mg.tensor([1, 0]), mg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    if ids.dtype.kind not in "iu":
        raise TypeError(f"embedding needs int ids, not {ids.dtype}")
    if not xp.in_range(ids, 0, weight.shape[0]):
        low, high = xp.int_range(ids)
        bad = low if low < 0 else high
        raise IndexError(f"id {bad} is out of range: the table has rows 0 to {weight.shape[0] - 1}")
    return weight[ids]


@op(facts=Facts(
    lambda ids, num_classes: np.eye(num_classes, dtype=int)[ids],
    [S(integers((2, 3), 0, 4), num_classes=4)], order=0, torch="nn.functional.one_hot",
))  # fmt: skip
def one_hot(xp: Backend, ids: IndexArray, num_classes: int = -1) -> Array:
    """Return int64 rows with a 1 at each id; ``num_classes`` -1 takes the largest id plus one.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.one_hot(mg.tensor([2, 0]))
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    if ids.dtype.kind not in "iu":
        raise TypeError(f"one_hot needs int ids, not {ids.dtype}")
    if num_classes == -1:
        num_classes = xp.int_range(ids)[1] + 1
    if not xp.in_range(ids, 0, num_classes):
        low, high = xp.int_range(ids)
        bad = low if low < 0 else high
        raise ValueError(f"id {bad} is outside the {num_classes} classes 0 to {num_classes - 1}")
    return (ids[..., None] == xp.arange(num_classes)).astype(xp.int64)


@op(facts=Facts(
    lambda x: np.argwhere(x), [S(lambda rng: (rng.random((3, 4)) < 0.5) * 1.0)], order=0,
))  # fmt: skip
def nonzero(xp: Backend, x: IndexArray) -> Array:
    """Return the places of the elements that are not 0, one row each, int64.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nonzero(mg.tensor([0.0, 3.0, 0.0, 5.0]))
    tensor([[1],
            [3]])
    """
    return xp.argwhere(x)
