"""The op contract: what a declaration means, how arguments are sorted, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import Array, Backend
from minigrad.engine.op import TABLE, composite, fused, op
from minigrad.engine.structural import sum_to


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    """Take away the ops that a test declares."""
    before = set(TABLE)
    yield
    for name in set(TABLE) - before:
        del TABLE[name]


def leaf(*values: float) -> mg.Tensor:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=True)


# ---- one declaration ----------------------------------------------------------------------------


def test_a_declaration_makes_a_function_with_derivatives_of_any_order() -> None:
    @op(x=lambda g, x: g * mg.cos(x))
    def sine_of_tests(xp: Backend, x: Array) -> Array:
        """Text."""
        return xp.sin(x)

    assert sine_of_tests.__doc__ == "Text."
    assert TABLE["sine_of_tests"].function is sine_of_tests
    f, x = sine_of_tests, mg.tensor(0.3, dtype=mg.float64)
    for true in (np.cos(0.3), -np.sin(0.3), -np.cos(0.3)):
        f = mg.grad(f)
        assert f(x).item() == pytest.approx(true, rel=1e-12)


def test_rules_ask_by_name_for_what_they_need() -> None:
    seen: dict[str, Any] = {}

    def rule(g: Any, y: Any, b: Any, scale: Any, aux: Any, a_shape: Any) -> Any:
        seen.update(y=y, b=b, scale=scale, aux=aux, a_shape=a_shape)
        return g * b * scale

    @op(aux=True, a=rule, b=lambda g, a, scale: g * a * scale)
    def product_of_tests(xp: Backend, a: Array, b: Array, scale: float = 1.0) -> Any:
        return a * b * scale, "kept"

    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = product_of_tests(a, b, scale=10.0)
    y.backward(np.array([1.0, 1.0]))
    assert a.grad.tolist() == [30.0, 40.0]
    assert b.grad.tolist() == [10.0, 20.0]
    assert seen["y"].tolist() == [30.0, 80.0]
    assert (seen["scale"], seen["aux"], seen["a_shape"]) == (10.0, "kept", (2,))


def test_nothing_else_is_kept() -> None:
    a, b = leaf(1.0), leaf(2.0)
    assert (a + b).grad_fn.saved == ()
    assert len((a * b).grad_fn.saved) == 2
    assert len((a * 3.0).grad_fn.saved) == 1
    assert len(mg.tanh(a).grad_fn.saved) == 1


def test_a_rule_may_give_no_gradient() -> None:
    @op(x=lambda g: None)
    def stop_of_tests(xp: Backend, x: Array) -> Array:
        return x + 0.0

    x = leaf(1.0)
    h = mg.tanh(x)
    (stop_of_tests(h) + x).backward()
    assert x.grad.item() == 1.0


def test_an_operand_that_has_no_rule_is_refused_where_a_gradient_is_wanted() -> None:
    @op(a=lambda g: g)
    def partial_of_tests(xp: Backend, a: Array, b: Array) -> Array:
        return a + b

    partial_of_tests(leaf(1.0), mg.ones(1, dtype=mg.float64)).backward()
    with pytest.raises(mg.GraphError, match=r"partial_of_tests has no derivative by.*'b'"):
        partial_of_tests(leaf(1.0), leaf(2.0))


def test_a_fused_op_goes_through_its_meaning_for_higher_orders() -> None:
    calls = []

    def meaning(x: mg.Tensor, power: int = 3) -> mg.Tensor:
        calls.append(power)
        return x**power

    @fused(meaning, x=lambda g, x, power: g * power * x ** (power - 1))
    def kernel_of_tests(xp: Backend, x: Array, power: int = 3) -> Array:
        return x**power

    x = leaf(2.0)
    y = kernel_of_tests(x, 4)
    (g,) = mg.autograd.grad(y, x, retain_graph=True)
    assert g.item() == 32.0
    assert calls == []  # first order: the kernel's own rule
    (g,) = mg.autograd.grad(y, x, create_graph=True)
    assert calls == [4]
    (h,) = mg.autograd.grad(g, x, create_graph=True)
    assert (g.item(), h.item()) == (32.0, 48.0)
    assert mg.autograd.grad(h, x)[0].item() == 48.0


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda f: op(z=lambda g: g)(f), r"rules for \['z'\], which are no operands"),
        (lambda f: op(x=lambda g, w: g)(f)(leaf(1.0)), r"rule for x asks for unknown \['w'\]"),
    ],
)
def test_wrong_declarations(declare: Any, message: str) -> None:
    def wrong_of_tests(xp: Backend, x: Array) -> Array:
        return x

    with pytest.raises(TypeError, match=message):
        declare(wrong_of_tests)


def test_a_name_is_declared_once() -> None:
    with pytest.raises(TypeError, match="an op named tanh is declared already"):

        @op()
        def tanh(xp: Backend, x: Array) -> Array:
            return x


# ---- arguments ----------------------------------------------------------------------------------


def test_raw_arrays_give_raw_arrays_and_numbers_give_tensors() -> None:
    assert type(mg.tanh(np.ones(2))) is np.ndarray
    assert type(mg.add(np.ones(2), 1.0)) is np.ndarray
    y = mg.tanh(0.5)
    assert type(y) is mg.Tensor
    assert y.dtype == mg.float32
    assert mg.add(1, 2).dtype == mg.int64


def test_torchs_and_numpys_names_of_arguments() -> None:
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert mg.sum(input=x, dim=0).tolist() == [4.0, 6.0]
    assert x.sum(axis=-1, keepdims=True).tolist() == [[3.0], [7.0]]
    assert mg.add(x, other=x).tolist() == (x * 2.0).tolist()
    assert mg.permute(x, dims=(1, 0)).tolist() == x.permute(1, 0).tolist()


def test_a_composite_takes_the_same_names() -> None:
    @composite()
    def twice_of_tests(x: Array, dim: int = 0, keepdim: bool = False) -> Array:
        return mg.sum(x, dim, keepdim) * 2.0

    assert twice_of_tests(mg.ones(2, 3), axis=1, keepdims=True).shape == (2, 1)


def test_the_engine_sums_a_broadcast_gradient_back() -> None:
    a, b = mg.ones(5, 1, requires_grad=True), mg.ones(4, requires_grad=True)
    g = np.random.default_rng(0).standard_normal((3, 5, 4)).astype("f4")
    c = mg.ones(3, 5, 4)
    (a * b * c).backward(g)
    np.testing.assert_allclose(a.grad.numpy(), g.sum((0, 2))[:, None], rtol=1e-5)
    np.testing.assert_allclose(b.grad.numpy(), g.sum((0, 1)), rtol=1e-5)


@pytest.mark.parametrize("shape", [(2000, 3), (30, 70, 3), (3,), (1, 3), (2, 1), ()])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_sum_to_takes_every_way(shape: tuple[int, ...], dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = np.asarray(rng.integers(-9, 9, shape) if dtype == "int64" else rng.standard_normal(shape))
    x = np.broadcast_to(x, np.broadcast_shapes(shape, (2, 1, 3) if len(shape) < 3 else shape))
    x = x.astype(dtype) if shape in ((3,), (1, 3), (2, 1), ()) else np.asarray(x, dtype)
    for target in ((3,), (), (1, 3), (1,)):
        lead = x.ndim - len(target)
        axes = (*range(lead), *(lead + i for i, n in enumerate(target) if n == 1))
        wanted = x.sum(axis=axes).reshape(target)
        found = sum_to(x, target)
        assert found.shape == target
        np.testing.assert_allclose(found, wanted, rtol=1e-3 if dtype == "float32" else 1e-9)


def test_repr_of_ops_and_nodes() -> None:
    assert repr(TABLE["add"]) == "<op add(a, b)>"
    assert repr((leaf(1.0, 2.0) * 2.0).grad_fn) == "<mul float64[2]>"


def test_an_op_of_many_operands_is_called_with_more_of_them() -> None:
    """The first of two, and the first of three, want a gradient: what is kept lies elsewhere."""
    a, b = mg.tensor([1.0, 2.0], requires_grad=True), mg.zeros(3)
    for joined in (mg.cat([a, b]), mg.cat([a, b, b]), mg.cat([a, b])):
        a.grad = None
        joined.backward(mg.arange(joined.numel()).float() + 5.0)
        assert a.grad.tolist() == [5.0, 6.0]
