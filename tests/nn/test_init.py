"""First values: ranges, spreads, fans, seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import init

SHAPES = [(300, 200), (40, 30, 5, 5)]
DRAWS: list[tuple[str, dict[str, Any]]] = [
    ("xavier_uniform_", {}), ("xavier_uniform_", {"gain": 2.5}), ("xavier_normal_", {}),
    ("kaiming_uniform_", {}), ("kaiming_uniform_", {"a": 5**0.5}),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "tanh"}),
    ("kaiming_normal_", {"nonlinearity": "relu"}), ("kaiming_normal_", {"mode": "fan_out"}),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "options"), DRAWS)
def test_distribution_is_torchs(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.manual_seed(0)
    mine = getattr(init, name)(mg.empty(*shape), **options).numpy()
    other = getattr(torch.nn.init, name)(torch.empty(*shape), **options).numpy()
    spread = 5 / np.sqrt(mine.size)  # five standard errors, and more for the largest of normals
    assert abs(mine.std() / other.std() - 1) < spread
    assert abs(mine.mean()) < spread * mine.std()
    limit = 0.01 if "uniform" in name else 0.25
    assert abs(np.abs(mine).max() / np.abs(other).max() - 1) < limit


def test_uniform_and_normal() -> None:
    x = init.uniform_(mg.empty(10_000), 2.0, 3.0).numpy()
    assert 2.0 <= x.min() < 2.01
    assert 2.99 < x.max() <= 3.0
    x = init.normal_(mg.empty(10_000), 5.0, 0.1).numpy()
    assert abs(x.mean() - 5) < 0.01
    assert abs(x.std() - 0.1) < 0.01


def test_constants() -> None:
    w = mg.nn.Parameter(mg.empty(2, 2))
    assert init.constant_(w, 0.3) is w
    assert w.tolist() == [[np.float32(0.3)] * 2] * 2
    assert init.ones_(w).tolist() == [[1.0, 1.0]] * 2
    assert init.zeros_(w).tolist() == [[0.0, 0.0]] * 2
    assert w.requires_grad


def test_seed_generator_and_memory_order() -> None:
    def draw(t: Any, **options: Any) -> np.ndarray:
        return init.xavier_uniform_(t, **options).detach().numpy().copy()

    first = draw(mg.empty(3, 4), generator=mg.Generator(5))
    assert np.array_equal(draw(mg.empty(3, 4), generator=mg.Generator(5)), first)
    flipped = mg.nn.Parameter(np.empty((4, 3), "f4").T)
    assert np.array_equal(draw(flipped, generator=mg.Generator(5)), first)
    mg.manual_seed(5)
    assert np.array_equal(draw(mg.empty(3, 4)), first)


@pytest.mark.parametrize(
    "name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"]
)
def test_gains_are_torchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-15)
    if name == "leaky_relu":
        assert init.calculate_gain(name, 0.3) == pytest.approx(
            torch.nn.init.calculate_gain(name, 0.3), rel=1e-15
        )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: init.xavier_uniform_(mg.empty(3)), r"fans need .*this one has shape \[3\]"),
        (
            lambda: init.kaiming_normal_(mg.empty(3, 3), mode="fan"),
            "'fan_in' or 'fan_out', not 'fan'",
        ),
        (
            lambda: init.kaiming_normal_(mg.empty(3, 3), nonlinearity="gelu"),
            "known for 'gelu'; use",
        ),
    ],
)
def test_mistakes(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
