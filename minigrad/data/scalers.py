"""Scalers: columns brought to mean 0 and deviation 1, or to a range; fitted on training data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.data.leaks import seen_rows, sketch

if TYPE_CHECKING:
    from minigrad.check import Finding

_EPS = float(np.finfo(np.float64).eps)


class _Scaler:
    """What both scalers share: ``y = x * factor + shift`` by column, its inverse, and its memory.

    A subclass gives `_arrays` (the names of what is learned) and `_learn`, and sets the scale.
    """

    _arrays: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.n_samples_seen_ = 0
        self.n_features_in_ = 0
        self._rows = np.zeros(0, np.uint64)
        self._came_standardised = False

    def _learn(self, x: np.ndarray) -> None:
        raise NotImplementedError

    def fit(self, x: Any) -> Any:
        """Learn the columns' statistics from training data, and return the scaler.

        Parameters
        ----------
        x : array of shape (n, features)
            The training rows only: what is learned from a test set is a leak.

        Raises
        ------
        ValueError
            Not two axes, no row, or a value that is not finite.
        TypeError
            Values that are not real numbers.
        """
        rows = self._table(x, "fit").astype(np.float64)
        if len(rows) == 0:
            raise ValueError(f"{self._name}.fit needs at least one row, and x has none")
        for i, j in np.argwhere(~np.isfinite(rows))[:1]:
            raise ValueError(
                f"x[{i}, {j}] is {rows[i, j]}: {self._name} cannot learn from missing or infinite "
                "values; drop those rows or fill them in first"
            )
        self.n_samples_seen_, self.n_features_in_ = rows.shape
        self._rows = sketch(rows)
        self._came_standardised = _standardised(rows)
        self._learn(rows)
        return self

    def transform(self, x: Any) -> np.ndarray:
        """Scale rows by what was learned; float32 stays float32, all else becomes float64."""
        rows = self._checked(x, "transform")
        return self._forward(rows.astype(np.float64)).astype(_result_dtype(rows))

    def fit_transform(self, x: Any) -> np.ndarray:
        """Fit on x, then scale it: for training data only."""
        self.fit(x)
        return self.transform(x)

    def inverse_transform(self, x: Any) -> np.ndarray:
        """Bring scaled rows back."""
        rows = self._checked(x, "inverse_transform")
        return self._backward(rows.astype(np.float64)).astype(_result_dtype(rows))

    def _forward(self, rows: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _backward(self, rows: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _table(self, x: Any, method: str) -> np.ndarray:
        rows = np.asarray(x)
        if rows.dtype.kind not in "fiub":
            raise TypeError(f"{self._name}.{method} needs real numbers, not {rows.dtype}")
        if rows.ndim != 2:
            raise ValueError(
                f"{self._name}.{method} needs rows and columns, and x has shape "
                f"{list(rows.shape)}: x.reshape(len(x), -1) makes each sample a row, "
                "x.reshape(-1, 1) makes one column"
            )
        return rows

    def _checked(self, x: Any, method: str) -> np.ndarray:
        if self.n_samples_seen_ == 0:
            raise RuntimeError(f"this {self._name} is not fitted: call fit(x_train) first")
        rows = self._table(x, method)
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(
                f"this {self._name} was fitted on {self.n_features_in_} columns, and x has "
                f"{rows.shape[1]}"
            )
        return rows

    def findings(self) -> list[Finding]:
        """Return what is suspicious about the data that this was fitted on; often nothing."""
        if not self._came_standardised:
            return []
        return [
            _finding(
                "scaled-twice",
                "warning",
                self._name,
                f"it was fitted on {self.n_samples_seen_} rows whose columns already have mean 0 "
                "and deviation 1: what it learned says nothing about raw data, and rows that were "
                "not standardised before pass it as good as unscaled",
                "fit one scaler, once, on the raw training rows; transform training and test rows "
                "with it",
            )
        ]

    def check_leak(self, x_test: Any) -> list[Finding]:
        """Return a finding if rows of a test set are among those that this was fitted on.

        Parameters
        ----------
        x_test : array of shape (n, features)
            The test rows as they are before scaling.

        Returns
        -------
        list of Finding
            An error if all test rows that can be told were fitted on (the scaler saw the whole
            data set before the split); a warning if at least a tenth were; empty if fewer, as
            rows that merely repeat are common in measured data.
        """
        rows = self._checked(x_test, "check_leak")
        seen, told = seen_rows(rows, self._rows)
        if told == 0 or seen < max(1, told / 10):
            return []
        everything = seen == told
        return [
            _finding(
                "fitted-before-split" if everything else "fitted-on-test-rows",
                "error" if everything else "warning",
                self._name,
                f"it was fitted on {self.n_samples_seen_} rows, and {seen} of {told} test rows are "
                "among them: the test set has steered the training",
                "split first; then scaler.fit(x_train), and transform both parts with it",
            )
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return all that was learned: arrays, and numbers."""
        if self.n_samples_seen_ == 0:
            raise RuntimeError(f"this {self._name} is not fitted: it has no state to save")
        return {
            "kind": self._name,
            "n_samples_seen": self.n_samples_seen_,
            "came_standardised": int(self._came_standardised),
            "rows": self._rows.copy(),
            **{name: getattr(self, name).copy() for name in self._arrays},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what another scaler of the same kind learned.

        Raises
        ------
        ValueError
            The state is of another kind of scaler, lacks something, or its arrays are not columns
            of one length.
        """
        if state.get("kind") != self._name:
            raise ValueError(f"the state is of a {state.get('kind')!r}, and this is a {self._name}")
        wanted = {"n_samples_seen", "came_standardised", "rows", *self._arrays}
        if missing := sorted(wanted - set(state)):
            raise ValueError(f"the state of the {self._name} lacks {', '.join(missing)}")
        arrays = {name: np.array(state[name], np.float64) for name in self._arrays}
        if len({a.shape for a in arrays.values()}) != 1 or arrays[self._arrays[0]].ndim != 1:
            shapes = ", ".join(f"{name} {list(a.shape)}" for name, a in arrays.items())
            raise ValueError(f"the state's arrays must be columns of one length: {shapes}")
        for name, array in arrays.items():
            setattr(self, name, array)
        self.n_features_in_ = len(arrays[self._arrays[0]])
        self.n_samples_seen_ = int(state["n_samples_seen"])
        self._came_standardised = bool(state["came_standardised"])
        self._rows = np.array(state["rows"], np.uint64)


class StandardScaler(_Scaler):
    """Bring each column to mean 0 and standard deviation 1: ``z = (x - mean) / scale``.

    Parameters
    ----------
    with_mean, with_std : bool
        Whether to subtract the mean, and to divide by the deviation.

    Attributes
    ----------
    mean_, var_ : ndarray of float64, shape (features,)
        Mean and variance (divided by n) of the rows that it was fitted on.
    scale_ : ndarray of float64, shape (features,)
        The square root of the variance; 1 for a column that does not vary.
    n_samples_seen_ : int
        How many rows it was fitted on.

    Notes
    -----
    Names and formulas are those of scikit-learn's scaler of this name, which also holds a column
    to be constant where its variance is no more than rounding would make of it. Missing values are
    refused here.

    Examples
    --------
    >>> from minigrad.data import StandardScaler
    >>> scaler = StandardScaler().fit([[1.0, 5.0], [3.0, 5.0]])
    >>> scaler.transform([[2.0, 5.0], [4.0, 6.0]])
    array([[0., 0.],
           [2., 1.]])

    The wrong order, all rows before the split, is seen by the scaler itself:

    >>> from minigrad.data import load_iris, train_test_split
    >>> x = load_iris().x
    >>> train, test = train_test_split(len(x), 0.2, seed=42)
    >>> for finding in StandardScaler().fit(x).check_leak(x[test]):
    ...     print(finding.severity, finding.id)
    error fitted-before-split
    >>> StandardScaler().fit(x[train]).check_leak(x[test])
    []
    """

    _arrays = ("mean_", "var_", "scale_")

    def __init__(self, *, with_mean: bool = True, with_std: bool = True) -> None:
        super().__init__()
        self.with_mean = bool(with_mean)
        self.with_std = bool(with_std)
        self.mean_ = self.var_ = self.scale_ = np.zeros(0)

    def _learn(self, x: np.ndarray) -> None:
        n = len(x)
        self.mean_ = x.mean(0)
        self.var_ = x.var(0)
        rounding = n * _EPS * self.var_ + (n * self.mean_ * _EPS) ** 2
        self.scale_ = np.where(self.var_ <= rounding, 1.0, np.sqrt(self.var_))

    def _forward(self, rows: np.ndarray) -> np.ndarray:
        rows = rows - self.mean_ if self.with_mean else rows
        return rows / self.scale_ if self.with_std else rows

    def _backward(self, rows: np.ndarray) -> np.ndarray:
        rows = rows * self.scale_ if self.with_std else rows
        return rows + self.mean_ if self.with_mean else rows


class MinMaxScaler(_Scaler):
    """Bring each column to a range: ``y = x * scale + min``, the smallest value to its low end.

    Parameters
    ----------
    feature_range : tuple of float
        Low and high end.
    clip : bool
        Cut what lies outside of the range, as test data may.

    Attributes
    ----------
    data_min_, data_max_, data_range_ : ndarray of float64, shape (features,)
        Of the rows that it was fitted on.
    scale_, min_ : ndarray of float64, shape (features,)
        ``(high - low) / data_range_``, with 1 for the range of a column that does not vary, and
        ``low - data_min_ * scale_``.

    Raises
    ------
    ValueError
        The low end is not below the high end.

    Notes
    -----
    Names and formulas are those of scikit-learn's scaler of this name; missing values are refused.

    Examples
    --------
    >>> from minigrad.data import MinMaxScaler
    >>> scaler = MinMaxScaler().fit([[1.0], [3.0]])
    >>> scaler.transform([[1.0], [2.0], [5.0]]).ravel()
    array([0. , 0.5, 2. ])
    """

    _arrays = ("data_min_", "data_max_", "data_range_", "scale_", "min_")

    def __init__(
        self, feature_range: tuple[float, float] = (0.0, 1.0), *, clip: bool = False
    ) -> None:
        super().__init__()
        low, high = feature_range
        if not low < high:
            raise ValueError(f"feature_range must rise, and {feature_range} does not")
        self.feature_range = (float(low), float(high))
        self.clip = bool(clip)
        self.data_min_ = self.data_max_ = self.data_range_ = np.zeros(0)
        self.scale_ = self.min_ = np.zeros(0)

    def _learn(self, x: np.ndarray) -> None:
        low, high = self.feature_range
        self.data_min_, self.data_max_ = x.min(0), x.max(0)
        self.data_range_ = self.data_max_ - self.data_min_
        self.scale_ = (high - low) / np.where(self.data_range_ < 10 * _EPS, 1.0, self.data_range_)
        self.min_ = low - self.data_min_ * self.scale_

    def _forward(self, rows: np.ndarray) -> np.ndarray:
        scaled = rows * self.scale_ + self.min_
        return np.clip(scaled, *self.feature_range) if self.clip else scaled

    def _backward(self, rows: np.ndarray) -> np.ndarray:
        return (rows - self.min_) / self.scale_


def _result_dtype(rows: np.ndarray) -> Any:
    return rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float64)


def _standardised(rows: np.ndarray) -> bool:
    """Say whether columns have mean 0 and deviation 1 to rounding, as no raw data has."""
    if len(rows) < 3:
        return False
    deviation = rows.std(0)
    varies = deviation > 0
    return bool(
        varies.any()
        and (np.abs(rows.mean(0)) < 1e-5).all()
        and (np.abs(deviation[varies] - 1) < 1e-5).all()
    )


def _finding(*parts: str) -> Finding:
    from minigrad.check import Finding  # reading data needs no engine

    return Finding(*parts)
