"""What other engines were found to get wrong, under tests of their own that passed: right here.

The engines: TinyTorch 0.1.10, minigrad-framework 1.4.1, MyTorch, glassllm, minitorchbr, fygrad,
needle's homework. Each probe compares with NumPy by central differences under random cotangents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import signal
from scipy.special import softmax as np_softmax

import minigrad as mg
from minigrad.nn import functional as F

Array = Any
Probe = tuple[Callable[..., Any], Callable[..., Array], list[tuple[int, ...]]]


def leaf(values: Any) -> mg.Tensor:
    return mg.tensor(values, dtype=mg.float64, requires_grad=True)


def drawn(shapes: list[tuple[int, ...]], seed: int) -> list[Array]:
    """Return arrays that keep away from 0, where some probes have kinks and poles."""
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(0.3, 1.7, s) * rng.choice([-1, 1], s)) for s in shapes]


def agree(probe: Probe, seed: int = 0) -> None:
    """Compare value and gradients with the NumPy reference and its central differences."""
    function, reference, shapes = probe
    arrays = drawn(shapes, seed)
    leaves = [leaf(a) for a in arrays]
    y = function(*leaves)
    wanted = np.asarray(reference(*arrays))
    assert y.shape == wanted.shape
    np.testing.assert_allclose(y.detach().numpy(), wanted, rtol=1e-12, atol=1e-13)
    v = np.random.default_rng(seed + 1).standard_normal(wanted.shape)
    y.backward(v)
    for k, (x, a) in enumerate(zip(leaves, arrays, strict=True)):
        numeric = np.zeros_like(a)
        for place in np.ndindex(a.shape):
            sides = []
            for h in (1e-6, -1e-6):
                moved = [b.copy() for b in arrays]
                moved[k][place] += h
                sides.append(np.sum(v * reference(*moved)))
            numeric[place] = (sides[0] - sides[1]) / 2e-6
        assert x.grad.shape == a.shape
        np.testing.assert_allclose(x.grad.numpy(), numeric, rtol=1e-7, atol=1e-8)


def both(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Probe:
    """Return a probe of what is written the same way on Tensors and on arrays."""
    return function, function, list(shapes)


def blocks(x: Any, w: Any, relu: Callable[[Any], Any]) -> Any:
    for _ in range(2):
        x = x + relu(x @ w)
    return x


FIRST: dict[str, Probe] = {
    "softmax, last axis": (lambda x: mg.softmax(x, -1), lambda x: np_softmax(x, -1), [(3, 4)]),
    "softmax, first axis": (lambda x: mg.softmax(x, 0), lambda x: np_softmax(x, 0), [(3, 4)]),
    "broadcast (3,1)+(4,)": both(lambda a, b: a + b, (3, 1), (4,)),
    "broadcast (2,3,4)*(3,1)": both(lambda a, b: a * b, (2, 3, 4), (3, 1)),
    "broadcast (2,3,4)/(4,)": both(lambda a, b: a / b, (2, 3, 4), (4,)),
    "broadcast with 0-d": both(lambda a, b: a * b - b, (2, 3), ()),
    "0-d with 0-d": both(lambda a, b: a * b / (a - b), (), ()),
    "sum over (0, 2)": both(lambda x: x.sum(axis=(0, 2)), (2, 3, 4)),
    "sum over -2": both(lambda x: x.sum(axis=-2), (2, 3, 4)),
    "sum over 0": both(lambda x: x.sum(axis=0), (3, 4)),
    "sum, axes kept": both(lambda x: x * x.sum(axis=(0, 2), keepdims=True), (2, 3, 4)),
    "mean over 1": both(lambda x: x.mean(axis=1), (2, 3, 4)),
    "mean over all": both(lambda x: x.mean() * x, (2, 3)),
    "max over 1": (lambda x: x.amax(1), lambda x: x.max(1), [(3, 4)]),
    "max over -2": (lambda x: mg.max(x, -2)[0], lambda x: x.max(-2), [(2, 3, 4)]),
    "matmul (5,2,3)@(3,4)": both(lambda a, b: a @ b, (5, 2, 3), (3, 4)),
    "matmul (3,4)@(5,4,2)": both(lambda a, b: a @ b, (3, 4), (5, 4, 2)),
    "matmul (2,1,3,4)@(5,4,2)": both(lambda a, b: a @ b, (2, 1, 3, 4), (5, 4, 2)),
    "matmul (4,)@(2,4,3)": both(lambda a, b: a @ b, (4,), (2, 4, 3)),
    "diamond c + b, b = a + a": both(lambda a: (a + a) * (a + a) + (a + a), (2,)),
    "two residual blocks": (
        lambda x, w: blocks(x, w, mg.relu),
        lambda x, w: blocks(x, w, lambda z: np.maximum(z, 0)),
        [(2, 3), (3, 3)],
    ),
    "gate x + x*y": both(lambda x, y: x + x * y, (3,), (3,)),
    "gated gate": (
        lambda x, y: x * mg.sigmoid(y) + x,
        lambda x, y: x / (1 + np.exp(-y)) + x,
        [(3,), (3,)],
    ),
    "x[[0,0,2]]": both(lambda x: x[[0, 0, 2]], (3, 2)),
    "x[:, [1,1,1]]": both(lambda x: x[:, [1, 1, 1]], (2, 3)),
    "permute three axes": (
        lambda x: x.permute(2, 0, 1), lambda x: x.transpose(2, 0, 1), [(2, 3, 4)]
    ),
    "reshape of a transpose": both(lambda x: x.T.reshape(2, 6) * 2.0, (3, 4)),
    "slice with a step": both(lambda x: x[::-2, 1:], (5, 3)),
    "einsum ij->i": (
        lambda x: mg.einsum("ij->i", x), lambda x: np.einsum("ij->i", x), [(3, 4)]
    ),
    "einsum ii->i": (
        lambda x: mg.einsum("ii->i", x), lambda x: np.einsum("ii->i", x), [(3, 3)]
    ),
    "power by a number": both(lambda x: x**2 + 3 * x**3 - x**-1, (4,)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FIRST))
def test_first_derivative(name: str) -> None:
    agree(FIRST[name])


def np_logsumexp(x: Array) -> Array:
    return np.log(np.exp(x).sum(-1))


SECOND: dict[str, Probe] = {
    "x*x": both(lambda x: x * x, (3,)),
    "x*x*x": both(lambda x: x * x * x, (3,)),
    "x**3": both(lambda x: x**3, (3,)),
    "1/x": both(lambda x: 1 / x, (3,)),
    "exp": (mg.exp, np.exp, [(3,)]),
    "sin": (mg.sin, np.sin, [(3,)]),
    "cos": (mg.cos, np.cos, [(3,)]),
    "tanh": (mg.tanh, np.tanh, [(3,)]),
    "sigmoid": (mg.sigmoid, lambda x: 1 / (1 + np.exp(-x)), [(3,)]),
    "log of x*x": (lambda x: mg.log(x * x), lambda x: np.log(x * x), [(3,)]),
    "sqrt of 1+x*x": (lambda x: mg.sqrt(1 + x * x), lambda x: np.sqrt(1 + x * x), [(3,)]),
    "relu(x)*x": (lambda x: mg.relu(x) * x, lambda x: np.maximum(x, 0) * x, [(3,)]),
    "x*y with broadcasting": both(lambda x, y: x * y * x, (2, 3), (3,)),
    "x/y": both(lambda x, y: x / y, (3,), (3,)),
    "matmul": both(lambda x, y: x @ y @ x, (3, 3), (3, 3)),
    "softmax": (lambda x: mg.softmax(x, -1), lambda x: np_softmax(x, -1), [(2, 3)]),
    "logsumexp": (lambda x: mg.logsumexp(x, -1), np_logsumexp, [(2, 3)]),
}


@pytest.mark.parametrize("name", list(SECOND))
def test_second_derivative(name: str) -> None:
    """u^T H w, by two backwards and by differences of the reference's values alone."""
    function, reference, shapes = SECOND[name]
    arrays = drawn(shapes, 3)
    leaves = [leaf(a) for a in arrays]
    y = function(*leaves)
    rng = np.random.default_rng(4)
    v = rng.standard_normal(y.shape)
    u, w = ([rng.standard_normal(s) for s in shapes] for _ in range(2))
    grads = mg.autograd.grad(y, leaves, v, create_graph=True)
    along = sum((g * mg.tensor(d)).sum() for g, d in zip(grads, u, strict=True))
    found = mg.autograd.grad(along, leaves)
    product = sum(float((g.numpy() * d).sum()) for g, d in zip(found, w, strict=True))

    def value(s: float, t: float) -> float:
        moved = [a + s * p + t * q for a, p, q in zip(arrays, u, w, strict=True)]
        return float(np.sum(v * reference(*moved)))

    h = 1e-4
    numeric = (value(h, h) - value(h, -h) - value(-h, h) + value(-h, -h)) / (4 * h * h)
    assert abs(numeric) > 1e-3, "the probe shows nothing"
    assert product == pytest.approx(numeric, rel=2e-5, abs=1e-6)


