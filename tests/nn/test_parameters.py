"""Containers of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def test_parameter_list_is_a_list() -> None:
    first = nn.Parameter(mg.ones(2))
    held = nn.ParameterList([first, mg.zeros(3)])
    held.append(mg.ones(1)).extend([mg.ones(4)])
    held += [mg.ones(5)]
    assert len(held) == 5
    assert held[0] is first
    assert [p.shape for p in held] == [(2,), (3,), (1,), (4,), (5,)]
    assert all(type(p) is nn.Parameter and p.requires_grad for p in held)
    assert list(held.state_dict()) == ["0", "1", "2", "3", "4"]
    assert held[-1].shape == (5,)
    assert isinstance(held[1:3], nn.ParameterList)
    assert held[1:3][1] is held[2]
    held[-1] = mg.ones(6)
    assert held[4].shape == (6,)
    assert not nn.ParameterList([mg.tensor([1, 2])])[0].requires_grad
    with pytest.raises(IndexError, match="ParameterList has 5 entries, there is no 5"):
        _ = held[5]
    with pytest.raises(TypeError, match="entry 5 is a float, not a Parameter or a Tensor"):
        held.append(1.0)
    with pytest.raises(TypeError, match="not one Tensor"):
        held.extend(mg.ones(2, 2))


def test_parameter_dict_is_a_dict() -> None:
    held = nn.ParameterDict({"b": mg.ones(2)})
    held.update([("a", mg.zeros(3)), ("b", mg.ones(4))])
    held.update(nn.ParameterDict({"c": mg.ones(1)}))
    assert list(held) == list(held.keys()) == ["b", "a", "c"]
    assert [p.shape for p in held.values()] == [(4,), (3,), (1,)]
    assert dict(held.items())["a"] is held["a"]
    assert "a" in held
    assert held.get("z") is None
    assert held.pop("a").shape == (3,)
    del held["c"]
    assert len(held) == 1
    with pytest.raises(KeyError, match="no parameter 'a'; there are: b"):
        _ = held["a"]
    with pytest.raises(KeyError, match="no parameter 'a'"):
        del held["a"]
    with pytest.raises(KeyError, match="text without a dot"):
        held["a.b"] = mg.ones(1)
    with pytest.raises(TypeError, match="entry x is a list"):
        held["x"] = [1.0]


def test_they_are_seen_and_learned() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales = nn.ParameterList([mg.ones(3) for _ in range(2)])
            self.shifts = nn.ParameterDict({"left": mg.zeros(3)})

        def forward(self, x: Any) -> Any:
            for scale in self.scales:
                x = x * scale
            return x + self.shifts["left"]

    net = Net()
    assert list(net.state_dict()) == ["scales.0", "scales.1", "shifts.left"]
    optimizer = mg.optim.SGD(net.parameters(), lr=0.1)
    net(mg.ones(3)).backward(mg.tensor([1.0, 2.0, 3.0]))
    optimizer.step()
    np.testing.assert_allclose(net.scales[1].detach().numpy(), [0.9, 0.8, 0.7], rtol=1e-6)
    twin = Net()
    twin.load_state_dict(net.state_dict())
    assert twin.shifts["left"].tolist() == net.shifts["left"].tolist()


@pytest.mark.parametrize("count", [1, 2])
def test_representation_is_torchs(count: int) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    names = ["a", "b"][:count]

    def text(nn: Any, ones: Any) -> str:
        tensors = [ones(2, 3), ones(4)][:count]
        both = [nn.ParameterList(tensors), nn.ParameterDict(zip(names, tensors, strict=True))]
        return "".join(map(repr, both))

    mine = text(nn, mg.ones).split("  # ")
    other = text(torch.nn, torch.ones)
    other = other.replace("torch.float32", "float32").replace("torch.FloatTensor", "float32")
    counts = ["6 parameters", "10 parameters"]
    assert len(mine) == 3
    assert "".join(mine).replace(counts[count - 1], "") == other
