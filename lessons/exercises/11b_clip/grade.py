"""How 11b is graded: against one long row of all numbers, above and below the limit, and zeros."""

import numpy as np

from minigrad.learn.exercises import Values, floats

HINTS = (
    "Print the lengths before and after, for a gradient that is shorter than the limit.",
    "Of how many gradients is the length? And what is done if it is below the limit, or 0?",
    "One length for all: np.sqrt(sum(np.sum(g * g) for g in gradients)); a factor of limit / "
    "length if that is below 1, and else 1.",
)


def together(gradients, limit):
    """Return the answer from all numbers in one row."""
    row = np.concatenate([np.ravel(g) for g in gradients])
    length = np.linalg.norm(row)
    row = row * min(1.0, limit / length) if length else row
    cuts = np.cumsum([np.size(g) for g in gradients])[:-1]
    parts = np.split(row, cuts)
    return [p.reshape(g.shape) for p, g in zip(parts, gradients, strict=True)], np.asarray(length)


def cases(rng):
    """Yield gradients of several layers, and limits above and below their length."""
    for shapes in (((3,),), ((2, 2), (2,)), ((3, 4), (3,), (2, 3), (2,)), ((1,), (5, 1), (2, 2))):
        drawn = [floats(rng, shape) * 10.0 ** rng.integers(-1, 2) for shape in shapes]
        length = together(drawn, 1.0)[1]
        for share in (0.01, 0.5, 0.999, 1.001, 3.0):
            yield drawn, float(share * length)
        yield [np.zeros_like(g) for g in drawn], 1.0
        yield [drawn[0], *(np.zeros_like(g) for g in drawn[1:])], 0.5


CHECKS = (
    Values(
        "clip", together, cases, atol=1e-6, rtol=1e-5,
        names=("the clipped gradients", "the length before"),
    ),
)  # fmt: skip
WRONG = {
    "missing term": (
        ("limit / length if length > limit else 1.0", "limit / max(length, 1e-12)"),
        ("np.sqrt(sum(np.sum(g * g) for g in gradients))", "sum(np.sum(g * g) for g in gradients)"),
    ),
    "typical mistake": (
        (
            "np.sqrt(sum(np.sum(g * g) for g in gradients))",
            "max(np.sqrt(np.sum(g * g)) for g in gradients)",
        ),
        (
            "np.sqrt(sum(np.sum(g * g) for g in gradients))",
            "sum(np.sqrt(np.sum(g * g)) for g in gradients)",
        ),
        ("[g * factor for g in gradients]", "[np.clip(g, -limit, limit) for g in gradients]"),
        ("gradients], length", "gradients], length * factor"),
        ("limit / length if length > limit else 1.0", "min(limit, 1.0)"),
        ("if length > limit", "if length < limit and length"),
    ),
}
