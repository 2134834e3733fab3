"""Find the bug: a memory plan in which arrays overwrite each other.

A program's calls are numbered. Array k takes sizes[k] bytes; call first[k] writes it, and
call last[k] is the last to read it. A call reads its operands while it writes its result, so an
array that ends in the call in which another begins is alive together with it.

`plan` gives each array its place in one buffer: the largest first (of equals the one with the
lower number), each at the lowest place where it overlaps no array that is alive at the same time.
`needed` is the size of the buffer. Most networks train with this plan, some with wrong numbers.
There are four mistakes. Mend them.
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
        alive = [j for j in placed if first[j] < last[k] and first[k] < last[j]]
        at = 0
        for j in sorted(alive, key=lambda j: places[j]):
            if at < places[j]:
                break
            at = places[j] + sizes[j]
        places[k] = at
        placed.append(k)
    return places


def needed(places, sizes):
    """Return how many bytes the buffer needs.

    >>> needed(np.array([0, 8, 0]), np.array([8, 8, 4]))
    16
    """
    highest = np.argmax(places)
    return int(places[highest] + sizes[highest])
