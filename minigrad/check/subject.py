"""What is checked: a function of some tensors, which have names and are all float64.

A function, a module with its parameters, a loss, or the gradients of any of these: all become a
`Subject`, which is called with values for its leaves. Calls that draw from minigrad's generator
draw the same numbers each time, and modules start each call in the same state, so that dropout
and batch norm are functions like others.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, backend_of, default_generator
from minigrad.check.copies import Copies, is_module
from minigrad.engine.backward import gradients
from minigrad.engine.modes import enable_grad, is_grad_enabled
from minigrad.engine.tensor import Tensor, wrap

Function = Callable[..., Any]


class Subject:
    """A function of some leaves.

    Parameters
    ----------
    run : callable
        ``run(values)`` calls the function with a value for each leaf.
    leaves : sequence of Tensor
        The point, and what to differentiate by.
    names : sequence of str
        The leaves' names in a report.
    outputs : str
        The outputs' names, with a place for the number: ``"output {}"``.
    copies : Copies, optional
        The modules that ``run`` runs.
    """

    def __init__(
        self,
        run: Function,
        leaves: Sequence[Tensor],
        names: Sequence[str],
        outputs: Callable[[int], str] = "output {}".format,
        copies: Copies | None = None,
    ) -> None:
        self.run, self.leaves, self.names = run, list(leaves), list(names)
        self.output_name, self.copies = outputs, copies
        self.notes: list[str] = [] if copies is None else list(copies.notes)
        self._random: dict[str, Any] | None = None

    def first(self) -> Any:
        """Run it at the leaves, recorded, and see what it does beside returning a result."""
        before = default_generator.get_state()
        with enable_grad():
            result = self.run(self.leaves)
        if default_generator.get_state() != before:
            default_generator.set_state(before)
            self._random = before
            self.notes.append(
                "fn draws random numbers (dropout in training mode?): every call drew the same "
                "ones, so that this checks one draw of them"
            )
        if self.copies is not None and (names := self.copies.changed()):
            self.notes.append(
                f"fn changes {', '.join(names[:4])}{', ...' if len(names) > 4 else ''} (batch norm "
                "in training mode?): every call started from the same values, and the module that "
                "was passed is unchanged"
            )
        return result

    def __call__(self, values: Sequence[Any]) -> Any:
        """Run it with these values of the leaves."""
        if self._random is None:
            return self.run(values)
        default_generator.set_state(self._random)
        try:
            return self.run(values)
        finally:
            default_generator.set_state(self._random)


def subject_of(fn: Function, inputs: Any) -> Subject:
    """Return a function or module with its inputs as a `Subject`.

    Raises
    ------
    TypeError
        There is nothing to differentiate by, or an input to differentiate by is not float64.
    """
    if isinstance(fn, type) and is_module(fn):
        raise TypeError(f"fn is the class {fn.__name__}; pass a module: {fn.__name__}(...)")
    args = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    fn, args, copies = _with_copies(fn, args)
    parameters = {} if copies is None else copies.parameters
    at = _differentiable(args, needed=not parameters)
    points = [args[i]._array for i in at] + [p._array for p in parameters.values()]
    leaves = [wrap(array.copy(), None).requires_grad_() for array in points]
    names = [f"input {i}" for i in at] + list(parameters)

    def run(values: Sequence[Any]) -> Any:
        given = list(args)
        for i, value in zip(at, values, strict=False):
            given[i] = value
        if copies is not None:
            copies.start(values[len(at) :])
        return fn(*given)

    return Subject(run, leaves, names, copies=copies)


def gradients_of(
    subject: Subject, outputs: Sequence[Tensor], cotangents: Sequence[Array]
) -> Subject:
    """Return the function ``(x, v) -> v^T J(x)`` of a subject, as backward computes it."""
    count = len(subject.leaves)

    def run(values: Sequence[Any]) -> list[Tensor]:
        checked, record = list(values[:count]), is_grad_enabled()
        if not record:
            checked = [wrap(x._array, None).requires_grad_() for x in checked]
        with enable_grad():
            results = floating(subject(checked))
        return pull_back(results, checked, values[count:], create_graph=record)

    names = [*subject.names, *(f"cotangent {i}" for i in range(len(outputs)))]
    leaves = [*subject.leaves, *(wrap(g, None).requires_grad_() for g in cotangents)]
    found = Subject(run, leaves, names, lambda i: f"grad({subject.names[i]})")
    found.notes = subject.notes
    return found


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


def _with_copies(fn: Function, args: list[Any]) -> tuple[Function, list[Any], Copies | None]:
    """Return a function and its arguments with copies for all modules among them."""
    owner = fn if is_module(fn) else getattr(fn, "__self__", None)
    owners = [owner] if is_module(owner) else []
    at = [i for i, x in enumerate(args) if is_module(x)]
    if not owners and not at:
        return fn, args, None
    prefixes = [""] * len(owners) + [f"input {i}." for i in at]
    copies = Copies(owners + [args[i] for i in at], prefixes)
    twins = list(copies.modules)
    if owners:
        twin = twins.pop(0)
        fn = twin if fn is owner else types.MethodType(fn.__func__, twin)  # type: ignore[attr-defined]
    for i, twin in zip(at, twins, strict=True):
        args[i] = twin
    return fn, args, copies


def _differentiable(args: Sequence[Any], needed: bool) -> list[int]:
    """Return the places of the arguments to differentiate by."""
    candidates = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.is_floating_point()]
    at = [i for i in candidates if args[i].requires_grad] or candidates
    if needed and not at:
        raise TypeError("no input is a floating Tensor: there is nothing to differentiate by")
    for i in at:
        if args[i].dtype != np.float64:
            raise TypeError(
                f"input {i} is {args[i].dtype}: differences of values keep only about half of the "
                "digits, so they need float64; pass x.double()"
            )
    return at
