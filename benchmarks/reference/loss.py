"""Softmax cross-entropy, value and gradient in one go, in place."""

from __future__ import annotations

import numpy as np


class CrossEntropy:
    """The mean over ``divisor`` samples (of a part of a batch: the batch's size)."""

    def __init__(self, target: np.ndarray, classes: int, divisor: int) -> None:
        self._row = np.empty((len(target), 1), np.float32)
        self._at = np.arange(len(target)) * classes + target
        self._divisor = divisor

    def __call__(self, z: np.ndarray) -> float:
        """Return the loss and turn the logits, a contiguous array, into their gradient."""
        row, flat = self._row, z.reshape(-1)
        np.maximum.reduce(z, axis=1, keepdims=True, out=row)
        np.subtract(z, row, z)
        chosen = flat[self._at].sum()
        np.exp(z, z)
        np.add.reduce(z, axis=1, keepdims=True, out=row)
        np.divide(z, row, z)
        loss = np.log(row, row).sum() - chosen
        flat[self._at] -= 1
        z /= self._divisor
        return float(loss) / self._divisor
