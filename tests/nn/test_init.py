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


TRUNCATED = [
    {}, {"std": 0.02}, {"mean": 1.0, "std": 2.0, "a": -1.0, "b": 0.5},
    {"a": 3.0, "b": 5.0}, {"a": 6.0, "b": 1e9}, {"a": -0.01, "b": 0.01},
]  # fmt: skip


@pytest.mark.parametrize("options", TRUNCATED, ids=str)
def test_truncated_normal_has_its_distribution(options: dict[str, float]) -> None:
    from scipy import stats

    o = {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0, **options}
    x = init.trunc_normal_(mg.empty(20_000, dtype=mg.float64), **options).numpy()
    low, high = (o["a"] - o["mean"]) / o["std"], (o["b"] - o["mean"]) / o["std"]
    assert o["a"] <= x.min()
    assert x.max() <= o["b"]
    exact = stats.truncnorm(low, high, o["mean"], o["std"])
    assert stats.kstest(x, exact.cdf).pvalue > 1e-4


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 2), (2, 3, 2)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    w = init.orthogonal_(mg.empty(*shape, dtype=mg.float64), gain=1.5).numpy()
    matrix = w.reshape(shape[0], -1)
    small = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(small, 1.5**2 * np.eye(len(small)), atol=1e-12)


def test_orthogonal_is_uniform() -> None:
    first = [
        init.orthogonal_(mg.empty(3, 3, dtype=mg.float64)).numpy()[0, 0].item() for _ in range(2000)
    ]  # one coordinate of a uniform point of the sphere is uniform (Archimedes)
    quarters = np.histogram(first, np.linspace(-1, 1, 5))[0] / 2000
    assert np.abs(quarters - 0.25).max() < 0.05


def test_sparse_eye_and_dirac_are_torchs() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for share in (0.0, 0.35, 1.0):
        mine = init.sparse_(mg.empty(10, 300), share, std=2.0).numpy()
        other = torch.nn.init.sparse_(torch.empty(10, 300), share, std=2.0).numpy()
        assert (mine == 0).sum(0).tolist() == (other == 0).sum(0).tolist()
        assert mine.std() == pytest.approx(other.std(), rel=0.1)
        zeros = (mine == 0).mean(axis=1)
        assert share in (0.0, 1.0) or zeros.std() > 0  # which ones differs by the column
    for shape in ((3, 5), (4, 2)):
        wanted = torch.nn.init.eye_(torch.empty(shape)).numpy()
        assert np.array_equal(init.eye_(mg.empty(*shape)).numpy(), wanted)
    for shape, groups in (((4, 3, 3), 1), ((6, 2, 3, 4), 3), ((2, 5, 1, 1), 2)):
        wanted = torch.nn.init.dirac_(torch.empty(shape), groups).numpy()
        assert np.array_equal(init.dirac_(mg.empty(*shape), groups).numpy(), wanted)


def test_pretrained_takes_what_fits_and_says_what_not() -> None:
    nn = mg.nn
    old = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 10))
    new = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    kept = new[2].weight.detach().clone()
    done = init.pretrained_(new, old.state_dict())
    assert done == (["0.weight", "0.bias"], [], [], ["2.weight", "2.bias"])
    assert np.array_equal(new[0].weight.detach().numpy(), old[0].weight.detach().numpy())
    assert np.array_equal(new[2].weight.detach().numpy(), kept.numpy())
    whole = {f"body.{k}": v for k, v in old.state_dict().items()} | {"head.weight": mg.ones(2)}
    done = init.pretrained_(old, whole, prefix="body.")
    assert done.loaded == list(old.state_dict())
    done = init.pretrained_(old[0], old.state_dict() | {"weight": mg.ones(8, 4)})
    assert (done.loaded, done.missing) == (["weight"], ["bias"])
    assert done.unexpected == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(ValueError, match=r"no value .* fits Sequential: it has 0.weight \[8, 4\]"):
        init.pretrained_(new, whole)


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
        (lambda: init.trunc_normal_(mg.empty(3), a=1.0, b=1.0), "a=1.0 must be below b=1.0"),
        (lambda: init.trunc_normal_(mg.empty(3), std=0.0), "std=0.0 positive"),
        (lambda: init.orthogonal_(mg.empty(3)), r"two axes or more, not \[3\]"),
        (lambda: init.sparse_(mg.empty(3, 2, 2), 0.5), r"a matrix, not \[3, 2, 2\]"),
        (lambda: init.sparse_(mg.empty(3, 2), 1.5), "sparsity=1.5 must be from 0 to 1"),
        (lambda: init.eye_(mg.empty(3)), r"a matrix, not \[3\]"),
        (lambda: init.dirac_(mg.empty(3, 3)), r"kernel...\), not \[3, 3\]"),
        (lambda: init.dirac_(mg.empty(3, 3, 1), 2), "3 output channels .* into 2 groups"),
    ],
)
def test_mistakes(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
