"""Saving and loading a module's state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def net(seed: int = 0) -> Any:
    mg.manual_seed(seed)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    module.register_buffer("seen", mg.tensor(5))
    return module


def values(module: Any) -> dict[str, np.ndarray]:
    return {k: v.numpy().copy() for k, v in module.state_dict().items()}


def equal(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return list(a) == list(b) and all(np.array_equal(a[k], b[k]) for k in a)


def test_round_trip() -> None:
    one, two = net(0), net(1)
    assert not equal(values(one), values(two))
    answer = two.load_state_dict(one.state_dict())
    assert equal(values(one), values(two))
    assert (answer.missing_keys, answer.unexpected_keys) == ([], [])
    assert repr(answer) == "<All keys matched successfully>"
    x = mg.randn(5, 3)
    assert np.array_equal(one(x).detach().numpy(), two(x).detach().numpy())


def test_state_shares_memory_and_carries_no_graph() -> None:
    module = net()
    state = module.state_dict()
    assert not any(t.requires_grad for t in state.values())
    with mg.no_grad():
        module[0].bias.fill_(3.0)
    assert state["0.bias"].tolist() == [3.0] * 4
    assert module.state_dict(keep_vars=True)["0.bias"] is module[0].bias
    assert list(module.state_dict(prefix="net."))[:2] == ["net.seen", "net.0.weight"]


def test_loading_copies_into_the_same_memory_and_casts() -> None:
    module = net()
    arrays = [p._array for p in module.parameters()]
    state = {
        k: v.numpy().astype("f8") if v.is_floating_point() else v
        for k, v in net(1).state_dict().items()
    }
    module.load_state_dict(state)
    for p, array in zip(module.parameters(), arrays, strict=True):
        assert p._array is array
        assert p.dtype == mg.float32
    assert equal(values(module), values(net(1)))
    state["0.bias"][...] = 9.0
    assert module[0].bias.tolist() != [9.0] * 4


def test_loading_into_an_optimised_module_goes_on_in_its_buffer() -> None:
    module = net()
    optimizer = mg.optim.SGD(module.parameters(), lr=0.0)
    module(mg.randn(5, 3)).sum().backward()
    optimizer.step()
    view = module[0].weight._array
    module.load_state_dict(net(1).state_dict())
    assert module[0].weight._array is view
    optimizer.step()
    assert equal(values(module), values(net(1)))


def test_a_graph_from_before_loading_is_out_of_date() -> None:
    module = net()
    x = mg.randn(5, 3, requires_grad=True)
    y = module(x).sum()
    module.load_state_dict(net(1).state_dict())
    with pytest.raises(mg.MutationError, match="load_state_dict"):
        y.backward()


def test_not_strict() -> None:
    module = net()
    state = dict(net(1).state_dict())
    del state["2.bias"]
    state["extra"] = mg.ones(1)
    before = values(module)
    answer = module.load_state_dict(state, strict=False)
    assert answer.missing_keys == ["2.bias"]
    assert answer.unexpected_keys == ["extra"]
    assert "missing=['2.bias']" in repr(answer)
    assert np.array_equal(values(module)["2.bias"], before["2.bias"])
    assert np.array_equal(values(module)["2.weight"], values(net(1))["2.weight"])


def test_one_error_lists_everything_and_nothing_is_loaded() -> None:
    module = net()
    before = values(module)
    state = dict(net(1).state_dict())
    del state["0.bias"]
    state["3.weight"] = mg.ones(1)
    state["2.weight"] = mg.ones(2, 5)
    state["2.bias"] = [0.0, 0.0]
    state["seen"] = mg.tensor(1.5)
    with pytest.raises(RuntimeError) as error:
        module.load_state_dict(state)
    text = str(error.value)
    for part in [
        "does not fit Sequential, nothing was loaded",
        "missing: 0.bias",
        "unexpected: 3.weight",
        "2.weight: the shape is [2, 4] here and [2, 5] in the state",
        "2.bias: a Tensor or an array is needed, not list",
        "seen: the dtype is int64 here and float32 in the state",
        "strict=False",
    ]:
        assert part in text
    assert equal(values(module), before)


def test_shapes_count_even_when_not_strict() -> None:
    module = net()
    before = values(module)
    state = dict(net(1).state_dict()) | {"2.bias": mg.ones(3)}
    with pytest.raises(RuntimeError, match=r"2.bias: the shape is \[2\] here and \[3\]"):
        module.load_state_dict(state, strict=False)
    assert equal(values(module), before)


def test_a_prefix_too_many_is_recognised() -> None:
    state = {f"module.{k}": v for k, v in net(1).state_dict().items()}
    with pytest.raises(RuntimeError, match=r"fix: remove 'module\.' from the names"):
        net().load_state_dict(state)


def test_what_is_no_mapping() -> None:
    with pytest.raises(TypeError, match="maps names to tensors; this is a Sequential"):
        net().load_state_dict(net(1))


def test_on_every_device(backend: str) -> None:
    module = net().to(backend)
    module.load_state_dict(net(1).state_dict())
    assert {t.device.type for t in module.state_dict().values()} == {backend}
    assert equal(values(module.cpu()), values(net(1)))
