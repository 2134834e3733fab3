"""The table of smells: each is a function from a `Step` to what it finds there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from minigrad.check.lints.finding import Finding
from minigrad.check.lints.step import Step

Seen = Iterator[tuple[str, str, str]]  # where, what was seen, the cure


class Smell(NamedTuple):
    """A row of the table."""

    id: str
    severity: str
    lesson: str
    evaluating: bool | None  # looked at when training (False), evaluating (True), or both (None)
    look: Callable[[Step], Seen]

    def findings(self, step: Step) -> list[Finding]:
        """Return what this smell finds in a step."""
        return [Finding(self.id, self.severity, *seen, self.lesson) for seen in self.look(step)]


TABLE: dict[str, Smell] = {}


def smell(
    id: str, severity: str, lesson: str, evaluating: bool | None = False
) -> Callable[[Callable[[Step], Seen]], Callable[[Step], Seen]]:
    """Put a function into the table: it yields where, what was seen, and the cure."""

    def declare(look: Callable[[Step], Seen]) -> Callable[[Step], Seen]:
        if id in TABLE:
            raise ValueError(f"a smell named {id!r} is declared already")
        TABLE[id] = Smell(id, severity, lesson, evaluating, look)
        return look

    return declare
