"""How 09a is graded: by what is dropped, how often, and whether backward knows it."""

import numpy as np

from minigrad.learn.exercises import Property, Values, expect, expect_near, floats

HINTS = (
    "In a test the scale is all ones. While training it has two values; which?",
    "rng.random(x.shape) gives numbers between 0 and 1; a number is kept where its own is at "
    "least p. The scale is 1 / (1 - p) there, and 0 elsewhere.",
    "p = 1 is a case of its own: all zeros. And backward is g * scale.",
)


def tested(answer, rng):
    """Look at it with training False."""
    for shape in ((), (3,), (2, 3), (0, 3)):
        x = floats(rng, shape)
        found = answer.call("dropout", x, float(rng.uniform(0, 1)), False, np.random.default_rng(1))
        expect_near(found, (x, np.ones(shape)), "dropout in a test", names=("y", "the scale"))


def trained(answer, rng):
    """Look at the scale while training: its values, how often it is 0, and where."""
    for p in (0.2, float(rng.uniform(0.3, 0.7)), 0.9):
        x = floats(rng, (100, 60))
        y, scale = answer.call("dropout", x, p, True, np.random.default_rng(rng.integers(999)))
        scale = np.asarray(scale, dtype=float)
        expect(
            scale.shape == x.shape, f"the scale has the shape {list(scale.shape)}, not that of x"
        )
        kept = scale != 0
        right = np.where(kept, 1 / (1 - p), 0.0)
        expect_near(scale, right, f"the scale, 0 or 1 / (1 - p), for p = {p:.4g}")
        expect_near(np.asarray(y), x * scale, "y, x times the scale")
        expect_near(float((~kept).mean()), p, f"the share of zeros, for p = {p:.4g}", atol=0.04)
        for axis, what in ((0, "column"), (1, "row")):
            shares = (~kept).mean(axis=axis)
            expect(
                shares.std() > 0.25 * np.sqrt(p * (1 - p) / x.shape[axis]),
                f"every {what} has the same share of zeros: each number is dropped by itself",
            )
            expect(
                np.ptp(shares) < 0.95,
                f"a whole {what} is dropped, another one kept: each number is dropped by itself",
            )


def extremes(answer, rng):
    """Look at p = 0 and p = 1, and at the generator."""
    x = floats(rng, (3, 4))
    for p, right in ((0.0, np.ones(x.shape)), (1.0, np.zeros(x.shape))):
        found = answer.call("dropout", x, p, True, np.random.default_rng(rng.integers(99)))
        expect_near(found, (x * right, right), f"dropout with p = {p:g}", names=("y", "the scale"))
    seed, big = int(rng.integers(999)), floats(rng, (20, 20))
    one = np.random.default_rng(seed)
    first, second, again = (
        np.asarray(answer.call("dropout", big, 0.5, True, source)[1])
        for source in (one, one, np.random.default_rng(seed))
    )
    expect(not np.array_equal(first, second), "two calls drop the same numbers")
    expect(np.array_equal(first, again), "the same seed drops others: some chance is not from rng")


def cases(rng):
    """Yield gradients and scales."""
    for shape in ((), (4,), (3, 3), (2, 3, 2), (0, 3)):
        p = float(rng.uniform(0.2, 0.8))
        yield floats(rng, shape), np.where(rng.random(shape) < p, 0.0, 1 / (1 - p))


CHECKS = (
    Property("dropout: a test changes nothing", tested, ("dropout",)),
    Property("dropout: what is dropped while training", trained, ("dropout",)),
    Property("dropout: p = 0, p = 1, and its generator", extremes, ("dropout",)),
    Values("dropout_backward", lambda g, scale: scale * g, cases),
)
WRONG = {
    "missing term": (
        ("kept / (1 - p)", "kept / 1.0"),
        ("g * scale", "g * (scale != 0)"),
        (" if p < 1 else np.zeros(x.shape)", ""),
    ),
    "wrong axis": (
        ("rng.random(x.shape) >= p", "np.broadcast_to(rng.random(x.shape[1:]) >= p, x.shape)"),
        (
            "rng.random(x.shape) >= p",
            "np.broadcast_to(rng.random((*x.shape[:1], 1)) >= p, x.shape)",
        ),
    ),
    "typical mistake": (
        (">= p", "< p"),
        ("    if training:", "    if not training:"),
        ("    if training:", "    if True:"),
        ("kept / (1 - p)", "kept / p"),
        ("scale = np.ones(x.shape)", "scale = np.full(x.shape, 1 - p)"),
        ("rng.random(x.shape)", "np.random.default_rng(0).random(x.shape)"),
        ("return x * scale, scale", "return x * scale, 1.0 * (scale != 0)"),
        (
            "rng.random(x.shape) >= p",
            "(np.arange(x.size).reshape(x.shape) + 1) * (1 - p) % 1 < 1 - p",
        ),
    ),
}
