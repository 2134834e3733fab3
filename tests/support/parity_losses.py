"""The losses that are compared with PyTorch's, each with every reduction; and distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from support.parity import Row

_RNG = np.random.default_rng(4)
_LABELS = np.array([0, 2, 1, 2, 0])
_ONE_HOT = np.eye(3)[_LABELS]
_SIGNS = np.array([1, -1, -1, 1, -1])
_WEIGHT = np.array([1.0, 2.0, 0.5])
_ALL = ("mean", "sum", "none")


def _targets(rng: np.random.Generator) -> Any:
    return rng.random((5, 3))


def _shares(rng: np.random.Generator) -> Any:
    return rng.dirichlet(np.ones(3), 5)


def _logs(rng: np.random.Generator) -> Any:
    return np.log(_shares(rng))


def _pixels(rng: np.random.Generator) -> Any:
    return rng.integers(0, 3, (2, 4, 2))


def _probabilities(rng: np.random.Generator) -> Any:
    return rng.uniform(0.05, 0.95, (5, 3))


_X, _ROWS3 = ((5, 3),), ((5, 3), (5, 3), (5, 3))
# class, options, inputs (with gradients), targets
_LOSSES: list[tuple[str, dict[str, Any], tuple[Any, ...], tuple[Any, ...]]] = [
    ("MSELoss", {}, _X, ((5, 3),)),
    ("L1Loss", {}, _X, ((5, 3),)),
    ("SmoothL1Loss", {}, _X, ((5, 3),)),
    ("SmoothL1Loss", {"beta": 0.3}, _X, ((5, 3),)),
    ("HuberLoss", {}, _X, ((5, 3),)),
    ("HuberLoss", {"delta": 0.4}, _X, ((5, 3),)),
    ("CrossEntropyLoss", {}, _X, (_LABELS,)),
    ("CrossEntropyLoss", {"ignore_index": 2, "label_smoothing": 0.1}, _X, (_LABELS,)),
    ("CrossEntropyLoss", {"weight": _WEIGHT}, _X, (_LABELS,)),
    ("CrossEntropyLoss", {"weight": _WEIGHT, "label_smoothing": 0.2}, _X, (_LABELS,)),
    ("CrossEntropyLoss", {}, _X, (_shares,)),
    ("CrossEntropyLoss", {}, _X, (_ONE_HOT,)),
    ("CrossEntropyLoss", {"weight": _WEIGHT, "label_smoothing": 0.2}, _X, (_shares,)),
    ("CrossEntropyLoss", {}, ((2, 3, 4, 2),), (_pixels,)),
    ("NLLLoss", {}, _X, (_LABELS,)),
    ("NLLLoss", {"weight": _WEIGHT, "ignore_index": 0}, _X, (_LABELS,)),
    ("BCELoss", {}, (_probabilities,), (_targets,)),
    ("BCELoss", {"weight": _RNG.random(3)}, (_probabilities,), (_targets,)),
    ("BCEWithLogitsLoss", {}, _X, (_targets,)),
    ("BCEWithLogitsLoss", {"weight": _RNG.random(3), "pos_weight": _WEIGHT}, _X, (_targets,)),
    ("KLDivLoss", {}, (_logs,), (_shares,)),
    ("KLDivLoss", {"log_target": True}, (_logs,), (_logs,)),
    ("HingeEmbeddingLoss", {}, ((5,),), (_SIGNS,)),
    ("HingeEmbeddingLoss", {"margin": 0.4}, ((5,),), (_SIGNS,)),
    ("SoftMarginLoss", {}, ((5,),), (_SIGNS,)),
    ("MarginRankingLoss", {}, ((5,), (5,)), (_SIGNS,)),
    ("MarginRankingLoss", {"margin": 0.5}, ((5,), (5,)), (_SIGNS,)),
    ("MultiMarginLoss", {}, _X, (_LABELS,)),
    ("MultiMarginLoss", {"p": 2, "margin": 0.7, "weight": _WEIGHT}, _X, (_LABELS,)),
    ("CosineEmbeddingLoss", {}, _ROWS3[:2], (_SIGNS,)),
    ("CosineEmbeddingLoss", {"margin": 0.3}, _ROWS3[:2], (_SIGNS,)),
    ("TripletMarginLoss", {}, _ROWS3, ()),
    ("TripletMarginLoss", {"margin": 2.0, "p": 1.0, "swap": True}, _ROWS3, ()),
]  # fmt: skip

ROWS = [
    *(
        Row(name, (), {**options, "reduction": reduction}, inputs, targets)
        for name, options, inputs, targets in _LOSSES
        for reduction in (_ALL if name != "KLDivLoss" else (*_ALL, "batchmean"))
    ),
    Row("CosineSimilarity", inputs=((5, 3), (5, 3))),
    Row("CosineSimilarity", (-1, 0.1), inputs=((2, 5, 3), (5, 3))),
    Row("PairwiseDistance", inputs=((5, 3), (5, 3))),
    Row("PairwiseDistance", (3.0,), {"keepdim": True}, inputs=((5, 3), (3,))),
]
