"""Losses as modules: the options are kept, the call takes the input and the target."""

from __future__ import annotations

import inspect
from typing import Any

from minigrad.engine.tensor import Tensor
from minigrad.nn.module import Module
from minigrad.ops.classification import cross_entropy, nll_loss
from minigrad.ops.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    check_reduction,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)


class _Loss(Module):
    """What losses share: ``reduction`` is "mean", "sum" or "none" (one loss for each example)."""

    _reductions: tuple[str, ...] = ("mean", "sum", "none")

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Refuse an input and a target: they go to the loss that is made here, not to its maker."""
        if sum(isinstance(x, Tensor) for x in args) > 1:
            name = cls.__name__
            raise TypeError(f"{name}(...) makes the loss; then call it: {name}()(input, target)")
        return super().__new__(cls)

    def __init_subclass__(cls) -> None:
        """Let ``help`` show the options, which `__new__` would hide."""
        shown = inspect.signature(cls.__init__)
        options = list(shown.parameters.values())[1:]
        cls.__signature__ = shown.replace(parameters=options)  # type: ignore[attr-defined]

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(reduction, self._reductions)
        self.reduction = reduction


class MSELoss(_Loss):
    """Squared error ``(x - target)^2``, without a factor 1/2 (see `mse_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MSELoss()(mg.tensor([1.0, 2.0]), mg.tensor([0.0, 4.0]))
    tensor(2.5)
    """

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return mse_loss(x, target, self.reduction)


class L1Loss(_Loss):
    """Absolute error ``|x - target|`` (see `l1_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.L1Loss()(mg.tensor([1.0, 2.0]), mg.tensor([0.0, 4.0]))
    tensor(1.5)
    """

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return l1_loss(x, target, self.reduction)


class SmoothL1Loss(_Loss):
    """Absolute error, rounded off within ``beta`` of the target (see `smooth_l1_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.SmoothL1Loss()(mg.tensor([1.0, 2.0]), mg.tensor([0.5, 4.0]))
    tensor(0.8125)
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return smooth_l1_loss(x, target, self.reduction, self.beta)


class HuberLoss(_Loss):
    """Squared error, halved, near the target, and linear beyond ``delta`` (see `huber_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.HuberLoss(delta=0.5)(mg.tensor([1.0, 2.0]), mg.tensor([0.5, 4.0]))
    tensor(0.5)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return huber_loss(x, target, self.reduction, self.delta)


class CrossEntropyLoss(_Loss):
    """Softmax and negative log-likelihood of raw scores (see `cross_entropy`).

    Do not put a softmax before it: it holds one.

    Parameters
    ----------
    weight : Tensor, optional
        A factor for each class, a buffer of the module.
    ignore_index : int
        A label whose examples do not count.
    reduction : {"mean", "sum", "none"}
        What to make of the losses of the examples.
    label_smoothing : float
        How much of each target is spread over all classes, from 0 to 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> loss = mg.nn.CrossEntropyLoss()(mg.zeros(2, 4), mg.tensor([0, 3]))
    >>> round(loss.item(), 4)  # log 4
    1.3863
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss of scores ``(N, C, ...)`` for labels ``(N, ...)`` or probabilities."""
        return cross_entropy(
            x, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(_Loss):
    """Negative log-likelihood of log-probabilities, such as of `LogSoftmax` (see `nll_loss`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.NLLLoss()(mg.tensor([[-0.5, -1.5]]), mg.tensor([1]))
    tensor(1.5)
    """

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss of log-probabilities ``(N, C, ...)`` for labels ``(N, ...)``."""
        return nll_loss(x, target, self.weight, self.ignore_index, self.reduction)


class BCELoss(_Loss):
    """Cross-entropy of yes or no, of probabilities (see `binary_cross_entropy`).

    On raw scores use `BCEWithLogitsLoss`, which loses no precision.

    Examples
    --------
    >>> import minigrad as mg
    >>> loss = mg.nn.BCELoss()(mg.tensor([0.5, 0.5]), mg.tensor([0.0, 1.0]))
    >>> round(loss.item(), 4)  # log 2
    0.6931
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return binary_cross_entropy(x, target, self.weight, self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Cross-entropy of yes or no, of raw scores (see `binary_cross_entropy_with_logits`).

    Examples
    --------
    >>> import minigrad as mg
    >>> loss = mg.nn.BCEWithLogitsLoss()(mg.zeros(3), mg.tensor([0.0, 1.0, 1.0]))
    >>> round(loss.item(), 4)  # log 2
    0.6931
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return binary_cross_entropy_with_logits(
            x, target, self.weight, self.reduction, self.pos_weight
        )


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence of log-probabilities x from a target (see `kl_div`).

    Only ``reduction="batchmean"`` is the divergence of the mathematical definition.

    Examples
    --------
    >>> import minigrad as mg
    >>> p, q = mg.tensor([[0.5, 0.5]]), mg.tensor([[0.25, 0.75]])
    >>> mg.nn.KLDivLoss(reduction="batchmean")(q.log(), p)
    tensor(0.143841)
    """

    _reductions = ("batchmean", "mean", "sum", "none")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        return kl_div(x, target, self.reduction, self.log_target)
