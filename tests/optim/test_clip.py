"""Clipping gradients: torch's numbers, extreme values, nothing that is not asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)

SHAPES = [(4, 3), (3,), (), (2, 3, 2), (0, 5)]
NORMS = [1.0, 2.0, 3.5, math.inf]


def arrays(dtype: str = "float64", scale: float = 1.0) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = [np.asarray(scale * rng.standard_normal(s), dtype) for s in SHAPES]
    return [np.array(a, order="F") for a in made[:1]] + made[1:]


def params(grads: list[np.ndarray], device: str = "cpu") -> list[Any]:
    """Return parameters with these gradients, and one without any."""
    made = [mg.nn.Parameter(mg.tensor(np.zeros_like(g), device=device)) for g in grads]
    for p, g in zip(made, grads, strict=True):
        p.grad = mg.tensor(g, device=device)
    return [*made, mg.nn.Parameter(mg.zeros(2))]


def grads(ps: list[Any]) -> list[np.ndarray]:
    return [p.grad.cpu().numpy() for p in ps if p.grad is not None]


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("largest", [0.5, 1e4, 0.0])
def test_norm_as_torch(p: float, dtype: str, largest: float) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    given = [g for g in arrays(dtype) if g.size or not math.isinf(p)]
    mine = params(given)
    other = [torch.nn.Parameter(torch.zeros(g.shape, dtype=getattr(torch, dtype))) for g in given]
    for q, g in zip(other, given, strict=True):
        q.grad = torch.tensor(np.array(g, order="C"))
    got = clip_grad_norm_(mine, largest, p)
    want = torch.nn.utils.clip_grad_norm_(other, largest, p)
    rtol = {"float64": 1e-12, "float32": 1e-5, "float16": 5e-3}[dtype]
    assert got.item() == pytest.approx(want.item(), rel=rtol)
    assert not got.requires_grad
    for g, q in zip(grads(mine), other, strict=True):
        assert g.dtype == dtype
        np.testing.assert_allclose(g, q.grad.numpy(), rtol=rtol, atol=1e-6)
    assert mine[-1].grad is None


@pytest.mark.parametrize("p", NORMS)
def test_norm_by_definition_on_every_device(backend: str, p: float) -> None:
    flat = np.concatenate([g.ravel() for g in arrays()])
    want = np.linalg.norm(flat, p)
    mine = params(arrays(), backend)
    total = clip_grad_norm_(mine, 0.5, p)
    assert str(total.device).startswith(backend)
    assert total.item() == pytest.approx(want)
    clipped = np.concatenate([g.ravel() for g in grads(mine)])
    np.testing.assert_allclose(clipped, flat * 0.5 / want, rtol=1e-5)
    assert get_total_norm([p.grad for p in mine[:-1]], p).item() == pytest.approx(0.5, rel=1e-5)


def test_gradients_below_the_norm_keep_their_bits() -> None:
    mine = params(arrays())
    clip_grad_norm_(mine, 100.0)
    assert all(np.array_equal(a, b) for a, b in zip(grads(mine), arrays(), strict=True))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize(("dtype", "scale"), [("float32", 1e30), ("float16", 1e4)])
def test_sums_that_overflow_are_formed_in_float64(dtype: str, scale: float, p: float) -> None:
    """An exploded gradient keeps its direction: D2 section 4's exploding gradients are mended."""
    given = arrays(dtype, scale)
    flat = np.concatenate([g.ravel() for g in given]).astype("float64")
    mine = params(given)
    total = clip_grad_norm_(mine, 1.0, p)
    assert total.item() == pytest.approx(np.linalg.norm(flat, p), rel=1e-3)
    clipped = np.concatenate([g.ravel() for g in grads(mine)]).astype("float64")
    rtol = 1e-2 if dtype == "float16" else 1e-5
    np.testing.assert_allclose(clipped, flat / np.linalg.norm(flat, p), rtol=rtol, atol=1e-4)


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_norms_that_are_not_finite(bad: float) -> None:
    given = arrays()
    given[1][0] = bad
    mine = params(given)
    with pytest.raises(RuntimeError, match=f"the norm of the gradients is {bad}.*detect_anomaly"):
        clip_grad_norm_(mine, 1.0, error_if_nonfinite=True)
    assert all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(grads(mine), given, strict=True)
    )
    total = clip_grad_norm_(mine, 1.0).item()
    assert math.isnan(total) if math.isnan(bad) else total == math.inf
    assert np.isnan(grads(mine)[1][0])
    assert np.isnan(grads(mine)[0]).all() == math.isnan(bad)


def test_memory_order_stays_and_nothing_is_copied() -> None:
    layer = mg.nn.Linear(50, 40)
    (100 * layer(mg.randn(20, 50)).square()).sum().backward()
    before = layer.weight.grad._array
    assert before.flags.f_contiguous
    clip_grad_norm_(layer.weight, 1.0)
    assert layer.weight.grad._array is before
    assert before.flags.f_contiguous
    assert np.linalg.norm(before) == pytest.approx(1.0, rel=1e-5)


def test_value() -> None:
    mine = params(arrays())
    clip_grad_value_(mine, 0.4)
    for got, g in zip(grads(mine), arrays(), strict=True):
        assert np.array_equal(got, np.clip(g, -0.4, 0.4))
    clip_grad_value_(mine[0], 0.1)
    assert np.abs(grads(mine)[0]).max() == 0.1


def test_with_a_norm_that_is_known() -> None:
    mine = params(arrays())
    clip_grads_with_norm_(mine, 3.0, mg.tensor(30.0, dtype=mg.float64))
    for got, g in zip(grads(mine), arrays(), strict=True):
        np.testing.assert_allclose(got, g / 10, rtol=1e-6)


def test_a_clipped_gradient_that_the_tape_needs_is_noticed() -> None:
    w = mg.tensor([3.0, 4.0], requires_grad=True)
    (w * w * w).sum().backward(create_graph=True)
    penalty = w.grad.square().sum()
    clip_grad_norm_(w, 0.1)
    with pytest.raises(mg.MutationError, match="clip_grad_norm_"):
        penalty.backward()


def test_no_parameters_are_warned_of_and_no_gradients_are_not() -> None:
    with pytest.warns(UserWarning, match="clip_grad_norm_ got no parameters.*only once"):
        assert clip_grad_norm_([], 1.0).item() == 0.0
    assert clip_grad_norm_([mg.nn.Parameter(mg.zeros(2))], 1.0).item() == 0.0


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda w: clip_grad_norm_(w, -1.0), ValueError, "max_norm must be a number >= 0, not -1"),
        (lambda w: clip_grad_norm_(w, 1.0, 0), ValueError, "norm_type must be above 0"),
        (lambda w: clip_grad_value_(w, -1.0), ValueError, "clip_value must be"),
        (lambda w: clip_grad_norm_(3, 1.0), TypeError, "not a int"),
        (
            lambda w: clip_grad_norm_(mg.nn.Linear(1, 1), 1.0),
            TypeError,
            r"not a Linear: pass model.parameters\(\)",
        ),
    ],
)
def test_wrong_use(call: Any, error: type, text: str) -> None:
    w = mg.tensor([3.0, 4.0], requires_grad=True)
    (w * w).sum().backward()
    before = w.grad.tolist()
    with pytest.raises(error, match=text):
        call(w)
    assert w.grad.tolist() == before
