"""How 02b is graded: against central differences, for blocks of any size."""

import numpy as np

from minigrad.learn.exercises import Gradients, Values, floats

HINTS = (
    "Draw the block as a graph. How many arrows leave h, and how many leave x?",
    "A product of h and U h hands g times the other factor to each of the two. And y = x + ... "
    "hands g to x as it is.",
    "dh = U.T @ by_product + g * (U @ h), dx = W.T @ dz + g. The third mistake is in the slope of "
    "tanh.",
)


def block(W, U, x):
    """Return y."""
    h = np.tanh(W @ x)
    return x + h * (U @ h)


def cases(rng):
    """Yield blocks of one to five units."""
    for n in (1, 2, 3, 5):
        yield floats(rng, (n, n), (n, n), (n,))


CHECKS = (Values("block", block, cases), Gradients("block_backward", block, cases))
WRONG = {
    "overwrite": (("dh = U.T @ by_product + g * (U @ h)", "dh = g * (U @ h)"),),
    "missing term": (
        (" + g * (U @ h)", ""),
        ("W.T @ dz + g", "W.T @ dz"),
        ("dh * (1 - h * h)", "dh"),
    ),
    "typical mistake": (
        ("1 - h * h", "1 - h"),
        ("W.T @ dz", "W @ dz"),
        ("U.T @ by_product +", "U @ by_product +"),
        ("np.outer(dz, x)", "np.outer(dz, h)"),
    ),
}
