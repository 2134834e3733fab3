"""The same workload and the same op on a device: values agree, and what is said of them is so."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import device_sweep, harness
from benchmarks.device_sweep import Line, distance
from benchmarks.libraries import library, settle
from benchmarks.process import installed

SIZES = [100, 1000]


def test_ops_on_each_backend(backend: str) -> None:
    names = ["tanh", "matmul", "softmax", "conv2d", "dropout", "embedding", "eq"]
    lines = device_sweep.measure(names, SIZES, backend, 1e-5)
    assert [line.op for line in lines] == names
    assert lines[4].ulp is None
    assert max(line.ulp for line in lines if line.ulp is not None) < 64
    text = device_sweep.table(lines, backend)
    assert text.count("\n") == len(names) + 2
    assert "median of a call of 100" in text


def test_a_workload_on_each_backend(backend: str) -> None:
    answer = {
        name: harness.server("iris_mlp", name, 1, "small")("values")
        for name in ("minigrad", f"minigrad@{backend}")
    }
    settle(library("minigrad"), "cpu")
    np.testing.assert_allclose(*answer.values(), rtol=2e-5)
    assert len(set(answer["minigrad"])) == 4


def test_a_distance_is_counted_in_ulp_of_the_largest_number() -> None:
    a = np.array([1.0, 1e-3, np.nan], np.float32)
    assert distance(a, a) == 0
    assert distance(a, a + np.array([0, 2**-22, 0], np.float32)) == pytest.approx(2, rel=1e-3)
    assert distance(a, np.array([1.0, 1e-3, 2.0], np.float32)) == np.inf
    assert distance(a, a[:2]) == np.inf


@pytest.mark.parametrize(
    ("there", "size"),
    [([1, 1, 1], 10), ([9, 1, 1], 100), ([9, 1, 9], None), ([9, 9, 1], 1000)],
)
def test_a_device_is_ahead_from_where_it_stays_ahead(there: list[int], size: int | None) -> None:
    sizes = (10, 100, 1000)
    seconds = {"cpu": dict.fromkeys(sizes, 5.0), "cuda": dict(zip(sizes, there, strict=True))}
    assert Line("add", 0.0, seconds).ahead_from("cuda") == size


def test_what_is_not_there_is_not_installed() -> None:
    assert not installed("nothing@cuda")
    assert installed("minigrad@cpu")
