"""How 07a is graded: by values inside and outside of the threshold, and by where steps lead."""

import numpy as np

from minigrad.learn.exercises import Property, Values, expect, expect_near, floats, shapes

HINTS = (
    "For l1_step, draw the line of old against new weight: two slopes of 1 with a flat part.",
    "Take the sign and the size of w - rate * g apart. What happens to the size?",
    "np.maximum(size - rate * strength, 0), times np.sign of what it was.",
)


def shrunk(w, g, rate, strength):
    """Return L2's step."""
    return w - rate * (g + strength * w)


def thresholded(w, g, rate, strength):
    """Return L1's step: what is within the threshold is taken away, and no more."""
    x, most = w - rate * g, rate * strength
    return x - np.clip(x, -most, most)


def cases(rng):
    """Yield weights of which some end at 0 and some do not, and some without any decay."""
    for strength in (0.0, 1.0, 4.0):
        for shape in shapes(rng):
            w, g = floats(rng, shape, shape)
            yield w, g, float(rng.uniform(0.1, 0.4)), strength
    yield np.array([0.0, 0.3, -0.3]), np.zeros(3), 0.1, 2.0


def where_it_leads(answer, rng):
    """Follow 300 steps of l1_step where the data want weights a; the best ones are known."""
    a = np.concatenate([floats(rng, (4,)), rng.uniform(-0.15, 0.15, 4)])
    w = floats(rng, (8,))
    for _ in range(300):
        w = answer.call("l1_step", w, w - a, 0.1, 0.18)
    inside = np.abs(a) < 0.18
    expect(
        bool((np.asarray(w)[inside] == 0).all()),
        f"after 300 steps weights whose data want {a[inside].round(3).tolist()}, with strength "
        f"0.18, should be exactly 0, and are {np.asarray(w)[inside].tolist()}",
    )
    expect_near(w, a - np.clip(a, -0.18, 0.18), "the weights after 300 steps of l1_step")


CHECKS = (
    Values("l2_step", shrunk, cases),
    Values("l1_step", thresholded, cases),
    Property("l1_step: where 300 steps lead", where_it_leads, ("l1_step",)),
)
WRONG = {
    "missing term": (
        ("    x = w - rate * g\n", "    x = w\n"),
        ("(1 - rate * strength) * w - rate * g", "w - rate * g"),
        ("np.sign(x) * size", "size"),
    ),
    "typical mistake": (
        ("np.sign(x) * size", "x - rate * strength * np.sign(x)"),
        ("np.sign(x) * size", "np.where(size > 0, x, 0.0)"),
        ("np.abs(x) - rate * strength", "np.abs(x) - strength"),
        ("(1 - rate * strength)", "(1 - strength)"),
        ("(1 - rate * strength)", "(1 - 2 * rate * strength)"),
        (
            "    x = w - rate * g\n    size = np.maximum(np.abs(x) - rate * strength, 0)\n"
            "    return np.sign(x) * size",
            "    size = np.maximum(np.abs(w) - rate * strength, 0)\n"
            "    return np.sign(w) * size - rate * g",
        ),
    ),
}
