"""LBFGS's own: closures, state over changes of dtype, what it refuses (numbers: against torch)."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.optim.line_search import Point, lowest, strong_wolfe


def setup(dtype: Any = mg.float64, **options: Any) -> tuple[Any, Any, Any]:
    """Return a network, LBFGS over it, and the closure of a regression."""
    mg.manual_seed(1)
    net = mg.nn.Sequential(mg.nn.Linear(3, 5), mg.nn.Tanh(), mg.nn.Linear(5, 1)).to(dtype)
    optimizer = mg.optim.LBFGS(net.parameters(), **options)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))

    def closure() -> Any:
        optimizer.zero_grad()
        kind = net[0].weight.dtype
        loss = (net(mg.tensor(x, dtype=kind)) - mg.tensor(y, dtype=kind)).square().mean()
        loss.backward()
        return loss

    return net, optimizer, closure


def test_resumed_training_has_the_same_bits() -> None:
    options = {"line_search_fn": "strong_wolfe", "max_iter": 5, "history_size": 3}
    net, optimizer, closure = setup(**options)
    for _ in range(3):
        optimizer.step(closure)
    weights, state = copy.deepcopy((net.state_dict(), optimizer.state_dict()))
    assert len(state["state"][0]["old_dirs"]) == 3
    again, other, other_closure = setup()
    again.load_state_dict(weights)
    other.load_state_dict(state)
    for _ in range(3):
        assert optimizer.step(closure).item() == other.step(other_closure).item()
    for p, q in zip(net.parameters(), again.parameters(), strict=True):
        assert np.array_equal(p.detach().numpy(), q.detach().numpy())


def test_memory_follows_the_parameters_to_another_dtype() -> None:
    net, optimizer, closure = setup(mg.float32, max_iter=4)
    optimizer.step(closure)
    before = optimizer.state_dict()["state"][0]["d"].numpy().copy()
    net.double()
    entry = optimizer.state_dict()["state"][0]
    assert entry["d"].dtype == mg.float64
    assert np.array_equal(entry["d"].numpy(), before)
    assert {a.dtype for a in entry["old_dirs"]} == {mg.float64}
    first = optimizer.step(closure).item()
    assert closure().item() < first


def test_parameters_without_a_gradient_stay() -> None:
    used = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    unused = mg.tensor([3.0], dtype=mg.float64, requires_grad=True)
    optimizer = mg.optim.LBFGS([used, unused], line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimizer.zero_grad()
        loss = used.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert np.abs(used.detach().numpy()).max() < 1e-6
    assert unused.tolist() == [3.0]


def test_on_every_device(backend: str) -> None:
    ends = []
    for device in ("cpu", backend):
        w = mg.tensor([-1.0, 1.5], dtype=mg.float64, device=device, requires_grad=True)
        optimizer = mg.optim.LBFGS([w], max_iter=8, line_search_fn="strong_wolfe")

        def closure(w: Any = w, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = (1 - w[0]) ** 2 + 10 * (w[1] - w[0] ** 2) ** 2
            loss.backward()
            return loss

        optimizer.step(closure)
        ends.append(w.detach().cpu().numpy())
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-9)


def test_a_loss_that_is_not_finite_far_out_is_too_high() -> None:
    """-log(w) + w from far right: the first step of the search is over the edge at 0."""
    w = mg.tensor([3.0], dtype=mg.float64, requires_grad=True)
    optimizer = mg.optim.LBFGS([w], lr=50.0, line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (w - w.log()).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert w.item() == pytest.approx(1.0, abs=1e-5)


def line(f: Any, slope: Any) -> Any:
    def evaluate(t: float) -> Point:
        return Point(t, f(t), None, slope(t))

    return evaluate


@pytest.mark.parametrize("first", [1e-4, 0.1, 1.0, 30.0])
def test_strong_wolfe_conditions_hold(first: float) -> None:
    evaluate = line(lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2)
    start = evaluate(0.0)
    found, evaluations = strong_wolfe(evaluate, start, first, 1.0, c1=1e-3, c2=0.1)
    assert found.loss <= start.loss + 1e-3 * found.t * start.slope
    assert abs(found.slope) <= 0.1 * abs(start.slope)
    assert evaluations <= 15


def test_a_search_without_an_end_gives_what_it_has() -> None:
    evaluate = line(lambda t: -t, lambda t: -1.0)
    found, evaluations = strong_wolfe(evaluate, evaluate(0.0), 1.0, 1.0, most=5)
    assert evaluations == 6
    assert found.t > 1


def test_the_cubic_is_lowest_where_it_is() -> None:
    f, slope = (lambda t: t**3 - 3 * t), (lambda t: 3 * t**2 - 3)
    a, b = (Point(t, f(t), None, slope(t)) for t in (0.3, 2.0))
    assert lowest(a, b, 0.3, 2.0) == pytest.approx(1.0)
    assert lowest(b, a, 0.3, 2.0) == pytest.approx(1.0)
    assert lowest(a, b, 1.2, 2.0) == 1.2
    assert lowest(Point(0, 0, None, 1), Point(1, 1, None, 1), 0, 1) == 0.5  # no lowest point
    assert lowest(a, Point(2.0, math.inf, None, math.nan), 0.0, 2.0) == 1.0


def test_a_step_needs_a_closure() -> None:
    _, optimizer, _ = setup()
    with pytest.raises(TypeError, match=r"step\(closure\), where closure\(\)"):
        optimizer.step()


def leaf(dtype: Any = mg.float64) -> Any:
    return mg.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: mg.optim.LBFGS([leaf(), leaf(mg.float32)]), "of one dtype on one device, not"),
        (
            lambda: mg.optim.LBFGS([{"params": [leaf()]}, {"params": [leaf()]}]),
            "one group of parameters",
        ),
        (lambda: mg.optim.LBFGS([leaf()], max_iter=0), "max_iter must be a whole number >= 1"),
        (lambda: mg.optim.LBFGS([leaf()], history_size=2.5), "history_size must be"),
        (lambda: mg.optim.LBFGS([leaf()], tolerance_grad=-1), "tolerance_grad must be a number"),
        (lambda: mg.optim.LBFGS([leaf()], line_search_fn="armijo"), "not 'armijo'"),
    ],
)
def test_wrong_options(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda e: e.pop("d"), ValueError, "lacks 'd': it is not of LBFGS"),
        (lambda e: e.update(exp_avg=1), ValueError, "has 'exp_avg'"),
        (lambda e: e.update(d=mg.zeros(3)), ValueError, r"d is float32\[3\]; .* have 26 elements"),
        (lambda e: e.update(d=[1.0]), TypeError, "d must be a floating Tensor or array, not list"),
        (lambda e: e["ro"].pop(), ValueError, "have not the same length"),
    ],
)
def test_states_that_do_not_fit_change_nothing(change: Any, error: type, text: str) -> None:
    _, optimizer, closure = setup()
    optimizer.step(closure)
    state = copy.deepcopy(optimizer.state_dict())
    before = optimizer.state_dict()["state"][0]["d"].numpy().copy()
    change(state["state"][0])
    state["param_groups"][0]["lr"] = 0.5
    with pytest.raises(error, match=text):
        optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 1.0
    assert np.array_equal(optimizer.state_dict()["state"][0]["d"].numpy(), before)


def test_a_state_with_entries_for_other_parameters_is_refused() -> None:
    _, optimizer, closure = setup()
    optimizer.step(closure)
    state = optimizer.state_dict()
    state["state"][2] = state["state"][0]
    with pytest.raises(ValueError, match="an entry for parameter 2"):
        optimizer.load_state_dict(state)
