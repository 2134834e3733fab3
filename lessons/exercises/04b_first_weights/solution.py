"""The three mistakes:

1. A generator of one's own with a fixed seed: every layer of the same size gets the *same*
   weights, and so does every "other seed" of an experiment.
2. fan_out for fan_in. A unit's sum has fan_in terms, so that their variance has to be divided by
   fan_in. (fan_out keeps the length on the way *back*.) With 64 inputs and 256 outputs the signal
   is halved in length by each layer.
3. A uniform distribution between -r and r has the deviation r / sqrt(3), not r. So r is sqrt(3)
   times the deviation that is wanted.
"""

import numpy as np


def draw(fan_in, fan_out, rng):
    """Return the first weights of a layer: shape (fan_out, fan_in)."""
    deviation = np.sqrt(2 / fan_in)
    reach = np.sqrt(3) * deviation
    return rng.uniform(-reach, reach, (fan_out, fan_in))
