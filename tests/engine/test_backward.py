"""Backward: how gradients flow, add up, are freed, and what is refused."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.op import TABLE


def leaf(*values: float) -> mg.Tensor:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=True)


def test_chain_of_100_000_ops() -> None:
    x = leaf(0.5, -1.0)
    y = x
    for _ in range(50_000):
        y = y * 1.00001 + 0.001
    y.backward(np.array([1.0, -2.0]))
    np.testing.assert_allclose(x.grad.numpy(), np.array([1, -2]) * 1.00001**50_000, rtol=1e-9)
    del y  # freed without recursion as well


def test_unused_graph_of_100_000_ops_is_freed_without_recursion() -> None:
    y = leaf(1.0)
    for _ in range(100_000):
        y = y + 1.0
    del y
    gc.collect()


def test_graph_4000_wide() -> None:
    rng = np.random.default_rng(0)
    weights = rng.standard_normal(4000)
    x = leaf(0.3, 0.7)
    total = x * 0.0
    for w in weights:
        total = total + mg.tanh(x * float(w))
    total.backward(np.array([1.0, 2.0]))
    slopes = [(weights / np.cosh(weights * v) ** 2).sum() for v in (0.3, 0.7)]
    np.testing.assert_allclose(x.grad.numpy(), [slopes[0], 2 * slopes[1]], rtol=1e-9)


def test_diamonds_in_a_row_run_each_node_once() -> None:
    x = leaf(1.0)
    y = x
    calls = []
    for _ in range(60):  # 2**60 paths
        y = y + y
        y.register_hook(lambda g: calls.append(1))
    y.backward()
    assert x.grad.item() == 2.0**60
    assert len(calls) == 60


def test_diamond_of_rivals() -> None:
    """b = a + a; c = b * b; d = c + b, where engines with shared gradients answer [4, 8]."""
    a = leaf(1.0, 2.0)
    b = a + a
    (b * b + b).sum().backward()
    assert a.grad.tolist() == [10.0, 18.0]


def test_residual_and_gate() -> None:
    x, w = leaf(1.0, 2.0), leaf(0.5, 0.25)
    (x + x * w).backward(np.array([1.0, 10.0]))
    assert x.grad.tolist() == [1.5, 12.5]
    assert w.grad.tolist() == [1.0, 20.0]


def test_gradients_add_up_in_grad() -> None:
    x = leaf(3.0)
    (x * 2.0).backward()
    first = x.grad
    (x * 5.0).backward()
    assert x.grad.item() == 7.0
    assert x.grad is first
    x.grad = None
    (x * 5.0).backward()
    assert x.grad.item() == 5.0


def test_two_leaves_never_share_a_gradient() -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (a + b).sum().backward()
    assert not np.shares_memory(a.grad._array, b.grad._array)
    with mg.no_grad():
        a.grad += 1.0
    assert b.grad.tolist() == [1.0, 1.0]


def test_cotangent_may_be_an_array_a_tensor_or_a_list() -> None:
    for g in (np.array([1.0, 2.0]), mg.tensor([1.0, 2.0], dtype=mg.float64), [1.0, 2.0]):
        x = leaf(1.0, 1.0)
        (x * 3.0).backward(g)
        assert x.grad.tolist() == [3.0, 6.0]


def test_cotangent_is_cast_to_the_output_dtype() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    (x * 3.0).backward(np.array([1.0, 2.0]))
    assert x.grad.dtype == mg.float32


def test_backward_from_a_leaf() -> None:
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1.0


def test_backward_from_several_tensors() -> None:
    x = leaf(2.0)
    mg.autograd.backward([x * 3.0, x * x], [None, mg.tensor([10.0])])
    assert x.grad.item() == 3.0 + 40.0


def test_same_output_twice_counts_twice() -> None:
    x = leaf(2.0)
    y = x * 3.0
    assert mg.autograd.grad([y, y], x)[0].item() == 6.0


# ---- what is kept, and what is freed ------------------------------------------------------------


def test_second_backward_is_refused_with_the_cure() -> None:
    x = leaf(2.0)
    y = mg.tanh(x * x)
    y.backward()
    with pytest.raises(mg.GraphError, match=r"tanh float64\[1\].*second time.*retain_graph=True"):
        y.backward()
    assert x.grad.item() == pytest.approx(4 * (1 - np.tanh(4.0) ** 2), rel=1e-12)


def test_second_backward_is_refused_where_rules_saved_nothing() -> None:
    x = leaf(2.0)
    y = x + x
    y.backward()
    with pytest.raises(mg.GraphError, match="second time"):
        y.backward()


def test_second_backward_through_a_shared_part_is_refused() -> None:
    x = leaf(2.0)
    h = mg.tanh(x)
    one, two = h * 2.0, h * 3.0
    one.backward()
    with pytest.raises(mg.GraphError, match="tanh"):
        two.backward()


def test_grad_through_a_freed_part_is_refused() -> None:
    """The part that was freed forgot where it led, so a share of the gradient would be missing."""
    x, w = leaf(2.0), leaf(5.0)
    h = mg.tanh(x)
    y = h * w + x * 3.0
    (h * 2.0).backward()
    for inputs in (x, [w, x]):
        with pytest.raises(mg.GraphError, match=r"tanh float64\[1\].*second time"):
            mg.autograd.grad(y, inputs, allow_unused=True)
    z = h.detach() * w + x * 3.0
    assert mg.autograd.grad(z, x)[0].item() == 3.0


def test_grad_by_a_tensor_in_front_of_a_freed_part() -> None:
    """As in the gradient penalty of a GAN: the generator's graph is freed, its output is used."""
    x = leaf(2.0)
    h = mg.tanh(x)
    mixed = h * 0.5
    (h * 1.0).backward()
    assert mg.autograd.grad(mixed * mixed, mixed)[0].item() == pytest.approx(np.tanh(2.0))
    with pytest.raises(mg.GraphError, match="second time"):
        mg.autograd.grad(mixed * mixed, [mixed, x])


