"""A mutant: one derivative rule with one mistake, and the checks that must see it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from support.cases import Case, cases
from support.checks import CHECKS, applies, check_derivative

import minigrad as mg
from minigrad.engine.op import Op

# The quickest way to a wrong derivative is to check derivatives first
ORDERED = (check_derivative, *(check for check in CHECKS if check is not check_derivative))


@dataclass(frozen=True)
class Mutant:
    """A mistake that can be planted.

    Parameters
    ----------
    kind : str
        What sort of mistake.
    place : str
        The rule, as ``div.b``, or the function of rules, as ``restore()``.
    file, line : str, int
        Where the rule is written.
    before, after : str
        The text that is changed, and what it becomes.
    uses : tuple of (Op, operand)
        The rules that the mistake reaches, whose checks are run.
    plant : callable
        Returns a context manager that plants the mistake. It gives an object with an attribute
        ``touched``, which is False if the mistake had no occasion to change anything.
    """

    kind: str
    place: str
    file: str
    line: int
    before: str
    after: str
    uses: tuple[tuple[Op, str], ...]
    plant: Callable[[], AbstractContextManager[Any]] = field(compare=False)
    number: int = 1  # tells apart the same change at several places of a rule

    @property
    def id(self) -> str:
        """Return a name that does not change when lines move."""
        text = f"{self.place} {self.kind}: {self.before} => {self.after}"
        return text if self.number == 1 else f"{text} (no. {self.number})"


@dataclass
class Verdict:
    """What became of a mutant: killed, survived, or void (there was nothing to change)."""

    state: str
    by: str = ""  # the check that failed, the case, and what it said
    error: str = ""  # the type of what was raised


class Touched:
    """Whether a planted mistake has changed anything yet."""

    def __init__(self, touched: bool = False) -> None:
        self.touched = touched


def with_operand(row: Op, operand: str) -> list[Case]:
    """Return the cases of a row that pass an operand (some are optional)."""
    place = 0 if row.variadic else row.operands.index(operand)
    return [
        c
        for c in cases([row])
        if len(c.sample.operands) > place and c.sample.operands[place] is not None
    ]


@contextmanager
def planted(row: Op, **rules: Callable[..., Any]) -> Iterator[None]:
    """Give an op other rules inside a ``with`` block."""
    old = row.rules
    row.rules = {**old, **rules}
    row.plans.clear()
    try:
        yield
    finally:
        row.rules = old
        row.plans.clear()


def failure(tested: list[Case], device: str = "cpu") -> tuple[str, Exception] | None:
    """Return the first check that fails on the cases with what it raised, None if all pass.

    An exception of any kind counts: a wrong rule may give a shape that the engine refuses. A
    warning does not.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in tested:
            for check in ORDERED:
                if not applies(check, case):
                    continue
                mg.manual_seed(0)
                try:
                    check(case, device)
                except Exception as error:
                    return f"{check.__name__} on {case.id}", error
    return None


def caught_by(tested: list[Case], device: str = "cpu") -> str | None:
    """Return the first check that fails on the cases, in words, None if all pass."""
    found = failure(tested, device)
    return None if found is None else f"{found[0]}: {found[1]}"


def judge(mutant: Mutant) -> Verdict:
    """Plant a mutant and run the checks of the rules that it reaches until one fails."""
    with mutant.plant() as state, np.errstate(all="ignore"):
        for row, operand in mutant.uses:
            found = failure(with_operand(row, operand))
            if found is not None:
                by, error = found
                return Verdict("killed", f"{by}: {str(error).strip():.300}", type(error).__name__)
        return Verdict("survived" if state.touched else "void")
