"""Layers whose input size comes with the first batch: nothing of them is used before."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

SHAPES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "LazyLinear": (lambda: nn.LazyLinear(3), (5, 4)),
    "LazyConv1d": (lambda: nn.LazyConv1d(3, 2), (5, 4, 6)),
    "LazyConv2d": (lambda: nn.LazyConv2d(6, 2, groups=2), (5, 4, 6, 6)),
    "LazyConvTranspose1d": (lambda: nn.LazyConvTranspose1d(3, 2), (5, 4, 6)),
    "LazyConvTranspose2d": (lambda: nn.LazyConvTranspose2d(6, 2, groups=2), (5, 4, 6, 6)),
    "LazyBatchNorm1d": (nn.LazyBatchNorm1d, (5, 4)),
    "LazyBatchNorm2d": (nn.LazyBatchNorm2d, (5, 4, 6, 6)),
}
NO_SHAPE = "has no shape yet: .* Run one batch through the network first"


def net() -> Any:
    return nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))


@pytest.mark.parametrize("name", SHAPES)
def test_first_batch_makes_the_layer(name: str) -> None:
    make, shape = SHAPES[name]
    layer = make()
    held = list(layer.parameters())
    assert type(layer).__name__ == name
    assert layer.has_uninitialized_params()
    assert "without a shape yet" in repr(layer)
    x = mg.randn(*shape)
    mg.manual_seed(3)
    y = layer(x)
    assert type(layer).__name__ == name.removeprefix("Lazy")
    assert all(p is q for p, q in zip(layer.parameters(), held, strict=True))
    assert all(type(p) is nn.Parameter and p.requires_grad for p in held)
    mg.manual_seed(3)
    twin = copy.deepcopy(layer)
    twin.reset_parameters()
    for p, q in zip(layer.parameters(), twin.parameters(), strict=True):
        assert np.array_equal(p.detach().numpy(), q.detach().numpy()), "other first values"
    y.backward(mg.randn(*y.shape))
    assert all(p.grad is not None for p in held)
    mg.optim.SGD(held, lr=0.1).step()


@pytest.mark.parametrize("name", SHAPES)
def test_before_it_nothing_is_saved_checked_or_optimised(name: str, tmp_path: Any) -> None:
    make, shape = SHAPES[name]
    layer, x = make().double(), mg.randn(*shape, dtype=mg.float64)
    uses = {
        "state_dict": layer.state_dict,
        "save": lambda: mg.save(layer, tmp_path / "net.safetensors"),
        "optimizer": lambda: mg.optim.Adam(layer.parameters()),
        "gradcheck": lambda: mg.gradcheck(layer, [x]),
        "shape": lambda: next(layer.parameters()).shape,
        "count": lambda: sum(p.numel() for p in layer.parameters()),
        "op": lambda: mg.ones(1) * next(layer.parameters()),
        "init": lambda: nn.init.zeros_(next(layer.parameters())),
        "reset": layer.reset_parameters,
    }
    for what, use in uses.items():
        with pytest.raises(RuntimeError, match=f"{name}.* {NO_SHAPE}"):
            pytest.fail(f"{what} went through: {use()}")
    assert list(tmp_path.iterdir()) == []
    layer(x)
    for use in uses.values():
        use()


def test_what_may_be_done_before() -> None:
    module = net().double().requires_grad_(False).eval().cpu()
    module.zero_grad()
    twin = copy.deepcopy(module).train().requires_grad_()
    x = mg.randn(3, 2, 6, 6, dtype=mg.float64)
    assert module(x).shape == twin(x).shape == (3, 2)
    assert {str(t.dtype) for t in module.state_dict().values()} == {"float64", "int64"}
    assert not any(p.requires_grad for p in module.parameters())
    assert all(p.requires_grad for p in twin.parameters())
    assert not np.shares_memory(module[0].weight._array, twin[0].weight._array)
    with pytest.raises(TypeError, match="floating dtype, not int64"):
        net().to(mg.int64)


def test_devices(backend: str) -> None:
    for module in (net().to(backend), nn.LazyLinear(2, device=backend)):
        x = mg.randn(3, 2, 6, 6, device=backend)
        assert module(x).device.type == backend
        assert {t.device.type for t in module.state_dict().values()} == {backend}


def test_a_seed_gives_the_weights_of_the_layer_with_sizes() -> None:
    x = mg.randn(5, 4)
    lazy = nn.LazyLinear(3)
    mg.manual_seed(1)
    lazy(x)
    mg.manual_seed(1)
    known = nn.Linear(4, 3)
    assert np.array_equal(lazy.weight.detach().numpy(), known.weight.detach().numpy())
    assert lazy.weight._array.strides == known.weight._array.strides
    assert repr(lazy) == repr(known)


def test_loading_makes_the_layers_and_draws_nothing() -> None:
    full = net()
    x = mg.randn(3, 2, 6, 6)
    full(x)
    module = net()
    mg.manual_seed(8)
    module.load_state_dict(full.state_dict())
    drawn = mg.rand(1).item()
    mg.manual_seed(8)
    assert drawn == mg.rand(1).item()
    assert repr(module) == repr(full)
    assert np.array_equal(module.eval()(x).detach().numpy(), full.eval()(x).detach().numpy())
    module.load_state_dict(full.state_dict())  # as any other, from here on


def test_loading_a_part_leaves_first_values() -> None:
    module, full = nn.LazyLinear(3), nn.Linear(4, 3)
    answer = module.load_state_dict({"weight": full.weight.detach()}, strict=False)
    assert answer.missing_keys == ["bias"]
    assert np.array_equal(module.weight.detach().numpy(), full.weight.detach().numpy())
    assert type(module) is nn.Linear
    assert module.in_features == 4
    assert 0 < float(module.bias.detach().abs().max()) <= 0.5
    partial = net()
    partial.load_state_dict({"3.weight": mg.ones(2, 7)}, strict=False)
    assert [type(m).__name__ for m in partial] == [
        "LazyConv2d", "LazyBatchNorm2d", "Flatten", "Linear",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ({"weight": (2, 4), "bias": (3,)}, r"weight: the shape is \[3, \?\] here and \[2, 4\]"),
        ({"weight": (3, 4, 1), "bias": (3,)}, r"weight: the shape is \[3, \?\] here and \[3, 4, 1"),
        ({"weight": (3, 4), "bias": (4,)}, r"bias: the shape is \[3\] here and \[4\]"),
        ({"bias": (3,)}, r"LazyLinear is not to be told from bias \[3\]"),
        ({"weight": (3, 4)}, "missing: bias"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(state: Any, text: str) -> None:
    module = nn.LazyLinear(3)
    with pytest.raises(RuntimeError, match=text):
        module.load_state_dict({k: mg.ones(*shape) for k, shape in state.items()})
    assert module.has_uninitialized_params()
    assert len(module._open()) == 2


def test_a_state_with_two_sizes_is_refused() -> None:
    module = nn.LazyBatchNorm1d()
    state = dict(nn.BatchNorm1d(4).state_dict()) | {"running_var": mg.ones(5)}
    with pytest.raises(RuntimeError, match=r"not to be told from .*running_var \[5\]"):
        module.load_state_dict(state)
    with pytest.raises(RuntimeError, match="weight: the dtype is float32 here and complex64"):
        nn.LazyLinear(2).load_state_dict({"weight": np.ones((2, 3), "c8")}, strict=False)
    assert module.has_uninitialized_params()


@pytest.mark.parametrize(
    ("layer", "shape", "text"),
    [
        (lambda: nn.LazyLinear(3), (), "x is a single number"),
        (lambda: nn.LazyConv2d(3, 2), (4, 4), r"takes \(N, C, H, W\) or \(C, H, W\), x has .*4, 4"),
        (lambda: nn.LazyConv1d(4, 2, groups=2), (3, 5), "groups=2 must divide the 3 channels"),
        (nn.LazyBatchNorm1d, (2, 3, 4, 5), r"takes \(N, C\) or \(N, C, L\)"),
    ],
)
def test_a_wrong_first_batch_makes_nothing(layer: Any, shape: Any, text: str) -> None:
    module = layer()
    with pytest.raises(ValueError, match=text):
        module(mg.ones(*shape) if shape else mg.tensor(1.0))
    assert module.has_uninitialized_params()
    assert type(module).__name__.startswith("Lazy")
