"""The losses that are compared with PyTorch's, each with every reduction."""

from __future__ import annotations

from typing import Any

import numpy as np

from support.parity import Row

_RNG = np.random.default_rng(4)
_LABELS = np.array([0, 2, 1, 2, 0])
_WEIGHT = np.array([1.0, 2.0, 0.5])


def _targets(rng: np.random.Generator) -> Any:
    return rng.random((5, 3))


_LOSSES: list[tuple[str, dict[str, Any], Any]] = [
    ("MSELoss", {}, (5, 3)),
    ("L1Loss", {}, (5, 3)),
    ("CrossEntropyLoss", {}, _LABELS),
    ("CrossEntropyLoss", {"ignore_index": 2, "label_smoothing": 0.1}, _LABELS),
    ("CrossEntropyLoss", {"weight": _WEIGHT}, _LABELS),
    ("CrossEntropyLoss", {}, lambda rng: rng.dirichlet(np.ones(3), 5)),
    ("NLLLoss", {"weight": _WEIGHT, "ignore_index": 0}, _LABELS),
    ("BCEWithLogitsLoss", {}, _targets),
    ("BCEWithLogitsLoss", {"weight": _RNG.random(3), "pos_weight": _RNG.random(3)}, _targets),
]
ROWS = [
    Row(name, (), {**options, "reduction": reduction}, ((5, 3),), (target,))
    for name, options, target in _LOSSES
    for reduction in ("mean", "sum", "none")
]
