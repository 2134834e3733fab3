"""The five mistakes:

1. The error is T - output, and then *subtracted*: that goes up (F12). J's gradient is output - T.
2. J is a mean over n samples, and no 1/n was there. It only scales the rate, so nobody sees it
   until n changes.
3. V2 was changed before it was used to hand the error back. All gradients belong to the same
   point: compute all, then change all.
4. The slope of tanh is 1 - tanh^2, not 1 - tanh (F10). At tanh = 0 both are 1, which is why a
   network with small weights seems to learn well.
5. V1's gradient needs its layer's input, X^T times the error (F12). A sum of errors over the
   samples broadcasts, and raises nothing.
"""

import numpy as np


def step(V1, V2, X, T, rate):
    """Return V1 and V2 after a step of gradient descent."""
    hidden = np.tanh(X @ V1)
    output = hidden @ V2
    error = (output - T) / len(X)
    error_hidden = (error @ V2.T) * (1 - hidden * hidden)
    new_V1 = V1 - rate * (X.T @ error_hidden)
    new_V2 = V2 - rate * (hidden.T @ error)
    return new_V1, new_V2
