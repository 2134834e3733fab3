"""Checks before a replay: that what the program refers to is still what it was."""

from __future__ import annotations

from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from minigrad.engine.tensor import Tensor

Check = Callable[[], bool]
_FIXED = (ModuleType, FunctionType, BuiltinFunctionType, type)


def array_check(tensor: Tensor, array: Any) -> Check:
    """Return a check that a tensor has the array that it had."""
    return lambda: tensor._array is array


def grad_check(leaf: Tensor, grad: Tensor | None) -> Check:
    """Return a check that ``.grad`` of a leaf is the tensor that it was, or None."""
    return lambda: leaf.grad is grad


def module_state(module: Any) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return a copy of a module's attributes, and its tensors, which are compared by identity."""
    state = {k: type(v)(v) if type(v) in (dict, list) else v for k, v in module.__dict__.items()}
    return state, [(k, v) for k, v in state.items() if isinstance(v, Tensor)]


def module_check(
    now: dict[str, Any], state: dict[str, Any], tensors: list[tuple[str, Any]]
) -> Check:
    """Return a check that a module's attributes are what they were."""

    def check() -> bool:
        for name, tensor in tensors:
            if now.get(name) is not tensor:
                return False
        try:
            return now == state
        except ValueError:  # a tensor, or an array, was put where there was another
            return False

    return check


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
            checks.append(_cell_check(cell, value))
    space = function.__globals__
    for name in code.co_names:
        if name in space and not isinstance(space[name], _FIXED):
            checks.append(_name_check(space, name, space[name]))
    return checks


def _cell_check(cell: Any, value: Any) -> Check:
    return lambda: same(cell.cell_contents, value)


def _name_check(space: dict[str, Any], name: str, value: Any) -> Check:
    return lambda: name in space and same(space[name], value)


def same(a: Any, b: Any) -> bool:
    """Say whether two values are one object, or equal numbers or strings."""
    return a is b or (type(a) is type(b) and isinstance(a, (int, float, str)) and a == b)
