"""A function of tensors seen as one map of R^n to R^m: all inputs in one vector, all outputs too.

Its derivative is known twice: by backward, as ``v^T J``, and from values alone, as ``J u``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, backend_of, is_array, to_device
from minigrad.engine.backward import gradients
from minigrad.engine.modes import enable_grad, no_grad
from minigrad.engine.tensor import Tensor, wrap

COMPLEX_STEP = 1e-100  # f(x + ih) = f(x) + ih f'(x): no subtraction, so no step is too small

Vector = np.ndarray[Any, Any]
Function = Callable[..., Any]


class FlatFunction:
    """``fn`` at one point; ``pull`` is backward's derivative there, ``push`` the numeric one.

    Parameters
    ----------
    fn : callable
        ``fn(*args)`` returns a Tensor or several; those that are not floating are ignored.
    args : Tensor or sequence
        The point. Differentiated by are the tensors that require grad, or all floating ones if
        none does; they must be float64.
    eps : float
        Step of the central difference.
    method : {"central", "complex"}
        How ``push`` differentiates.
    """

    def __init__(self, fn: Function, args: Any, eps: float, method: str = "central") -> None:
        self.fn, self.eps, self.method = fn, eps, method
        self.args = list(args) if isinstance(args, (list, tuple)) else [args]
        self.at = _differentiable(self.args)
        self.leaves = [wrap(self.args[i]._array, None).requires_grad_() for i in self.at]
        self.x = _flatten([x._array for x in self.leaves])
        with enable_grad():
            self.outputs = floating(fn(*self._with(self.leaves)))
        if not self.outputs:
            raise TypeError("fn returned no floating Tensor: there is nothing to differentiate")
        self.value = _flatten([y._array for y in self.outputs])
        self.n, self.m = self.x.size, self.value.size

    def _with(self, values: Sequence[Any]) -> list[Any]:
        args = list(self.args)
        for i, value in zip(self.at, values, strict=True):
            args[i] = value
        return args

    def evaluate(self, x: Vector) -> Vector:
        """Return the outputs at another point; for a complex one fn is called on raw arrays."""
        parts = self.split(x, self.leaves)
        with no_grad():
            if x.dtype.kind != "c":
                found = floating(self.fn(*self._with([wrap(p, None) for p in parts])))
                return _flatten([y._array for y in found])
            result = self.fn(*self._with(parts))
        results = result if isinstance(result, (tuple, list)) else [result]
        arrays = [y for y in results if is_array(y) and y.dtype.kind in "fc"]
        if sum(y.size for y in arrays) != self.m or any(y.dtype.kind == "f" for y in arrays):
            raise TypeError("fn does not keep complex arrays complex: check it by method='central'")
        return _flatten(arrays)

    def repeats(self) -> bool:
        """Say whether two calls give the same values."""
        one, two = self.evaluate(self.x), self.evaluate(self.x)
        return one.shape == two.shape == (self.m,) and np.array_equal(one, two, equal_nan=True)

    def push(self, u: Vector) -> Vector:
        """Return ``J u``, from values alone."""
        if self.method == "complex":
            return self.evaluate(self.x + 1j * COMPLEX_STEP * u).imag / COMPLEX_STEP
        right, left = self.evaluate(self.x + self.eps * u), self.evaluate(self.x - self.eps * u)
        return (right - left) / (2 * self.eps)

    def pull(self, v: Vector) -> Vector:
        """Return ``v^T J``, by backward."""
        cotangents = [wrap(g, None) for g in self.split(v, self.outputs)]
        found = pull_back(self.outputs, self.leaves, cotangents, retain_graph=True)
        return _flatten([g._array for g in found])

    def split(self, flat: Vector, like: Sequence[Tensor]) -> list[Array]:
        """Cut a flat vector into arrays of the shapes, and on the devices, of some tensors."""
        ends = np.cumsum([t._array.size for t in like])[:-1]
        parts = zip(np.split(flat, ends), like, strict=True)
        return [to_device(part.reshape(t.shape), t.device) for part, t in parts]

    def join(self, cotangent: Any) -> Vector:
        """Return given cotangents, one for each output, as one flat vector."""
        given = list(cotangent) if isinstance(cotangent, (list, tuple)) else [cotangent]
        arrays = [g._array if isinstance(g, Tensor) else np.asarray(g) for g in given]
        shapes, wanted = [list(a.shape) for a in arrays], [list(y.shape) for y in self.outputs]
        if shapes != wanted:
            raise ValueError(f"cotangents of shapes {shapes} for outputs of shapes {wanted}")
        return _flatten(arrays).astype(np.float64)

    def name(self, k: int, j: int | None = None) -> str:
        """Name a derivative: of output element j (of ``v . outputs``: None) by input element k."""
        of = "(v . outputs)" if j is None else "output" + _place(j, self.outputs)
        return f"d {of} / d input" + _place(k, self.leaves, self.at)

    def one_sided(self, k: int, weights: Vector) -> tuple[float, float]:
        """Return the left and right difference quotient of ``weights . outputs`` by element k."""
        u = np.where(np.arange(self.n) == k, self.eps, 0.0)
        left, here, right = (weights @ self.evaluate(self.x + s * u) for s in (-1, 0, 1))
        return (here - left) / self.eps, (right - here) / self.eps


def pull_back(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], cotangents: Sequence[Tensor], **how: bool
) -> list[Tensor]:
    """Return the gradients of some outputs, zeros where an input has no part in them."""
    ends = [(y, g) for y, g in zip(outputs, cotangents, strict=True) if y.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if ends:
        found = gradients([y for y, _ in ends], inputs, [g for _, g in ends], **how)
    return [
        wrap(backend_of(x._array).zeros_like(x._array), None) if g is None else g
        for g, x in zip(found, inputs, strict=True)
    ]


def floating(result: Any) -> list[Tensor]:
    """Return the floating tensors among a function's results."""
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    return [y for y in outputs if isinstance(y, Tensor) and y.is_floating_point()]


def _differentiable(args: Sequence[Any]) -> list[int]:
    """Return the places of the arguments to differentiate by."""
    candidates = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.is_floating_point()]
    at = [i for i in candidates if args[i].requires_grad] or candidates
    if not at:
        raise TypeError("no input is a floating Tensor: there is nothing to differentiate by")
    for i in at:
        if args[i].dtype != np.float64:
            raise TypeError(
                f"input {i} is {args[i].dtype}: differences of values keep only about half of the "
                "digits, so they need float64; pass x.double()"
            )
    return at


def _flatten(arrays: Sequence[Array]) -> Vector:
    return np.concatenate([backend_of(a).to_host(a).ravel() for a in arrays])


def _place(k: int, tensors: Sequence[Tensor], numbers: Sequence[int] | None = None) -> str:
    """Return where element k of some tensors laid end to end is, as `` 1[0, 2]``."""
    for i, shape in enumerate(t.shape for t in tensors):
        if k < math.prod(shape):
            index = ", ".join(str(int(p)) for p in np.unravel_index(k, shape)) if shape else ""
            return f" {i if numbers is None else numbers[i]}[{index}]"
        k -= math.prod(shape)
    raise IndexError(k)
