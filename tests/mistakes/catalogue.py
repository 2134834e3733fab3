"""The catalogue of classic mistakes: each as a learner writes it, what is said, and the cure.

An ``error`` is refused: the golden text is the exception. A ``smell`` runs without a word, and
`minigrad.check.lint` finds it: the golden text is what it prints. Texts are compared word by word,
line breaks and line numbers aside; which lesson a finding sends to is tested with lint.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]


class Mistake:
    """A row of the catalogue: the wrong code, its golden message, and the cured code."""

    right: Run

    def __init__(self, id: str, kind: str, golden: str, wrong: Run) -> None:
        self.id, self.kind, self.golden, self.wrong = id, kind, golden, wrong

    def cured(self, right: Run) -> Mistake:
        """Add the code that works."""
        self.right = right
        return self


CATALOGUE: dict[str, Mistake] = {}


def _declare(id: str, kind: str, golden: str) -> Callable[[Run], Mistake]:
    def declare(wrong: Run) -> Mistake:
        assert id not in CATALOGUE, id
        CATALOGUE[id] = Mistake(id, kind, golden, wrong)
        return CATALOGUE[id]

    return declare


def error(id: str, golden: str) -> Callable[[Run], Mistake]:
    """Add a mistake that raises (or warns) with this text."""
    return _declare(id, "error", golden)


def smell(id: str, golden: str) -> Callable[[Run], Mistake]:
    """Add a mistake that runs: the function returns what lint finds in it."""
    return _declare(id, "smell", golden)


def normal(text: str) -> str:
    """Return a text with white space and line numbers made alike, without lessons to read."""
    text = re.sub(r"(?m)^  read   .*\n?", "", text)  # there are more of them with time
    return re.sub(r"(\w+\.py):\d+", r"\1:N", " ".join(text.split()))
