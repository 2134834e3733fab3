"""How 06b is graded: against minigrad's AdamW, on valleys of several shapes."""

import numpy as np

import minigrad as mg
from minigrad import optim
from minigrad.learn.exercises import Values, floats

HINTS = (
    "Print the array `start` before and after. Print m and v after a step: what is odd?",
    "Two names can stand for one array; `x.copy()` makes another. And the corrections: what is "
    "1 - beta * t at the second step?",
    "In AdamW the gradient has no decay in it. p is multiplied by 1 - rate * decay, before the "
    "step.",
)


class Valley:
    """The gradient of half of the sum of curvature * p^2."""

    def __init__(self, curvatures):
        self.curvatures = curvatures

    def __call__(self, p):
        """Return it."""
        return self.curvatures * p


def by_minigrad(gradient, start, steps, rate, decay, beta1=0.9, beta2=0.999, eps=1e-8):
    """Return the same path by minigrad's optimiser."""
    p = mg.tensor(start.copy(), requires_grad=True)
    adamw = optim.AdamW([p], lr=rate, betas=(beta1, beta2), eps=eps, weight_decay=decay)
    path = [start.copy()]
    for _ in range(steps):
        p.grad = mg.tensor(gradient(path[-1]))
        adamw.step()
        path.append(p.detach().cpu().numpy().copy())
    return np.array(path)


def cases(rng):
    """Yield ways of no step, of one, and of many; with the usual betas and with others."""
    for shape, steps in (((2,), 1), ((3,), 20), ((2, 2), 7), ((1,), 0), ((), 5)):
        rate, decay = (float(x) for x in rng.uniform(0.05, 0.3, 2))
        valley = Valley(np.asarray(rng.uniform(0.5, 25, shape)))
        yield valley, floats(rng, shape), steps, rate, decay
    yield Valley(np.array([1.0, 40.0])), floats(rng, (2,)), 8, 0.1, 0.2, 0.5, 0.9, 0.05


CHECKS = (Values("descend", by_minigrad, cases),)
WRONG = {
    "missing term": (
        ("        p *= 1 - rate * decay\n", ""),
        ("m_hat = m / (1 - beta1**t)", "m_hat = m"),
        ("v_hat = v / (1 - beta2**t)", "v_hat = v"),
    ),
    "typical mistake": (
        ("p = start.copy()", "p = start"),
        ("m, v = np.zeros_like(start), np.zeros_like(start)", "m = v = np.zeros_like(start)"),
        ("g = gradient(p)\n", "g = gradient(p) + decay * p\n"),
        ("1 - beta1**t)", "1 - beta1 * t)"),
        ("1 - beta2**t)", "1 - beta2 * t)"),
        ("path.append(p.copy())", "path.append(p)"),
        ("p *= 1 - rate * decay", "p *= 1 - decay"),
        ("range(1, steps + 1)", "range(1, steps)"),
    ),
}
