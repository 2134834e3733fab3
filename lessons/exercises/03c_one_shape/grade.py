"""How 03c is graded: against central differences, for all shapes that broadcast."""

from minigrad.learn.exercises import Gradients, Values, broadcasting, floats

HINTS = (
    "Try it with a of the shape (3,) and b and c of (4, 3), then with c of (4, 1), then with "
    "three axes.",
    "Which of the three operands may be broadcast? And where does NumPy put an axis that an "
    "operand does not have, in front or behind?",
    "Sum each of the three gradients back: over axis 0 as long as there are too many axes, then, "
    "with keepdims=True, over each axis where the operand has the size 1.",
)


def scaled(a, b, c):
    """Return y."""
    return a * b + c


def cases(rng):
    """Yield operands that broadcast."""
    for several in broadcasting(rng, 3):
        yield floats(rng, *several)


CHECKS = (Values("scaled", scaled, cases), Gradients("scaled_backward", scaled))
WRONG = {
    "wrong axis": (("gradient.sum(axis=0)", "gradient.sum(axis=-1)"),),
    "missing term": (
        ("summed_to(g * b, a.shape)", "g * b"),
        ("summed_to(g * b, a.shape)", "summed_to(g, a.shape)"),
        ("summed_to(1.0 * g, c.shape)", "summed_to(g * a, c.shape)"),
    ),
    "typical mistake": (
        ("gradient.sum(axis=0)", "gradient.sum(axis=-2)"),
        ("gradient.sum(axis=0)", "gradient.mean(axis=0)"),
        ("if size == 1:", "if size == 1 and axis == 0:"),
        ("axis=axis, keepdims=True", "axis=axis"),
        ("if size == 1:", "if False:"),
    ),
}
