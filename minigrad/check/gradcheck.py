"""Gradient checks: backward compared with differences of the function's values.

The cotangent ``v`` is random. With ones, as in ``f(x).sum()``, a softmax has gradient 0 and a
transpose gradient 1 everywhere, and a wrong rule goes unseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.check.flat import FlatFunction, Function, Vector, floating, pull_back
from minigrad.check.report import GradcheckReport, Mismatch
from minigrad.engine.modes import enable_grad, is_grad_enabled
from minigrad.engine.tensor import Tensor, wrap

FULL = 4096  # entries of a Jacobian up to which all of it is compared
DIRECTIONS = 8  # random directions beyond that

Where = Callable[[int], tuple[int | None, int | None]]  # entry -> (output element, input element)


def gradcheck(
    fn: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-7,
    rtol: float = 1e-6,
    cotangent: Any = None,
    seed: int = 0,
    method: str = "central",
) -> GradcheckReport:
    """Compare the gradients of ``fn`` with differences of its values.

    Up to 4096 entries all of the Jacobian J is compared: its rows by one backward each, its
    columns by one central difference ``(f(x + eps) - f(x - eps)) / 2 eps`` each, and ``v^T J`` for
    a random cotangent ``v``. A larger one is compared as ``v^T J u`` in random directions ``u``,
    and a mismatch traced to one input element.

    Parameters
    ----------
    fn : callable
        ``fn(*inputs)`` returns a Tensor or several; those that are not floating are ignored.
    inputs : Tensor or sequence
        Differentiated by are the tensors that require grad, or all floating ones if none does;
        they must be float64. Other arguments are passed on as they are.
    eps : float
        Step of the central difference.
    atol, rtol : float
        Two values agree when they differ by at most ``atol + rtol * |numeric|``.
    cotangent : Tensor, array or sequence of them, optional
        Compare ``v^T J`` for this cotangent (one for each output), and nothing else.
    seed : int
        Seed of the random cotangent and directions.
    method : {"central", "complex"}
        ``"complex"`` steps along the imaginary axis, ``Im f(x + ih) / h``, which loses no digit:
        ``fn`` is then called on raw complex arrays, and must be made of analytic ops alone.

    Returns
    -------
    GradcheckReport
        True if they agree; print it for the worst element and what it suggests.

    Raises
    ------
    TypeError
        An input to differentiate by is not float64, there is none, or ``fn`` returns no floating
        Tensor.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.check import gradcheck
    >>> x = mg.tensor([0.5, -1.0, 2.0], dtype=mg.float64)
    >>> bool(gradcheck(mg.tanh, x))
    True
    >>> ones = mg.ones(3, dtype=mg.float64)
    >>> gradcheck(mg.softmax, [x, 0], cotangent=ones).verdict
    'vacuous'
    """
    if method not in ("central", "complex"):
        raise ValueError(f"method must be 'central' or 'complex', not {method!r}")
    flat = FlatFunction(fn, inputs, eps, method)
    how = "complex step" if method == "complex" else f"central difference, eps {eps:g}"
    if not flat.repeats():
        note = "two calls of fn differ: seed what it draws"
        return GradcheckReport("failed", how, 0, None, seed, (note,))
    rng = np.random.default_rng(seed)
    v = _away_from_zero(rng, flat.m) if cotangent is None else flat.join(cotangent)
    if flat.n * flat.m <= FULL:
        analytic, numeric, where = _whole(flat, v, every_row=cotangent is None)
    else:
        analytic, numeric, where = _directions(flat, v, rng, atol, rtol)
    if not analytic.size:
        return GradcheckReport("passed", how, 0, None, seed, ("there is no element to compare",))

    excess = _excess(analytic, numeric, atol, rtol)
    i = int(excess.argmax())
    j, k = where(i)
    what = f"v^T J u in random direction {i}" if k is None else flat.name(k, j)
    worst = Mismatch(what, float(analytic[i]), float(numeric[i]), float(excess[i]))
    verdict, notes = "passed", []
    if worst.excess > 1:
        verdict = "failed"
        if k is not None:
            notes = _suggestions(flat, worst, k, v if j is None else _one_hot(flat.m, j))
    elif max(np.abs(analytic).max(), np.abs(numeric).max()) <= atol:
        verdict = "vacuous"
        notes = ["every derivative looked at is 0, so a rule that loses terms would pass: choose "
                 "another cotangent (not all ones) or another point"]  # fmt: skip
    return GradcheckReport(verdict, how, analytic.size, worst, seed, tuple(notes))


def gradgradcheck(
    fn: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-7,
    rtol: float = 1e-6,
    cotangent: Any = None,
    seed: int = 0,
) -> GradcheckReport:
    """Compare the second derivatives of ``fn`` with differences of its gradients.

    It is `gradcheck` of the function ``(x, v) -> v^T J(x)``, that is of the gradients that
    backward computes with ``create_graph``, by the inputs and by the cotangent. The parameters
    are those of `gradcheck`; ``cotangent`` is the ``v`` to start from.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.check import gradgradcheck
    >>> x = mg.tensor([0.5, -1.0, 2.0], dtype=mg.float64)
    >>> bool(gradgradcheck(mg.tanh, x))
    True
    """
    flat = FlatFunction(fn, inputs, eps)
    count = len(flat.args)

    def first(*args: Any) -> list[Tensor]:
        """Return the gradients of fn at the first arguments, for the cotangents after them."""
        values, record = list(args[:count]), is_grad_enabled()
        for i in flat.at:
            if not record:
                values[i] = wrap(values[i]._array, None).requires_grad_()
        with enable_grad():
            outputs = floating(fn(*values))
        checked = [values[i] for i in flat.at]
        return pull_back(outputs, checked, args[count:], create_graph=record)

    v = np.random.default_rng(seed).standard_normal(flat.m)
    start = flat.split(v if cotangent is None else flat.join(cotangent), flat.outputs)
    args = list(flat.args)
    for i, leaf in zip(flat.at, flat.leaves, strict=True):
        args[i] = leaf  # marked, so that no other argument is differentiated by
    args += [wrap(g, None).requires_grad_() for g in start]
    return gradcheck(first, args, eps=eps, atol=atol, rtol=rtol, seed=seed + 1)


# ---- how --------------------------------------------------------------------------------------


def _whole(flat: FlatFunction, v: Vector, every_row: bool) -> tuple[Vector, Vector, Where]:
    """Return ``v^T J`` and all of J by backward, the same from values, and what each entry is."""
    jacobian = np.empty((flat.m, flat.n))
    for k in range(flat.n):
        jacobian[:, k] = flat.push(_one_hot(flat.n, k))
    analytic, numeric = [flat.pull(v)], [v @ jacobian]
    for j in range(flat.m if every_row else 0):  # times v_j: a rule that ignores g must not pass
        analytic.append(flat.pull(v * _one_hot(flat.m, j)) / v[j])
        numeric.append(jacobian[j])

    def where(i: int) -> tuple[int | None, int | None]:
        row, k = divmod(i, flat.n)
        return (row - 1 if row else None), k

    return np.concatenate(analytic), np.concatenate(numeric), where


def _directions(
    flat: FlatFunction, v: Vector, rng: np.random.Generator, atol: float, rtol: float
) -> tuple[Vector, Vector, Where]:
    """Return ``v^T J u`` both ways; if a direction disagrees, one element of it that does."""
    pulled = flat.pull(v)
    analytic, numeric = [], []
    for _ in range(DIRECTIONS):
        u = rng.standard_normal(flat.n)
        analytic.append(pulled @ u)
        numeric.append(v @ flat.push(u))
        if not _excess(analytic[-1], numeric[-1], atol, rtol) <= 1:
            k = _culprit(flat, v, pulled, u)
            found = v @ flat.push(_one_hot(flat.n, k))
            return pulled[[k]], np.array([found]), lambda _, k=k: (None, k)
    return np.array(analytic), np.array(numeric), lambda _: (None, None)


def _culprit(flat: FlatFunction, v: Vector, pulled: Vector, u: Vector) -> int:
    """Halve a direction that disagrees, and keep the worse half, until one element is left."""
    low, high, places = 0, flat.n, np.arange(flat.n)
    while high - low > 1:
        middle = (low + high) // 2
        errors = []
        for start, end in ((low, middle), (middle, high)):
            part = np.where((places >= start) & (places < end), u, 0.0)
            error = abs(v @ flat.push(part) - pulled @ part)
            errors.append(error if math.isfinite(error) else math.inf)
        low, high = (low, middle) if errors[0] >= errors[1] else (middle, high)
    return low


def _excess(analytic: Any, numeric: Any, atol: float, rtol: float) -> Any:
    """Return the differences in tolerances; NaN and infinity never agree."""
    with np.errstate(invalid="ignore"):
        excess = np.abs(analytic - numeric) / (atol + rtol * np.abs(numeric))
    return np.where(np.isfinite(excess), excess, np.inf)


def _suggestions(flat: FlatFunction, worst: Mismatch, k: int, weights: Vector) -> list[str]:
    """Say what may be behind a mismatch at input element k."""
    notes = []
    if not any(y.requires_grad for y in flat.outputs):
        notes.append("fn's result has no graph: it was detached, or computed under no_grad")
    if not (math.isfinite(worst.analytic) and math.isfinite(worst.numeric)):
        return [*notes, "NaN or infinity: the point is outside fn's domain, or something overflows"]
    if flat.method == "central":
        left, right = flat.one_sided(k, weights)
        if abs(right - left) > 1e-3 * (1e-3 + abs(right) + abs(left)):
            notes.append(
                f"the difference quotient is {left:.6g} on the left and {right:.6g} on the right: "
                f"a kink, a tie or a jump within eps of {flat.x[k]:.6g}; move that element away"
            )
    return notes


def _one_hot(size: int, k: int) -> Vector:
    return np.where(np.arange(size) == k, 1.0, 0.0)


def _away_from_zero(rng: np.random.Generator, size: int) -> Vector:
    """Return random numbers of both signs, none near 0, which would hide its output."""
    return rng.uniform(0.5, 1.5, size) * rng.choice([-1.0, 1.0], size)
