"""Scalers: scikit-learn's numbers, and the mistakes in their use that they can tell."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.data import (
    MinMaxScaler,
    StandardScaler,
    load_digits,
    load_iris,
    train_test_split,
)
from minigrad.data.leaks import row_hashes, seen_rows, sketch

RNG = np.random.default_rng(0)
TABLES = {
    "iris": load_iris().x,
    "digits": load_digits().x.reshape(1797, 64),  # bytes, with columns that do not vary
    "float32": RNG.normal(3, 2, (50, 4)).astype(np.float32),
    "one row": RNG.normal(size=(1, 3)),
    "far from 0": 1e9 + np.repeat([[0.1, 0.2]], 40, 0),
    "ints": RNG.integers(-5, 5, (20, 3)),
}


@pytest.mark.parametrize("name", list(TABLES))
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_standard_scaler_is_scikit_learns(name: str, with_mean: bool, with_std: bool) -> None:
    theirs = pytest.importorskip("sklearn.preprocessing", reason="sklearn is not installed")
    x = TABLES[name]
    new = x[::-1] * 2
    options = {"with_mean": with_mean, "with_std": with_std}
    ours, other = StandardScaler(**options).fit(x), theirs.StandardScaler(**options).fit(x)
    precise = 1e-5 if x.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(ours.transform(new), other.transform(new), rtol=precise, atol=1e-6)
    assert ours.transform(new).dtype == other.transform(new).dtype
    if with_std:
        np.testing.assert_allclose(ours.scale_, other.scale_, rtol=precise)
        np.testing.assert_allclose(ours.var_, other.var_, rtol=precise, atol=1e-12)
    if with_mean:
        np.testing.assert_allclose(ours.mean_, other.mean_, rtol=precise)
    back = ours.inverse_transform(ours.transform(x))
    np.testing.assert_allclose(back, x, rtol=1e-5, atol=1e-5)
    assert ours.n_samples_seen_ == len(x)


@pytest.mark.parametrize("name", list(TABLES))
@pytest.mark.parametrize("limits", [(0, 1), (-1, 1), (-0.5, 3)])
@pytest.mark.parametrize("clip", [False, True])
def test_min_max_scaler_is_scikit_learns(name: str, limits, clip: bool) -> None:
    theirs = pytest.importorskip("sklearn.preprocessing", reason="sklearn is not installed")
    x = TABLES[name]
    new = x[::-1] * 2
    ours = MinMaxScaler(limits, clip=clip).fit(x)
    other = theirs.MinMaxScaler(feature_range=limits, clip=clip).fit(x)
    precise = 1e-5 if x.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(ours.transform(new), other.transform(new), rtol=precise, atol=1e-5)
    for attribute in ("data_min_", "data_max_", "data_range_", "scale_", "min_"):
        np.testing.assert_allclose(
            getattr(ours, attribute), getattr(other, attribute), rtol=precise, atol=1e-6
        )


def test_a_scaled_column_has_mean_0_and_deviation_1() -> None:
    scaled = StandardScaler().fit_transform(TABLES["iris"])
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(0), 1, rtol=1e-12)
    ranged = MinMaxScaler().fit_transform(TABLES["iris"])
    np.testing.assert_array_equal(ranged.min(0), 0)
    np.testing.assert_allclose(ranged.max(0), 1, rtol=1e-15)


@pytest.mark.parametrize("make", [StandardScaler, MinMaxScaler])
def test_state_goes_round(make) -> None:
    x = TABLES["iris"]
    fitted = make().fit(x)
    state = fitted.state_dict()
    assert all(isinstance(value, (int, str, np.ndarray)) for value in state.values())
    other = make()
    other.load_state_dict(state)
    np.testing.assert_array_equal(other.transform(x), fitted.transform(x))
    assert other.check_leak(x) == fitted.check_leak(x) != []
    with pytest.raises(ValueError, match="lacks rows"):
        make().load_state_dict({k: v for k, v in state.items() if k != "rows"})
    with pytest.raises(ValueError, match="the state is of a 'Other'"):
        make().load_state_dict({**state, "kind": "Other"})
    with pytest.raises(ValueError, match="must be columns of one length"):
        make().load_state_dict({**state, "scale_": np.zeros((2, 2))})
    state["scale_"][:] = 0  # a copy
    assert (fitted.scale_ != 0).all()


@pytest.mark.parametrize("make", [StandardScaler, MinMaxScaler])
def test_wrong_data_is_refused(make) -> None:
    name = make.__name__
    with pytest.raises(RuntimeError, match=r"is not fitted: call fit\(x_train\) first"):
        make().transform([[1.0]])
    with pytest.raises(RuntimeError, match="no state to save"):
        make().state_dict()
    with pytest.raises(ValueError, match=r"shape \[3\]: x.reshape\(len\(x\), -1\)"):
        make().fit(np.zeros(3))
    with pytest.raises(ValueError, match="at least one row"):
        make().fit(np.zeros((0, 3)))
    with pytest.raises(TypeError, match="needs real numbers"):
        make().fit([["a"]])
    with pytest.raises(ValueError, match=rf"x\[1, 0\] is nan: {name} cannot learn"):
        make().fit([[1.0], [np.nan]])
    with pytest.raises(ValueError, match="was fitted on 2 columns, and x has 3"):
        make().fit(np.eye(2)).transform(np.eye(3))
    with pytest.raises(ValueError, match="feature_range must rise"):
        MinMaxScaler((1, 1))


# Leaks


def halves():
    x = load_iris().x
    train, test = train_test_split(len(x), 0.2, seed=42, stratify=load_iris().y)
    return x, x[train], x[test]


@pytest.mark.parametrize("make", [StandardScaler, MinMaxScaler])
def test_fitting_before_the_split_is_found(make) -> None:
    x, train, test = halves()
    (finding,) = make().fit(x).check_leak(test)
    assert (finding.id, finding.severity) == ("fitted-before-split", "error")
    assert finding.where == make.__name__
    assert "it was fitted on 150 rows, and 30 of 30 test rows are among them" in finding.seen
    assert "split first" in finding.cure
    assert make().fit(train).check_leak(test) == []


def test_a_row_that_merely_repeats_is_no_leak() -> None:
    x = load_iris().x
    assert (x[101] == x[142]).all()  # two flowers of the same four lengths
    test = np.arange(140, 155) % 150
    train = np.setdiff1d(np.arange(150), test)
    assert seen_rows(x[test], sketch(x[train])) == (1, 15)
    assert StandardScaler().fit(x[train]).check_leak(x[test]) == []


def test_some_test_rows_among_the_fitted_are_a_warning() -> None:
    _, train, test = halves()
    (finding,) = StandardScaler().fit(np.concatenate([train, test[:15]])).check_leak(test)
    assert (finding.id, finding.severity) == ("fitted-on-test-rows", "warning")


def test_scaling_what_was_scaled_is_found() -> None:
    """D2 standardises the test set by a scaler of standardised rows, and min-max scales them."""
    _, train, _ = halves()
    scaled = StandardScaler().fit_transform(train)
    for make in (StandardScaler, MinMaxScaler):
        (finding,) = make().fit(scaled).findings()
        assert (finding.id, finding.severity) == ("scaled-twice", "warning")
        assert make().fit(train).findings() == []
    assert StandardScaler().fit(scaled.astype(np.float32)).findings()
    assert StandardScaler().fit(np.random.default_rng(0).normal(size=(500, 3))).findings() == []
    assert StandardScaler().fit(np.zeros((5, 2))).findings() == []


def test_the_memory_of_rows_is_bounded_and_still_tells() -> None:
    x = np.arange(400_000.0).reshape(-1, 2)
    scaler = StandardScaler().fit(x)
    assert scaler.state_dict()["rows"].nbytes == 8 << 16
    (finding,) = scaler.check_leak(x[::7])
    assert finding.severity == "error"
    assert scaler.check_leak(x[::7] + 0.5) == []


def test_row_hashes() -> None:
    x = np.random.default_rng(0).normal(size=(20000, 3))
    assert len(np.unique(row_hashes(x))) == 20000
    np.testing.assert_array_equal(row_hashes(x[:, ::-1][:, ::-1]), row_hashes(x))
    assert (row_hashes(x[:, ::-1]) != row_hashes(x)).all()
    np.testing.assert_array_equal(row_hashes(np.array([[-0.0]])), row_hashes(np.array([[0.0]])))
    assert seen_rows(x[:5], sketch(x)) == (5, 5)
    small = np.array([[1.0], [2.0], [3.0]])
    assert len(np.unique(row_hashes(small))) == 3
