"""Dropout of elements and of weights: modes, seeds, what the mask does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def test_dropout_depends_on_the_mode() -> None:
    layer, x = nn.Dropout(0.25), mg.ones(4000)
    y = layer(x).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.03
    assert layer.eval()(x) is x
    mg.manual_seed(1)
    first = layer.train()(x).numpy()
    mg.manual_seed(1)
    assert np.array_equal(layer(x).numpy(), first)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), "0.5"])
def test_dropout_wrong_probability(p: Any) -> None:
    with pytest.raises(ValueError, match="from 0 to 1, not"):
        nn.Dropout(p)


@pytest.mark.parametrize("per_example", [False, True])
def test_dropconnect_drops_weights_and_keeps_the_mean(per_example: bool) -> None:
    """Each output is a sum over W's kept elements, twice as large; its mean is the evaluation's."""
    layer = nn.DropConnect(6, 3, p=0.25, per_example=per_example).double()
    x = mg.randn(4000, 6, dtype=mg.float64)
    parts = x.numpy()[:, None] * layer.weight.detach().numpy() / 0.75  # of each example and output
    kept = (np.arange(64)[:, None] >> np.arange(6) & 1).astype(float)
    possible = parts @ kept.T  # what each of the 64 masks of a row gives
    y = (layer(x) - layer.bias).detach().numpy()
    distances = np.abs(possible - y[..., None])
    assert distances.min(-1).max() < 1e-12
    masks = kept[distances.argmin(-1)]  # (example, output, input)
    whole = layer.eval()(x).detach().numpy()
    if per_example:
        assert abs(masks.mean() - 0.75) < 0.01
        assert abs((y - whole + layer.bias.detach().numpy()).mean()) < 0.02
    else:
        assert (masks == masks[0]).all()
    expected = nn.functional.linear(x, layer.weight, layer.bias).detach().numpy()
    assert np.array_equal(whole, expected)


def test_dropconnect_averages_to_its_evaluation() -> None:
    layer, x = nn.DropConnect(20, 4, p=0.5).double(), mg.randn(3, 20, dtype=mg.float64)
    total = sum(layer(x).detach().numpy() for _ in range(4000)) / 4000
    whole = layer.eval()(x).detach().numpy()
    assert np.abs(total - whole).max() < 0.06


@pytest.mark.parametrize("shape", [(6,), (5, 6), (2, 5, 6)])
@pytest.mark.parametrize("per_example", [False, True])
def test_dropconnect_gradients(per_example: bool, shape: tuple[int, ...]) -> None:
    layer = nn.DropConnect(6, 3, p=0.4, per_example=per_example).double()
    at = mg.randn(*shape, dtype=mg.float64)

    def run(x: Any, weight: Any, bias: Any) -> Any:
        mg.manual_seed(2)  # the same mask at every call
        layer.__dict__.update(weight=weight, bias=bias)
        return layer(x)

    report: Any = mg.gradcheck(run, [at, layer.weight.detach(), layer.bias.detach()])
    assert report, str(report)


def test_dropconnect_is_a_linear_layer() -> None:
    mg.manual_seed(1)
    layer = nn.DropConnect(5, 4, p=0.3)
    mg.manual_seed(1)
    twin = nn.Linear(5, 4)
    twin.load_state_dict(layer.state_dict())
    assert np.array_equal(layer.weight.detach().numpy(), twin.weight.detach().numpy())
    x = mg.randn(3, 5)
    assert np.array_equal(layer.eval()(x).detach().numpy(), twin(x).detach().numpy())
    mg.manual_seed(5)
    first = layer.train()(x).detach().numpy()
    mg.manual_seed(5)
    assert np.array_equal(layer(x).detach().numpy(), first)
    text = "in_features=5, out_features=4, bias=False, p=0.3, per_example=True"
    assert text in repr(nn.DropConnect(5, 4, False, 0.3, True))


def test_a_dropped_channel_is_dropped_whole() -> None:
    for layer, shape in ((nn.Dropout1d(0.5), (40, 5, 7)), (nn.Dropout2d(0.5), (40, 5, 3, 2))):
        y = layer(mg.ones(*shape)).numpy().reshape(200, -1)
        assert set(np.unique(y)) == {0.0, 2.0}
        assert (y == y[:, :1]).all()
        assert 0.3 < (y[:, 0] == 0).mean() < 0.7
