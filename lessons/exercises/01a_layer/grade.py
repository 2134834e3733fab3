"""How 01a is graded: against central differences, for layers of any size."""

from minigrad.learn.exercises import Gradients, floats

HINTS = (
    "Write z out for a layer of two inputs and two outputs, and ask for each of W, a and b: in "
    "which entries of z is it, and with which slope?",
    "W[i, j] is in z[i] only, with the slope a[j]. a[j] is in every z[i]: its ways add up.",
    "dW = np.outer(g, a). For da you need W transposed: W.T @ g. And db is g.",
)


def layer(W, a, b):
    """Return z."""
    return W @ a + b


def cases(rng):
    """Yield layers: square ones, wide ones, narrow ones, of one unit, and without an input."""
    for outputs, inputs in ((2, 2), (3, 3), (1, 4), (4, 1), (2, 3), (1, 1), (2, 0)):
        yield floats(rng, (outputs, inputs), (inputs,), (outputs,))


CHECKS = (Gradients("layer_backward", layer, cases),)
WRONG = {
    "missing term": (
        ("np.outer(g, a)", "np.outer(g, np.ones_like(a))"),
        ("W.T @ g", "W.sum(0) * g.mean()"),
    ),
    "typical mistake": (
        ("np.outer(g, a)", "np.outer(a, g)"),
        ("np.outer(g, a)", "np.resize(g * a if g.shape == a.shape else g[:1] * a[:1], W.shape)"),
        ("W.T @ g", "(W @ g if W.shape[0] == W.shape[1] else W.T @ g)"),
    ),
}
