"""Folds: scikit-learn's, index by index, and what a fold must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import KFold, StratifiedKFold, load_digits, load_iris


def same(ours, theirs) -> None:
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs)
    for (train, test), (their_train, their_test) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(test, their_test)


@pytest.mark.parametrize("n", [5, 13, 150])
@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("seed", [None, 0, 42])
def test_kfold_is_scikit_learns(n: int, k: int, seed) -> None:
    theirs = pytest.importorskip("sklearn.model_selection", reason="sklearn is not installed")
    options = {"n_splits": k, "shuffle": seed is not None, "random_state": seed}
    x = np.zeros((n, 2))
    same(KFold(**options).split(x), theirs.KFold(**options).split(x))


@pytest.mark.parametrize("seed", [None, 0, 42])
@pytest.mark.parametrize("k", [2, 3, 10])
def test_stratified_is_scikit_learns(k: int, seed) -> None:
    theirs = pytest.importorskip("sklearn.model_selection", reason="sklearn is not installed")
    rng = np.random.default_rng(0)
    options = {"n_splits": k, "shuffle": seed is not None, "random_state": seed}
    for y in (
        load_iris().y,
        load_digits().y,
        np.repeat(["b", "a", "c"], [11, 40, 13]),
        rng.permutation(np.repeat([7, 3, -1], [11, 12, 30])),
    ):
        x = np.zeros((len(y), 1))
        same(StratifiedKFold(**options).split(x, y), theirs.StratifiedKFold(**options).split(x, y))


@settings(max_examples=50, deadline=None)
@given(n=st.integers(2, 60), k=st.integers(2, 8), seed=st.integers(0, 1000))
def test_every_sample_is_tested_once(n: int, k: int, seed: int) -> None:
    k = min(k, n)
    y = np.random.default_rng(seed).integers(0, 2, n)
    folds = [KFold(k, shuffle=True, random_state=seed)]
    if np.bincount(y, minlength=2).min() >= k:
        folds.append(StratifiedKFold(k, shuffle=True, random_state=seed))
    for fold in folds:
        tested = []
        for train, test in fold.split(np.zeros(n), y):
            assert sorted([*train, *test]) == list(range(n))
            tested += test.tolist()
            if isinstance(fold, StratifiedKFold):
                shares = np.bincount(y[test], minlength=2) - np.bincount(y) / k
                assert np.abs(shares).max() < 1
        assert sorted(tested) == list(range(n))
        assert fold.get_n_splits() == k


def test_without_a_random_state_manual_seed_decides() -> None:
    def first():
        return next(KFold(3, shuffle=True).split(range(30)))[1].tolist()

    mg.manual_seed(1)
    one, two = first(), first()
    mg.manual_seed(1)
    assert [first(), first()] == [one, two]
    assert one != two


def test_a_rare_class_is_told() -> None:
    y = np.array([0] * 10 + [1])
    with pytest.warns(UserWarning, match="the smallest class has 1 samples, fewer than n_splits=3"):
        folds = list(StratifiedKFold(3).split(y, y))
    assert [len(test) for _, test in folds] == [4, 4, 3]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: KFold(1), ValueError, "n_splits must be at least 2, not 1"),
        (lambda: KFold(2.0), TypeError, "n_splits must be an int"),
        (lambda: KFold(3, random_state=0), ValueError, "does nothing without shuffle=True"),
        (lambda: KFold(4).split(range(3)), ValueError, "there are 3"),
        (lambda: StratifiedKFold(3).split(range(4), [0, 0, 1]), ValueError, "must hold 4 labels"),
        (lambda: StratifiedKFold(2).split(range(3), [0, 1, 2]), ValueError, "the largest has 1"),
        (lambda: StratifiedKFold(2).split(range(2), [0.5, 0.5]), ValueError, "use KFold"),
    ],
)
def test_wrong_folds_are_refused(call, kind, message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


def test_repr() -> None:
    assert repr(KFold(3)) == "KFold(n_splits=3, shuffle=False, random_state=None)"
