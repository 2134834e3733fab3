"""Multi-head attention beyond test_parity: masks by their meaning, dropout, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

RNG = np.random.default_rng(0)


def normal(*shape: int) -> mg.Tensor:
    return mg.tensor(RNG.standard_normal(shape), requires_grad=True)


def attention(**options: Any) -> Any:
    return nn.MultiheadAttention(6, 2, batch_first=True, dtype=mg.float64, **options)


def same(a: Any, b: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(
        a.detach().numpy(), b.detach().numpy(), rtol=rtol, atol=rtol, strict=True
    )


# ---- one computation, said in several ways ------------------------------------------------------


def test_one_product_or_three() -> None:
    """Self-attention, encoder-decoder attention and the general case share their formulas."""
    net, x, memory = attention(), normal(3, 4, 6), normal(3, 5, 6)
    same(net(x, x, x)[0], net(x, x.clone(), x.clone())[0])
    same(net(x, memory, memory)[0], net(x, memory, memory.clone())[0])
    g = RNG.standard_normal((3, 4, 6))
    grads = []
    for twin in (memory, memory.clone()):
        net.zero_grad()
        net(x, memory, twin)[0].backward(g)
        grads.append([p.grad.numpy().copy() for p in net.parameters()])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def test_weights_or_none() -> None:
    net, x = attention(), normal(3, 4, 6)
    y, weights = net(x, x, x)
    z, none = net(x, x, x, need_weights=False)
    assert none is None
    same(y, z)
    each = net(x, x, x, average_attn_weights=False)[1]
    assert each.shape == (3, 2, 4, 4)
    same(each.mean(1), weights)
    same(weights.sum(-1), mg.ones(3, 4, dtype=mg.float64))


@pytest.mark.parametrize("options", [{}, {"add_bias_kv": True}, {"add_zero_attn": True}])
def test_causal_needs_no_mask_and_hides_what_comes_later(options: dict[str, Any]) -> None:
    net, x = attention(**options), normal(2, 5, 6)
    y, weights = net(x, x, x, is_causal=True)
    later = np.triu(np.ones((5, 5), bool), 1)
    assert not weights.detach().numpy()[:, :, :5][:, later].any()
    masked, same_weights = net(x, x, x, attn_mask=mg.tensor(later))
    same(y, masked)
    same(weights, same_weights)
    same(net(x, x, x, attn_mask=mg.tensor(later), is_causal=True)[0], y)
    changed = x.detach().clone()
    changed[:, 3:] = 9.0
    same(net(changed, changed, changed, is_causal=True)[0][:, :3], y[:, :3])


def test_padding_is_as_if_it_were_not_there() -> None:
    net, x = attention(), normal(2, 5, 6)
    padding = mg.tensor([[False] * 5, [False, False, True, True, True]])
    y, weights = net(x, x, x, key_padding_mask=padding)
    same(y[1, :2], net(x[1:, :2], x[1:, :2], x[1:, :2])[0][0])
    assert not weights.detach().numpy()[1, :, 2:].any()


def test_bool_and_floating_masks_together() -> None:
    """Hidden is hidden, and the rest has the numbers added: as with both masks floating."""
    net, x = attention(), normal(2, 4, 6)
    scores = normal(4, 4)
    hidden = np.array([[False] * 4, [False, True, True, False]])
    y = net(x, x, x, key_padding_mask=mg.tensor(hidden), attn_mask=scores)[0]
    numbers = mg.tensor(np.where(hidden, -math.inf, 0.0))
    same(y, net(x, x, x, key_padding_mask=numbers, attn_mask=scores)[0])


def test_a_floating_mask_has_a_gradient() -> None:
    """So a bias for relative positions can be learned."""
    net, x, scores = attention(), normal(1, 3, 6), normal(3, 3)
    assert mg.gradcheck(lambda s: net(x.detach(), x.detach(), x.detach(), attn_mask=s)[0], [scores])


def test_a_query_that_may_look_at_nothing_gets_the_last_bias() -> None:
    """Torch answers NaN; here the weights are 0, and so is every gradient through them."""
    net, x = attention(), normal(2, 3, 6)
    net.out_proj.bias.data = mg.arange(6, dtype=mg.float64)
    padding = mg.tensor([[False] * 3, [True] * 3])
    y, weights = net(x, x, x, key_padding_mask=padding)
    assert np.array_equal(y[1].detach().numpy(), np.tile(np.arange(6.0), (3, 1)))
    assert not weights[1].detach().numpy().any()
    y.backward(RNG.standard_normal(y.shape))
    assert not x.grad.numpy()[1].any()
    assert all(np.isfinite(p.grad.numpy()).all() for p in net.parameters())


@pytest.mark.parametrize(
    "options", [{}, {"kdim": 3, "vdim": 4}, {"add_bias_kv": True, "add_zero_attn": True}]
)
def test_second_derivatives(options: dict[str, Any]) -> None:
    net = nn.MultiheadAttention(4, 2, dtype=mg.float64, **options)
    xs = [normal(2, 1, 4), normal(2, 1, net.kdim), normal(2, 1, net.vdim)]
    assert mg.gradgradcheck(lambda *xs: net(*xs, is_causal=True)[0], xs)


def test_on_every_device(backend: str) -> None:
    mg.manual_seed(0)
    host = nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True)
    mg.manual_seed(0)
    net = nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True, device=backend)
    x = RNG.standard_normal((4, 3, 6)).astype("f4")
    hidden = np.arange(4) >= np.array([4, 2, 1])[:, None]
    results = []
    for module, device in ((host, "cpu"), (net, backend)):
        v = mg.tensor(x, device=device)
        mask = mg.tensor(hidden, device=device)
        y, weights = module(v, v, v, key_padding_mask=mask, is_causal=True)
        y.backward(mg.tensor(x, device=device))
        results.append([y.detach(), weights.detach(), *(p.grad for p in module.parameters())])
    for a, b in zip(*results, strict=True):
        assert b.device.type == backend
        np.testing.assert_allclose(a.numpy(), b.cpu().numpy(), rtol=1e-4, atol=1e-5)


# ---- dropout ------------------------------------------------------------------------------------


def test_dropout_drops_weights_in_training_only() -> None:
    net = nn.MultiheadAttention(8, 4, dropout=0.3, batch_first=True)
    x = mg.ones(20, 30, 8)  # all keys alike, so each weight is 1 / 30
    weights = net(x, x, x, average_attn_weights=False)[1].detach().numpy()
    kept = np.float32(1 / 30 / 0.7)
    np.testing.assert_allclose(weights[weights != 0], kept, rtol=1e-5)
    share = (weights == 0).mean()
    assert abs(share - 0.3) < 5 * math.sqrt(0.3 * 0.7 / weights.size)
    y, z = net(x, x, x)[0], net(x, x, x, need_weights=False)[0]
    assert not np.array_equal(y.detach().numpy(), z.detach().numpy())
    net.eval()
    np.testing.assert_allclose(net(x, x, x)[1].detach().numpy(), 1 / 30, rtol=1e-5)
    assert np.array_equal(net(x, x, x)[0].detach().numpy(), net(x, x, x)[0].detach().numpy())


# ---- what is refused ----------------------------------------------------------------------------

X = mg.ones(3, 4, 6)
CALLS: list[tuple[dict[str, Any], tuple[Any, ...], dict[str, Any], type, str]] = [
    ({}, (X, X, mg.ones(3, 4, 5)), {}, ValueError,
     r"value float32\[3, 4, 5\]; their last axes must be embed_dim=6, kdim=6 and vdim=6"),
    ({"kdim": 2}, (X, X, X), {}, ValueError, "embed_dim=6, kdim=2 and vdim=6"),
    ({}, (X, mg.ones(3, 5, 6), X), {}, ValueError, "each key needs one value"),
    ({}, (X, X[:2], X[:2]), {}, ValueError,
     r"batches of 3 and 2 \(axis 0, as batch_first=True\) do not belong together"),
    ({}, (X, X[0], X[0]), {}, ValueError, "3 axes, or 2 for one sequence"),
    ({}, (X, X, X), {"attn_mask": mg.ones(4, 3)}, ValueError,
     r"attn_mask is float32\[4, 3\], it must be \[4, 4\] or \[6, 4, 4\]"),
    ({}, (X, X, X), {"key_padding_mask": mg.ones(4, 3)}, ValueError,
     r"key_padding_mask is float32\[4, 3\], it must be \[3, 4\]"),
    ({}, (X, X, X), {"attn_mask": mg.ones(4, 4, dtype=mg.int64)}, TypeError,
     r"attn_mask is int64; it must be bool.*mask\.bool\(\)"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(CALLS)))
def test_wrong_calls(case: int) -> None:
    options, args, named, error, text = CALLS[case]
    with pytest.raises(error, match=text):
        nn.MultiheadAttention(6, 2, batch_first=True, **options)(*args, **named)


@pytest.mark.parametrize(
    ("args", "options", "error", "text"),
    [
        ((6, 4), {}, ValueError, r"embed_dim=6 cannot be cut into num_heads=4 equal parts"),
        ((6, 0), {}, ValueError, "embed_dim=6 cannot be cut into num_heads=0"),
        ((0, 2), {}, ValueError, "neither be 0"),
        ((6.0, 2), {}, TypeError, "embed_dim must be an int, not float"),
        ((6, 2), {"kdim": -1}, ValueError, "kdim must not be negative"),
        ((6, 2, 1.5), {}, ValueError, "from 0 to 1, not 1.5"),
    ],
)
def test_wrong_options(args: Any, options: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        nn.MultiheadAttention(*args, **options)
