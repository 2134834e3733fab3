"""The same numbers as torch, step by step, under every option."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from support.parity_optimizers import (
    LBFGS_ROWS,
    LIMITS,
    ROWS,
    deviation,
    distance,
    give,
    gradients,
    lbfgs,
    network,
    ours,
    pair,
    starts,
    tensor,
    text,
    theirs,
)

import minigrad as mg
from minigrad.backend import to_device

torch = pytest.importorskip("torch", reason="torch is not installed")

IDS = [f"{name}-{'-'.join(options) or 'defaults'}-{i}" for i, (name, options) in enumerate(ROWS)]
each_row = pytest.mark.parametrize(("name", "options"), ROWS, ids=IDS)
NOT_OPTIONS = ("foreach", "fused", "capturable", "differentiable")  # how torch computes


def arrays(saved: dict[str, Any]) -> dict[str, Any]:
    """Return torch's state with arrays for tensors, as it is loaded here."""

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return [convert(v) for v in value]
        return value.numpy() if isinstance(value, torch.Tensor) else value

    state = {n: {k: convert(v) for k, v in entry.items()} for n, entry in saved["state"].items()}
    return saved | {"state": state}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", LIMITS)
@each_row
def test_trajectory(name: str, options: dict[str, Any], dtype: str) -> None:
    assert 0 < deviation(name, options, dtype) < (LIMITS[dtype] if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("options", [o for _, o in LBFGS_ROWS], ids=text)
def test_lbfgs_trajectory(options: dict[str, Any], dtype: str) -> None:
    assert 0 < deviation("LBFGS", options, dtype) < LIMITS[dtype]


@pytest.mark.parametrize("name", sorted({name for name, _ in ROWS + LBFGS_ROWS}))
def test_torch_options_in_torch_order_with_torch_defaults(name: str) -> None:
    ours_, wanted = (inspect.signature(getattr(lib.optim, name)).parameters for lib in (mg, torch))
    kept = {k: p for k, p in wanted.items() if k not in NOT_OPTIONS}
    positional = [k for k, p in kept.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [k for k, p in ours_.items() if p.kind is p.POSITIONAL_OR_KEYWORD] == positional
    assert {k: ours_[k].default for k in kept} == {k: p.default for k, p in kept.items()}
    assert set(ours_) - set(kept) <= {"l1_decay", "decoupled_weight_decay"}


@each_row
def test_state_has_torch_layout_and_values(name: str, options: dict[str, Any]) -> None:
    a, b, mine, other = pair(name, options, "float64")
    for grads in gradients("float64")[:5]:
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    saved, wanted = a.state_dict(), b.state_dict()
    assert list(saved) == list(wanted)
    assert saved["state"].keys() == wanted["state"].keys()
    for number, entry in wanted["state"].items():
        entry = {k: v for k, v in entry.items() if v is not None}
        assert list(saved["state"][number]) == list(entry)
        for key, value in entry.items():
            got = saved["state"][number][key]
            assert got.shape == tuple(value.shape)
            assert str(value.dtype) == f"torch.{got.dtype}"
            np.testing.assert_allclose(got.numpy(), value.numpy(), rtol=1e-12, atol=1e-14)
    for got, want in zip(saved["param_groups"], wanted["param_groups"], strict=True):
        ours_alone = {"l1_decay", "decoupled_weight_decay"} - set(want)
        assert {k: want[k] for k in got if k not in ours_alone} == {
            k: v for k, v in got.items() if k not in ours_alone
        }


@each_row
def test_goes_on_from_torch_state(name: str, options: dict[str, Any]) -> None:
    _, b, _, other = pair(name, options, "float64")
    for grads in gradients("float64")[:20]:
        give(other, grads, tensor)
        b.step()
    first = [p.detach().numpy().copy() for p in other]
    mine = ours(first)
    a = getattr(mg.optim, name)(mine)
    a.load_state_dict(arrays(b.state_dict()))
    for grads in gradients("float64")[20:40]:
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other, first) < 1e-12


def to_torch(value: Any) -> Any:
    """Return our state with torch's tensors, as it is loaded there."""
    if isinstance(value, dict):
        return {k: to_torch(v) for k, v in value.items()}
    if isinstance(value, list):
        return [to_torch(v) for v in value]
    return tensor(value.numpy()) if isinstance(value, mg.Tensor) else value


@pytest.mark.parametrize("name", sorted({name for name, _ in ROWS}))
def test_torch_goes_on_from_our_state(name: str) -> None:
    a, _, mine, _ = pair(name, {}, "float64")
    for grads in gradients("float64")[:20]:
        give(mine, grads, mg.tensor)
        a.step()
    first = [p.detach().numpy().copy() for p in mine]
    other = theirs(first)
    b = getattr(torch.optim, name)(other)
    b.load_state_dict(to_torch(a.state_dict()))
    for grads in gradients("float64")[20:40]:
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other, first) < 1e-12


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_lbfgs_goes_on_from_torch_state_and_back(steps: int) -> None:
    options = {"line_search_fn": "strong_wolfe", "max_iter": 4}
    first = [np.array(a, order="F") for a in network("float64")]
    (b, theirs_), (a, ours_), (c, back) = (
        lbfgs(torch, theirs(first), options, tensor),
        lbfgs(mg, ours(first), {}, mg.tensor),
        lbfgs(torch, theirs(first), {}, tensor),
    )
    for _ in range(steps):
        b.step(b.closure)
    with torch.no_grad(), mg.no_grad():
        for p, q, r in zip(theirs_, ours_, back, strict=True):
            q[...] = mg.tensor(p.detach().numpy())
            r.copy_(p)
    a.load_state_dict(arrays(b.state_dict()))
    c.load_state_dict(to_torch(a.state_dict()))
    for _ in range(3):
        losses = [o.step(o.closure).item() for o in (a, b, c)]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-12)
    assert distance(ours_, theirs_, first) < 1e-10
    assert distance(ours_, back, first) < 1e-10


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
    for step, grads in enumerate(gradients("float64")[:60]):
        if step == 20:  # as schedules do
            a.param_groups[0]["lr"] = b.param_groups[0]["lr"] = 0.03
        if step == 30:  # momentum switched on late starts from the gradient of then
            a.param_groups[1]["momentum"] = b.param_groups[1]["momentum"] = 0.5
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other, starts("float64")) < 1e-12


def test_amsgrad_switched_on_late() -> None:
    mine, other = ours(starts("float64")), theirs(starts("float64"))
    a, b = mg.optim.Adam(mine), torch.optim.Adam(other, amsgrad=True)
    a.param_groups[0]["amsgrad"] = True
    for grads in gradients("float64")[:10]:
        give(mine, grads, mg.tensor)
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other, starts("float64")) < 1e-12


def test_on_every_device(backend: str) -> None:
    other = theirs(starts("float64"))
    mine = [mg.nn.Parameter(mg.tensor(a, device=backend)) for a in starts("float64")]
    a = mg.optim.Adam(mine, lr=0.01, weight_decay=0.1, amsgrad=True)
    b = torch.optim.Adam(other, lr=0.01, weight_decay=0.1, amsgrad=True)
    for grads in gradients("float64")[:10]:
        give(mine, grads, lambda g: mg.tensor(to_device(g, backend)))
        give(other, grads, tensor)
        a.step()
        b.step()
    assert distance(mine, other, starts("float64")) < 1e-12
