"""1. The softmax at the end. `cross_entropy` takes scores and applies a softmax itself. With two of
them the loss cannot fall below ln(1 + 9/e) = 1.4612 for ten classes, and the gradient is many
times too short (F16). For probabilities, apply a softmax outside of training.

2. `backward` *adds* to .grad, so that the gradient of every batch so far is in it: the steps grow
and turn into old directions. `optimiser.zero_grad()` belongs into each step.

Neither raises an error, in PyTorch either. They show in numbers: rows of "scores" that all sum to
1, and a gradient that grows from call to call on the same batch. That is what `lint` looks for.
"""

import minigrad as mg
from minigrad import nn


def build(pixels, classes):
    """Return the network."""
    return nn.Sequential(
        nn.Linear(pixels, 32),
        nn.ReLU(),
        nn.Linear(32, classes),
    )


def loss_of(outputs, labels):
    """Return the mean cross-entropy."""
    return mg.cross_entropy(outputs, labels)


def step(model, optimiser, images, labels):
    """Take one step of training; return the loss that it began with."""
    optimiser.zero_grad()
    loss = loss_of(model(images), labels)
    loss.backward()
    optimiser.step()
    return loss.item()
