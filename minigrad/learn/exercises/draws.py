"""Random inputs for grading: of every shape that an answer should be right for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Rng = np.random.Generator
Shape = tuple[int, ...]


def floats(rng: Rng, *of: Shape) -> Any:
    """Return an array for each shape (one array for one shape).

    The numbers are of both signs and from 0.2 to 2, so that none is at a kink at 0, none is a 0
    that hides a factor, and none is large.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.learn.exercises import floats
    >>> x, y = floats(np.random.default_rng(0), (2, 3), ())
    >>> x.shape, y.shape
    ((2, 3), ())
    """
    drawn = [
        np.asarray(rng.uniform(0.2, 2.0, shape) * rng.choice([-1.0, 1.0], shape)) for shape in of
    ]
    return drawn[0] if len(drawn) == 1 else tuple(drawn)


def shapes(rng: Rng, ndims: Sequence[int] = (0, 1, 2, 3), *, empty: bool = True) -> Iterator[Shape]:
    """Yield a random shape of each number of axes, a square one, and one with no element."""
    for ndim in ndims:
        yield tuple(map(int, rng.integers(1, 5, ndim)))
    side = int(rng.integers(2, 4))
    yield (side, side)
    if empty:
        yield (0, 3)


def broadcasting(rng: Rng, count: int) -> Iterator[tuple[Shape, ...]]:
    """Yield ``count`` shapes at a time that broadcast: equal ones, 0-d, size 1, fewer axes, empty.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.learn.exercises import broadcasting
    >>> for several in broadcasting(np.random.default_rng(0), 3):
    ...     _ = np.broadcast_shapes(*several)
    """
    for shape in shapes(rng):
        yield (shape,) * count
    a, b, c = map(int, rng.integers(2, 5, 3))
    full, fewer = (a, b, c), [(b, c), (c,), (), (1, c), (a, 1, c), (a, b, 1), (1, 1, 1), (b, 1)]
    for which in range(count if count > 1 else 0):
        for small in fewer:
            yield tuple(small if i == which else full for i in range(count))
    if count > 1:
        others = [(a, 1), (1, b), (), (b,)]
        yield tuple(others[i % 4] for i in range(count))
        yield tuple(others[(i + 1) % 4] for i in range(count))
        yield tuple((0, 3) if i == 0 else (3,) for i in range(count))