def test_second_derivatives_by_formula() -> None:
    """The three that one engine had as 22, as None, and right."""
    x = leaf(2.0)
    for function, wanted in ((lambda x: x * x * x, 12.0), (mg.exp, np.exp(2.0)), (mg.sin, -np.sin(2.0))):  # fmt: skip  # noqa: E501
        (g,) = mg.autograd.grad(function(x), x, create_graph=True)
        assert mg.autograd.grad(g, x)[0].item() == pytest.approx(wanted, rel=1e-14)


def test_chain_of_5000() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(5000):
        y = y * 1.0001 + 0.0
    y.backward()
    assert x.grad.item() == pytest.approx(1.0001**5000, rel=1e-10)


# ---- dtypes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 2.0,
        lambda x: 2.0 * x,
        lambda x: 1 - x,
        lambda x: x**2,
        lambda x: 2**x,
        lambda x: x / 3,
        lambda x: x * np.float64(2),
        lambda x: np.float64(2) * x,
        lambda x: x + np.float64(1.5).sum(),
        lambda x: mg.softmax(x, 0) * np.sqrt(0.5),
        lambda x: x.mean() * 2.0,
    ],
)
def test_float32_stays_float32(function: Callable[[mg.Tensor], mg.Tensor]) -> None:
    """A number of any make is weak, NumPy's scalars as well, although NumPy has them strong."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = function(x)
    assert y.dtype == mg.float32
    y.backward(np.ones(y.shape))
    assert x.grad.dtype == mg.float32


def test_array_times_tensor() -> None:
    x = leaf([1.0, 2.0])
    for y in (np.array([3.0, 4.0]) * x, x * np.array([3.0, 4.0])):
        assert isinstance(y, mg.Tensor)
        x.grad = None
        y.backward(np.array([1.0, 10.0]))
        assert x.grad.tolist() == [3.0, 40.0]


# ---- refused, not silently wrong ----------------------------------------------------------------


def test_data_changed_after_the_forward() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = (x * w).sum()
    w.data += 10
    with pytest.raises(
        mg.MutationError, match=r"mul needs.*changed in place by assignment to \.data"
    ):
        y.backward()


def test_backward_of_several_elements() -> None:
    with pytest.raises(mg.GraphError, match=r"needs one element.*shape \[2\].*sum.*gradient="):
        (leaf([1.0, 2.0]) * 2.0).backward()


def test_second_backward() -> None:
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    with pytest.raises(mg.GraphError, match=r"second time.*retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_mse_of_a_column_and_a_row() -> None:
    x = mg.ones(4, 1, requires_grad=True)
    with pytest.raises(ValueError, match=r"\[4, 1\].*\[4\].*squeeze"):
        F.mse_loss(x, mg.ones(4))


# ---- memory -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: (a + b) + (a - b),
        lambda a, b: mg.stack([a, b]).sum(0),
        lambda a, b: a.reshape(3, 1) + b.reshape(3, 1),
        lambda a, b: a.T + b.T,
    ],
)
def test_gradients_share_no_memory(function: Callable[..., mg.Tensor]) -> None:
    a, b = leaf([1.0, 2.0, 3.0]), leaf([4.0, 5.0, 6.0])
    y = function(a, b)
    v = np.random.default_rng(0).standard_normal(y.shape)
    kept = v.copy()
    y.backward(v)
    assert not np.shares_memory(a.grad._array, b.grad._array)
    before = b.grad.tolist()
    with mg.no_grad():
        a.grad *= 0.0
    assert b.grad.tolist() == before
    assert np.array_equal(v, kept)


@pytest.mark.parametrize("function", [mg.relu, F.gelu, F.leaky_relu, F.silu, F.elu, mg.clamp])
def test_activations_change_neither_operand_nor_cotangent(function: Any) -> None:
    values = np.array([-1.5, -0.5, 0.5, 2.0])
    x = leaf(values)
    h = x * 1.0
    y = function(h, 0.0) if function is mg.clamp else function(h)
    v = np.array([1.0, -2.0, 3.0, -4.0])
    y.backward(v)
    assert x.tolist() == h.tolist() == values.tolist()
    assert v.tolist() == [1.0, -2.0, 3.0, -4.0]


# ---- convolution and attention ------------------------------------------------------------------


def conv_by_loops(x: Array, w: Array, stride: int, padding: int) -> Array:
    """A convolution layer, by scipy's correlation of each pair of channels, then every n-th row."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    full = [
        [sum(signal.correlate2d(a, b, "valid") for a, b in zip(image, filters, strict=True))
         for filters in w]
        for image in x
    ]  # fmt: skip
    return np.array(full)[:, :, ::stride, ::stride]


