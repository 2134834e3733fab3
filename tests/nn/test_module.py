"""Module: what it tracks, how it is walked through, converted, shown; and its errors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(mg.tensor([2.0]))
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5))
        self.register_buffer("mean", mg.zeros(3))
        self.register_buffer("count", mg.tensor(0), persistent=False)
        self.head = nn.Linear(4, 2, bias=False)
        self.note = "plain"

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x - self.mean)) * self.scale


# ---- what is tracked ----------------------------------------------------------------------------


def test_everything_is_found_in_order_of_assignment() -> None:
    net = Net()
    names = ["scale", "body.0.weight", "body.0.bias", "head.weight"]
    assert [n for n, _ in net.named_parameters()] == names
    assert [p is q for p, (_, q) in zip(net.parameters(), net.named_parameters(), strict=True)]
    assert [n for n, _ in net.named_buffers()] == ["mean", "count"]
    assert [n for n, _ in net.named_children()] == ["body", "head"]
    assert [n for n, _ in net.named_modules()] == ["", "body", "body.0", "body.1", "body.2", "head"]
    assert list(net.state_dict()) == ["scale", "mean", *names[1:]]
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in net.named_parameters(prefix="net")] == [f"net.{n}" for n in names]


def test_shared_parts_are_listed_once_but_saved_under_each_name() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    net.append(net[0])
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert len(list(net.modules())) == 3
    assert len(list(net.named_parameters(remove_duplicate=False))) == 6
    assert list(net.state_dict()) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "2.weight",
        "2.bias",
    ]
    assert "# 8 parameters" in repr(net).splitlines()[-1]


def test_assignment_replaces_in_place_in_the_order() -> None:
    net = Net()
    net.scale = nn.Parameter(mg.tensor([3.0]))
    assert next(net.named_parameters())[0] == "scale"
    net.scale = None
    assert next(n for n, _ in net.named_parameters()) == "body.0.weight"
    assert net.scale is None
    assert "scale" not in net.state_dict()
    net.scale = nn.Linear(1, 1)  # another role: to the end
    assert [n for n, _ in net.named_children()] == ["body", "head", "scale"]


def test_deleting() -> None:
    net = Net()
    del net.head
    assert [n for n, _ in net.named_children()] == ["body"]
    with pytest.raises(AttributeError, match="head"):
        _ = net.head


def test_a_plain_tensor_is_no_parameter() -> None:
    net = Net()
    net.extra = mg.ones(2)
    assert "extra" not in dict(net.named_parameters()) | dict(net.named_buffers())


def test_apply_visits_parts_first() -> None:
    seen: list[str] = []
    net = Net()
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Dropout", "Sequential", "Linear", "Net"]


def test_modes() -> None:
    net = Net()
    assert net.training
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.body.train()
    assert [m.training for m in net.modules()] == [False, True, True, True, True, False]
    with pytest.raises(TypeError, match="True or False, not 1"):
        net.train(1)


def test_freezing_and_dropping_gradients() -> None:
    net = Net()
    net.body.requires_grad_(False)
    net(mg.randn(5, 3)).sum().backward()
    assert [p.grad is None for p in net.parameters()] == [False, True, True, False]
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0.0]
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_conversion_keeps_identity_layout_and_integers(backend: str) -> None:
    net = Net()
    net(mg.randn(5, 3)).sum().backward()
    before = list(net.parameters())
    layout = net.head.weight._array.strides
    assert net.to(backend) is net
    net.double()
    assert all(p is q for p, q in zip(net.parameters(), before, strict=True))
    assert {str(p.dtype) for p in net.parameters()} == {"float64"}
    assert {str(p.grad.dtype) for p in net.parameters()} == {"float64"}
    assert net.head.weight._array.strides == tuple(2 * s for s in layout)
    assert net.mean.dtype == mg.float64
    assert net.count.dtype == mg.int64
    assert {p.device.type for p in [*net.parameters(), *net.buffers()]} == {backend}
    net.zero_grad()
    net(mg.randn(5, 3, dtype=mg.float64, device=backend)).sum().backward()
    assert net.head.weight.grad.dtype == mg.float64
    net.cpu().half()
    assert net.scale.dtype == mg.float16
    net.to("cpu", mg.float32)
    assert net.scale.dtype == mg.float32


def test_conversion_to_ints_is_refused_before_anything_changes() -> None:
    net = Net()
    with pytest.raises(TypeError, match="floating dtype, not int64"):
        net.to(mg.int64)
    assert {str(p.dtype) for p in net.parameters()} == {"float32"}


def test_deep_copies_share_nothing() -> None:
    net = Net()
    twin = copy.deepcopy(net)
    with mg.no_grad():
        for p in twin.parameters():
            p.zero_()
    assert float(net.head.weight.abs().sum()) > 0
    twin(mg.randn(2, 3)).sum().backward()
    assert twin.scale.grad is not None
    assert net.scale.grad is None


def test_same_order_and_numbers_in_every_process() -> None:
    """Nothing depends on hashes or addresses: two builds from one seed are equal."""
    builds = []
    for _ in range(2):
        mg.manual_seed(5)
        builds.append({n: p.detach().numpy() for n, p in Net().named_parameters()})
    assert list(builds[0]) == list(builds[1])
    assert all(np.array_equal(builds[0][n], builds[1][n]) for n in builds[0])


# ---- how it is shown ----------------------------------------------------------------------------


def test_representation() -> None:
    net = Net()
    net.head.requires_grad_(False)
    assert repr(net) == (
        "Net(\n"
        "  (body): Sequential(\n"
        "    (0): Linear(in_features=3, out_features=4, bias=True)  # 16 parameters\n"
        "    (1): ReLU()\n"
        "    (2): Dropout(p=0.5)\n"
        "  )  # 16 parameters\n"
        "  (head): Linear(in_features=4, out_features=2, bias=False)  # 8 parameters, 8 frozen\n"
        ")  # 25 parameters, 8 frozen"
    )
    assert repr(nn.Linear(784, 128)).endswith("# 100,480 parameters")
    assert repr(nn.PReLU()) == "PReLU(num_parameters=1)  # 1 parameter"


def test_representation_with_lines_of_its_own() -> None:
    class Lines(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.ReLU()

        def extra_repr(self) -> str:
            return "one\ntwo"

    assert repr(Lines()) == "Lines(\n  one\n  two\n  (a): ReLU()\n)"


# ---- mistakes -----------------------------------------------------------------------------------


def test_forgotten_super() -> None:
    class Forgot(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(2, 2)

    class ForgotWithoutParts(nn.Module):
        def __init__(self) -> None:
            self.size = 3

    with pytest.raises(
        AttributeError, match=r"call super\(\).__init__\(\) first in Forgot.__init__"
    ):
        Forgot()
    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) first"):
        list(ForgotWithoutParts().parameters())


def test_missing_forward() -> None:
    class Bare(nn.Module):
        pass

    with pytest.raises(
        NotImplementedError, match=r"Bare has no forward; define .* def forward\(self, x\)"
    ):
        Bare()(mg.ones(1))
    with pytest.raises(NotImplementedError, match="ModuleList has no forward"):
        nn.ModuleList([nn.ReLU()])(mg.ones(1))


def test_misspelt_names() -> None:
    net = Net()
    with pytest.raises(AttributeError, match="'Net' has no attribute 'haed'; did you mean 'head'"):
        _ = net.haed
    with pytest.raises(AttributeError, match=r"'Linear' has no attribute 'weigth'.*'weight'"):
        _ = net.head.weigth
    assert not hasattr(net, "nothing_of_the_kind")
    assert not hasattr(net, "__array__")


def test_errors_inside_properties_are_not_hidden() -> None:
    class Broken(nn.Module):
        @property
        def width(self) -> int:
            return self.missing_thing

    with pytest.raises(AttributeError, match="missing_thing"):
        _ = Broken().width


def test_wrong_values_for_tracked_names() -> None:
    net = Net()
    with pytest.raises(
        TypeError, match=r"Net.scale is a parameter.*Parameter or None, not to Tensor"
    ):
        net.scale = mg.ones(1)
    with pytest.raises(TypeError, match=r"Net.mean is a buffer.*not to list"):
        net.mean = [0.0]
    with pytest.raises(TypeError, match=r"Net.head is a module.*not to function"):
        net.head = lambda x: x
    with pytest.raises(TypeError, match="a buffer is a Tensor or None, not list"):
        net.register_buffer("b", [1.0])
    with pytest.raises(TypeError, match="a parameter is a Parameter or None, not Tensor"):
        net.register_parameter("p", mg.ones(1))
    with pytest.raises(TypeError, match="a module is a Module or None, not int"):
        net.add_module("m", 3)
    assert list(net.state_dict()) == list(Net().state_dict())


@pytest.mark.parametrize("name", ["", "a.b", 3])
def test_names_that_are_no_names(name: Any) -> None:
    with pytest.raises(KeyError, match="text without a dot"):
        nn.Module().register_buffer(name, mg.ones(1))


def test_names_that_are_taken() -> None:
    with pytest.raises(KeyError, match="has an attribute 'note' that is not a buffer"):
        Net().register_buffer("note", mg.ones(1))
    with pytest.raises(KeyError, match="has an attribute 'forward' that is not a module"):
        nn.Sequential({"forward": nn.ReLU()})


@pytest.mark.parametrize("parts", [[nn.ReLU()], (nn.ReLU(),), {"a": nn.ReLU()}])
def test_plain_lists_of_modules_are_warned_of(parts: Any) -> None:
    with pytest.warns(UserWarning, match="Net.layers is a plain .* of modules.*nn.ModuleList"):
        Net().layers = parts


def test_parameter() -> None:
    array = np.asfortranarray(np.random.default_rng(0).standard_normal((3, 4)))
    p = nn.Parameter(array)
    assert isinstance(p, mg.Tensor)
    assert p.requires_grad
    assert p.is_leaf
    assert p._array.flags.f_contiguous
    assert not np.shares_memory(p._array, array)
    t = mg.ones(2)
    assert np.shares_memory(nn.Parameter(t)._array, t._array)
    assert not nn.Parameter(t, requires_grad=False).requires_grad
    assert nn.Parameter([1.0, 2.0]).dtype == mg.float32
    assert type(p * 2) is mg.Tensor
    with pytest.raises(TypeError, match="only floating"):
        nn.Parameter([1, 2])
