"""The seeded split: a partition, of the right sizes, the same for ever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.data import load_digits, train_test_split


@settings(max_examples=100, deadline=None)
@given(n=st.integers(2, 300), test=st.integers(1, 299), seed=st.integers(0, 2**40))
def test_it_is_a_partition_of_the_right_sizes(n: int, test: int, seed: int) -> None:
    test = 1 + test % (n - 1)
    train, held_out = train_test_split(n, test / n, seed=seed)
    assert len(held_out) == test
    assert train.dtype == held_out.dtype == np.int64
    np.testing.assert_array_equal(np.sort(np.concatenate([train, held_out])), np.arange(n))


def test_the_same_seed_gives_the_same_split_on_every_version() -> None:
    train, test = train_test_split(10, 0.3, seed=0)
    assert (train.tolist(), test.tolist()) == ([8, 2, 4, 0, 5, 6, 7], [9, 3, 1])
    assert train_test_split(10, 0.3, seed=1)[1].tolist() != test.tolist()


def test_it_is_shuffled_evenly() -> None:
    """Each index is held out equally often: a quarter of 400 seeds, within 4.5 sigma."""
    counts = np.zeros(40)
    for seed in range(400):
        counts[train_test_split(40, 0.25, seed=seed)[1]] += 1
    assert np.abs(counts - 100).max() < 4.5 * np.sqrt(400 * 0.25 * 0.75)


@settings(max_examples=100, deadline=None)
@given(
    counts=st.lists(st.integers(1, 40), min_size=2, max_size=6),
    fraction=st.floats(0.1, 0.9),
    seed=st.integers(0, 1000),
)
def test_stratified_parts_keep_every_class_share(counts, fraction, seed) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)) * 3, counts))
    n, n_test = len(labels), round(len(labels) * fraction)
    if not 0 < n_test < n:
        with pytest.raises(ValueError, match="leave a part empty"):
            train_test_split(n, fraction, seed=seed, stratify=labels)
        return
    train, test = train_test_split(n, fraction, seed=seed, stratify=labels)
    assert len(test) == n_test
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(n))
    for c, count in enumerate(counts):
        assert abs((labels[test] == 3 * c).sum() - count * n_test / n) < 1


def test_stratified_digits() -> None:
    y = load_digits().y
    train, test = train_test_split(len(y), 0.2, seed=0, stratify=y)
    assert (len(train), len(test)) == (1438, 359)
    shares = np.bincount(y[test]) / np.bincount(y)
    assert np.abs(shares - 0.2).max() < 0.004


def test_string_labels_stratify_too() -> None:
    labels = np.array(["a", "b"] * 10)
    _, test = train_test_split(20, 0.5, stratify=labels)
    assert (labels[test] == "a").sum() == 5


@pytest.mark.parametrize(
    ("n", "fraction"),
    [(0, 0.5), (1, 0.5), (10, 0.0), (10, 1.0), (10, 0.04), (10, 0.96), (10, -0.5), (10, np.nan)],
)
def test_what_is_no_split_is_refused(n: int, fraction: float) -> None:
    with pytest.raises(ValueError, match=f"n={n} rows with test_fraction={fraction}"):
        train_test_split(n, fraction)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        train_test_split(10.0, 0.5)
    with pytest.raises(ValueError, match=r"must hold 10 labels.* its shape is \(9,\)"):
        train_test_split(10, 0.5, stratify=np.zeros(9))
