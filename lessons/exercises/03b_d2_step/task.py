"""Find the bug: one step of learning as D2 has it.

The network of D2 (steps, parts 2 to 5), without its sign at the end: hidden = tanh(X V1),
output = hidden V2, with a row of X and of the targets T for each of n samples, and the loss

    J = 1/(2 n) sum (output - T)^2

`step` takes one step of gradient descent and returns the new V1 and V2. What it does was taken
from the document, and from what one does in a hurry. There are five mistakes in it. With some of
them mended, the loss already falls; it is graded by the numbers.
"""

import numpy as np


def step(V1, V2, X, T, rate):
    """Return V1 and V2 after a step of gradient descent."""
    hidden = np.tanh(X @ V1)
    output = hidden @ V2
    error = T - output
    V2 = V2 - rate * (hidden.T @ error)
    error_hidden = (error @ V2.T) * (1 - hidden)
    V1 = V1 - rate * error_hidden.sum(0)
    return V1, V2