def test_retain_graph_allows_another_backward() -> None:
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0


def test_backward_frees_what_the_rules_saved() -> None:
    x = leaf(2.0)
    y = mg.tanh(x * x)
    node = y.grad_fn
    assert node.saved
    y.backward()
    assert node.saved is None
    assert node.parents == ()


def test_failing_backward_leaves_no_grad() -> None:
    a, b = leaf(1.0), leaf(2.0)
    h = a * 1.0

    def fail(g: mg.Tensor) -> None:
        raise RuntimeError("hook failed")

    h.register_hook(fail)
    with pytest.raises(RuntimeError, match="hook failed"):
        (b * 2.0 + h).backward()
    assert a.grad is None
    assert b.grad is None


def test_failing_backward_leaves_old_grads_alone() -> None:
    a, b = leaf(1.0), leaf(2.0)
    (a * 3.0 + b * 5.0).backward()
    h = a * 1.0
    y = h * h + b
    with mg.no_grad():
        h += 1.0
    with pytest.raises(mg.MutationError):
        y.backward()
    assert (a.grad.item(), b.grad.item()) == (3.0, 5.0)


# ---- create_graph -------------------------------------------------------------------------------


def test_create_graph_differentiates_again() -> None:
    x = leaf(0.5, -1.0)
    v, u = np.array([1.5, -2.0]), np.array([0.3, 0.7])
    (g,) = mg.autograd.grad(x * x * x, x, v, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), 3 * np.array([0.25, 1.0]) * v)
    (h,) = mg.autograd.grad(g, x, u, create_graph=True)
    np.testing.assert_allclose(h.detach().numpy(), 6 * np.array([0.5, -1.0]) * v * u)
    (k,) = mg.autograd.grad(h, x, u)
    np.testing.assert_allclose(k.numpy(), 6 * v * u * u)
    assert not k.requires_grad


