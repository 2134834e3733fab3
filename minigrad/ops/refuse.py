"""Errors of ops that are made of other ops, in the words that the engine uses for its own."""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import describe, show_line, user_line


def refuse(name: str, problem: object, *operands: Any, kind: type[Exception] = ValueError) -> Any:
    """Return the error to raise: the op, its operands, what is wrong, and the user's line."""
    shown = ", ".join(map(describe, operands))
    return kind(f"{name}({shown}): {problem}\n  at {show_line(user_line())}")
