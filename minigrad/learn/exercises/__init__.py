"""The exercises of the lessons: how they are found, graded, and shown to be hard to fool.

An exercise is a folder of three files: ``task.py`` (what the learner gets), ``solution.py`` and
``grade.py``, which says in terms of this module what a right answer does. A newcomer reads
`minigrad.learn.exercises.checks`, then `minigrad.learn.exercises.zoo`.
"""

from minigrad.learn.exercises.checks import Case, Gradients, Property, Values
from minigrad.learn.exercises.compare import WrongAnswerError, expect, expect_near
from minigrad.learn.exercises.draws import broadcasting, floats, shapes
from minigrad.learn.exercises.tools import tensor_function, tool_says

__all__ = [
    "Case", "Gradients", "Property", "Values", "WrongAnswerError", "broadcasting", "expect",
    "expect_near", "floats", "shapes", "tensor_function", "tool_says",
]  # fmt: skip
