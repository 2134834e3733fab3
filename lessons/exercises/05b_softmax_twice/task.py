"""Find the bug: the small network of D3, and why it learns so slowly.

D3 (section 4) ends its network with a softmax, and gives its output to a loss for scores. Here is
its program, and in the step of training a second mistake that many make. Nothing raises an error,
and the loss falls, a little. Mend both.

Whom to ask: `mg.check.lint` looks at a step of training for mistakes of this kind, and `check`
shows you what it says. The model's output must be scores, as the loss wants them.
"""

import minigrad as mg
from minigrad import nn


def build(pixels, classes):
    """Return the network."""
    return nn.Sequential(
        nn.Linear(pixels, 32),
        nn.ReLU(),
        nn.Linear(32, classes),
        nn.Softmax(dim=-1),
    )


def loss_of(outputs, labels):
    """Return the mean cross-entropy."""
    return mg.cross_entropy(outputs, labels)


def step(model, optimiser, images, labels):
    """Take one step of training; return the loss that it began with."""
    loss = loss_of(model(images), labels)
    loss.backward()
    optimiser.step()
    return loss.item()
