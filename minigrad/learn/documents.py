"""The documents that the lessons judge: their names, and the order of their sections."""

from __future__ import annotations

import re
from typing import NamedTuple

TITLES = {
    "D0": "A framework for choosing the technology of a large-model application",
    "D1": "Large models: algorithms, mathematics, an image-classification project",
    "D2": "Founding a company on large models: algorithms, mathematics, an iris project",
    "D3": "Strengths and challenges of large models",
    "D4": "The future of large models",
}
# D0, D3 and D4 number their sections. These have none, so they are called and ordered here.
SECTIONS = {
    "D1": (
        "history", "concepts", "algorithms", "losses", "gradient descent", "optimisers",
        "regularisers", "layers", "backprop", "project", "run", "FAQ",
    ),
    "D2": ("steps", "math", "project", "FAQ"),
}  # fmt: skip


class Place(NamedTuple):
    """Where something stands, so that places sort as the documents read."""

    document: str
    part: int
    numbers: tuple[int, ...]
    section: str


def place(where: str) -> Place:
    """Return the first place that a claim names.

    Examples
    --------
    >>> from minigrad.learn.documents import place
    >>> sorted(["D2 math 2", "D0 10.1", "D2 steps 2, 4", "D0 4.3"], key=place)
    ['D0 4.3', 'D0 10.1', 'D2 steps 2, 4', 'D2 math 2']
    """
    document, _, section = where.partition(" ")
    names = SECTIONS.get(document, ())
    part = next((i for i, name in enumerate(names) if section.startswith(name)), len(names))
    first = section.partition(",")[0]
    return Place(document, part, tuple(map(int, re.findall(r"\d+", first))), section)
