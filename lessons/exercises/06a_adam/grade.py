"""How 06a is graded: single steps at any t, then ten in a row against minigrad's Adam."""

import numpy as np

import minigrad as mg
from minigrad import optim
from minigrad.learn.exercises import Property, Values, expect_near, floats, shapes

HINTS = (
    "Which two means does Adam keep, and what is each a mean of? Section 5 of lesson 6 has both.",
    "Compute the new m and v first. Of what would m be a mean if g were the same in all t steps? "
    "By which factor is it too small?",
    "m_hat = m / (1 - beta1**t), v_hat likewise, and the step is rate * m_hat / (sqrt(v_hat) + "
    "eps). Return m and v, not m_hat and v_hat.",
)


def by_hand(p, g, m, v, t, rate, beta1, beta2, eps):
    """Return the same with the corrections moved into the rate and eps."""
    root = np.sqrt(1 - beta2**t)
    new_m, new_v = m + (1 - beta1) * (g - m), v + (1 - beta2) * (g * g - v)
    step = rate * root / (1 - beta1**t) * new_m / (np.sqrt(new_v) + eps * root)
    return p - step, new_m, new_v


def cases(rng):
    """Yield first steps and later ones, in many shapes, with an eps that can be felt."""
    for t in (1, 2, 7):
        for shape in shapes(rng):
            p, g, m, v = floats(rng, shape, shape, shape, shape)
            if t == 1:
                m, v = np.zeros(shape), np.zeros(shape)
            beta1, beta2 = rng.uniform(0.5, 0.95, 2)
            numbers = (float(x) for x in (rng.uniform(0.05, 0.5), beta1, beta2, 0.1))
            yield p, g, m, np.abs(v), t, *numbers


def ten_steps(answer, rng):
    """Compare ten steps in a row with minigrad's Adam at its usual numbers."""
    p, m, v = floats(rng, (3, 2)), np.zeros((3, 2)), np.zeros((3, 2))
    own = mg.tensor(p.copy(), requires_grad=True)
    adam = optim.Adam([own], lr=0.02)
    for t in range(1, 11):
        g = floats(rng, (3, 2))
        own.grad = mg.tensor(g)
        adam.step()
        p, m, v = answer.call("adam_step", p, g, m, v, t, 0.02, 0.9, 0.999, 1e-8)
        expect_near(p, own.detach().cpu().numpy(), f"p after step {t} of a run by minigrad's Adam")


CHECKS = (
    Values("adam_step", by_hand, cases, names=("the new p", "the new m", "the new v")),
    Property("adam_step: ten in a row, against optim.Adam", ten_steps, ("adam_step",)),
)
WRONG = {
    "missing term": (
        ("m_hat = m / (1 - beta1**t)", "m_hat = m"),
        ("v_hat = v / (1 - beta2**t)", "v_hat = v"),
        ("(1 - beta1) * g\n", "g\n"),
        (" + eps)", ")"),
    ),
    "typical mistake": (
        ("1 - beta1**t)", "1 - beta1 * t)"),
        ("(np.sqrt(v_hat) + eps)", "np.sqrt(v_hat + eps)"),
        ("m = beta1 * m + (1 - beta1) * g\n", "m = beta1 * g + (1 - beta1) * (g - m)\n"),
        ("(1 - beta2) * g**2", "(1 - beta2) * g"),
        ("+ eps), m, v", "+ eps), m_hat, v_hat"),
        ("p - rate", "p + rate"),
        ("(np.sqrt(v_hat) + eps)", "(v_hat + eps)"),
    ),
}
