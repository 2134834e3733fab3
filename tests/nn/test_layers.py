"""Layers, activations and containers: what `test_parity` does not see."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def test_every_activation_of_the_table_is_a_module() -> None:
    from minigrad.ops import activation

    modules = {name.lower() for name in nn.__all__}
    assert [n for n in activation.__all__ if n.replace("_", "") not in modules] == []


def test_activation_options_can_be_changed_and_wrong_ones_are_named() -> None:
    layer = nn.LeakyReLU()
    layer.negative_slope = 0.5
    assert layer(mg.tensor([-2.0])).item() == -1.0
    assert repr(layer) == "LeakyReLU(negative_slope=0.5)"
    with pytest.raises(TypeError, match=r"ReLU\(\) was called wrongly.*inplace"):
        nn.ReLU(inplace=True)
    with pytest.raises(TypeError, match=r"ELU\(alpha.*beta"):
        nn.ELU(beta=1.0)


def test_wrong_reduction_is_refused_when_the_loss_is_made() -> None:
    with pytest.raises(ValueError, match="'average'"):
        nn.MSELoss(reduction="average")


# ---- Linear -------------------------------------------------------------------------------------


def test_linear_weight_lies_transposed() -> None:
    layer = nn.Linear(3, 5)
    assert layer.weight.shape == (5, 3)
    assert layer.weight._array.T.flags.c_contiguous


def test_seeds_repeat_and_dtypes_agree() -> None:
    def weights(**options: Any) -> np.ndarray:
        mg.manual_seed(11)
        return nn.Linear(6, 4, **options).weight.detach().cpu().numpy()

    assert np.array_equal(weights(), weights())
    assert np.array_equal(weights(), weights(dtype=mg.float64).astype("f4"))
    mg.manual_seed(12)
    assert not np.array_equal(weights(), nn.Linear(6, 4).weight.detach().numpy())


def test_linear_on_every_device(backend: str) -> None:
    mg.manual_seed(0)
    host = nn.Linear(4, 3)
    mg.manual_seed(0)
    layer = nn.Linear(4, 3, device=backend)
    assert layer.weight.device.type == backend
    assert np.array_equal(layer.weight.detach().cpu().numpy(), host.weight.detach().numpy())
    x = np.random.default_rng(0).standard_normal((5, 4)).astype("f4")
    y = layer(mg.tensor(x, device=backend))
    np.testing.assert_allclose(
        y.detach().cpu().numpy(), host(mg.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("args", "error", "text"),
    [
        ((3.0, 2), TypeError, "in_features must be an int, not float 3.0"),
        ((3, "2"), TypeError, "out_features must be an int, not str '2'"),
        ((True, 2), TypeError, "in_features must be an int, not bool"),
        ((-1, 2), ValueError, "in_features must not be negative"),
    ],
)
def test_linear_wrong_sizes(args: tuple[Any, ...], error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        nn.Linear(*args)


def test_linear_wrong_input_names_both_sizes() -> None:
    with pytest.raises(ValueError, match=r"x has 5 features.*the weight expects 4"):
        nn.Linear(4, 3)(mg.ones(2, 5))


def test_linear_without_inputs() -> None:
    assert nn.Linear(0, 2)(mg.ones(3, 0)).shape == (3, 2)


# ---- containers ---------------------------------------------------------------------------------


def test_sequential_is_a_list() -> None:
    a, b, c = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4)
    net = nn.Sequential(a, b)
    assert net.append(c) is net
    assert len(net) == 3
    assert list(net) == [a, b, c]
    assert net[-1] is c
    assert isinstance(net[1:], nn.Sequential)
    assert list(net[1:]) == [b, c]
    assert net[:1](mg.ones(1, 2)).shape == (1, 3)
    net[1] = nn.Tanh()
    assert type(net[1]) is nn.Tanh
    del net[1]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    net.insert(1, nn.ReLU()).extend([nn.Identity()])
    assert [type(m).__name__ for m in net] == ["Linear", "ReLU", "Linear", "Identity"]
    assert [n for n, _ in net.named_children()] == ["0", "1", "2", "3"]
    with pytest.raises(IndexError, match="Sequential has 4 parts, there is no 4"):
        _ = net[4]


def test_sequential_with_names() -> None:
    net = nn.Sequential({"first": nn.Linear(2, 3), "1": nn.ReLU()})
    net.append(nn.Linear(3, 1))
    assert [n for n, _ in net.named_children()] == ["first", "1", "2"]
    assert net.first is net[0]
    del net[1]
    assert [n for n, _ in net.named_children()] == ["first", "2"]
    net.append(nn.ReLU())  # "2" is taken
    assert [n for n, _ in net.named_children()] == ["first", "2", "3"]


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (nn.ReLU, r"part 1 is the class ReLU, not a Module; write ReLU\(\.\.\.\)"),
        (lambda x: x, "part 1 is a function, not a Module; use its module"),
        (3, "part 1 is a int, not a Module; make it a subclass"),
    ],
)
def test_sequential_wrong_parts(part: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        nn.Sequential(nn.Linear(2, 2), part)


def test_module_list_and_dict() -> None:
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert len(layers[1:]) == 2
    assert isinstance(layers[1:], nn.ModuleList)
    assert len(list(layers.parameters())) == 6
    heads = nn.ModuleDict({"a": nn.Linear(2, 2)})
    heads["b"] = nn.ReLU()
    assert list(heads) == list(heads.keys()) == ["a", "b"]
    assert "a" in heads
    assert len(heads) == 2
    assert list(heads.state_dict()) == ["a.weight", "a.bias"]
    assert [type(m) for _, m in heads.items()] == [type(m) for m in heads.values()]
    del heads["a"]
    assert list(heads) == ["b"]
    with pytest.raises(KeyError, match="no module 'a'; there are: b"):
        _ = heads["a"]


def test_unflatten_wrong_axis() -> None:
    with pytest.raises(IndexError, match=r"Unflatten\(dim=2\): x has 2 axes"):
        nn.Unflatten(2, (1, 1))(mg.ones(2, 2))


def test_functional_names_are_torchs() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    own = ["hinge_loss"]  # torch has none
    assert [n for n in nn.functional.__all__ if not hasattr(torch.nn.functional, n)] == own
    assert all(callable(getattr(nn.functional, n)) for n in nn.functional.__all__)


# ---- options out of range -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: nn.Conv2d(3, 4, 0), ValueError, "kernel_size must be .* at least 1, not 0"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ValueError, "kernel_size must be an int or 2 ints"),
        (lambda: nn.Conv2d(3, 4, 3, stride=0), ValueError, "stride must be .* not 0"),
        (lambda: nn.Conv2d(3, 4, 3, padding="some"), ValueError, "'same' or 'valid', not 'some'"),
        (lambda: nn.Conv2d(3, 4, 3, 2, "same"), ValueError, "goes with stride 1 only"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "groups=2 must divide in_channels=3"),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "groups=2 must divide out_channels=3"),
        (lambda: nn.Conv2d(4, 4, 3, groups=0), ValueError, "groups=0 must divide"),
        (lambda: nn.Conv2d(4.0, 4, 3), TypeError, "in_channels must be an int, not float 4.0"),
        (lambda: nn.Conv1d(4, 4, 3, padding_mode="constant"), ValueError, "zeros, reflect, .*not"),
        (lambda: nn.ConvTranspose2d(4, 4, 3, padding="same"), ValueError, "padding must be an int"),
        (lambda: nn.BatchNorm1d(-1), ValueError, "num_features must not be negative"),
        (lambda: nn.BatchNorm1d(3, momentum=1.5), ValueError, "from 0 to 1, or None .* not 1.5"),
        (lambda: nn.GroupNorm(2, 3), ValueError, "num_groups=2 must divide num_channels=3"),
        (lambda: nn.GroupNorm(0, 3), ValueError, "num_groups=0 must divide"),
        (lambda: nn.LayerNorm("4"), TypeError, "normalized_shape must be an int, not str '4'"),
        (lambda: nn.MaxPool2d(2, 0), ValueError, "stride must be .* not 0"),
        (lambda: nn.AvgPool1d((2, 2)), ValueError, "kernel_size must be an int of at least 1"),
        (lambda: nn.Upsample(), ValueError, "either a size or a scale_factor, not size=None"),
        (lambda: nn.Upsample(3, 2.0), ValueError, "not size=3 and scale_factor=2.0"),
        (lambda: nn.Bilinear(0, 2, 2), ValueError, "in1_features must be at least 1"),
        (lambda: nn.DropConnect(2, 2, p=1.5), ValueError, "from 0 to 1, not 1.5"),
        (lambda: nn.Embedding(5, 2, padding_idx=5), ValueError, "padding_idx=5 is outside"),
        (lambda: nn.Embedding(5, 2, max_norm=0.0), ValueError, "both must be positive"),
    ],
)
def test_options_out_of_range(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: nn.BatchNorm2d(3)(mg.ones(2, 3)), r"BatchNorm2d takes \(N, C, H, W\), x .*\[2, 3"),
        (lambda: nn.BatchNorm1d(3)(mg.ones(1, 3)), "one value for each channel"),
        (lambda: nn.InstanceNorm1d(3)(mg.ones(3)), r"takes \(C, L\) or \(N, C, L\)"),
        (lambda: nn.ConvTranspose2d(2, 2, 3, 2)(mg.ones(1, 2, 4, 4), [8, 9]), r"least is \[9, 9\]"),
        (lambda: nn.ConvTranspose2d(2, 2, 3)(mg.ones(1, 2, 4, 4), [8]), "must have 2 numbers"),
        (lambda: nn.Conv2d(3, 4, 3)(mg.ones(2, 1, 5, 5)), "x has 1 channels.*expects 3"),
        (
            lambda: nn.Conv2d(3, 4, 3, padding=5, padding_mode="reflect")(mg.ones(3, 4, 4)),
            "reflect",
        ),
    ],
)
def test_inputs_that_do_not_fit(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


# ---- memory and modes ---------------------------------------------------------------------------


def test_convolution_weights_lie_as_the_kernels_read_them() -> None:
    for layer in (nn.Conv2d(3, 8, 5), nn.ConvTranspose2d(3, 8, 5), nn.LazyConv2d(8, 5)):
        layer(mg.ones(1, 3, 9, 9))
        assert layer.weight._array.transpose(2, 3, 1, 0).flags.c_contiguous
    assert nn.Conv1d(3, 8, 5).weight._array.transpose(2, 1, 0).flags.c_contiguous


def test_batch_norm_counts_and_forgets() -> None:
    layer = nn.BatchNorm1d(2, momentum=None)
    batches = [mg.randn(50, 2) + i for i in range(4)]
    for x in batches:
        layer(x)
    assert layer.num_batches_tracked.item() == 4
    means = np.mean([x.numpy().mean(0) for x in batches], axis=0)
    np.testing.assert_allclose(layer.running_mean.numpy(), means, rtol=1e-5)
    before = layer.running_mean.numpy().copy()
    layer.eval()(batches[0])
    assert layer.num_batches_tracked.item() == 4
    assert np.array_equal(layer.running_mean.numpy(), before)
    layer.reset_parameters()
    assert layer.num_batches_tracked.item() == 0
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert layer.running_var.tolist() == [1.0, 1.0]
    assert not any(b.requires_grad for b in layer.buffers())
    assert str(layer.half().num_batches_tracked.dtype) == "int64"


def test_modules_on_every_device(backend: str) -> None:
    made: list[tuple[Any, tuple[int, ...]]] = [
        (lambda **o: nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular", **o), (2, 3, 5, 5)),
        (lambda **o: nn.ConvTranspose2d(3, 4, 3, stride=2, **o), (2, 3, 5, 5)),
        (lambda **o: nn.BatchNorm2d(3, momentum=None, **o), (2, 3, 5, 5)),
        (lambda **o: nn.GroupNorm(3, 3, **o), (2, 3, 5)),
        (lambda **o: nn.LayerNorm(5, **o), (2, 3, 5)),
        (lambda **o: nn.RMSNorm(5, **o), (2, 3, 5)),
    ]
    for make, shape in made:
        mg.manual_seed(1)
        host = make()
        mg.manual_seed(1)
        layer = make(device=backend)
        assert {t.device.type for t in layer.state_dict().values()} == {backend}
        x = np.random.default_rng(0).standard_normal(shape).astype("f4")
        y = layer(mg.tensor(x, device=backend))
        expected = host(mg.tensor(x)).detach().numpy()
        np.testing.assert_allclose(y.detach().cpu().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_help_shows_the_options_of_a_loss() -> None:
    assert str(inspect.signature(nn.MSELoss)) == "(reduction: 'str' = 'mean') -> 'None'"
    assert list(inspect.signature(nn.HuberLoss).parameters) == ["reduction", "delta"]
