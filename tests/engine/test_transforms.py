"""grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp: nested, closed over, against formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad as mg


def t(*values: float) -> mg.Tensor:
    return mg.tensor(list(values), dtype=mg.float64)


def s(value: float) -> mg.Tensor:
    return mg.tensor(value, dtype=mg.float64)


def test_grad_nested_to_order_5() -> None:
    f, x = mg.exp, s(0.7)
    for _ in range(5):
        f = mg.grad(f)
        assert f(x).item() == pytest.approx(math.exp(0.7), rel=1e-12)


def test_derivatives_of_tanh_to_order_4() -> None:
    y = math.tanh(0.3)
    forms = [
        1 - y**2,
        -2 * y * (1 - y**2),
        (1 - y**2) * (6 * y**2 - 2),
        8 * y * (1 - y**2) * (2 - 3 * y**2),
    ]
    f = mg.tanh
    for form in forms:
        f = mg.grad(f)
        assert f(s(0.3)).item() == pytest.approx(form, rel=1e-11)


def test_mixed_derivatives_to_order_4() -> None:
    """d^4/dx^2 dy^2 of sin(x y), by nesting over different arguments."""

    def f(x: mg.Tensor, y: mg.Tensor) -> mg.Tensor:
        return mg.sin(x * y)

    d = mg.grad(mg.grad(mg.grad(mg.grad(f, 0), 0), 1), 1)
    x, y = 0.7, 0.4
    z = x * y
    wanted = -2 * math.sin(z) - 4 * z * math.cos(z) + z * z * math.sin(z)
    assert d(s(x), s(y)).item() == pytest.approx(wanted, rel=1e-11)


def test_perturbations_are_not_confused() -> None:
    """d/dx of x * (d/dy of (x + y) at y = x): the inner derivative is the constant 1."""
    inner = lambda x: mg.grad(lambda y: x + y)(x)  # noqa: E731
    assert mg.grad(lambda x: x * inner(x))(s(3.0)).item() == 1.0
    product = lambda x: mg.grad(lambda y: x * y)(x)  # noqa: E731
    assert mg.grad(lambda x: x * product(x))(s(3.0)).item() == 6.0


def test_closed_over_tensors_are_differentiated_by_the_outside() -> None:
    w = mg.tensor(2.0, dtype=mg.float64, requires_grad=True)
    g = mg.grad(lambda x: w * x * x)(s(3.0))  # 2 w x
    g.backward()
    assert g.item() == 12.0
    assert w.grad.item() == 6.0


def test_grad_of_a_grad_closed_over() -> None:
    a = s(2.0)
    d = mg.grad(lambda a: mg.grad(lambda x: a * x**3)(s(2.0)) ** 2)(a)  # (12 a)^2
    assert d.item() == pytest.approx(288 * 2)


def test_value_and_grad_with_argnums() -> None:
    def f(x: mg.Tensor, c: float, y: mg.Tensor) -> mg.Tensor:
        return (x * y * c).sum()

    value, (gx, gy) = mg.value_and_grad(f, (0, 2))(t(1.0, 2.0), 10.0, t(3.0, 4.0))
    assert value.item() == 110.0
    assert gx.tolist() == [30.0, 40.0]
    assert gy.tolist() == [10.0, 20.0]
    assert mg.grad(f, -1)(t(1.0, 2.0), 10.0, t(3.0, 4.0)).tolist() == [10.0, 20.0]
    assert not value.requires_grad
    assert not gx.requires_grad


def test_arguments_are_left_alone() -> None:
    x = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    g = mg.grad(lambda x: (x * x).sum())(x)
    assert x.grad is None
    assert g.requires_grad  # x has a graph of its own, so its derivative has
    g.backward(np.array([1.0, 3.0]))
    assert x.grad.tolist() == [2.0, 6.0]


def test_unused_argument_has_gradient_zero() -> None:
    g = mg.grad(lambda x, y: (x * x).sum(), 1)(t(1.0), t(2.0, 3.0))
    assert g.tolist() == [0.0, 0.0]


def test_transforms_work_under_no_grad_and_leave_no_graph() -> None:
    x = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    with mg.no_grad():
        g = mg.grad(lambda x: (x**3).sum())(x)
        h = mg.hessian(lambda x: (x**3).sum())(x)
    assert g.tolist() == [3.0, 12.0]
    assert h.tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert not g.requires_grad
    assert not h.requires_grad


def test_vjp_and_jvp_are_transposes() -> None:
    rng = np.random.default_rng(0)
    a = mg.tensor(rng.standard_normal((4, 3)))
    x, u, v = (mg.tensor(rng.standard_normal(n)) for n in (3, 3, 4))
    f = lambda x: mg.tanh(a @ x) * mg.sin(x).sum()  # noqa: E731
    value, pull = mg.vjp(f, x)
    same, pushed = mg.jvp(f, [x], [u])
    assert value.tolist() == same.tolist()
    left, right = (v * pushed).sum().item(), (pull(v)[0] * u).sum().item()
    assert left == pytest.approx(right, rel=1e-12)
    eps = 1e-6
    difference = (f(x + u * eps) - f(x - u * eps)) / (2 * eps)
    np.testing.assert_allclose(pushed.numpy(), difference.numpy(), rtol=1e-8, atol=1e-9)


def test_pull_can_be_used_again() -> None:
    _, pull = mg.vjp(lambda x, y: x * y, t(1.0, 2.0), t(3.0, 4.0))
    for _ in range(2):
        gx, gy = pull(t(1.0, 10.0))
        assert gx.tolist() == [3.0, 40.0]
        assert gy.tolist() == [1.0, 20.0]


def test_jvp_of_a_constant_is_zero() -> None:
    c = t(1.0, 2.0)
    value, pushed = mg.jvp(lambda x: c, [t(1.0)], [t(1.0)])
    assert value.tolist() == [1.0, 2.0]
    assert pushed.tolist() == [0.0, 0.0]


def test_jvp_nested_gives_the_second_directional_derivative() -> None:
    u = t(1.0, -2.0)
    first = lambda x: mg.jvp(lambda z: (z**3).sum(), [x], [u])[1]  # noqa: E731
    _, second = mg.jvp(first, [t(0.5, 2.0)], [u])
    assert second.item() == pytest.approx(6 * 0.5 * 1 + 6 * 2.0 * 4)


def test_jacobian_shape_and_values() -> None:
    a = mg.tensor(np.arange(6.0).reshape(2, 3))
    assert mg.jacobian(lambda x: a @ x)(t(1.0, 2.0, 3.0)).tolist() == a.tolist()
    j = mg.jacobian(lambda x: x.reshape((3, 1)) * x)(t(1.0, 2.0, 3.0))
    assert j.shape == (3, 3, 3)
    wanted = np.zeros((3, 3, 3))
    for i in range(3):
        for k in range(3):
            wanted[i, k, i] += k + 1
            wanted[i, k, k] += i + 1
    np.testing.assert_array_equal(j.numpy(), wanted)
    assert mg.jacobian(lambda x, y: x * y, 1)(t(3.0), t(2.0)).tolist() == [[3.0]]


def test_jacobian_of_nothing() -> None:
    assert mg.jacobian(lambda x: x[:0])(t(1.0, 2.0)).shape == (0, 2)


def test_hessian_of_a_quadratic_form_and_of_rosenbrock() -> None:
    m = np.random.default_rng(0).standard_normal((4, 4))
    h = mg.hessian(lambda x: x @ (mg.tensor(m) @ x))(t(1.0, 2.0, 3.0, 4.0))
    np.testing.assert_allclose(h.numpy(), m + m.T, rtol=1e-12)
    f = lambda z: (1 - z[0]) ** 2 + 100 * (z[1] - z[0] ** 2) ** 2  # noqa: E731
    x, y = 0.3, -0.7
    wanted = [[2 - 400 * y + 1200 * x * x, -400 * x], [-400 * x, 200.0]]
    np.testing.assert_allclose(mg.hessian(f)(t(x, y)).numpy(), wanted, rtol=1e-12)


def test_hvp_is_the_hessian_times_v() -> None:
    f = lambda x: (mg.exp(x[0] * x[1]) * x[2]).sum() + (x**4).sum()  # noqa: E731
    x, v = t(0.5, -0.3, 0.8), t(1.0, 2.0, -3.0)
    full = mg.hessian(f)(x).numpy() @ v.numpy()
    np.testing.assert_allclose(mg.hvp(f, x, v).numpy(), full, rtol=1e-12)


def test_third_derivative_tensor() -> None:
    x = t(1.0, 2.0)
    third = mg.jacobian(mg.hessian(lambda x: (x**4).sum()))(x)
    assert third.shape == (2, 2, 2)
    assert third[0, 0, 0].item() == pytest.approx(24.0)
    assert third[1, 1, 1].item() == pytest.approx(48.0)
    assert mg.abs(third).sum().item() == pytest.approx(72.0)


def test_float32_stays_float32() -> None:
    x = mg.tensor([1.0, 2.0])
    for y in (mg.grad(lambda x: (x * x).sum())(x), mg.hessian(lambda x: (x * x).sum())(x),
              mg.jvp(mg.tanh, [x], [x])[1], mg.hvp(lambda x: (x**3).sum(), x, x)):  # fmt: skip
        assert y.dtype == mg.float32


# ---- refused ------------------------------------------------------------------------------------


def test_grad_of_a_vector_valued_function() -> None:
    with pytest.raises(ValueError, match=r"one value, it returned shape \[2\].*mg\.jacobian"):
        mg.grad(lambda x: x * 2.0)(t(1.0, 2.0))


def test_grad_by_an_int() -> None:
    with pytest.raises(TypeError, match=r"argument 0 is int64.*\.float\(\)"):
        mg.grad(lambda x: x * 2.0)(mg.tensor(1))


def test_grad_by_an_argument_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"argnums 2: the function was called with 1 arguments"):
        mg.grad(lambda x: x, 2)(s(1.0))


def test_function_that_returns_no_tensor() -> None:
    with pytest.raises(TypeError, match="must return a Tensor, it returned float"):
        mg.grad(lambda x: x.item())(s(1.0))


def test_tangent_and_cotangent_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"tangent has shape \[3\], the primal has \[2\]"):
        mg.jvp(lambda x: x, [t(1.0, 2.0)], [t(1.0, 2.0, 3.0)])
    with pytest.raises(ValueError, match=r"cotangent has shape \[3\], the value has \[2\]"):
        mg.vjp(lambda x: x * 1.0, t(1.0, 2.0))[1](t(1.0, 2.0, 3.0))
