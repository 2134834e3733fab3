"""A function of tensors seen as one map of R^n to R^m: all leaves in one vector, all outputs too.

Its derivative is known twice: by backward, as ``v^T J``, and from values alone, as ``J u``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, backend_of, is_array, to_device
from minigrad.check.subject import Subject, floating, pull_back
from minigrad.engine.modes import no_grad
from minigrad.engine.tensor import Tensor, wrap

COMPLEX_STEP = 1e-100  # f(x + ih) = f(x) + ih f'(x): no subtraction, so no step is too small

Vector = np.ndarray[Any, Any]


class FlatFunction:
    """A subject at its point; ``pull`` is backward's derivative there, ``push`` the numeric one.

    Parameters
    ----------
    subject : Subject
        The function and its point. Outputs that are not floating tensors are ignored.
    eps : float
        Step of the central difference.
    method : {"central", "complex"}
        How ``push`` differentiates.
    """

    def __init__(self, subject: Subject, eps: float, method: str = "central") -> None:
        self.subject, self.eps, self.method = subject, eps, method
        self.leaves = subject.leaves
        self.x = _flatten([x._array for x in self.leaves])
        self.outputs = floating(subject.first())
        if not self.outputs:
            raise TypeError("fn returned no floating Tensor: there is nothing to differentiate")
        self.n, self.m = self.x.size, sum(y.numel() for y in self.outputs)
        self.value = self.evaluate(self.x.copy())

    def evaluate(self, x: Vector) -> Vector:
        """Return the outputs at another point."""
        with no_grad():
            values = [wrap(part, None) for part in self.split(x, self.leaves)]
            return _flatten([y._array for y in floating(self.subject(values))])

    def evaluate_complex(self, x: Vector) -> Vector:
        """Return the outputs at a complex point; fn is called on raw arrays."""
        cure = "check it by method='central'"
        try:
            result = self.subject(self.split(x, self.leaves))
        except Exception as error:
            raise TypeError(
                "method='complex' calls fn on raw complex arrays, and there it raised "
                f"{type(error).__name__}: {error}; write mg.tanh(x) for x.tanh(), or {cure}"
            ) from error
        results = result if isinstance(result, (tuple, list)) else [result]
        arrays = [y for y in results if is_array(y) and y.dtype.kind in "fc"]
        if sum(y.size for y in arrays) != self.m or any(y.dtype.kind == "f" for y in arrays):
            raise TypeError(f"fn does not keep complex arrays complex: {cure}")
        return _flatten(arrays)

    def repeats(self) -> bool:
        """Say whether two calls give the same values."""
        one, two = self.value, self.evaluate(self.x.copy())
        return one.shape == two.shape == (self.m,) and np.array_equal(one, two, equal_nan=True)

    def push(self, u: Vector) -> Vector:
        """Return ``J u``, from values alone."""
        if self.method == "complex":
            return self.evaluate_complex(self.x + 1j * COMPLEX_STEP * u).imag / COMPLEX_STEP
        right, left = self.evaluate(self.x + self.eps * u), self.evaluate(self.x - self.eps * u)
        return (right - left) / (2 * self.eps)

    def pull(self, v: Vector) -> Vector:
        """Return ``v^T J``, by backward."""
        cotangents = [wrap(g, None) for g in self.split(v.copy(), self.outputs)]
        found = pull_back(self.outputs, self.leaves, cotangents, retain_graph=True)
        return _flatten([g._array for g in found])

    def split(self, flat: Vector, like: Sequence[Tensor]) -> list[Array]:
        """Cut a flat vector into arrays of the shapes, and on the devices, of some tensors."""
        parts, start = [], 0
        for t in like:
            end = start + t._array.size
            part = flat[start:end].reshape(t.shape)
            parts.append(part if isinstance(t._array, np.ndarray) else to_device(part, t.device))
            start = end
        return parts

    def join(self, cotangent: Any) -> Vector:
        """Return given cotangents, one for each output, as one flat vector."""
        given = list(cotangent) if isinstance(cotangent, (list, tuple)) else [cotangent]
        arrays = [g._array if isinstance(g, Tensor) else np.asarray(g) for g in given]
        shapes, wanted = [list(a.shape) for a in arrays], [list(y.shape) for y in self.outputs]
        if shapes != wanted:
            raise ValueError(f"cotangents of shapes {shapes} for outputs of shapes {wanted}")
        return _flatten(arrays).astype(np.float64)

    # ---- names --------------------------------------------------------------------------------

    def spans(self) -> list[slice]:
        """Return where each leaf lies in the vector of all."""
        ends = np.cumsum([0, *(x.numel() for x in self.leaves)]).tolist()
        return [slice(start, end) for start, end in itertools.pairwise(ends)]

    def element(self, k: int) -> str:
        """Name input element k, as ``input 1[0, 2]``."""
        i, index = _place(k, self.leaves)
        return self.subject.names[i] + index

    def name(self, k: int, j: int | None = None) -> str:
        """Name a derivative: of output element j (of ``v . outputs``: None) by input element k."""
        of = "(v . outputs)"
        if j is not None:
            i, index = _place(j, self.outputs)
            of = self.subject.output_name(i) + index
        return f"d {of} / d {self.element(k)}"


def one_hot(size: int, k: int) -> Vector:
    """Return a vector of zeros with a 1 at place k."""
    return np.where(np.arange(size) == k, 1.0, 0.0)


def _flatten(arrays: Sequence[Array]) -> Vector:
    return np.concatenate([backend_of(a).to_host(a).ravel() for a in arrays])


def _place(k: int, tensors: Sequence[Tensor]) -> tuple[int, str]:
    """Return in which of some tensors laid end to end element k is, and where, as ``[0, 2]``."""
    for i, shape in enumerate(t.shape for t in tensors):
        if k < math.prod(shape):
            index = ", ".join(str(int(p)) for p in np.unravel_index(k, shape)) if shape else ""
            return i, f"[{index}]"
        k -= math.prod(shape)
    raise IndexError(k)
