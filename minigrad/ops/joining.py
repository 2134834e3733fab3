"""Joining, splitting and repeating tensors along axes.

A split is several views of one tensor; joining and repeating copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of, is_array
from minigrad.engine.facts import Facts, S, integers
from minigrad.engine.op import composite, op
from minigrad.engine.structural import broadcast_to, sum_to
from minigrad.engine.tensor import Tensor
from minigrad.ops.dims import Shape, check_dim, check_int, checked
from minigrad.ops.index import IndexArray, index_select
from minigrad.ops.refuse import refuse
from minigrad.ops.shape import Ints, as_tuple, part, reshape, select, unsqueeze

__all__ = [
    "cat", "chunk", "concat", "concatenate", "hstack", "repeat", "repeat_interleave", "split",
    "stack", "tensor_split", "tile", "unbind", "vstack",
]  # fmt: skip

# ---- joining ------------------------------------------------------------------------------------


def _check_arrays(tensors: Sequence[Any]) -> None:
    for i, x in enumerate(tensors):
        if not is_array(x):
            raise TypeError(f"item {i} is {x!r:.40}, not a tensor; wrap numbers: mg.tensor([...])")


def _cat_rule(g: Any, i: int, aux: Any, tensors_shape: Shape) -> Any:
    axis, starts = aux
    if len(tensors_shape) < len(g.shape):  # an empty 1-d tensor, which joins with anything
        return reshape(part(g, axis, 0, 0), (0,))
    return part(g, axis, starts[i], tensors_shape[axis])


@op(
    cast="common",
    aux=True,
    tensors=_cat_rule,
    hint=lambda shapes, options: None,
    facts=Facts(
        lambda tensors, dim=0: np.concatenate([x for x in tensors if x.shape != (0,)], axis=dim),
        [
            S([(2, 3), (4, 3)]),
            S([(2, 3), (0,), (4, 3)]),
            S([(2, 3), (2, 1), (2, 2)], dim=1),
            S([(2, 3), (2, 0), (2, 2)], dim=-1),
            S([(3,)]),
            S([(2, 1, 2), (2, 2, 2)], dim=-2),
        ],
        analytic=True,
    ),
)
def cat(xp: Backend, tensors: Sequence[Array], dim: int = 0) -> tuple[Array, Any]:
    """Join tensors along an axis that they have; their other axes must agree.

    An empty 1-d tensor joins with anything, so a loop may start from ``mg.tensor([])``.

    Raises
    ------
    ValueError
        The tensors differ in another axis or in their number of axes, or are 0-d.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.cat([mg.tensor([1.0, 2.0]), mg.tensor([3.0])])
    tensor([1., 2., 3.])
    """
    _check_arrays(tensors)
    parts = [x for x in tensors if x.shape != (0,)] or list(tensors)[:1]
    ndim = parts[0].ndim
    if ndim == 0:
        raise ValueError("0-d tensors have no axis to be joined along; use stack")
    axis = check_dim(dim, ndim)
    for x in parts:
        if x.ndim != ndim:
            raise ValueError(
                f"all tensors need the same number of axes, not {list(parts[0].shape)} and "
                f"{list(x.shape)}; add one with unsqueeze, or use stack"
            )
        for i, (m, n) in enumerate(zip(parts[0].shape, x.shape, strict=True)):
            if m != n and i != axis:
                raise ValueError(
                    f"{list(parts[0].shape)} and {list(x.shape)} differ in dim {i}, and only dim "
                    f"{axis}, along which they are joined, may differ"
                )
    starts, end = [], 0
    for x in tensors:
        starts.append(end)
        end += x.shape[axis] if x.ndim == ndim else 0
    return xp.concatenate(parts, axis=axis), (axis, tuple(starts))


concat = concatenate = cat


@op(
    cast="common",
    tensors=lambda g, i, dim: select(g, dim, i),
    hint=lambda shapes, options: None,
    facts=Facts(
        lambda tensors, dim=0: np.stack(tensors, axis=dim),
        [
            S([(2, 3), (2, 3)]),
            S([(2, 3), (2, 3), (2, 3)], dim=-1),
            S([(2, 3), (2, 3)], dim=1),
            S([(), ()]),
            S([(0, 2), (0, 2)], dim=-3),
        ],
        analytic=True,
    ),
)
def stack(xp: Backend, tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join tensors of one shape along a new axis.

    Raises
    ------
    ValueError
        The shapes differ.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.stack([mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0])], dim=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    _check_arrays(tensors)
    shape = tensors[0].shape
    for i, x in enumerate(tensors):
        if x.shape != shape:
            raise ValueError(
                f"all shapes must be equal, and item 0 is {list(shape)}, item {i} "
                f"{list(x.shape)}; cat joins along an axis in which they may differ"
            )
    return xp.stack(tensors, axis=check_dim(dim, len(shape) + 1))


@composite(
    facts=Facts(
        lambda tensors: np.hstack(tensors), [S([(2,), (3,)]), S([(2, 3), (2, 1)]), S([(), ()])]
    )
)
def hstack(tensors: Sequence[Array]) -> Array:
    """Join along the second axis (1-d tensors along their only one).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.hstack([mg.tensor([[1], [2]]), mg.tensor([[3], [4]])])
    tensor([[1, 3],
            [2, 4]])
    """
    rows = [reshape(x, (1,)) if len(x.shape) == 0 else x for x in tensors]
    return cat(rows, 0 if rows and len(rows[0].shape) == 1 else 1)


@composite(
    facts=Facts(
        lambda tensors: np.vstack(tensors), [S([(3,), (3,)]), S([(2, 3), (1, 3)]), S([(), ()])]
    )
)
def vstack(tensors: Sequence[Array]) -> Array:
    """Join along the first axis; 1-d tensors are rows.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.vstack([mg.tensor([1, 2]), mg.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    rows = [reshape(x, (1, math.prod(x.shape))) if len(x.shape) < 2 else x for x in tensors]
    return cat(rows, 0)


# ---- splitting ----------------------------------------------------------------------------------


def _axis(name: str, x: Any, dim: int) -> tuple[int, int]:
    """Return an axis of x, and its length, for a function that takes x apart."""
    if len(x.shape) == 0:
        raise refuse(name, "a 0-d tensor has no axis to split", x, kind=IndexError)
    axis = checked(name, x, check_dim, dim, len(x.shape))
    return axis, x.shape[axis]


def _pieces(x: Any, axis: int, sizes: Sequence[int]) -> tuple[Any, ...]:
    result, start = [], 0
    for n in sizes:
        result.append(part(x, axis, start, n))
        start += n
    return tuple(result)


def _split_reference(x: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    n, size = x.shape[dim], split_size_or_sections
    cuts = range(size, n, size) if isinstance(size, int) else np.cumsum(size)[:-1]
    return np.split(x, list(cuts), axis=dim)


@composite(
    facts=Facts(
        _split_reference,
        [
            S((5, 2), split_size_or_sections=2),
            S((2, 5), split_size_or_sections=[1, 4], dim=1),
            S((2, 5), split_size_or_sections=(2, 0, 3), dim=-1),
            S((3,), split_size_or_sections=7),
        ],
        analytic=True,
    )
)
def split(x: Array, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Array, ...]:
    """Split along an axis, into pieces of one length (the last may be shorter) or of given ones.

    Raises
    ------
    ValueError
        The given lengths do not add up to the axis's.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> mg.arange(5).split([1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    axis, n = _axis("split", x, dim)
    if isinstance(split_size_or_sections, (tuple, list)):
        sizes = [checked("split", x, check_int, n, "a length") for n in split_size_or_sections]
        if sum(sizes) != n or min(sizes, default=0) < 0:
            problem = f"lengths {sizes} must add up to {n}, the length of dim {dim}"
            raise refuse("split", problem, x)
        return _pieces(x, axis, sizes)
    size = checked("split", x, check_int, split_size_or_sections, "split_size")
    if size < 0 or (size == 0 and n):
        raise refuse("split", f"a piece must have at least 1 entry, not {size}", x)
    return _pieces(x, axis, _equal(n, size))


def _equal(n: int, size: int) -> list[int]:
    """Return the lengths of the pieces of n entries in pieces of ``size`` (at least one piece)."""
    count = max(math.ceil(n / size), 1) if size else 1
    return [min(size, n - i * size) for i in range(count)]


@composite(
    facts=Facts(
        lambda x, chunks, dim=0: _split_reference(x, -(-x.shape[dim] // chunks), dim),
        [S((5, 2), chunks=3), S((2, 7), chunks=5, dim=1), S((2, 3), chunks=7, dim=-1)],
        analytic=True,
    )
)
def chunk(x: Array, chunks: int, dim: int = 0) -> tuple[Array, ...]:
    """Split along an axis into ``chunks`` pieces or, like torch, fewer: all are of the length
    that the division gives, rounded up, but the last, which may be shorter.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """  # noqa: D205
    axis, n = _axis("chunk", x, dim)
    if checked("chunk", x, check_int, chunks, "chunks") < 1:
        raise refuse("chunk", f"chunks must be at least 1, not {chunks}", x)
    return _pieces(x, axis, _equal(n, -(-n // chunks)) if n else [0] * chunks)


@composite(
    facts=Facts(
        lambda x, indices_or_sections, dim=0: np.array_split(x, indices_or_sections, axis=dim),
        [
            S((5, 2), indices_or_sections=3),
            S((2, 5), indices_or_sections=(1, 3), dim=1),
            S((2,), indices_or_sections=3),
        ],
        analytic=True,
    )
)
def tensor_split(
    x: Array, indices_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Array, ...]:
    """Split along an axis into a number of nearly equal pieces, or before given indices.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(5).tensor_split(3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> mg.arange(5).tensor_split((1,))
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    axis, n = _axis("tensor_split", x, dim)
    if isinstance(indices_or_sections, (tuple, list)):
        cuts = [slice(i, None).indices(n)[0] for i in indices_or_sections]
        ends = zip([0, *cuts], [*cuts, n], strict=True)
        return tuple(part(x, axis, a, max(b - a, 0)) for a, b in ends)
    count = checked("tensor_split", x, check_int, indices_or_sections, "sections")
    if count < 1:
        raise refuse("tensor_split", f"sections must be at least 1, not {count}", x)
    return _pieces(x, axis, [n // count + (i < n % count) for i in range(count)])


@composite(
    facts=Facts(
        lambda x, dim=0: list(np.moveaxis(x, dim, 0)),
        [S((3, 2)), S((3, 2), dim=1), S((2, 3, 4), dim=-2)],
        analytic=True,
    )
)
def unbind(x: Array, dim: int = 0) -> tuple[Array, ...]:
    """Return the entries along an axis, each without it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1, 2], [3, 4]]).unbind(1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    axis, n = _axis("unbind", x, dim)
    return tuple(select(x, axis, i) for i in range(n))


# ---- repeating ----------------------------------------------------------------------------------


def _tile_rule(g: Any, dims: Any, x_shape: Shape) -> Any:
    """Sum over the copies: axis i of y is (copies, entries) of axis i of x."""
    counts = as_tuple(dims)
    ndim = max(len(counts), len(x_shape))
    counts = (1,) * (ndim - len(counts)) + counts
    lengths = (1,) * (ndim - len(x_shape)) + x_shape
    apart = tuple(n for pair in zip(counts, lengths, strict=True) for n in pair)
    once = tuple(n for m in lengths for n in (1, m))
    return sum_to(g.reshape(apart), once).reshape(x_shape)


@op(
    x=_tile_rule,
    facts=Facts(
        lambda x, dims: np.tile(x, dims),
        [
            S((2, 3), dims=(2, 1)),
            S((2, 3), dims=(2,)),
            S((3,), dims=(2, 3)),
            S((2, 1), dims=(1, 1)),
            S((), dims=(3,)),
            S((2, 3), dims=(0, 2)),
        ],
        analytic=True,
    ),
)
def tile(xp: Backend, x: Array, dims: Ints) -> Array:
    """Repeat the whole tensor ``dims[i]`` times along axis i; missing counts in front are 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tile(mg.tensor([1, 2]), (2, 2))
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    counts = tuple(check_int(n, "a count") for n in as_tuple(dims))
    if min(counts, default=0) < 0:
        raise ValueError(f"a tensor cannot be repeated {min(counts)} times")
    return xp.tile(x, counts)


@composite(
    facts=Facts(
        lambda x, repeats: np.tile(x, repeats),
        [S((2, 3), repeats=(2, 1)), S((3,), repeats=(2, 3)), S((), repeats=(2,))],
        analytic=True,
        torch="Tensor.repeat",
    )
)
def repeat(x: Array, repeats: Ints) -> Array:
    """Repeat the whole tensor along its axes, with a count for each (more make new axes).

    It is torch's ``repeat``; NumPy's is `repeat_interleave`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    counts = as_tuple(repeats)
    if len(counts) < len(x.shape):
        problem = (
            f"{list(counts)} has fewer counts than x has axes; give one for each, or use "
            "repeat_interleave to repeat every entry"
        )
        raise refuse("repeat", problem, x)
    return tile(x, counts)


@composite(
    facts=Facts(
        lambda x, repeats, dim=None: np.repeat(x, repeats, axis=dim),
        [
            S((3, 2), 2),
            S((3, 2), 2, dim=1),
            S((3, 2), 3, dim=-2),
            S((3, 2), lambda rng: np.array([2, 0, 3]), dim=0),
            S((2, 3), integers((1,), 2, 3), dim=1),
        ],
    )
)
def repeat_interleave(x: Array, repeats: IndexArray, dim: int | None = None) -> Array:
    """Repeat every entry along an axis (of the flattened tensor without ``dim``).

    ``repeats`` is a count, or an int tensor with a count for each entry. It is NumPy's ``repeat``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    >>> mg.tensor([1, 2]).repeat_interleave(mg.tensor([3, 1]))
    tensor([1, 1, 1, 2])
    """
    name = "repeat_interleave"
    if dim is None or len(x.shape) == 0:
        checked(name, x, check_dim, dim or 0, 0)
        x, dim = reshape(x, (math.prod(x.shape),)), 0
    shape = tuple(x.shape)
    axis = checked(name, x, check_dim, dim, len(shape))
    size = shape[axis]
    raw = repeats._array if isinstance(repeats, Tensor) else repeats
    if not is_array(raw):
        count = checked(name, x, check_int, raw, "repeats")
        if count < 0:
            raise refuse(name, f"an entry cannot be repeated {count} times", x)
        y = broadcast_to(unsqueeze(x, axis + 1), (*shape[: axis + 1], count, *shape[axis + 1 :]))
        return reshape(y, (*shape[:axis], size * count, *shape[axis + 1 :]))
    if raw.dtype.kind not in "iu" or raw.ndim > 1:
        raise refuse(name, "repeats must be an int or a 1-d int tensor", x, raw, kind=TypeError)
    counts = raw.reshape(-1).tolist() * (size if raw.size == 1 else 1)
    if len(counts) != size or min(counts, default=0) < 0:
        problem = f"repeats needs {size} counts, one for each entry of dim {dim}, none negative"
        raise refuse(name, problem, x, raw)
    xp = backend_of(raw)
    return index_select(x, axis, xp.repeat(xp.arange(size), counts))
