"""How 04b is graded: by the statistics of what is drawn, and by a signal sent through a layer."""

import numpy as np

from minigrad.learn.exercises import Property, expect, expect_near

HINTS = (
    "Draw twice for the same layer. Then measure the standard deviation of what you get "
    "(weights.std()) for 64 inputs and 256 outputs, and the other way round.",
    "The generator is given: use that one. The variance is 2 over the number of *inputs*.",
    "The numbers of a uniform distribution from -r to r have the deviation r / sqrt(3).",
)


def statistics(answer, rng):
    """Look at mean and deviation; by chance a right answer is 1 % off at most."""
    for _ in range(3):
        fan_in, fan_out = (int(n) for n in rng.permutation([60, 300]) + rng.integers(0, 40, 2))
        W = np.asarray(
            answer.call("draw", fan_in, fan_out, np.random.default_rng(rng.integers(99)))
        )
        expect_near(np.array(W.shape), np.array([fan_out, fan_in]), "the shape of the weights")
        expect_near(
            float(W.std()), np.sqrt(2 / fan_in),
            f"their standard deviation for {fan_in} inputs and {fan_out} outputs", rtol=0.04,
        )  # fmt: skip
        expect_near(float(W.mean() / W.std()), 0.0, "their mean, in deviations", atol=0.05)
        reach = float(np.abs(W).max() / W.std())
        expect_near(reach, np.sqrt(3), "the largest, in deviations (uniform ones)", rtol=0.03)


def chance(answer, rng):
    """Look whether all that is random comes from the generator."""
    seed = int(rng.integers(1_000))
    one = np.random.default_rng(seed)
    first = np.asarray(answer.call("draw", 5, 4, one))
    second = np.asarray(answer.call("draw", 5, 4, one))
    again = np.asarray(answer.call("draw", 5, 4, np.random.default_rng(seed)))
    expect(
        not np.array_equal(first, second),
        "two draws from one generator are the same: two layers of one size would be twins",
    )
    expect(
        np.array_equal(first, again),
        "generators of the same seed give different weights: some come from elsewhere",
    )
    expect(len(np.unique(first)) == first.size, "some weights of a layer are the same number")


CHECKS = (
    Property("draw: shape, mean, standard deviation", statistics, ("draw",)),
    Property("draw: what the generator has to do with it", chance, ("draw",)),
)
NOT = {
    "sign": "the distribution is symmetric: the negative of a right draw is a right draw",
    "a little off": "one part in 10,000 is far within what chance does",
}
WRONG = {
    "missing term": (
        ("np.sqrt(2 / fan_in)", "np.sqrt(1 / fan_in)"),
        ("np.sqrt(3) * deviation", "deviation"),
        ("np.sqrt(2 / fan_in)", "2 / fan_in"),
    ),
    "typical mistake": (
        ("2 / fan_in", "2 / fan_out"),
        ("2 / fan_in", "4 / (fan_in + fan_out)"),
        (
            "rng.uniform(-reach, reach, (fan_out, fan_in))",
            "rng.normal(0, deviation, (fan_out, fan_in))",
        ),
        ("rng.uniform(-reach, reach", "rng.uniform(0, 2 * reach"),
        ("    deviation =", "    rng = np.random.default_rng(0)\n    deviation ="),
        ("rng.uniform(-reach", "np.random.default_rng().uniform(-reach"),
        ("(fan_out, fan_in))", "(fan_out, 1)) * np.ones(fan_in)"),
    ),
}
