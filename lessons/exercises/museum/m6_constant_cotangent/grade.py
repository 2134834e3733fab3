"""How m6 is graded: right rules must be accepted, and wrong ones refused, as mg.gradcheck does."""

import numpy as np

import minigrad as mg
from minigrad.learn.exercises import Property, expect, floats, tensor_function

HINTS = (
    "What is the sum of softmax(x), and what is its derivative by anything?",
    "Weigh each output by another number, of both signs: then no two outputs look alike. Which "
    "numbers, must nobody know beforehand.",
    "g = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape), with "
    "rng = np.random.default_rng().",
)


def softmax(x):
    """Return the softmax of the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(g, x):
    """Return its gradient."""
    s = softmax(x)
    return s * (g - (g * s).sum(axis=-1, keepdims=True))


def centred(x):
    """Return x minus the mean of its last axis."""
    return x - x.mean(axis=-1, keepdims=True)


RULES = {
    "tanh": (np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2)),
    "softmax": (softmax, softmax_backward),
    "transpose": (np.transpose, lambda g, x: g.T),
    "reshape": (lambda x: x.reshape(-1), lambda g, x: g.reshape(x.shape)),
    "centring": (centred, lambda g, x: centred(g)),
    "mean": (np.mean, lambda g, x: np.full(x.shape, g / x.size)),
    "x * total(x)": (lambda x: x * x.sum(), lambda g, x: g * x.sum() + np.sum(g * x)),
}
BROKEN = {
    "tanh with the slope 1 - tanh": (np.tanh, lambda g, x: g * (1 - np.tanh(x))),
    "tanh a thousandth too large": (
        np.tanh,
        lambda g, x: 1.001 * g * (1 - np.tanh(x) ** 2),
    ),
    "tanh that ignores g": (np.tanh, lambda g, x: 1 - np.tanh(x) ** 2),
    "a softmax whose backward is 0": (softmax, lambda g, x: 0 * x),
    "a softmax with the wrong sign": (softmax, lambda g, x: -softmax_backward(g, x)),
    "a softmax doubled": (softmax, lambda g, x: 2 * softmax_backward(g, x)),
    "a transpose that is not undone": (np.transpose, lambda g, x: 1.0 * g),
    "a reshape with its rows reversed": (
        lambda x: x.reshape(-1),
        lambda g, x: g.reshape(x.shape)[::-1],
    ),
    "a reshape that returns ones": (lambda x: x.reshape(-1), lambda g, x: np.ones(x.shape)),
    "centring whose backward is 0": (centred, lambda g, x: 0 * x),
    "a mean that ignores g": (np.mean, lambda g, x: np.full(x.shape, 1 / x.size)),
    "x * total(x) without its first term": (
        lambda x: x * x.sum(),
        lambda g, x: np.full(x.shape, np.sum(g * x)),
    ),
    "a sum whose gradient is one number": (np.sum, lambda g, x: np.asarray(g)),
    "a gradient of another shape": (np.tanh, lambda g, x: (g * (1 - np.tanh(x) ** 2)).sum(0)),
}


def verdict_of(forward, backward, x):
    """Return what mg.gradcheck says."""
    return mg.gradcheck(tensor_function(forward, backward), mg.tensor(x))


def accepts(answer, rng):
    """Show it right rules."""
    for name, (forward, backward) in RULES.items():
        for side in (2, 3):
            x = floats(rng, (side, side))
            found = answer.call("is_right", forward, backward, x)
            expect(
                isinstance(found, (bool, np.bool_)), f"it must return True or False, not {found!r}"
            )
            expect(found, f"a right rule is refused: {name}, at a point of shape {list(x.shape)}")


def refuses(answer, rng):
    """Show it wrong rules; for one that it accepts, say what gradcheck says."""
    for name, (forward, backward) in BROKEN.items():
        for side in (3, 2):
            x = floats(rng, (side, side))
            found = answer.call("is_right", forward, backward, x)
            if found:
                says = ""
                if "shape" not in name and "number" not in name:
                    says = f"\nmg.gradcheck says\n{verdict_of(forward, backward, x)}"
                expect(False, f"a wrong rule is accepted: {name}{says}")


CHECKS = (
    Property("is_right: accepts right rules", accepts, ("is_right",)),
    Property("is_right: refuses wrong rules", refuses, ("is_right",)),
)
WRONG = {
    "missing term": (
        (" * rng.choice([-1.0, 1.0], shape)", " * 0 + 1"),
        ("np.sum(g * forward(left))", "np.sum(forward(left))"),
    ),
    "typical mistake": (
        (
            "g = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)",
            "g = np.ones(shape)",
        ),
        (
            "g = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)",
            "g = np.full(shape, rng.uniform(0.5, 1.5))",
        ),
        ("1e-7 + 1e-5 * abs(slope)", "1.0"),
        ("abs(slope - found[place])", "abs(abs(slope) - abs(found[place]))"),
        (
            "    if np.shape(found) != x.shape:\n        return False\n",
            "    found = np.broadcast_to(found, x.shape)\n",
        ),
        (
            "            return False\n    return True",
            "            return False\n        return True",
        ),
    ),
}
