"""Find the bug: first weights that do not keep a signal's length.

Kaiming's first weights for a layer with ReLU: independent, of mean 0, with the variance
2 / fan_in, where fan_in is the number of the layer's inputs. Then the signal neither dies nor
explodes on its way forward (lesson 4). Here they are drawn uniformly.

`draw` has three mistakes. It gets the numbers of inputs and outputs and a random generator of
NumPy (all that is random must come from it), and returns the weights, one row for each output.
"""

import numpy as np


def draw(fan_in, fan_out, rng):
    """Return the first weights of a layer: shape (fan_out, fan_in)."""
    rng = np.random.default_rng(0)
    deviation = np.sqrt(2 / fan_out)
    return rng.uniform(-deviation, deviation, (fan_out, fan_in))
