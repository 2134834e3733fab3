"""How 11a is graded: against central differences, for one step, several, and none."""

import numpy as np

from minigrad.learn.exercises import Gradients, floats

HINTS = (
    "Begin with a single step: that is a dense layer with a tanh (lesson 1). What is the gradient "
    "by U there?",
    "With two steps, h_1 gets a share of J from g and one from h_2. Walk back from the last step, "
    "and carry that share along. The gradient by U is the sum over the steps.",
    "for t in range(len(h) - 1, -1, -1): delta = (g[t] + arriving) * (1 - h[t] ** 2); "
    "arriving = U.T @ delta; dU += np.outer(delta, h[t - 1]), but at t = 0 the state before is 0.",
)


def layer(x, W, U, b):
    """Return the states, by a step that calls itself for the step before."""

    def state(t):
        return np.tanh(W @ x[t] + b + (U @ state(t - 1) if t else 0))

    return np.array([state(t) for t in range(len(x))]).reshape(len(x), len(b))


def cases(rng):
    """Yield layers of several sizes, square ones too, over 0 to 6 steps."""
    for steps, inputs, units in (
        (1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 3, 3), (4, 2, 3), (6, 3, 2), (5, 1, 4), (0, 2, 3),
    ):  # fmt: skip
        x, W, U, b = floats(rng, (steps, inputs), (units, inputs), (units, units), (units,))
        yield x, W / (inputs + 1), U / units, b / 4


CHECKS = (Gradients("states_backward", layer, cases, by=("x", "W", "U", "b")),)
WRONG = {
    "missing term": (
        ("(g[t] + arriving)", "g[t]"),
        (" * (1 - h[t] ** 2)", ""),
        ("deltas.sum(axis=0)", "deltas[0] if len(deltas) else np.zeros(len(b))"),
    ),
    "overwrite": (
        ("deltas.T @ before", "deltas[:1].T @ before[:1]"),
        ("deltas.T @ before", "deltas[-1:].T @ before[-1:]"),
        ("deltas.T @ x", "deltas[-1:].T @ x[-1:]"),
    ),
    "typical mistake": (
        ("U.T @ deltas[t]", "U @ deltas[t]"),
        ("deltas.T @ before", "deltas.T @ h"),
        ("1 - h[t] ** 2", "1 - h[t]"),
        ("(g[t] + arriving)", "(g[t] * (arriving if arriving.any() else 1))"),
        ("deltas @ W", "deltas @ W / max(len(x), 1)"),
    ),
}
