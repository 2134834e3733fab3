"""Wrong derivative rules, planted on purpose, to show that the checks can fail."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.engine.op import Op
from support.cases import Case
from support.checks import CHECKS, applies

Rule = Callable[..., Any]


def changed(rule: Rule, change: Callable[[Any], Any]) -> Rule:
    """Return a rule whose result is changed; it asks for what the old one asks for."""

    @functools.wraps(rule)
    def wrong(*args: Any) -> Any:
        result = rule(*args)
        return None if result is None else change(result)

    return wrong


def without_g(rule: Rule) -> Rule:
    """Return a rule that takes the cotangent for 1."""

    @functools.wraps(rule)
    def wrong(g: Any, *args: Any) -> Any:
        return rule(g * 0 + 1, *args)

    return wrong


def reversed_last(result: Any) -> Any:
    """Return a gradient with its last axis reversed."""
    return result[..., ::-1] if len(result.shape) else -result


FAULTS: dict[str, Callable[[Rule], Rule]] = {
    "zero": lambda rule: changed(rule, lambda c: c * 0.0),
    "lost": lambda rule: changed(rule, lambda c: None),
    "twice": lambda rule: changed(rule, lambda c: c * 2.0),
    "sign": lambda rule: changed(rule, lambda c: -c),
    "plus_one": lambda rule: changed(rule, lambda c: c + 1.0),
    "reversed": lambda rule: changed(rule, reversed_last),
    "without_g": without_g,
}


@contextmanager
def planted(row: Op, **rules: Rule) -> Iterator[None]:
    """Give an op other rules inside a ``with`` block."""
    old = row.rules
    row.rules = {**old, **rules}
    row.plans.clear()
    try:
        yield
    finally:
        row.rules = old
        row.plans.clear()


def caught_by(cases: list[Case], device: str = "cpu") -> str | None:
    """Return the first check that fails on the cases, None if all pass.

    An exception of any kind counts: a wrong rule may give a shape that the engine refuses.
    """
    for case in cases:
        for check in CHECKS:
            if not applies(check, case):
                continue
            try:
                check(case, device)
            except Exception as error:
                return f"{check.__name__} on {case.id}: {error}"
    return None
