"""Gradient checks: backward compared with differences of the function's values.

The cotangent ``v`` is random. With ones, as in ``f(x).sum()``, a softmax has gradient 0 and a
transpose gradient 1 everywhere, and a wrong rule goes unseen.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.check.analytic import not_analytic
from minigrad.check.compare import FULL, Directions, Tolerance, Whole, directions, whole
from minigrad.check.flat import FlatFunction, Vector
from minigrad.check.judgement import judge, nothing_shown, rows_of
from minigrad.check.report import GradcheckReport
from minigrad.check.subject import Function, Subject, gradients_of, subject_of

METHODS = ("central", "complex", "auto")


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
    a random cotangent ``v``. A larger one is compared as ``v^T J u`` in random directions ``u``
    within each input, and a mismatch traced to one element.

    A mismatch is looked into at other steps and from both sides, to tell a wrong rule from a
    kink (``relu`` at 0, a tie of ``max``), from lost digits (inputs of 1e8) and from the border
    of the domain; see `GradcheckReport` for the verdicts.

    Parameters
    ----------
    fn : callable or module
        ``fn(*inputs)`` returns a Tensor or several; those that are not floating are ignored. Of
        a module (and of a method of one) all parameters that require grad are checked too. It
        is the copy of the module that is run, in float64, and each call starts from the same
        state and draws the same random numbers; so batch norm and dropout can be checked as they
        are, and the module stays as it is.
    inputs : Tensor, module or sequence
        Differentiated by are the tensors that require grad, or all floating ones if none does;
        they must be float64. Modules among the inputs are treated like ``fn``. Other arguments,
        such as labels, are passed on as they are.
    eps : float
        Step of the central difference.
    atol, rtol : float
        Two values agree when they differ by at most ``atol + rtol * |numeric|``.
    cotangent : Tensor, array or sequence of them, optional
        Compare ``v^T J`` for this cotangent (one for each output), and nothing else.
    seed : int
        Seed of the random cotangent and directions.
    method : {"central", "complex", "auto"}
        ``"complex"`` steps along the imaginary axis, ``Im f(x + ih) / h``, which loses no digit:
        ``fn`` is then called on raw complex arrays, and must be made of analytic ops alone.
        ``"auto"`` does so where it can be done, and takes central differences elsewhere.

    Returns
    -------
    GradcheckReport
        True if they agree; print it for the worst element and what it suggests.

    Raises
    ------
    TypeError
        An input to differentiate by is not float64, there is none, ``fn`` returns no floating
        Tensor, or the complex step is asked for and ``fn`` is not for it.
    ValueError
        ``method`` is unknown, a step or tolerance is not positive, or ``cotangent`` has not the
        outputs' shapes.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed. (2008), section 3.1 (``v^T J u``
    both ways); J. Martins, P. Sturdza, J. Alonso, "The Complex-Step Derivative Approximation",
    ACM TOMS 29 (2003).

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([0.5, -1.0, 2.0], dtype=mg.float64)
    >>> bool(mg.gradcheck(mg.tanh, x))
    True
    >>> mg.gradcheck(mg.relu, mg.zeros(2, dtype=mg.float64)).verdict
    'kink'
    >>> ones = mg.ones(3, dtype=mg.float64)
    >>> mg.gradcheck(mg.softmax, [x, 0], cotangent=ones).verdict
    'vacuous'
    >>> net, loss = mg.nn.Linear(3, 2), mg.nn.CrossEntropyLoss()
    >>> report = mg.gradcheck(lambda net, x, labels: loss(net(x), labels),
    ...                       [net, x.reshape(1, 3), mg.tensor([1])])
    >>> [row.name for row in report.rows]
    ['input 1', 'input 0.weight', 'input 0.bias']
    """
    _check_options(eps, atol, rtol, method)
    subject = subject_of(fn, inputs)
    return _check("gradcheck", subject, eps, Tolerance(atol, rtol), cotangent, seed, method)


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
    backward computes with ``create_graph``, by the inputs (and parameters) and by the cotangent.
    The parameters are those of `gradcheck`; ``cotangent`` is the ``v`` to start from.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([0.5, -1.0, 2.0], dtype=mg.float64)
    >>> bool(mg.gradgradcheck(mg.tanh, x))
    True
    """
    _check_options(eps, atol, rtol, "central")
    flat = FlatFunction(subject_of(fn, inputs), eps)
    v = np.random.default_rng(seed).standard_normal(flat.m)
    start = flat.split(v if cotangent is None else flat.join(cotangent), flat.outputs)
    subject = gradients_of(flat.subject, flat.outputs, start)
    return _check("gradgradcheck", subject, eps, Tolerance(atol, rtol), None, seed + 1, "central")


def _check_options(eps: float, atol: float, rtol: float, method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"method must be 'central', 'complex' or 'auto', not {method!r}")
    if not (eps > 0 and atol > 0 and rtol >= 0):
        raise ValueError(
            f"eps={eps} and atol={atol} must be positive, and rtol={rtol} not negative"
        )


# ---- how --------------------------------------------------------------------------------------


def _check(
    check: str,
    subject: Subject,
    eps: float,
    tolerance: Tolerance,
    cotangent: Any,
    seed: int,
    method: str,
) -> GradcheckReport:
    """Compare, judge and report."""
    flat = FlatFunction(subject, eps)
    flat.method = _method(flat, method)
    how = "complex step" if flat.method == "complex" else f"central difference, eps {eps:g}"
    if not flat.repeats():
        note = (
            "two calls of fn differ, so there is no derivative to compare: let it draw its random "
            "numbers from minigrad's default generator, which is given the same state at each "
            "call, or turn them off (eval mode)"
        )
        return GradcheckReport("random", how, 0, None, seed, (*subject.notes, note), check=check)
    rng = np.random.default_rng(seed)
    v = _away_from_zero(rng, flat.m) if cotangent is None else flat.join(cotangent)
    found: Whole | Directions
    if flat.n * flat.m <= FULL:
        found = whole(flat, v, every_row=cotangent is None)
    else:
        how += ", in random directions"
        found = directions(flat, v, rng)
    analytic, numeric = np.asarray(found.analytic), np.asarray(found.numeric)
    excess = tolerance.excess(analytic, numeric)
    if not excess.size:
        note = "there is no element to compare"
        return GradcheckReport("vacuous", how, 0, None, seed, (*subject.notes, note), check=check)
    rows = rows_of(found, excess, np.abs(numeric))
    verdict, worst, notes = judge(found, excess, tolerance)
    notes = [*notes, *nothing_shown(verdict, rows, tolerance), *subject.notes]
    return GradcheckReport(verdict, how, excess.size, worst, seed, tuple(notes), tuple(rows), check)


def _method(flat: FlatFunction, method: str) -> str:
    """Return "central" or "complex"; raise if the complex step is asked for in vain."""
    if method == "central":
        return method
    ops = not_analytic(flat.outputs)
    if flat.subject.copies is not None:
        why = "fn has modules, whose parameters are Tensors and never complex"
    elif ops:
        why = f"fn is made of {', '.join(ops)}, which {'is' if len(ops) == 1 else 'are'} "
        why += "not known to be analytic and does not keep complex arrays complex"
    elif method == "complex":
        return method
    else:
        try:
            flat.evaluate_complex(flat.x + 0j)
        except TypeError:
            return "central"
        return "complex"
    if method == "complex":
        raise TypeError(f"method='complex': {why}: check it by method='central'")
    return "central"


def _away_from_zero(rng: np.random.Generator, size: int) -> Vector:
    """Return random numbers of both signs, none near 0, which would hide its output."""
    return rng.uniform(0.5, 1.5, size) * rng.choice([-1.0, 1.0], size)
