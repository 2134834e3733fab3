"""How m7 is graded: right rules must be accepted and wrong ones refused, with every generator."""

import numpy as np

import minigrad as mg
from minigrad.learn.exercises import Property, expect, tensor_function

HINTS = (
    "Print n, for ten generators.",
    "Which n tells n x^(n-1) from x^(n-1)? Which tells it from n |x|^(n-1)? And from zeros? One n "
    "alone cannot do it, and chance might leave it out.",
    "Loop over n in (0, 1, 2, 3, and a larger one), draw x and g of both signs and not near 0 for "
    "each, and return False at the first n that differs.",
)


def right(g, x, n):
    """Return the gradient."""
    return g * n * x ** max(n - 1, 0)


RULES = {
    "n x^(n-1)": right,
    "the same, by logarithms": lambda g, x, n: (
        g * n * np.exp((n - 1) * np.log(np.abs(x))) * np.sign(x) ** abs(n - 1)
    ),
}
BROKEN = {
    "zeros": lambda g, x, n: 0 * x,
    "x^(n-1), without n": lambda g, x, n: g * x ** max(n - 1, 0) * (n > 0),
    "x^(n-1), without n, for 0 too": lambda g, x, n: g * x ** max(n - 1, 0),
    "n x^(n-1) that ignores g": lambda g, x, n: right(np.ones_like(g), x, n),
    "n |x|^(n-1)": lambda g, x, n: right(g, np.abs(x), n),
    "n x^n": lambda g, x, n: g * n * x**n,
    "n x": lambda g, x, n: g * n * (x if n > 1 else 1),
    "the wrong sign": lambda g, x, n: -right(g, x, n),
    "a hundredth too large": lambda g, x, n: 1.01 * right(g, x, n),
    "doubled": lambda g, x, n: 2 * right(g, x, n),
    "1 for n = 0": lambda g, x, n: g if n == 0 else right(g, x, n),
    "0 for n = 1": lambda g, x, n: right(g, x, n) * (n != 1),
    "right up to 3": lambda g, x, n: right(g, x, min(n, 3)),
    "the gradient of the sum": lambda g, x, n: np.full(x.shape, right(g, x, n).mean()),
    "an axis too many": lambda g, x, n: right(g, x, n)[None],
    "a single number": lambda g, x, n: right(g, x, n).sum(),
}
OF_ANOTHER_SHAPE = ("an axis too many", "a single number")


def generators(rng):
    """Return ten generators."""
    return [np.random.default_rng(int(seed)) for seed in rng.integers(0, 10_000, 10)]


def accepts(answer, rng):
    """Show it right rules."""
    for name, rule in RULES.items():
        for source in generators(rng):
            found = answer.call("power_is_right", rule, source)
            expect(
                isinstance(found, (bool, np.bool_)), f"it must return True or False, not {found!r}"
            )
            expect(found, f"a right rule is refused: {name}")


def refuses(answer, rng):
    """Show it wrong rules; for one that it accepts, say what gradcheck says of n = 3."""
    for name, rule in BROKEN.items():
        passed = sum(bool(answer.call("power_is_right", rule, s)) for s in generators(rng))
        if not passed:
            continue
        says = ""
        for n in (0, 3) if name not in OF_ANOTHER_SHAPE else ():
            function = tensor_function(lambda x, n=n: x**n, lambda g, x, n=n, f=rule: f(g, x, n))
            x = mg.tensor(rng.uniform(-2, 2, 3))
            says += f"\nmg.gradcheck, of the same rule with n = {n}: "
            says += mg.gradcheck(function, x).verdict
        expect(False, f"a wrong rule is accepted {passed} times of 10: {name}{says}")


def looks(answer, rng):
    """Look at which exponents are tried, and that the numbers are not always the same."""
    seen = []
    for source in generators(rng)[:3]:
        points = []

        def spy(g, x, n, points=points):
            points.append((int(n), float(np.sum(x)), float(np.sum(g))))
            return right(g, x, n)

        answer.call("power_is_right", spy, source)
        expect(any(n for n, _, _ in points), "the only exponent that was tried is 0")
        seen.append(tuple(points))
    expect(len(set(seen)) == 3, "three generators give the same numbers: nothing was drawn")


CHECKS = (
    Property("power_is_right: accepts right rules", accepts, ("power_is_right",)),
    Property("power_is_right: refuses wrong rules, every time", refuses, ("power_is_right",)),
    Property("power_is_right: what it tries", looks, ("power_is_right",)),
)
WRONG = {
    "missing term": (
        ("(0, 1, 2, 3, int(rng.integers(4, 7)))", "(0, 1, 2, int(rng.integers(4, 7)))[:3]"),
        ("slope = g * (", "slope = np.ones_like(g) * ("),
        ("(0, 1, 2, 3,", "(1, 2, 3,"),
        ("(0, 1, 2, 3,", "(0, 2, 3,"),
    ),
    "typical mistake": (
        ("(0, 1, 2, 3, int(rng.integers(4, 7)))", "(int(rng.integers(1)),)"),
        ("(0, 1, 2, 3, int(rng.integers(4, 7)))", "(int(rng.integers(1, 4)),)"),
        ("(0, 1, 2, 3, int(rng.integers(4, 7)))", "(int(rng.integers(0, 6)), 2)"),
        ("rtol=1e-5, atol=1e-6", "rtol=1e-5, atol=10"),
        ("        if np.shape(found) != x.shape:\n            return False\n", ""),
    ),
}
