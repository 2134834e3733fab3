"""L1 and L2: as penalty in the loss, coupled to the gradient, decoupled from it, per group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg

WITH_DECAY = ["GD", "SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "NAdam", "RAdam", "Adamax",
              "Lion"]  # fmt: skip
LR = 0.05


def problem(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((30, 8)), rng.standard_normal(30)


def loss(w: Any) -> Any:
    x, y = problem()
    return (mg.tensor(x) @ w - mg.tensor(y)).square().mean()


def start() -> Any:
    return mg.tensor(np.random.default_rng(1).standard_normal(8), requires_grad=True)


def train(name: str, steps: int, penalty: Any = None, **options: Any) -> np.ndarray:
    """Return the weights after some steps; a penalty is added to the loss."""
    w = start()
    optimizer = getattr(mg.optim, name)([w], lr=LR, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        total = loss(w) if penalty is None else loss(w) + penalty(w)
        total.backward()
        optimizer.step()
    return w.detach().numpy().copy()


@pytest.mark.parametrize("name", WITH_DECAY)
def test_coupled_decay_is_the_penalty_in_the_loss(name: str) -> None:
    """weight_decay and the penalty with the same factor make the same steps, for everyone."""
    coupled = {"decoupled_weight_decay": False}
    for options, penalty in (
        ({"weight_decay": 0.3}, lambda w: mg.optim.l2_penalty(w, 0.3)),
        ({"l1_decay": 0.2}, lambda w: mg.optim.l1_penalty(w, 0.2)),
        (
            {"weight_decay": 0.3, "l1_decay": 0.2},
            lambda w: mg.optim.l1_penalty(w, 0.2) + mg.optim.l2_penalty(w, 0.3),
        ),
    ):
        with_decay = train(name, 40, **options, **coupled)
        np.testing.assert_allclose(with_decay, train(name, 40, penalty, **coupled), rtol=1e-9)
        assert np.abs(with_decay - train(name, 40, **coupled)).max() > 1e-5


@pytest.mark.parametrize("name", ["GD", "SGD"])
def test_without_momentum_coupled_and_decoupled_l2_are_the_same(name: str) -> None:
    coupled = train(name, 40, weight_decay=0.3)
    np.testing.assert_allclose(
        coupled, train(name, 40, weight_decay=0.3, decoupled_weight_decay=True), rtol=1e-12
    )


@pytest.mark.parametrize("name", ["Adam", "RMSprop", "NAdam", "RAdam", "Adamax", "Adagrad"])
def test_divided_by_the_gradients_size_they_differ(name: str) -> None:
    """F24: AdamW is not Adam with an L2 term."""
    coupled = train(name, 100, weight_decay=0.3)
    decoupled = train(name, 100, weight_decay=0.3, decoupled_weight_decay=True)
    assert np.abs(coupled - decoupled).max() > 0.01


def test_adamw_is_adam_decoupled() -> None:
    adamw = train("AdamW", 30, weight_decay=0.3)
    adam = train("Adam", 30, weight_decay=0.3, decoupled_weight_decay=True)
    assert np.array_equal(adamw, adam)
    assert np.array_equal(train("AdamW", 30), train("AdamW", 30, weight_decay=0.01))


@pytest.mark.parametrize("name", WITH_DECAY)
def test_decoupled_decay_by_its_formula(name: str) -> None:
    """One step: shrink, update by the same gradient, soft threshold."""
    g = np.random.default_rng(2).standard_normal(8)

    def step(p: np.ndarray, **options: float) -> np.ndarray:
        w = mg.tensor(p, requires_grad=True)
        w.grad = mg.tensor(g)
        optimizer = getattr(mg.optim, name)(
            [w], lr=LR, decoupled_weight_decay=True, **{"weight_decay": 0.0} | options
        )
        optimizer.step()
        return w.detach().numpy()

    p = start().detach().numpy()
    update = step(p) - p
    want = (1 - LR * 0.3) * p + update
    np.testing.assert_allclose(step(p, weight_decay=0.3), want, rtol=1e-12, atol=1e-14)
    want = np.sign(want) * np.maximum(np.abs(want) - LR * 12.0, 0)
    got = step(p, weight_decay=0.3, l1_decay=12.0)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
    assert (want == 0).any()
    assert (want != 0).any()


def test_decoupled_l1_makes_zeros_and_solves_the_lasso() -> None:
    """With plain descent it is ISTA: the result is the minimum of loss + b ||w||_1."""
    b = 0.25
    w = train("GD", 3000, l1_decay=b, decoupled_weight_decay=True)
    x, y = problem()
    gradient = 2 * x.T @ (x @ w - y) / len(y)
    zero = w == 0
    assert 2 <= zero.sum() <= 6
    assert (np.abs(gradient[zero]) <= b).all()  # the subgradient of 0 holds them there
    np.testing.assert_allclose(gradient[~zero], -b * np.sign(w[~zero]), atol=1e-10)
    assert not (train("GD", 300, l1_decay=b) == 0).any()  # steps of sign(w) jump to and fro
    assert not (train("GD", 300, weight_decay=b) == 0).any()  # L2 shrinks, and zeroes nothing


def test_l2_shrinks_in_proportion_and_l1_by_an_amount() -> None:
    """F24: without a gradient, L2 takes the same part of each, L1 the same amount, down to 0."""
    for option, want in (
        ("weight_decay", [4 * 0.9, -0.1 * 0.9, 0.0]),
        ("l1_decay", [4 - 0.1, 0.0, 0.0]),
    ):
        w = mg.tensor([4.0, -0.1, 0.0], dtype=mg.float64, requires_grad=True)
        w.grad = mg.zeros(3, dtype=mg.float64)
        mg.optim.SGD([w], lr=0.05, decoupled_weight_decay=True, **{option: 2.0}).step()
        np.testing.assert_allclose(w.detach().numpy(), want, atol=1e-15)


def test_each_group_has_its_own() -> None:
    ps = [mg.tensor([1.0, -2.0], dtype=mg.float64, requires_grad=True) for _ in range(4)]
    for p in ps:
        p.grad = mg.tensor([0.5, 0.5], dtype=mg.float64)
    optimizer = mg.optim.SGD(
        [
            {"params": ps[0]},
            {"params": ps[1], "weight_decay": 0.5},
            {"params": ps[2], "l1_decay": 0.5},
            {"params": ps[3], "l1_decay": 15.0, "decoupled_weight_decay": True, "lr": 0.1},
        ],
        lr=1.0,
    )
    optimizer.step()
    got = [p.tolist() for p in ps]
    assert got == [[0.5, -2.5], [0.0, -1.5], [0.0, -2.0], [0.0, pytest.approx(-0.55)]]


def test_maximising_climbs_the_gradient_and_still_decays() -> None:
    w = mg.tensor([1.0, -2.0], dtype=mg.float64, requires_grad=True)
    w.grad = mg.zeros(2, dtype=mg.float64)
    mg.optim.SGD([w], lr=0.1, weight_decay=1.0, l1_decay=1.0, maximize=True).step()
    np.testing.assert_allclose(w.detach().numpy(), [0.8, -1.7])


def test_decay_is_the_same_on_every_device(backend: str) -> None:
    ends = []
    for device in ("cpu", backend):
        for decoupled in (False, True):
            w = mg.tensor(np.linspace(-1, 1, 9), device=device, requires_grad=True)
            w.grad = mg.tensor(np.linspace(1, 0, 9), device=device)
            options = {"weight_decay": 0.5, "l1_decay": 1.0, "decoupled_weight_decay": decoupled}
            mg.optim.SGD([w], lr=0.1, **options).step()
            ends.append(w.detach().cpu().numpy())
    np.testing.assert_allclose(ends[:2], ends[2:], rtol=1e-12)


def test_penalties_are_differentiable_twice_and_of_many_tensors() -> None:
    w, v = start(), mg.tensor([[1.0, -3.0]], dtype=mg.float64, requires_grad=True)
    both = [w, v]
    want = sum(np.abs(p.detach().numpy()).sum() for p in both)
    assert mg.optim.l1_penalty(iter(both), 0.5).item() == pytest.approx(0.5 * want)
    want = sum((p.detach().numpy() ** 2).sum() for p in both)
    assert mg.optim.l2_penalty(both, 0.5).item() == pytest.approx(0.25 * want)
    hessian = mg.hessian(lambda x: mg.optim.l2_penalty(x, 0.5))(v)
    np.testing.assert_allclose(hessian.numpy().reshape(2, 2), 0.5 * np.eye(2))
    for penalty in (mg.optim.l1_penalty, mg.optim.l2_penalty):
        with pytest.raises(ValueError, match="got no parameters"):
            penalty([], 0.1)


@pytest.mark.parametrize("option", ["weight_decay", "l1_decay"])
def test_negative_decay_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"Adam: {option} must be a number >= 0, not -0.1"):
        mg.optim.Adam([start()], **{option: -0.1})


def test_adamw_stays_decoupled() -> None:
    with pytest.raises(ValueError, match=r"AdamW: decoupled_weight_decay .* use Adam"):
        mg.optim.AdamW([{"params": [start()], "decoupled_weight_decay": False}])


def test_gd_has_no_momentum() -> None:
    with pytest.raises(ValueError, match=r"GD has no momentum, and momentum is 0\.9; use SGD"):
        mg.optim.GD([{"params": [start()], "momentum": 0.9}])
    optimizer = mg.optim.GD([start()])
    mg.optim.SGD([start()]).load_state_dict(optimizer.state_dict())