def test_gradient_penalty_through_backward() -> None:
    x = leaf(2.0)
    w = leaf(3.0)
    (x * x * w).backward(create_graph=True)
    penalty = x.grad * x.grad  # (2 x w)^2
    x.grad = w.grad = None
    penalty.backward()
    assert w.grad.item() == 8 * 4 * 3  # 8 x^2 w


def test_second_derivative_by_the_cotangent() -> None:
    x, v = leaf(0.5, -1.0), leaf(1.0, 2.0)
    (g,) = mg.autograd.grad(x * x, x, v, create_graph=True)
    (d,) = mg.autograd.grad(g, v, np.array([1.0, 10.0]))
    assert d.tolist() == [1.0, -20.0]


def test_recorded_gradients_share_no_memory_either() -> None:
    """Clipping them in place, one after the other, would scale the shared memory twice."""
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = a + 0.0
    h.retain_grad()
    v = mg.tensor([5.0, 6.0], dtype=mg.float64)
    (h + b).backward(v, create_graph=True)
    grads = [a.grad, b.grad, h.grad, *mg.autograd.grad(a + b, [a, b], v, create_graph=True)]
    raw = np.array([5.0, 6.0])
    grads += mg.autograd.grad((a + b).reshape(2, 1), [a, b], raw[:, None], create_graph=True)
    for i, g in enumerate(grads):
        assert g.tolist() == [5.0, 6.0]
        assert not np.shares_memory(g._array, raw)
        assert not any(np.shares_memory(g._array, other._array) for other in [v, *grads[:i]])


# ---- autograd.grad ------------------------------------------------------------------------------


def test_grad_touches_no_grad_attribute() -> None:
    x, w = leaf(2.0), leaf(3.0)
    (g,) = mg.autograd.grad(x * w, x)
    assert g.item() == 3.0
    assert x.grad is None
    assert w.grad is None


def test_grad_by_a_computed_tensor_stops_there_and_goes_on() -> None:
    x = leaf(2.0)
    h = x * x
    y = h * h
    by_h, by_x = mg.autograd.grad(y, [h, x])
    assert (by_h.item(), by_x.item()) == (8.0, 32.0)


def test_grad_by_the_same_input_twice_gives_two_arrays() -> None:
    x = leaf(2.0, 3.0)
    one, two = mg.autograd.grad(x * x, [x, x], np.array([1.0, 10.0]))
    assert one.tolist() == two.tolist() == [4.0, 60.0]
    assert not np.shares_memory(one._array, two._array)


def test_grad_of_unused_input() -> None:
    x, w = leaf(2.0), leaf(3.0)
    with pytest.raises(mg.GraphError, match=r"input 1 \(float64\[1\]\) was not used.*allow_unused"):
        mg.autograd.grad(x * 2.0, [x, w])
    g, none = mg.autograd.grad(x * 2.0, [x, w], allow_unused=True)
    assert g.item() == 2.0
    assert none is None


def test_grad_by_what_does_not_require_grad() -> None:
    with pytest.raises(mg.GraphError, match=r"input 0 \(float32\[2\]\) does not require grad"):
        mg.autograd.grad(leaf(1.0) * 2.0, mg.ones(2))


def test_grad_outputs_must_match_outputs() -> None:
    x = leaf(2.0)
    with pytest.raises(ValueError, match="1 outputs need as many grad_outputs, got 2"):
        mg.autograd.grad(x * 2.0, x, [mg.ones(1), mg.ones(1)])


def test_grad_of_an_input_by_itself() -> None:
    x = leaf(2.0, 3.0)
    (g,) = mg.autograd.grad(x, x, np.array([1.0, 5.0]))
    assert g.tolist() == [1.0, 5.0]
    assert not np.shares_memory(g._array, x._array)


# ---- leaves, detach, flags ----------------------------------------------------------------------


def test_detach_cuts_the_graph_and_shares_memory() -> None:
    x = leaf(2.0)
    h = x * 3.0
    cut = h.detach()
    assert cut.is_leaf
    assert not cut.requires_grad
    assert np.shares_memory(cut._array, h._array)
    (x * cut).backward()
    assert x.grad.item() == 6.0


