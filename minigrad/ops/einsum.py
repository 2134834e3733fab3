"""Einstein summation: products of arrays, with axes named by letters, summed over some letters.

Any equation is brought down to two ops. `einsum_single` takes diagonals, sums and reorders the axes
of one array. `einsum_pair` multiplies two arrays where every letter stands in at least two of the
three terms (both operands and the result); so the three can change places, and each derivative is
an `einsum_pair` with the same terms in another order.
"""

from __future__ import annotations

import itertools
import math
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of
from minigrad.engine.dtypes import promote
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.engine.structural import broadcast_to, cast
from minigrad.ops.linalg import product
from minigrad.ops.refuse import refuse
from minigrad.ops.shape import permute

__all__ = ["einsum"]

Shape = tuple[int, ...]


# ---- one array ---------------------------------------------------------------------------------


def _spread(g: Any, equation: str, x_shape: Shape) -> Any:
    """Put a gradient where its elements came from: summed letters repeat it, diagonals hold it."""
    term, out = equation.split("->")
    first = [term.index(letter) == i for i, letter in enumerate(term)]
    letters = [letter for letter, new in zip(term, first, strict=True) if new and letter in out]
    g = permute(g, tuple(out.index(letter) for letter in letters))
    kept = [new and letter in out for letter, new in zip(term, first, strict=True)]
    g = g.reshape(tuple(n if keep else 1 for n, keep in zip(x_shape, kept, strict=True)))
    g = broadcast_to(g, x_shape)
    return g if all(first) else g * _diagonal(g, term, x_shape)


def _diagonal(g: Any, term: str, shape: Shape) -> Any:
    """Return where the indices of every repeated letter are equal, as an array of bools."""
    xp = backend_of(getattr(g, "_array", g))
    mask = xp.ones((1,) * len(shape), bool)
    for i, j in itertools.combinations(range(len(term)), 2):
        if term[i] == term[j]:
            one, other = [1] * len(shape), [1] * len(shape)
            one[i] = other[j] = shape[i]
            index = xp.arange(shape[i])
            mask = mask & (index.reshape(one) == index.reshape(other))
    return mask


@op(
    view=True,
    x=lambda g, equation, x_shape: _spread(g, equation, x_shape),
    facts=Facts(
        lambda x, equation: np.einsum(equation, x),
        [
            S((2, 3), equation="ij->ji"),
            S((2, 3, 4), equation="ijk->ki"),
            S((2, 3), equation="ij->"),
            S((3, 3), equation="ii->i"),
            S((3, 3), equation="ii->"),
            S((3, 2, 3), equation="iji->j"),
            S((2, 2, 2), equation="iii->i"),
            S((2, 2, 3, 3, 2), equation="iijji->ji"),
            S((0, 3), equation="ij->j"),
            S((), equation="->"),
        ],
        analytic=True,
        torch="",
    ),
)
def einsum_single(xp: Backend, x: Array, equation: str) -> Array:
    """Take the diagonals of repeated letters, sum over those that the result lacks, reorder.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.einsum import einsum_single
    >>> einsum_single(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), "ii->i")
    tensor([1., 4.])
    """
    term, out = equation.split("->")
    letters = "".join(dict.fromkeys(term))
    if letters != term:
        x = xp.einsum(f"{term}->{letters}", x)
    summed = tuple(i for i, letter in enumerate(letters) if letter not in out)
    if summed:  # small ints are summed as int64, as in `sum`
        x = xp.sum(x, axis=summed, dtype=xp.int64 if x.dtype.kind in "biu" else None)
        letters = "".join(letter for letter in letters if letter in out)
    return xp.transpose(x, tuple(letters.index(letter) for letter in out))


# ---- two arrays --------------------------------------------------------------------------------


def _terms(equation: str) -> tuple[str, str, str]:
    operands, out = equation.split("->")
    a, b = operands.split(",")
    return a, b, out