@pytest.mark.parametrize(("stride", "padding", "size"), [(2, 0, 5), (2, 1, 6), (3, 0, 7), (1, 1, 4)])  # fmt: skip  # noqa: E501
def test_strided_convolution(stride: int, padding: int, size: int) -> None:
    """One engine multiplied the kernel's axes by the stride, and read past the buffer."""
    agree(
        (
            lambda x, w: F.conv2d(x, w, stride=stride, padding=padding),
            lambda x, w: conv_by_loops(x, w, stride, padding),
            [(2, 2, size, size), (3, 2, 3, 3)],
        )
    )


def attention(q: Array, k: Array, v: Array, causal: bool) -> Array:
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tril(np.ones(scores.shape[-2:], bool)), scores, -np.inf)
    return np_softmax(scores, -1) @ v


@pytest.mark.parametrize("causal", [False, True])
def test_attention(causal: bool) -> None:
    agree(
        (
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=causal),
            lambda q, k, v: attention(q, k, v, causal),
            [(2, 4, 3), (2, 4, 3), (2, 4, 2)],
        )
    )


def test_the_two_conventions_of_a_mask_are_not_mixed_up() -> None:
    """One engine gave 0 / -inf to a function that wanted 1 / 0: all scores got -1e9."""
    q, k, v = (mg.tensor(a) for a in drawn([(4, 3), (4, 3), (4, 2)], 5))
    wanted = attention(q.numpy(), k.numpy(), v.numpy(), causal=True)
    allowed = np.tril(np.ones((4, 4), bool))
    added = np.where(allowed, 0.0, -np.inf)
    for mask in (allowed, added):
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mg.tensor(mask))
        np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-12)
    with pytest.raises(TypeError, match="mask"):
        F.scaled_dot_product_attention(q, k, v, attn_mask=mg.tensor(allowed.astype(int)))


