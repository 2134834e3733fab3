"""How 03a is graded: on functions whose gradients are known, at arrays of every form."""

import numpy as np

from minigrad.learn.exercises import Values, floats, shapes

HINTS = (
    "Go through the places of x with np.ndindex(x.shape). At each, f is asked twice, at h to the "
    "right and at h to the left.",
    "Nudge a copy of x (np.array(x, dtype=np.float64)), so that x itself stays as it is.",
    "(f(right) - f(left)) / (2 * h), with h near 6e-6. A forward difference is not good enough, "
    "and an h of 1e-10 neither: see the picture of lesson 3.",
)


class Wavy:
    """A sum of e^(2 x) and of products of neighbours, weighed at random."""

    def __init__(self, rng, size):
        self.w, self.v = rng.uniform(0.5, 1.5, size), rng.uniform(-1, 1, size)

    def __call__(self, x):
        """Return the number."""
        flat = np.asarray(x, dtype=float).ravel()
        return float(np.sum(self.w * np.exp(2 * flat)) + np.sum(self.v * flat * np.roll(flat, 1)))

    def gradient(self, x):
        """Return its gradient, from the formula."""
        flat = np.asarray(x, dtype=float).ravel()
        slope = 2 * self.w * np.exp(2 * flat) + self.v * np.roll(flat, 1)
        slope = slope + np.roll(self.v * flat, -1)
        return slope.reshape(np.shape(x))


def cases(rng):
    """Yield functions and points: of all shapes, transposed, of whole numbers."""
    for shape in shapes(rng):
        yield Wavy(rng, int(np.prod(shape))), floats(rng, shape)
    yield Wavy(rng, 6), floats(rng, (2, 3)).T
    yield Wavy(rng, 4), floats(rng, (8,))[::2]
    yield Wavy(rng, 3), rng.integers(-2, 3, 3)


def right(f, x):
    """Return the gradient."""
    return f.gradient(x)


CHECKS = (Values("numeric_gradient", right, cases, atol=1e-7, rtol=1e-8),)
WRONG = {
    "missing term": (
        ("/ (2 * h)", "/ 2"),
        ("for step in (h, -h)", "for step in (h, 0.0)"),
    ),
    "typical mistake": (
        ("for step in (h, -h)", "for step in (2 * h, 0.0)"),
        ("/ (2 * h)", "/ h"),
        ("h = 6e-6", "h = 1e-2"),
        ("h = 6e-6", "h = 1e-11"),
        ("moved = np.array(x, dtype=np.float64)", "moved = np.array(x)"),
        ("moved = np.array(x, dtype=np.float64)", "moved = x"),
        ("np.array(x, dtype=np.float64)", "np.array(x, dtype=np.float32)"),
        (
            "            moved = np.array(x, dtype=np.float64)\n            moved[place] += step\n",
            "            moved = np.array(x, dtype=np.float64) + step\n",
        ),
    ),
}