def _left(g: Any, b: Any, equation: str) -> Any:
    a_term, b_term, out = _terms(equation)
    return einsum_pair(g, b, f"{out},{b_term}->{a_term}")


def _right(g: Any, a: Any, equation: str) -> Any:
    a_term, b_term, out = _terms(equation)
    return einsum_pair(a, g, f"{a_term},{out}->{b_term}")


@op(
    cast="common",
    a=_left,
    b=_right,
    hint=lambda shapes, options: None,  # nothing broadcasts here
    facts=Facts(
        lambda a, b, equation: np.einsum(equation, a, b),
        [
            S((2, 3), (3, 4), equation="ij,jk->ik"),
            S((2, 3), (3, 4), equation="ij,jk->ki"),
            S((2, 3), (4, 3), equation="ij,kj->ik"),
            S((5, 2, 3), (5, 3, 4), equation="bij,bjk->bik"),
            S((2, 4, 3), (3, 5, 2), equation="aib,bja->ij"),
            S((2, 5, 3), (5, 2, 4, 3), equation="abi,baji->jab"),
            S((2,), (3,), equation="i,j->ij"),
            S((2, 3), (3, 2), equation="ij,ji->ij"),
            S((2, 3), (2, 3), equation="ij,ij->"),
            S((2, 3), (2, 3), equation="ij,ij->i"),
            S((2, 3), (), equation="ij,->ji"),
            S((0, 3), (3, 2), equation="ij,jk->ik"),
            S((2, 0), (0, 3), equation="ij,jk->ik"),
        ],
        analytic=True,
        torch="",
    ),
)
def einsum_pair(xp: Backend, a: Array, b: Array, equation: str) -> Array:
    """Multiply two arrays; every letter stands in two of the three terms, none twice in one.

    Letters of both operands that the result lacks are summed by a matrix product.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.einsum import einsum_pair
    >>> einsum_pair(mg.tensor([1.0, 2.0]), mg.tensor([[1.0, 1.0], [0.0, 10.0]]), "j,ij->i")
    tensor([ 3., 20.])
    """
    a_term, b_term, out = _terms(equation)
    sizes = dict(zip(a_term + b_term, a.shape + b.shape, strict=True))
    batch = [x for x in a_term if x in b_term and x in out]
    inner = [x for x in a_term if x in b_term and x not in out]
    rows = [x for x in a_term if x not in b_term]
    columns = [x for x in b_term if x not in a_term]
    a = xp.transpose(a, [a_term.index(x) for x in batch + rows + inner])
    b = xp.transpose(b, [b_term.index(x) for x in batch + inner + columns])
    lead = [sizes[x] for x in batch]
    height, depth, width = (math.prod(sizes[x] for x in part) for part in (rows, inner, columns))
    a, b = a.reshape((*lead, height, depth)), b.reshape((*lead, depth, width))
    y = product(xp, a, b) if inner else a * b
    y = y.reshape((*lead, *(sizes[x] for x in rows + columns)))
    return xp.transpose(y, [(batch + rows + columns).index(x) for x in out])


# ---- the equation ------------------------------------------------------------------------------


def _read(equation: str, shapes: Sequence[Shape]) -> tuple[list[str], str]:
    """Return a term of letters for each operand and for the result, or raise `ValueError`.

    An ellipsis becomes letters that are not in use.
    """
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    for i, term in enumerate([*terms, right]):
        of = f"operand {i}" if i < len(terms) else "the result"
        rest = term.replace("...", "", 1)
        strange = [x for x in rest if x not in string.ascii_letters]
        if strange:
            raise ValueError(
                f"{strange[0]!r} in the term {term!r} of {of}: a term has letters, and at most one "
                "ellipsis '...'"
            )
    if len(terms) != len(shapes):
        raise ValueError(f"the equation has {len(terms)} terms for {len(shapes)} operands")
    free = [x for x in string.ascii_letters if x not in text]
    widths = []
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        named = len(term.replace("...", ""))
        if named > len(shape) or (named < len(shape) and "..." not in term):
            raise ValueError(f"operand {i} has {len(shape)} axes, its term {term!r} names {named}")
        widths.append(len(shape) - named)
    most = max(widths, default=0)
    if most > len(free):
        raise ValueError(f"{most} axes stand under '...', and only {len(free)} letters are left")
    dots = "".join(free[:most])
    terms = [t.replace("...", dots[most - w :]) for t, w in zip(terms, widths, strict=True)]
    if arrow:
        out = right.replace("...", dots)
    else:
        count = Counter(x for term in terms for x in term if x not in dots)
        out = dots + "".join(sorted(x for x, n in count.items() if n == 1))
    for x in out:
        if out.count(x) > 1:
            raise ValueError(f"the result's term {right!r} has {x!r} twice")
        if not any(x in term for term in terms):
            raise ValueError(f"the result's {x!r} is in no operand")
    return terms, out


