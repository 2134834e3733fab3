"""The same numbers as torch, step by step, under every option."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_device

torch = pytest.importorskip("torch", reason="torch is not installed")

SHAPES = [(5, 4), (5,), (300, 200), (300,), (), (2, 3, 2)]  # (300, 200) gets chunks of its own
STEPS = 200

OPTIONS = [
    ("SGD", {}),
    ("SGD", {"weight_decay": 0.1}),
    ("SGD", {"maximize": True}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"momentum": 0.8, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"betas": (0.7, 0.8), "eps": 1e-3}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"maximize": True}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "maximize": True, "eps": 1e-4}),
]
IDS = [f"{name}-{'-'.join(options) or 'defaults'}" for name, options in OPTIONS]


def starts(dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    arrays = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    return [np.array(a, order="F") for a in arrays]


def tensor(array: np.ndarray) -> Any:
    return torch.tensor(np.array(array, order="C"))


def ours(arrays: list[np.ndarray]) -> list[Any]:
    return [mg.nn.Parameter(a) for a in arrays]


def theirs(arrays: list[np.ndarray]) -> list[Any]:
    return [torch.nn.Parameter(tensor(a)) for a in arrays]


def gradients(dtype: str, count: int = STEPS, seed: int = 2) -> Any:
    """Gradients of changing size and memory order, sparse in time for one parameter."""
    rng = np.random.default_rng(seed)
    for step in range(count):
        grads = []
        for i, shape in enumerate(SHAPES):
            g = np.asarray(rng.standard_normal(shape) * 10 ** rng.uniform(-2, 1), dtype)
            if i == 3 and step % 3:
                grads.append(None)
            else:
                grads.append(np.array(g, order="F" if step % 2 else "C"))
        yield grads


def give(params: list[Any], grads: list[np.ndarray | None], make: Any) -> None:
    for p, g in zip(params, grads, strict=True):
        p.grad = None if g is None else make(g)


def distance(mine: list[Any], other: list[Any]) -> float:
    """Return the largest difference, relative to the largest value of its tensor."""
    pairs = [
        (a.detach().cpu().numpy(), b.detach().numpy()) for a, b in zip(mine, other, strict=True)
    ]
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-4)])
def test_trajectory(name: str, options: dict[str, Any], dtype: str, tolerance: float) -> None:
    mine, other = ours(starts(dtype)), theirs(starts(dtype))
    a = getattr(mg.optim, name)(mine, lr=0.01, **options)
    b = getattr(torch.optim, name)(other, lr=0.01, **options)
    worst = 0.0
    for grads in gradients(dtype):
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
        worst = max(worst, distance(mine, other))
    assert worst < tolerance
    moved = [np.abs(p.detach().numpy() - s).max() for p, s in zip(mine, starts(dtype), strict=True)]
    assert min(moved) > 0.01


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_state_has_torch_layout_and_values(name: str, options: dict[str, Any]) -> None:
    mine, other = ours(starts("float64")), theirs(starts("float64"))
    a = getattr(mg.optim, name)(mine, lr=0.01, **options)
    b = getattr(torch.optim, name)(other, lr=0.01, **options)
    for grads in gradients("float64", 5):
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    saved, wanted = a.state_dict(), b.state_dict()
    assert list(saved) == list(wanted)
    assert saved["state"].keys() == wanted["state"].keys()
    for number, entry in wanted["state"].items():
        assert list(saved["state"][number]) == list(entry)
        for key, value in entry.items():
            got = saved["state"][number][key]
            assert got.shape == tuple(value.shape)
            assert str(value.dtype) == f"torch.{got.dtype}"
            np.testing.assert_allclose(got.numpy(), value.numpy(), rtol=1e-12, atol=1e-14)
    for got, want in zip(saved["param_groups"], wanted["param_groups"], strict=True):
        assert {k: want[k] for k in got} == got


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_goes_on_from_torch_state(name: str, options: dict[str, Any]) -> None:
    other = theirs(starts("float64"))
    b = getattr(torch.optim, name)(other, lr=0.02, **options)
    for grads in gradients("float64", 20):
        give(other, grads, tensor)
        b.step()
    mine = ours([p.detach().numpy() for p in other])
    a = getattr(mg.optim, name)(mine)
    saved = b.state_dict()
    saved["state"] = {
        number: {k: None if v is None else v.numpy() for k, v in entry.items()}
        for number, entry in saved["state"].items()
    }
    a.load_state_dict(saved)
    for grads in gradients("float64", 20, seed=3):
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other) < 1e-12


def test_groups_with_their_own_options() -> None:
    mine, other = ours(starts("float64")), theirs(starts("float64"))

    def groups(params: list[Any]) -> list[dict[str, Any]]:
        return [
            {"params": params[:2], "lr": 0.1},
            {"params": params[2:5], "momentum": 0.0, "weight_decay": 0.2},
            {"params": params[5]},
        ]

    a = mg.optim.SGD(groups(mine), lr=0.01, momentum=0.9)
    b = torch.optim.SGD(groups(other), lr=0.01, momentum=0.9)
    for step, grads in enumerate(gradients("float64", 60)):
        if step == 20:  # as schedules do
            a.param_groups[0]["lr"] = b.param_groups[0]["lr"] = 0.03
        if step == 30:  # momentum switched on late starts from the gradient of then
            a.param_groups[1]["momentum"] = b.param_groups[1]["momentum"] = 0.5
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other) < 1e-12


def test_amsgrad_switched_on_late() -> None:
    mine, other = ours(starts("float64")), theirs(starts("float64"))
    a, b = mg.optim.Adam(mine), torch.optim.Adam(other, amsgrad=True)
    a.param_groups[0]["amsgrad"] = True
    for grads in gradients("float64", 10):
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other) < 1e-12


def test_on_every_device(backend: str) -> None:
    other = theirs(starts("float64"))
    mine = [mg.nn.Parameter(mg.tensor(a, device=backend)) for a in starts("float64")]
    a = mg.optim.Adam(mine, lr=0.01, weight_decay=0.1, amsgrad=True)
    b = torch.optim.Adam(other, lr=0.01, weight_decay=0.1, amsgrad=True)
    for grads in gradients("float64", 10):
        give(mine, grads, lambda g: mg.tensor(to_device(g, backend)))
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other) < 1e-12
