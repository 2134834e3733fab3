"""Checks before a replay: that what the program refers to is still what it was.

A check is an expression, and all checks of a program are compiled into one: looking costs 20 ns
each, where a call for each would cost 60.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from minigrad.engine.tensor import Tensor

_FIXED = (ModuleType, FunctionType, BuiltinFunctionType, type)


class Check(NamedTuple):
    """An expression that must be true; ``{0}``, ``{1}``, ... stand for things."""

    text: str
    things: tuple[Any, ...]


def all_of(checks: Sequence[Check]) -> Callable[[], bool]:
    """Return one function that says whether all checks hold."""
    names: dict[int, str] = {}
    space: dict[str, Any] = {"same": same}
    parts = []
    for check in checks:
        for thing in check.things:
            if id(thing) not in names:
                names[id(thing)] = f"x{len(names)}"
                space[names[id(thing)]] = thing
        parts.append(check.text.format(*(names[id(thing)] for thing in check.things)))
    text = f"""def holds():
    try:
        return ({" and ".join(parts) or "True"})
    except (KeyError, ValueError):  # an attribute has gone, a tensor is where there was another
        return False"""
    exec(compile(text, "<checks of a captured program>", "exec"), space)
    holds: Callable[[], bool] = space["holds"]
    return holds


def call_check(function: Callable[[], bool]) -> Check:
    """Return a check that calls a function."""
    return Check("{0}()", (function,))


def array_check(tensor: Tensor, array: Any) -> Check:
    """Return a check that a tensor has the array that it had."""
    return Check("{0}._array is {1}", (tensor, array))


def grad_check(leaf: Tensor, grad: Tensor | None) -> Check:
    """Return a check that ``.grad`` of a leaf is the tensor that it was, or None."""
    return Check("{0}.grad is {1}", (leaf, grad))


def module_state(module: Any) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return a copy of a module's attributes, and its tensors, which are compared by identity."""
    state = {k: type(v)(v) if type(v) in (dict, list) else v for k, v in module.__dict__.items()}
    return state, [(k, v) for k, v in state.items() if isinstance(v, Tensor)]


def module_check(
    now: dict[str, Any], state: dict[str, Any], tensors: list[tuple[str, Any]]
) -> Check:
    """Return a check that a module's attributes are what they were."""
    same_tensors = [f"{{0}}[{{{k}}}] is {{{k + 1}}}" for k in range(2, 2 + 2 * len(tensors), 2)]
    text = " and ".join([*same_tensors, "{0} == {1}"])
    return Check(text, (now, state, *(thing for pair in tensors for thing in pair)))


def referred(function: Any) -> list[Check]:
    """Return checks that the variables which a function's text names keep their values."""
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return []
    checks = []
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not set yet: a variable that is assigned later
            continue
        if not isinstance(value, _FIXED):
            text = "({0}.cell_contents is {1} or same({0}.cell_contents, {1}))"
            checks.append(Check(text, (cell, value)))
    space = function.__globals__
    for name in code.co_names:
        if name in space and not isinstance(space[name], _FIXED):
            text = "({0}[{1}] is {2} or same({0}[{1}], {2}))"
            checks.append(Check(text, (space, name, space[name])))
    return checks


def same(a: Any, b: Any) -> bool:
    """Say whether two values are equal numbers or strings."""
    return type(a) is type(b) and isinstance(a, (int, float, str)) and a == b
