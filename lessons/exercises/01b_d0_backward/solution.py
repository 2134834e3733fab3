"""The four mistakes, in the order of the lines:

1. J has the factor 1/2, whose gradient is a - y, with no 1/3. (1/3 would belong to a mean over
   three examples.)
2. The slope of a sigmoid is a (1 - a). The document writes the sigmoid itself.
3. The weights of a layer multiply the activations of the layer *before*: a[layer - 1].
4. From one layer to the one before, the gradient goes back through the weights: W transposed
   times delta. The document's factor from layer to layer has no weights in it at all.

Only the third gives itself away by a shape, and not where all layers have one size. The others
give numbers of a likely size, and a loss that falls for a while.
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
    delta = -(y - a[-1]) * a[-1] * (1 - a[-1])
    for layer in range(len(weights), 0, -1):
        by_weights.insert(0, np.outer(delta, a[layer - 1]))
        by_biases.insert(0, delta)
        if layer > 1:
            slope = a[layer - 1] * (1 - a[layer - 1])
            delta = (weights[layer - 1].T @ delta) * slope
    return by_weights, by_biases
