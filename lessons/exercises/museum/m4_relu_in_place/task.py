"""Museum: the ReLU that overwrites its input.

`relu` sets what is negative to 0, and saves the memory of a copy by doing so in the array that it
was given; `relu_backward` does the same with the gradient that it was given. Alone, both give the
right numbers, and their tests passed. In a block with a shortcut, y = x + relu(x w), or with a
gate, y = x * relu(x), somebody still needs those arrays.

Mend it. `gated` and `gated_backward` call the two, and are right as they stand.

Ask `mg.gradcheck` about the block as it is (`check` does): why does it find nothing to say?
"""

import numpy as np


def relu(x):
    """Return x where it is positive, else 0."""
    x[x < 0] = 0
    return x


def relu_backward(g, x):
    """Return the gradient by x, from the one by relu(x)."""
    g[x <= 0] = 0
    return g


def shortcut(x):
    """Return x + relu(x)."""
    return x + relu(x)


def shortcut_backward(g, x):
    """Return the gradient by x."""
    return g + relu_backward(g, x)


def gated(x):
    """Return x * relu(x)."""
    return x * relu(x)


def gated_backward(g, x):
    """Return the gradient by x."""
    return g * relu(x) + relu_backward(g * x, x)