def test_float32_attention_is_not_uniform() -> None:
    """Then the loss would not depend on queries and keys, and their weights would never learn."""
    rng = np.random.default_rng(6)
    q, k, v = (
        mg.tensor(rng.standard_normal((2, 5, 8)).astype("f4"), requires_grad=True) for _ in range(3)
    )
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    y.backward(rng.standard_normal(y.shape).astype("f4"))
    means = np.cumsum(v.detach().numpy(), 1) / np.arange(1, 6)[:, None]
    assert np.abs(y.detach().numpy() - means)[:, 1:].max() > 0.1
    assert np.abs(q.grad.numpy()).max() > 0.01
    assert np.abs(k.grad.numpy()).max() > 0.01


# ---- the checks themselves ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["softmax", "transpose", "reshape", "tanh", "matmul"])
def test_gradcheck_sees_rules_that_ignore_the_cotangent(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a cotangent of ones, such a rule passes a homework's grader."""
    functions = {
        "softmax": lambda x: mg.softmax(x, -1),
        "transpose": lambda x: mg.transpose(x, 0, 1),
        "reshape": lambda x: x.reshape(4, 3),
        "tanh": mg.tanh,
        "matmul": lambda x: x @ mg.tensor(drawn([(4, 2)], 8)[0]),
    }
    x = leaf(drawn([(3, 4)], 7)[0])
    assert mg.gradcheck(functions[name], [x])
    row = functions[name](x).grad_fn.op
    rule = row.rules[row.operands[0]]

    def ignoring(g: Any, *saved: Any) -> Any:
        return rule(g * 0 + 1, *saved)

    ignoring.__wrapped__ = rule  # it asks for what the right rule asks for
    monkeypatch.setitem(row.rules, row.operands[0], ignoring)
    monkeypatch.setattr(row, "plans", {})
    assert not mg.gradcheck(functions[name], [x])


def test_power_is_checked_at_more_than_exponent_0() -> None:
    """A homework drew its exponent with randint(1), which is always 0."""
    for exponent in (0, 1, 2, 3, -1, 0.5):
        x = leaf([0.5, 2.0])
        (x**exponent).backward(np.array([1.0, -3.0]))
        wanted = exponent * np.array([0.5, 2.0]) ** (exponent - 1) * [1.0, -3.0]
        np.testing.assert_allclose(x.grad.numpy(), wanted, rtol=1e-14)


def test_a_parameter_keeps_nothing_of_its_uses() -> None:
    """One engine kept a dead reference for each use: a thousand steps, a thousand entries."""
    x = leaf([1.0, 2.0])

    def size() -> int:
        leaf_node = x._node
        parts = [getattr(leaf_node, name) for name in ("hooks", "shape", "dtype", "tensor")]
        return len(vars(x)) + sum(len(p) for p in parts if hasattr(p, "__len__"))

    before = size()
    for _ in range(200):
        (x * 2.0).sum().backward()
    assert size() <= before + 1  # .grad
