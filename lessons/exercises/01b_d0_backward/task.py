"""Find the bug: a backward pass as D0 has it.

A network of sigmoid layers, a_l = sigmoid(W_l a_(l-1) + b_l), with the loss
J = 1/2 sum (y - a_L)^2. `forward` is right. `gradients` was put together from section 4.3 of the
document D0, and it runs, and it has four mistakes, each of them printed there. Mend it.

It gets the weights and the biases of all layers as lists, and returns two lists: the gradients of
J by the weights, and by the biases.

To look for a mistake, nudge one number and compare, as lesson 1 does (`by_difference`).
"""

import numpy as np


def sigmoid(z):
    """Return 1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-z))


def forward(weights, biases, x):
    """Return the activations of all layers, x first."""
    a = [x]
    for W, b in zip(weights, biases, strict=True):
        a.append(sigmoid(W @ a[-1] + b))
    return a


def gradients(weights, biases, x, y):
    """Return the gradients of J by each of the weights, and by each of the biases."""
    a = forward(weights, biases, x)
    by_weights, by_biases = [], []
    delta = -(y - a[-1]) / 3 * sigmoid(a[-1])
    for layer in range(len(weights), 0, -1):
        by_weights.insert(0, np.outer(delta, a[layer]))
        by_biases.insert(0, delta)
        if layer > 1:
            slope = a[layer - 1] * (1 - a[layer - 1])
            delta = np.resize(delta, slope.shape) * slope
    return by_weights, by_biases
