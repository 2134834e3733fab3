"""Losses with a margin: what is right by more than the margin costs nothing.

Targets of two classes are 1 and -1 here; labels 0 and 1 become ``2 * target - 1``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.dtypes import float32
from minigrad.engine.facts import Facts, S, at, integers
from minigrad.engine.op import composite, op
from minigrad.engine.structural import cast
from minigrad.ops.activation import softplus
from minigrad.ops.compare import clamp, minimum
from minigrad.ops.index import gather, one_hot
from minigrad.ops.losses import _check_pair, _np_reduce, check_reduction, reduce_losses
from minigrad.ops.reduce import norm, sum
from minigrad.ops.shape import broadcast_tensors, unsqueeze

__all__ = [
    "cosine_embedding_loss", "cosine_similarity", "hinge_embedding_loss", "hinge_loss",
    "margin_ranking_loss", "multi_margin_loss", "pairwise_distance", "soft_margin_loss",
    "triplet_margin_loss",
]  # fmt: skip

IndexArray = Any  # an operand of labels: never cast, no gradient

# ---- two classes --------------------------------------------------------------------------------


def _signs(*shape: int) -> Any:
    """Return a maker of targets 1 and -1 for a `Sample`."""
    return lambda rng: rng.choice([-1, 1], shape)


def _check_signs(target: Any) -> None:
    if not bool(((target == 1) | (target == -1)).all()):
        low, high = float(target.min()), float(target.max())
        text = f"the target goes from {low:.4g} to {high:.4g}, it must be 1 or -1 everywhere"
        if low >= 0:
            text += "; for labels 0 and 1 pass 2 * target - 1"
        raise ValueError(text)


@op(
    cast="float",
    x=lambda g, x, target, margin: (
        g * cast(-target, g.dtype) * (cast(target, x.dtype) * x < margin)
    ),
    facts=Facts(
        lambda x, target, margin=1.0: np.maximum(margin - target * x, 0),
        [
            S((3, 4), _signs(3, 4)),
            S((3, 4), _signs(3, 4), margin=0.5),
            S((), _signs()),
            at([0.5, -0.5, 0.0], [1, -1, -1], slopes=([0, 0, 1],), margin=0.5),
        ],
        kinks=(-1.0, -0.5, 0.5, 1.0),
        convention="0 on the margin",
        torch="",
    ),
)
def hinge(xp: Backend, x: Array, target: IndexArray, margin: float = 1.0) -> Array:
    """Return ``max(0, margin - target x)``.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.margins import hinge
    >>> hinge(mg.tensor([3.0, 0.25, -1.0]), mg.ones(3))
    tensor([0.  , 0.75, 2.  ])
    """
    _check_signs(target)
    return xp.maximum(margin - target.astype(x.dtype, copy=False) * x, 0)


@composite(
    facts=Facts(
        lambda x, target, margin=1.0, reduction="mean": _np_reduce(
            np.maximum(margin - target * x, 0), reduction
        ),
        [
            S((3, 4), _signs(3, 4)),
            S((5,), _signs(5), margin=0.5, reduction="sum"),
            S((3, 4), _signs(3, 4), reduction="none"),
        ],
        kinks=(-1.0, -0.5, 0.5, 1.0),
        torch="",
        formula="max(0, margin - target x)",
    )
)
def hinge_loss(x: Array, target: IndexArray, margin: float = 1.0, reduction: str = "mean") -> Array:
    """Hinge loss of scores x for targets 1 and -1: that of support vector machines.

    Raises
    ------
    ValueError
        The shapes differ, a target is not 1 or -1, or ``reduction`` is unknown.

    References
    ----------
    C. Cortes and V. Vapnik, "Support-Vector Networks", Machine Learning 20 (1995). PyTorch has
    none of this name; Keras has, with ``margin=1``.

    Examples
    --------
    >>> import minigrad as mg
    >>> scores = mg.tensor([3.0, 0.25, -1.0])
    >>> mg.hinge_loss(scores, mg.tensor([1, 1, -1]), reduction="none")
    tensor([0.  , 0.75, 0.  ])
    """
    check_reduction(reduction)
    _check_pair("hinge_loss", x, target)
    return reduce_losses(hinge(x, target, margin), reduction)


@op(
    cast="float",
    x=lambda g, x, target, margin: (
        g * cast(target == 1, g.dtype) - g * cast((target == -1) & (x < margin), g.dtype)
    ),
    facts=Facts(
        lambda x, target, margin=1.0: np.where(target == 1, x, np.maximum(margin - x, 0)),
        [
            S((3, 4), _signs(3, 4)),
            S((3, 4), _signs(3, 4), margin=0.5),
            S((), _signs()),
            at([0.5, 0.5], [1, -1], slopes=([1, 0],), margin=0.5),
        ],
        kinks=(0.5, 1.0),
        convention="0 on the margin",
        torch="",
    ),
)
def hinge_distance(xp: Backend, x: Array, target: IndexArray, margin: float = 1.0) -> Array:
    """Return x where the target is 1, ``max(0, margin - x)`` where it is -1.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.margins import hinge_distance
    >>> hinge_distance(mg.tensor([0.5, 0.25]), mg.tensor([1, -1]))
    tensor([0.5 , 0.75])
    """
    _check_signs(target)
    return xp.where(target == 1, x, xp.maximum(margin - x, 0))


@composite(
    facts=Facts(
        lambda x, target, margin=1.0, reduction="mean": _np_reduce(
            np.where(target == 1, x, np.maximum(margin - x, 0)), reduction
        ),
        [
            S((3, 4), _signs(3, 4)),
            S((5,), _signs(5), margin=0.5, reduction="sum"),
            S((3, 4), _signs(3, 4), reduction="none"),
        ],
        kinks=(0.5, 1.0),
        torch="nn.functional.hinge_embedding_loss",
        formula="x if target = 1, else max(0, margin - x)",
    )
)
def hinge_embedding_loss(
    x: Array, target: IndexArray, margin: float = 1.0, reduction: str = "mean"
) -> Array:
    """Loss of distances x: small for pairs that belong together (1), at least margin else (-1).

    Raises
    ------
    ValueError
        The shapes differ, a target is not 1 or -1, or ``reduction`` is unknown.

    Examples
    --------
    >>> import minigrad as mg
    >>> distances = mg.tensor([0.5, 0.25])
    >>> mg.hinge_embedding_loss(distances, mg.tensor([1, -1]), reduction="none")
    tensor([0.5 , 0.75])
    """
    check_reduction(reduction)
    _check_pair("hinge_embedding_loss", x, target)
    return reduce_losses(hinge_distance(x, target, margin), reduction)


@composite(
    facts=Facts(
        lambda x, target, reduction="mean": _np_reduce(np.log1p(np.exp(-target * x)), reduction),
        [
            S((3, 4), _signs(3, 4)),
            S((5,), _signs(5), reduction="sum"),
            S((3, 4), _signs(3, 4), reduction="none"),
        ],
        torch="nn.functional.soft_margin_loss",
        formula="log(1 + e^(-target x))",
    )
)
def soft_margin_loss(x: Array, target: IndexArray, reduction: str = "mean") -> Array:
    """Logistic loss for targets 1 and -1: the hinge without a corner.

    Raises
    ------
    ValueError
        The shapes differ, or ``reduction`` is unknown.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.soft_margin_loss(mg.tensor([0.0, 1e4]), mg.tensor([1, -1]), reduction="none")
    tensor([6.93147e-01, 1.00000e+04])
    """
    check_reduction(reduction)
    _check_pair("soft_margin_loss", x, target)
    return reduce_losses(softplus(cast(-target, x.dtype) * x), reduction)


@composite(
    facts=Facts(
        lambda x1, x2, target, margin=0.0, reduction="mean": _np_reduce(
            np.maximum(margin - target * (x1 - x2), 0), reduction
        ),
        [
            S((5,), (5,), _signs(5)),
            S((3, 4), (3, 4), _signs(3, 4), margin=0.3, reduction="sum"),
            S((3, 4), (3, 4), _signs(3, 4), margin=0.3, reduction="none"),
        ],
        torch="nn.functional.margin_ranking_loss",
        formula="max(0, margin - target (x1 - x2))",
    )
)
def margin_ranking_loss(
    x1: Array, x2: Array, target: IndexArray, margin: float = 0.0, reduction: str = "mean"
) -> Array:
    """Loss of pairs in the wrong order: x1 should be the larger where the target is 1.

    Raises
    ------
    ValueError
        The shapes differ, a target is not 1 or -1, or ``reduction`` is unknown.

    Examples
    --------
    >>> import minigrad as mg
    >>> x1, x2 = mg.tensor([2.0, 2.0]), mg.tensor([1.0, 1.0])
    >>> mg.margin_ranking_loss(x1, x2, mg.tensor([1, -1]), reduction="none")
    tensor([0., 1.])
    """
    check_reduction(reduction)
    _check_pair("margin_ranking_loss", x1, x2)
    _check_pair("margin_ranking_loss", x1, target)
    return reduce_losses(hinge(x1 - x2, target, margin), reduction)


# ---- several classes ----------------------------------------------------------------------------


def _np_multi_margin(
    x: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Any:
    rows, labels = np.atleast_2d(x), np.atleast_1d(target)
    losses = []
    for row, label in zip(rows, labels, strict=True):
        gaps = np.maximum(margin - row[label] + row, 0) ** p
        gaps[label] = 0
        losses.append(gaps.mean() * (1 if weight is None else weight[label]))
    return _np_reduce(np.array(losses).reshape(np.shape(target)), reduction)


@composite(
    facts=Facts(
        _np_multi_margin,
        [
            S((3, 4), integers((3,), 0, 4)),
            S((3, 4), integers((3,), 0, 4), p=2, reduction="sum"),
            S((3, 4), integers((3,), 0, 4), None, margin=0.5, reduction="none"),
            S((3, 4), integers((3,), 0, 4), lambda rng: rng.random(4) + 0.1, p=2),
            S((4,), integers((), 0, 4)),
        ],
        torch="nn.functional.multi_margin_loss",
        formula="sum over c != t of max(0, margin - x[t] + x[c])^p / C, t = target",
    )
)
def multi_margin_loss(
    x: Array,
    target: IndexArray,
    p: int = 1,
    margin: float = 1.0,
    weight: Array | None = None,
    reduction: str = "mean",
) -> Array:
    """Hinge loss of several classes: each wrong score should be a margin below the right one.

    Parameters
    ----------
    x : Tensor
        Scores ``(N, C)`` or ``(C,)``.
    target : Tensor
        Class labels, ints ``(N,)`` or ``()``.
    p : {1, 2}
        The power of what is missing to the margin.
    margin : float
        How far below.
    weight : Tensor, optional
        A factor for each class, ``(C,)``.
    reduction : {"mean", "sum", "none"}
        What to do with the N losses.

    Raises
    ------
    ValueError
        The shapes do not fit, ``p`` is not 1 or 2, or ``reduction`` is unknown.
    IndexError
        A label is out of range.

    Examples
    --------
    >>> import minigrad as mg
    >>> scores = mg.tensor([[2.0, 0.5, 1.5]])
    >>> mg.multi_margin_loss(scores, mg.tensor([0]))  # (0 + 0.5) / 3
    tensor(0.166667)
    """
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p={p!r} must be 1 or 2")
    if x.ndim not in (1, 2) or tuple(target.shape) != tuple(x.shape[:-1]):
        raise ValueError(
            f"multi_margin_loss: the input has shape {list(x.shape)}, so it must be [N, C] or [C], "
            f"and the class labels {list(x.shape[:-1])}, not {list(target.shape)}"
        )
    others = cast(one_hot(target, x.shape[-1]) == 0, x.dtype)
    gaps = clamp(margin - gather(x, -1, unsqueeze(target, -1)) + x, min=0) * others
    losses = sum(gaps if p == 1 else gaps * gaps, -1) / x.shape[-1]
    if weight is not None:
        losses = losses * weight[target]
    return reduce_losses(losses, reduction)


# ---- distances ----------------------------------------------------------------------------------


def _np_cosine(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    x1, x2 = np.broadcast_arrays(x1, x2)
    lengths = [np.maximum(np.sqrt((x * x).sum(dim)), eps) for x in (x1, x2)]
    return (x1 * x2).sum(dim) / (lengths[0] * lengths[1])


@composite(
    facts=Facts(
        _np_cosine,
        [
            S((3, 4), (3, 4)),
            S((3, 4), (1, 4), dim=-1),
            S((2, 3, 4), (3, 4), dim=1),
            S((4,), (4,), dim=0),
        ],
        torch="cosine_similarity",
        formula="x1 . x2 / (|x1| |x2|)",
        convention="a vector shorter than eps counts as one of length eps",
    )
)
def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """Cosine of the angle between vectors along an axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.cosine_similarity(mg.tensor([[1.0, 0.0]]), mg.tensor([[3.0, 4.0]]))
    tensor([0.6])
    """
    x1, x2 = (x if x.dtype.kind == "f" else cast(x, float32) for x in (x1, x2))
    if tuple(x1.shape) != tuple(x2.shape):
        x1, x2 = broadcast_tensors(x1, x2)
    lengths = clamp(norm(x1, 2, dim), min=eps) * clamp(norm(x2, 2, dim), min=eps)
    return sum(x1 * x2, dim) / lengths


@composite(
    facts=Facts(
        lambda x1, x2, target, margin=0.0, reduction="mean": _np_reduce(
            np.where(
                target == 1,
                1 - _np_cosine(x1, x2, -1, 0.0),
                np.maximum(_np_cosine(x1, x2, -1, 0.0) - margin, 0),
            ),
            reduction,
        ),
        [
            S((5, 3), (5, 3), _signs(5)),
            S((5, 3), (5, 3), _signs(5), margin=0.2, reduction="sum"),
            S((5, 3), (5, 3), _signs(5), margin=-0.4, reduction="none"),
            S((3,), (3,), _signs()),
        ],
        torch="nn.functional.cosine_embedding_loss",
        formula="1 - cos(x1, x2) if target = 1, else max(0, cos(x1, x2) - margin)",
    )
)
def cosine_embedding_loss(
    x1: Array, x2: Array, target: IndexArray, margin: float = 0.0, reduction: str = "mean"
) -> Array:
    """Loss of the angle between ``(N, D)`` vectors: 1 should point one way, -1 apart.

    Raises
    ------
    ValueError
        The shapes differ, a target is not 1 or -1, or ``reduction`` is unknown.

    Examples
    --------
    >>> import minigrad as mg
    >>> x1, x2 = mg.tensor([[1.0, 0.0]]), mg.tensor([[3.0, 4.0]])
    >>> mg.cosine_embedding_loss(x1, x2, mg.tensor([1]))
    tensor(0.4)
    """
    check_reduction(reduction)
    _check_pair("cosine_embedding_loss", x1, x2)
    cosine = cosine_similarity(x1, x2, -1)
    _check_pair("cosine_embedding_loss (of the cosines)", cosine, target)
    # with the distance 1 - cos, cos - margin is (1 - margin) - (1 - cos)
    return reduce_losses(hinge_distance(1 - cosine, target, 1 - margin), reduction)


@composite(
    facts=Facts(
        lambda x1, x2, p=2.0, eps=1e-6, keepdim=False: np.linalg.norm(
            x1 - x2 + eps, p, -1, keepdim
        ),
        [
            S((3, 4), (3, 4)),
            S((3, 4), (4,), p=1.0, keepdim=True),
            S((2, 3, 4), (2, 3, 4), p=3.0, eps=0.1),
            S((4,), (4,)),
        ],
        torch="pairwise_distance",
        formula="(sum |x1 - x2 + eps|^p)^(1/p)",
    )
)
def pairwise_distance(
    x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Array:
    """Distance between vectors along the last axis; ``eps`` keeps its slope finite at 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.pairwise_distance(mg.tensor([[3.0, 4.0]]), mg.zeros(1, 2), eps=0.0)
    tensor([5.])
    """
    return norm(x1 - x2 + eps, p, -1, keepdim)


def _np_triplet(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0,
    eps: float = 1e-6, swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    def distance(a: Any, b: Any) -> Any:
        return np.linalg.norm(a - b + eps, p, -1)

    far = distance(anchor, negative)
    if swap:
        far = np.minimum(far, distance(positive, negative))
    return _np_reduce(np.maximum(margin + distance(anchor, positive) - far, 0), reduction)


@composite(
    facts=Facts(
        _np_triplet,
        [
            S((5, 3), (5, 3), (5, 3)),
            S((5, 3), (5, 3), (5, 3), margin=2.0, p=1.0, reduction="sum"),
            S((5, 3), (5, 3), (5, 3), swap=True, reduction="none"),
            S((3,), (3,), (3,), margin=3.0),
        ],
        torch="nn.functional.triplet_margin_loss",
        formula="max(0, margin + |anchor - positive| - |anchor - negative|)",
    )
)
def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Array:
    """Loss of triplets: the negative should be a margin farther away than the positive.

    Parameters
    ----------
    anchor, positive, negative : Tensor
        Vectors ``(N, D)`` or ``(D,)``.
    margin : float
        How much farther.
    p, eps : float
        Of the distance (see `pairwise_distance`).
    swap : bool
        Take the negative's distance from the positive where that is smaller.
    reduction : {"mean", "sum", "none"}
        What to do with the N losses.

    Raises
    ------
    ValueError
        The shapes differ, the margin is not positive, or ``reduction`` is unknown.

    References
    ----------
    V. Balntas et al., "Learning local feature descriptors with triplets and shallow convolutional
    neural networks", BMVC 2016 (``swap``).

    Examples
    --------
    >>> import minigrad as mg
    >>> a, p, n = mg.tensor([[0.0]]), mg.tensor([[2.0]]), mg.tensor([[-2.5]])
    >>> mg.triplet_margin_loss(a, p, n, eps=0.0)  # 1 + 2 - 2.5
    tensor(0.5)
    """
    check_reduction(reduction)
    if not margin > 0:
        raise ValueError(f"triplet_margin_loss: margin={margin} must be positive")
    _check_pair("triplet_margin_loss", anchor, positive)
    _check_pair("triplet_margin_loss", anchor, negative)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    losses = clamp(margin + pairwise_distance(anchor, positive, p, eps) - far, min=0)
    return reduce_losses(losses, reduction)