def _sizes(terms: Sequence[str], shapes: Sequence[Shape]) -> dict[str, int]:
    """Return the length of each letter, or raise `ValueError`; 1 gives way to any other."""
    sizes: dict[str, int] = {}
    owner: dict[str, int] = {}
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        own: dict[str, int] = {}
        for x, n in zip(term, shape, strict=True):
            if own.setdefault(x, n) != n:
                raise ValueError(f"{x!r} stands for {own[x]} and for {n} in operand {i}")
        for x, n in own.items():
            if sizes.get(x, 1) == 1:
                sizes[x], owner[x] = n, i
            elif n not in (1, sizes[x]):
                raise ValueError(
                    f"{x!r} is {sizes[x]} in operand {owner[x]} and {n} in operand {i}; sizes must "
                    "be equal, or 1"
                )
    return sizes


def _without_ones(x: Any, term: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """Drop axes of size 1 whose letters stand for more elsewhere: they broadcast."""
    kept = [(t, n) for t, n in zip(term, x.shape, strict=True) if n == sizes[t]]
    if len(kept) == len(term):
        return x, term
    return x.reshape(tuple(n for _, n in kept)), "".join(t for t, _ in kept)


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Cast two operands to one dtype; a 0-d one counts in full here, as in PyTorch."""
    if a.dtype == b.dtype:
        return a, b
    dtype = promote([np.empty(1, a.dtype), np.empty(1, b.dtype)])
    return cast(a, dtype), cast(b, dtype)


def _brought_to(x: Any, term: str, wanted: str) -> Any:
    return x if wanted == term else einsum_single(x, f"{term}->{wanted}")


def _best_pair(terms: Sequence[str], out: str, sizes: dict[str, int]) -> tuple[int, int, str]:
    """Return which two to multiply first, and their result's term: what leaves the least behind."""

    def numbers(term: str) -> int:
        return math.prod(sizes[x] for x in term)

    def left(i: int, j: int) -> str:
        others = {x for k, term in enumerate(terms) if k not in (i, j) for x in term}
        both = dict.fromkeys(terms[i] + terms[j])
        return "".join(x for x in both if x in others or x in out)

    pairs = list(itertools.combinations(range(len(terms)), 2))
    grown = [numbers(left(i, j)) - numbers(terms[i]) - numbers(terms[j]) for i, j in pairs]
    i, j = pairs[grown.index(min(grown))]
    return i, j, left(i, j)


@composite(
    facts=Facts(
        lambda tensors, equation: np.einsum(equation, *tensors),
        [
            S([(2, 3), (3, 4)], equation="ij,jk->ik"),
            S([(2, 3), (3, 4)], equation="ij,jk"),
            S([(3, 2)], equation="ba"),
            S([(3, 3)], equation="ii"),
            S([(3, 3)], equation="ii->i"),
            S([(2, 3)], equation="ij->j"),
            S([(2, 3), (4,)], equation="ij,k->k"),
            S([(3, 3), (3, 4)], equation="ii,ij->j"),
            S([(2, 3, 3)], equation="...ii->...i"),
            S([(2, 3, 4), (4, 5)], equation="...ij,jk->...ik"),
            S([(5, 2, 3), (3, 4)], equation="...j,jk"),
            S([(5, 1, 2, 3), (4, 3, 2)], equation="...ij,...jk->...ik"),
            S([(2, 1), (3, 4)], equation="ij,jk->ik"),
            S([(1, 3), (2, 3)], equation="ij,ij->ij"),
            S([(2, 3), (3, 4), (4, 5)], equation="ij,jk,kl->il"),
            S([(2, 3), (3, 4), (4, 2)], equation="ij,jk,ki->"),
            S([(2,), (3,), (4,), (2, 3)], equation="i,j,k,ij->k"),
            S([(5, 2), (5, 3), (4, 2, 3)], equation="bi,bj,oij->bo"),
            S([(2, 3), ()], equation="ij,->j i"),
            S([(0, 3), (3, 2)], equation="ij,jk->ik"),
            S([(2, 0), (0, 3)], equation="ij,jk->ik"),
        ],
        analytic=True,
        torch="",
    )
)
def einsum_(tensors: Sequence[Array], equation: str) -> Array:
    """Sum of products by the letters of an equation: `minigrad.einsum` with its tensors in a list.

    Examples
    --------
    >>> import minigrad as mg
    >>> a = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> mg.einsum("ij,jk->ik", a, a), mg.einsum("ii", a)
    (tensor([[ 7., 10.],
            [15., 22.]]), tensor(5.))
    """
    if not isinstance(equation, str) or not all(hasattr(x, "shape") for x in tensors):
        problem = "the equation comes first, a string, and Tensors or arrays follow"
        raise refuse("einsum", problem, equation, *tensors, kind=TypeError)
    try:
        shapes = [tuple(x.shape) for x in tensors]
        terms, out = _read(equation, shapes)
        sizes = _sizes(terms, shapes)
    except ValueError as error:
        raise refuse("einsum", error, equation, *tensors) from None
    work = list(tensors)
    for i, term in enumerate(terms):
        work[i], terms[i] = _without_ones(work[i], term, sizes)
    for i, term in enumerate(terms):  # take diagonals, and sum what nobody else needs
        others = {x for k, t in enumerate(terms) if k != i for x in t}
        terms[i] = "".join(x for x in dict.fromkeys(term) if x in others or x in out)
        work[i] = _brought_to(work[i], term, terms[i])
    while len(work) > 1:
        i, j, left = _best_pair(terms, out, sizes)
        b, b_term = work.pop(j), terms.pop(j)
        left = out if len(work) == 1 else left
        work[i] = einsum_pair(*_alike(work[i], b), f"{terms[i]},{b_term}->{left}")
        terms[i] = left
    return _brought_to(work[0], terms[0], out)


def einsum(equation: str, *operands: Any) -> Array:
    """Sum of products, axes named by letters: ``einsum("ij,jk->ik", a, b)`` is a matrix product.

    Every operand has a term of letters, one an axis. The result has the letters behind ``->``; all
    others are summed over. Without ``->`` it has those that stand once, in alphabetical order.

    - A letter twice in one term takes the diagonal: ``"ii->i"``, and ``"ii"`` is the trace.
    - ``...`` stands for any axes, which broadcast: ``"...ij,...jk->...ik"``.
    - An axis of size 1 broadcasts against other sizes of its letter.

    More than two operands are multiplied two at a time, first those that leave the least behind.

    Parameters
    ----------
    equation : str
        The terms; spaces are ignored.
    *operands : Tensor
        The arrays, also as one list.

    Raises
    ------
    ValueError
        The equation cannot be read, or does not fit the operands.

    Examples
    --------
    >>> import minigrad as mg
    >>> a = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> mg.einsum("ij,j->i", a, mg.tensor([1.0, 10.0]))
    tensor([21., 43.])
    >>> mg.einsum("ij->j", a)
    tensor([4., 6.])
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    return einsum_(list(operands), equation)
