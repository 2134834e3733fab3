"""Every optimiser gets to the bottom: of a bowl, and of Rosenbrock's curved valley."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg

STEPS = 400
WIDTHS = mg.tensor([1.0, 3.0, 10.0, 30.0], dtype=mg.float64)

# Options, and the factor by which the learning rate falls in a step.
BOWL: dict[str, tuple[dict[str, Any], float]] = {
    "GD": ({"lr": 0.05}, 1.0),
    "SGD": ({"lr": 0.03, "momentum": 0.8}, 1.0),
    "Adagrad": ({"lr": 0.5}, 1.0),
    "RMSprop": ({"lr": 0.02}, 1.0),
    "Adadelta": ({"lr": 10.0}, 1.0),
    "Adam": ({"lr": 0.1}, 1.0),
    "AdamW": ({"lr": 0.1, "weight_decay": 0.0}, 1.0),
    "NAdam": ({"lr": 0.1}, 1.0),
    "RAdam": ({"lr": 0.1}, 1.0),
    "Adamax": ({"lr": 0.2}, 1.0),
    "Lion": ({"lr": 0.1, "betas": (0.9, 0.9)}, 0.97),
}
VALLEY: dict[str, tuple[dict[str, Any], float]] = {
    "GD": ({"lr": 2e-3}, 1.0),
    "SGD": ({"lr": 1e-3, "momentum": 0.9}, 1.0),
    "Adagrad": ({"lr": 0.3}, 1.0),
    "RMSprop": ({"lr": 0.01}, 1.0),
    "Adadelta": ({"lr": 30.0}, 0.985),
    "Adam": ({"lr": 0.1}, 1.0),
    "AdamW": ({"lr": 0.1, "weight_decay": 0.0}, 1.0),
    "NAdam": ({"lr": 0.1}, 1.0),
    "RAdam": ({"lr": 0.003, "betas": (0.9, 0.99)}, 1.0),
    "Adamax": ({"lr": 0.2}, 1.0),
    "Lion": ({"lr": 0.02}, 1.0),
}


def bowl(w: Any) -> Any:
    return 0.5 * (WIDTHS * (w - 1).square()).sum()


def valley(w: Any) -> Any:
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def end(f: Any, start: list[float], name: str, options: dict[str, Any], gamma: float) -> float:
    w = mg.tensor(start, dtype=mg.float64, requires_grad=True)
    optimizer = getattr(mg.optim, name)([w], **options)
    schedule = mg.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    for _ in range(STEPS):
        optimizer.zero_grad()
        f(w).backward()
        optimizer.step()
        schedule.step()
    return f(w).item()


@pytest.mark.parametrize("name", BOWL)
def test_bowl(name: str) -> None:
    start = [-1.0, 2.0, 0.0, 3.0]
    assert bowl(mg.tensor(start, dtype=mg.float64)).item() > 60
    assert end(bowl, start, name, *BOWL[name]) < 1e-8


@pytest.mark.parametrize("name", VALLEY)
def test_valley(name: str) -> None:
    start = [0.0, 0.5]
    assert valley(mg.tensor(start)).item() == 26
    assert end(valley, start, name, *VALLEY[name]) < 0.45


@pytest.mark.parametrize("f", [bowl, valley])
@pytest.mark.parametrize("search", ["strong_wolfe", None])
def test_lbfgs(f: Any, search: str | None) -> None:
    start = [-1.0, 2.0, 0.0, 3.0] if f is bowl else [-1.0, 1.5]
    w = mg.tensor(start, dtype=mg.float64, requires_grad=True)
    optimizer = mg.optim.LBFGS([w], max_iter=80, line_search_fn=search)
    calls = 0

    def closure() -> Any:
        nonlocal calls
        calls += 1
        optimizer.zero_grad()
        loss = f(w)
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == f(mg.tensor(start, dtype=mg.float64)).item()
    assert f(w).item() < 1e-8
    assert calls == optimizer.state[w]["func_evals"] <= 100
    before = calls
    optimizer.step(closure)  # at the bottom there is little to do
    assert calls - before <= 3


def test_gd_and_sgd_make_the_same_steps() -> None:
    options = {"lr": 0.05, "weight_decay": 0.1}
    start = [-1.0, 2.0, 0.0, 3.0]
    assert end(bowl, start, "GD", options, 1.0) == end(bowl, start, "SGD", options, 1.0)


@pytest.mark.parametrize("decoupled", [True, False])
@pytest.mark.parametrize("maximize", [False, True])
def test_lion_is_the_papers_formula(decoupled: bool, maximize: bool) -> None:
    """Chen et al. 2023, algorithm 2, in plain NumPy (torch has no Lion)."""
    rng = np.random.default_rng(0)
    theta, m = rng.standard_normal(50), np.zeros(50)
    w = mg.tensor(theta, requires_grad=True)
    lr, beta1, beta2, decay = 0.01, 0.8, 0.95, 0.3
    optimizer = mg.optim.Lion(
        [w], lr, (beta1, beta2), decay, decoupled_weight_decay=decoupled, maximize=maximize
    )
    for _ in range(200):
        g = rng.standard_normal(50) * 10 ** rng.uniform(-2, 1)
        w.grad = mg.tensor(g)
        optimizer.step()
        g = -g if maximize else g
        if not decoupled:
            g = g + decay * theta
        update = np.sign(beta1 * m + (1 - beta1) * g) + (decay * theta if decoupled else 0)
        theta, m = theta - lr * update, beta2 * m + (1 - beta2) * g
    np.testing.assert_allclose(w.detach().numpy(), theta, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(optimizer.state[w]["exp_avg"].numpy(), m, rtol=1e-12, atol=1e-14)


def test_centred_rmsprop_with_gradients_that_do_not_change() -> None:
    """v - m * m is rounding then, and often below 0: its root must not be NaN."""
    g = np.random.default_rng(0).standard_normal(500).astype("float32")
    w = mg.zeros(500, requires_grad=True)
    optimizer = mg.optim.RMSprop([w], centered=True, alpha=0.5, eps=1e-3)
    for _ in range(60):
        w.grad = mg.tensor(g)
        optimizer.step()
    state = optimizer.state[w]
    v, m = state["square_avg"].numpy(), state["grad_avg"].numpy()
    assert ((v - m * m) < 0).sum() > 20
    assert np.isfinite(w.detach().numpy()).all()
