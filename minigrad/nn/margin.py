"""Losses with a margin, and distances, as modules (see `minigrad.ops.margins`)."""

from __future__ import annotations

from typing import Any

from minigrad.engine.tensor import Tensor
from minigrad.nn.loss import _Loss
from minigrad.nn.module import Module
from minigrad.ops.margins import (
    cosine_embedding_loss,
    cosine_similarity,
    hinge_embedding_loss,
    hinge_loss,
    margin_ranking_loss,
    multi_margin_loss,
    pairwise_distance,
    soft_margin_loss,
    triplet_margin_loss,
)


class _Margin(_Loss):
    """What losses with a margin share."""

    def __init__(self, margin: float, reduction: str) -> None:
        super().__init__(reduction)
        self.margin = margin


class HingeLoss(_Margin):
    """``max(0, margin - target x)`` for targets 1 and -1 (see `hinge_loss`); not in torch.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.HingeLoss()(mg.tensor([3.0, 0.5]), mg.tensor([1, 1]))
    tensor(0.25)
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return hinge_loss(x, target, self.margin, self.reduction)


class HingeEmbeddingLoss(_Margin):
    """Distances small for pairs (1), at least ``margin`` else (see `hinge_embedding_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.HingeEmbeddingLoss()(mg.tensor([0.5, 0.25]), mg.tensor([1, -1]))
    tensor(0.625)
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return hinge_embedding_loss(x, target, self.margin, self.reduction)


class SoftMarginLoss(_Loss):
    """``log(1 + e^(-target x))`` for targets 1 and -1 (see `soft_margin_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> round(mg.nn.SoftMarginLoss()(mg.zeros(2), mg.tensor([1, -1])).item(), 4)  # log 2
    0.6931
    """

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return soft_margin_loss(x, target, self.reduction)


class MarginRankingLoss(_Margin):
    """Pairs in the wrong order cost (see `margin_ranking_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> loss = mg.nn.MarginRankingLoss()
    >>> loss(mg.tensor([2.0]), mg.tensor([1.0]), mg.tensor([-1]))
    tensor(1.)
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, x1: Any, x2: Any, target: Any) -> Any:
        """Return the loss."""
        return margin_ranking_loss(x1, x2, target, self.margin, self.reduction)


class MultiMarginLoss(_Margin):
    """Hinge loss of several classes (see `multi_margin_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MultiMarginLoss()(mg.tensor([[2.0, 0.5, 1.5]]), mg.tensor([0]))
    tensor(0.166667)
    """

    weight: Tensor | None

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p={p!r} must be 1 or 2")
        self.p = p
        self.register_buffer("weight", weight)

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss of scores ``(N, C)`` for labels ``(N,)``."""
        return multi_margin_loss(x, target, self.p, self.margin, self.weight, self.reduction)


class CosineEmbeddingLoss(_Margin):
    """Vectors that belong together should point one way (see `cosine_embedding_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> loss = mg.nn.CosineEmbeddingLoss()
    >>> loss(mg.tensor([[1.0, 0.0]]), mg.tensor([[3.0, 4.0]]), mg.tensor([1]))
    tensor(0.4)
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, x1: Any, x2: Any, target: Any) -> Any:
        """Return the loss of vectors ``(N, D)`` for targets ``(N,)``."""
        return cosine_embedding_loss(x1, x2, target, self.margin, self.reduction)


class TripletMarginLoss(_Margin):
    """The negative should be a margin farther than the positive (see `triplet_margin_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> loss = mg.nn.TripletMarginLoss(eps=0.0)
    >>> loss(mg.tensor([[0.0]]), mg.tensor([[2.0]]), mg.tensor([[-2.5]]))
    tensor(0.5)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, reduction)
        if not margin > 0:
            raise ValueError(f"TripletMarginLoss: margin={margin} must be positive")
        self.p, self.eps, self.swap = p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """Return the loss of vectors ``(N, D)`` or ``(D,)``."""
        return triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, self.reduction
        )


class CosineSimilarity(Module):
    """Cosine of the angle between vectors along an axis (see `cosine_similarity`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.CosineSimilarity()(mg.tensor([[1.0, 0.0]]), mg.tensor([[3.0, 4.0]]))
    tensor([0.6])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """Return the cosines."""
        return cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """Distance between vectors along the last axis (see `pairwise_distance`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.PairwiseDistance(eps=0.0)(mg.tensor([[3.0, 4.0]]), mg.zeros(1, 2))
    tensor([5.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """Return the distances."""
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
