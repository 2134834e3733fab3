"""How 04a is graded: against central differences, for all shapes that broadcast."""

import numpy as np

from minigrad.learn.exercises import Gradients, Values, broadcasting, floats

HINTS = (
    "First for x and a of the same shape. Which slope has y by x, and by a, on the right and on "
    "the left?",
    "dx = g * np.where(x > 0, 1.0, a), da = g * np.where(x > 0, 0.0, x); both have the shape of y.",
    "Write a function that sums a gradient to a shape: over all axes in front that the shape does "
    "not have, and, with keepdims, over those where it has 1.",
)


def prelu(x, a):
    """Return y."""
    return np.maximum(x, 0) + a * np.minimum(x, 0)


def cases(rng):
    """Yield operands that broadcast."""
    for both in broadcasting(rng, 2):
        yield floats(rng, *both)


CHECKS = (Values("prelu", prelu, cases), Gradients("prelu_backward", prelu))
WRONG = {
    "missing term": (
        ("np.where(x > 0, 1.0, a)", "np.where(x > 0, 1.0, 0.0)"),
        ("g * np.where(x > 0, 0.0, x)", "g * x"),
        ("np.where(x > 0, 0.0, x)", "np.where(x > 0, 0.0, 1.0)"),
    ),
    "typical mistake": (
        ("np.where(x > 0, 1.0, a)", "np.where(x > 0, a, 1.0)"),
        ("axis=stretched, keepdims=True", "axis=stretched"),
        ("tuple(range(front))", "tuple(range(gradient.ndim))[-front:] if front else ()"),
    ),
}
