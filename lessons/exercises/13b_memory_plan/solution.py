"""1. Alive together: an array whose last reader is call 3 and one that call 3 writes *are* alive
together, so both comparisons must be <=. With < a call writes its result over its own operand: an
elementwise call survives that, a matrix product does not. That is why most networks train.

2. A gap must be large enough: at + sizes[k] <= places[j]. That there is one is not enough.

3. `at` must never go down again. The placed arrays that are alive with k need not be alive with
each other, so they may overlap: after a long one from 0 to 100 may come a short one from 50 to 60,
and behind that is not free. So at = max(at, end).

4. The highest beginning need not have the highest end, for the same reason.

All four are right as long as all arrays are alive at the same time, and so in most small tests.
minigrad's planner is tested by programs whose results are compared bit by bit with eager ones.
"""

import numpy as np


def plan(sizes, first, last):
    """Return where each array begins.

    >>> plan(np.array([8, 8, 4]), np.array([0, 1, 2]), np.array([1, 2, 3])).tolist()
    [0, 8, 0]
    """
    places = np.zeros(len(sizes), int)
    placed = []
    for k in np.argsort(-sizes, kind="stable"):
        alive = [j for j in placed if first[j] <= last[k] and first[k] <= last[j]]
        at = 0
        for j in sorted(alive, key=lambda j: places[j]):
            if at + sizes[k] <= places[j]:
                break
            at = max(at, places[j] + sizes[j])
        places[k] = at
        placed.append(k)
    return places


def needed(places, sizes):
    """Return how many bytes the buffer needs.

    >>> needed(np.array([0, 8, 0]), np.array([8, 8, 4]))
    16
    """
    return int(max(places + sizes))