def test_requires_grad_is_inherited() -> None:
    x, c = leaf(1.0), mg.ones(1, dtype=mg.float64)
    assert (x + c).requires_grad
    assert not (c + c).requires_grad
    assert (c + c).is_leaf
    assert (c + c).grad_fn is None
    assert not (x > 0).requires_grad


def test_requires_grad_can_be_switched_on_leaves_only() -> None:
    x = mg.ones(2)
    x.requires_grad = True
    y = x * 2.0
    with pytest.raises(mg.GraphError, match=r"only be switched off on a leaf.*mul.*detach"):
        y.requires_grad = False
    x.requires_grad = False
    assert not x.requires_grad


def test_dead_leaf_is_ignored() -> None:
    x, w = leaf(2.0), leaf(3.0)
    y = x * w
    del x
    y.backward()
    assert w.grad.item() == 2.0


# ---- many pieces of one tensor ------------------------------------------------------------------


def test_pieces_of_one_tensor_share_one_array_of_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backward of T pieces costs what they hold, not T times the whole."""
    made = []
    place = TABLE["_place"]
    forward = place.forward
    monkeypatch.setattr(place, "forward", lambda *a: made.append(1) or forward(*a))
    rng = np.random.default_rng(0)
    x = mg.tensor(rng.standard_normal((50, 3)), requires_grad=True)
    weights = rng.standard_normal((50, 3))
    readers = [
        lambda h: h.unbind(0), lambda h: h.split(1), lambda h: h.chunk(50),
        lambda h: [h[t] for t in range(50)], lambda h: list(h), lambda h: h.unbind(-1),
    ]  # fmt: skip
    for read in readers:
        made.clear()
        pieces = read(x * 1.0)
        cuts = read(mg.tensor(weights))
        sum((p * w).sum() for p, w in zip(pieces, cuts, strict=True)).backward()
        np.testing.assert_allclose(x.grad.numpy(), weights, rtol=1e-14)
        assert len(made) == 1
        x.grad = None


def test_pieces_that_overlap_and_meet_the_whole() -> None:
    rng = np.random.default_rng(1)
    a, b, c, d = (rng.standard_normal(s) for s in ((4, 3), (2, 3), (3,), ()))
    for order in range(4):
        x = mg.tensor(rng.standard_normal((4, 3)), requires_grad=True)
        h = x * 1.0
        terms = [(h * a).sum(), (h[1:3] * b).sum(), (h[2] * c).sum(), h[2, 1] * d]
        total = sum(terms[order:] + terms[:order])
        total.backward()
        want = a.copy()
        want[1:3] += b
        want[2] += c
        want[2, 1] += d
        np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-14)


def test_adding_pieces_changes_no_array_that_others_see() -> None:
    """The cotangent, a kept gradient and a hook's argument stay as they were."""
    x = mg.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    h = x * 1.0
    h.retain_grad()
    seen = []
    alias = mg.alias(h)
    alias.register_hook(lambda g: seen.append(g))
    g = np.ones((3, 2))
    mg.autograd.backward([alias, h[0], h[1:]], [g, np.full(2, 10.0), np.full((2, 2), 100.0)])
    assert np.array_equal(g, np.ones((3, 2)))
    assert np.array_equal(seen[0].numpy(), g)
    want = [[11.0, 11.0], [101.0, 101.0], [101.0, 101.0]]
    assert h.grad.tolist() == want
    assert x.grad.tolist() == want


def test_second_derivative_through_pieces() -> None:
    x = mg.tensor(np.random.default_rng(2).standard_normal((3, 2)), requires_grad=True)

    def fn(x: mg.Tensor) -> mg.Tensor:
        first, second, third = (x * x).unbind(0)
        return first * second + x[2] * third * x.chunk(3)[0][0]

    assert mg.gradcheck(fn, [x])
    assert mg.gradgradcheck(fn, [x])
