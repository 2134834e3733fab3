"""How 03b is graded: the step is the one along central differences of J."""

import numpy as np

from minigrad.learn.exercises import Values, floats

HINTS = (
    "Compute the step from central differences of J (exercise 03a), and compare V2 first: it has "
    "fewer mistakes before it.",
    "V2: which sign has the gradient of J, and where is the n of its mean? V1: with which V2 does "
    "the error go back, the old or the new one?",
    "V1 as well: the slope of tanh is 1 - tanh^2, and the gradient by V1 is X.T @ error_hidden.",
)
STEP = 1e-5


def loss(V, X, T):
    """Return J."""
    return np.sum((np.tanh(X @ V[0]) @ V[1] - T) ** 2) / (2 * len(X))


def right(V1, V2, X, T, rate):
    """Return the weights after a step along central differences."""
    moved = []
    for which, own in enumerate((V1, V2)):
        gradient = np.zeros_like(own)
        for place in np.ndindex(own.shape):
            sides = []
            for nudge in (STEP, -STEP):
                V = [V1.copy(), V2.copy()]
                V[which][place] += nudge
                sides.append(loss(V, X, T))
            gradient[place] = (sides[0] - sides[1]) / (2 * STEP)
        moved.append(own - rate * gradient)
    return tuple(moved)


def cases(rng):
    """Yield networks and samples, square ones too."""
    for n, inputs, units, outputs in ((1, 1, 1, 1), (2, 2, 2, 2), (5, 3, 4, 2), (4, 2, 3, 1)):
        V1, V2 = floats(rng, (inputs, units), (units, outputs))
        X, T = floats(rng, (n, inputs), (n, outputs))
        yield V1 / 2, V2, X, T, float(rng.uniform(0.5, 1.5))


CHECKS = (
    Values("step", right, cases, atol=1e-8, names=("V1 after the step", "V2 after the step")),
)
WRONG = {
    "missing term": (
        (" / len(X)", ""),
        (" * (1 - hidden * hidden)", ""),
        ("- rate * (X.T @ error_hidden)", "- rate * error_hidden.sum(0)"),
    ),
    "typical mistake": (
        ("(output - T) / len(X)", "(T - output) / len(X)"),
        ("1 - hidden * hidden", "1 - hidden"),
        (" / len(X)", " / T.size"),
        (
            "    error_hidden = ",
            "    V2 = V2 - rate * (hidden.T @ error)\n    error_hidden = ",
        ),
    ),
}
