"""How 01b is graded: every gradient against central differences, for networks of any size."""

from itertools import pairwise

import numpy as np

from minigrad.learn.exercises import Values, floats

HINTS = (
    "Begin with a network of one layer and one unit: J, and its gradient, on paper.",
    "There: is the factor of J's gradient 1/3? What is the slope of a sigmoid whose value is a? "
    "Which activations does W multiply?",
    "With two layers: how does the gradient get from z of layer 2 to the activations of layer 1? "
    "Through W of layer 2, transposed; see the formula of delta in lesson 1.",
)
STEP = 1e-5


def loss(weights, biases, x, y):
    """Return J."""
    a = x
    for W, b in zip(weights, biases, strict=True):
        a = 1 / (1 + np.exp(-(W @ a + b)))
    return np.sum((y - a) ** 2) / 2


def by_difference(weights, biases, x, y):
    """Return the gradients from values of the loss."""
    found = ([np.zeros_like(W) for W in weights], [np.zeros_like(b) for b in biases])
    for own, slopes in zip((weights, biases), found, strict=True):
        for number, slope in zip(own, slopes, strict=True):
            for place in np.ndindex(number.shape):
                kept = number[place]
                number[place] = kept + STEP
                right = loss(weights, biases, x, y)
                number[place] = kept - STEP
                slope[place] = (right - loss(weights, biases, x, y)) / (2 * STEP)
                number[place] = kept
    return found


def cases(rng):
    """Yield networks: of one layer, of layers of one size, and of different sizes."""
    for sizes in ((1, 1), (2, 2), (3, 2), (2, 2, 2), (3, 3, 3, 3), (2, 3, 4), (3, 4, 3, 2)):
        weights = [floats(rng, (o, i)) for i, o in pairwise(sizes)]
        biases = [floats(rng, (o,)) for o in sizes[1:]]
        yield weights, biases, floats(rng, sizes[:1]), rng.uniform(0, 1, sizes[-1])


CHECKS = (
    Values(
        "gradients", by_difference, cases, atol=1e-8, rtol=1e-5,
        names=("the gradients by the weights", "the gradients by the biases"),
    ),
)  # fmt: skip
WRONG = {
    "missing term": (
        ("* a[-1] * (1 - a[-1])", "* a[-1]"),
        ("* slope\n", "\n"),
        ("weights[layer - 1].T @ delta", "weights[layer - 1].sum(0) * delta.mean()"),
    ),
    "typical mistake": (
        ("-(y - a[-1]) *", "-(y - a[-1]) / 3 *"),
        ("-(y - a[-1]) *", "-(y - a[-1]) / len(y) *"),
        ("-(y - a[-1]) *", "(y - a[-1]) *"),
        ("* a[-1] * (1 - a[-1])", "* sigmoid(a[-1])"),
        (
            "np.outer(delta, a[layer - 1])",
            "np.outer(delta, np.resize(a[layer], a[layer - 1].shape))",
        ),
        ("slope = a[layer - 1] * (1 - a[layer - 1])", "slope = 1 - a[layer - 1]"),
    ),
}
