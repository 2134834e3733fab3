"""How 05a is graded: against minigrad's own cross-entropy, scores of 10,000 included."""

import numpy as np

import minigrad as mg
from minigrad.learn.exercises import Property, Values, expect, floats

HINTS = (
    "First for one row, with the formula of lesson 5, section 4. What is the largest exponent in "
    "it, and what the smallest sum?",
    "scores.max(axis=1, keepdims=True) is m for all rows. rows, labels as a pair of indices picks "
    "the score of the label from each row: scores[np.arange(n), labels].",
    "The gradient is the softmax, minus 1 at each label, all over n.",
)


def right(scores, labels):
    """Return loss and gradient."""
    z = mg.tensor(scores, requires_grad=True)
    loss = mg.cross_entropy(z, mg.tensor(labels))
    loss.backward()
    return loss.item(), z.grad.numpy()


def tame(rng):
    """Yield small scores: one example, one class, as many classes as examples."""
    for n, k in ((1, 2), (3, 3), (2, 5), (6, 4), (1, 1), (4, 1)):
        yield floats(rng, (n, k)), rng.integers(0, k, n)


def huge(rng):
    """Yield scores of up to 20,000, far apart and near each other, of both signs."""
    for size in (100.0, 800.0, 1e4):
        yield size * floats(rng, (4, 3)), rng.integers(0, 3, 4)
        yield size + floats(rng, (3, 3)), rng.integers(0, 3, 3)
        yield -size + floats(rng, (3, 2)), rng.integers(0, 2, 3)


def quietly(answer, rng):
    """Look whether anything overflows on the way, even if the end comes out right."""
    for scores, labels in huge(rng):
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            try:
                answer.call("cross_entropy", scores, labels)
            except FloatingPointError as error:
                expect(False, f"on the way from scores up to {scores.max():.6g}: {error}")


NAMES = ("the loss", "the gradient")
CHECKS = (
    Values("cross_entropy", right, tame, names=NAMES),
    Values("cross_entropy", right, huge, names=NAMES),
    Property("cross_entropy: no overflow on the way, at huge scores", quietly, ("cross_entropy",)),
)
WRONG = {
    "missing term": (
        ("    gradient[rows, labels] -= 1\n", ""),
        ("gradient / n", "gradient"),
        ("np.log(total[:, 0]) - shifted[rows, labels]", "-shifted[rows, labels]"),
    ),
    "wrong axis": (
        ("e.sum(axis=1, keepdims=True)", "e.sum(axis=0) + 0 * scores"),
        ("scores.max(axis=1, keepdims=True)", "scores.max()"),
    ),
    "typical mistake": (
        ("scores - scores.max(axis=1, keepdims=True)", "1.0 * scores"),
        ("np.mean(", "np.sum("),
        ("np.log(total[:, 0]) - shifted[rows, labels]", "-np.log(e[rows, labels] / total[:, 0])"),
        (
            "np.log(total[:, 0]) - shifted[rows, labels]",
            "-np.log(e[rows, labels] / total[:, 0] + 1e-12)",
        ),
        ("scores.max(axis=1, keepdims=True)", "scores.mean(axis=1, keepdims=True)"),
        ("gradient[rows, labels] -= 1", "gradient[:, labels] -= 1"),
    ),
}
