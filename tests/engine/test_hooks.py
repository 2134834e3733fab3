"""Hooks and retained gradients."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg


def leaf(*values: float) -> mg.Tensor:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=True)


def test_hook_sees_the_complete_gradient_once() -> None:
    x = leaf(2.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 3.0 + x * 4.0).backward()
    assert seen == [7.0]


def test_hook_of_a_computed_tensor_replaces_its_gradient() -> None:
    x = leaf(1.0, 2.0)
    h = x * 3.0
    h.register_hook(lambda g: g * 10.0)
    (h * h).backward(np.array([1.0, -1.0]))
    assert x.grad.tolist() == [2 * 3 * 10 * 3.0, -2 * 6 * 10 * 3.0]


def test_hook_of_a_leaf_replaces_what_is_delivered() -> None:
    x = leaf(1.0)
    x.register_hook(lambda g: -g)
    (x * 3.0).backward()
    assert x.grad.item() == -3.0


def test_hooks_run_in_order_and_can_be_removed() -> None:
    x = leaf(1.0)
    x.register_hook(lambda g: g + 1.0)
    second = x.register_hook(lambda g: g * 10.0)
    (x * 2.0).backward()
    assert x.grad.item() == 30.0
    second.remove()
    second.remove()  # twice does no harm
    x.grad = None
    (x * 2.0).backward()
    assert x.grad.item() == 3.0


def test_hook_that_changes_its_argument_does_not_change_the_cotangent() -> None:
    x = leaf(1.0, 2.0)
    g = mg.tensor([1.0, 1.0], dtype=mg.float64)

    def spoil(g: mg.Tensor) -> None:
        with mg.no_grad():
            g *= 0.0

    y = x + 0.0
    y.register_hook(spoil)
    y.backward(g)
    assert g.tolist() == [1.0, 1.0]


def test_hook_with_create_graph_is_differentiated() -> None:
    x = leaf(2.0)
    h = x * 1.0
    h.register_hook(lambda g: g * g)
    (g,) = mg.autograd.grad(h * h * h, x, create_graph=True)  # (3 x^2)^2
    assert g.item() == 144.0
    # the hook acts in that backward as well: (36 x^3)^2, which is what torch gives
    assert mg.autograd.grad(g, x)[0].item() == (36 * 8.0) ** 2


def test_bad_answer_of_a_hook() -> None:
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(ValueError, match=r"None or a Tensor of shape \[2\], not shape \[\]"):
        (x * 3.0).backward(np.ones(2))
    y = leaf(1.0)
    y.register_hook(lambda g: 3.0)
    with pytest.raises(ValueError, match=r"None or a Tensor of shape \[1\], not 3.0"):
        (y * 3.0).backward()


def test_hook_needs_a_gradient() -> None:
    with pytest.raises(mg.GraphError, match="requires_grad=True"):
        mg.ones(2).register_hook(print)
    with pytest.raises(mg.GraphError, match="requires_grad=True"):
        mg.ones(2).retain_grad()


def test_retain_grad_keeps_the_gradient_of_a_computed_tensor() -> None:
    x = leaf(2.0)
    h = x * 3.0
    h.retain_grad()
    y = h * h
    y.backward()
    assert h.grad.item() == 12.0
    assert y.grad is None
    x.retain_grad()  # leaves always do
    assert x.grad.item() == 36.0


def test_retained_grad_is_of_the_value_after_a_change_in_place() -> None:
    for change in (lambda h: h.mul_(2.0), lambda h: h.__setitem__(0, h[0].clone() * 2.0)):
        x = leaf(2.0)
        h = x * 3.0
        h.retain_grad()
        change(h)
        (h * 5.0).backward()
        assert h.grad.item() == 5.0  # by what h is now, as in torch
        assert x.grad.item() == 30.0


def test_gradients_of_0d_tensors_are_arrays() -> None:
    """NumPy's sum of two 0-d arrays is a scalar, which has no memory to write to."""
    x = mg.tensor(2.0, dtype=mg.float64, requires_grad=True)
    h = x * 3.0
    h.retain_grad()
    seen = []
    h.register_hook(lambda g: seen.append(g.numpy().copy()))
    (h * 2.0 + h * 5.0).backward()
    assert seen == [7.0]
    assert h.grad.numpy() == 7.0
    h.grad += 1.0
    assert h.grad.item() == 8.0
    x.grad = None
    (x * x).backward(create_graph=True)
    (x * 2.0 + x * 5.0).backward()  # added to a gradient with a graph
    assert x.grad.numpy() == 11.0


def test_retained_grad_is_a_copy() -> None:
    x = leaf(2.0)
    h = x * 1.0
    h.retain_grad()
    h.backward()
    assert not np.shares_memory(h.grad._array, x.grad._array)


def test_retain_grad_does_not_keep_a_tensor_alive() -> None:
    x = leaf(2.0)
    h = x * 3.0
    h.retain_grad()
    y = h * 1.0
    del h
    y.backward()
    assert x.grad.item() == 3.0
