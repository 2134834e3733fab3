"""Folds for cross-validation: every sample is tested once, by a model that did not see it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np


class _Folds:
    """What both kinds of folds share: the parameters, and indices out of fold numbers."""

    def __init__(
        self, n_splits: int = 5, *, shuffle: bool = False, random_state: int | None = None
    ) -> None:
        if not isinstance(n_splits, (int, np.integer)) or isinstance(n_splits, bool):
            raise TypeError(f"n_splits must be an int, not {n_splits!r}")
        if n_splits < 2:
            raise ValueError(f"n_splits must be at least 2, not {n_splits}")
        if random_state is not None and not shuffle:
            raise ValueError(
                f"random_state={random_state} does nothing without shuffle=True: pass both, or none"
            )
        self.n_splits = int(n_splits)
        self.shuffle = bool(shuffle)
        self.random_state = random_state

    def get_n_splits(self) -> int:
        """Return the number of folds."""
        return self.n_splits

    def _rng(self) -> np.random.RandomState:
        # NumPy has frozen this generator's shuffle, and scikit-learn uses it: the same folds as
        # there, for ever.
        if self.random_state is not None:
            return np.random.RandomState(self.random_state)
        from minigrad.backend import default_generator

        return np.random.RandomState(int(default_generator.host.integers(2**32)))

    def _count(self, x: Any) -> int:
        shape = getattr(x, "shape", None)
        n = len(x) if shape is None else int(shape[0])
        if n < self.n_splits:
            raise ValueError(f"n_splits={self.n_splits} folds need as many samples; there are {n}")
        return n

    def _indices(self, fold_of: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for fold in range(self.n_splits):
            yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(n_splits={self.n_splits}, shuffle={self.shuffle}, "
            f"random_state={self.random_state})"
        )


class KFold(_Folds):
    """K folds of equal size to within one; the first ``n % n_splits`` have one sample more.

    Parameters
    ----------
    n_splits : int
        How many folds.
    shuffle : bool
        Deal the samples out at random; else each fold is a run of neighbours, which is wrong for
        data that is sorted by class.
    random_state : int, optional
        Seed of the shuffle; without it, minigrad's default generator gives one. The folds are
        those of scikit-learn with the same arguments.

    Raises
    ------
    ValueError
        Fewer than two folds, fewer samples than folds, or `random_state` without `shuffle`.

    Examples
    --------
    >>> from minigrad.data import KFold
    >>> for train, test in KFold(3).split(range(5)):
    ...     print(train, test)
    [2 3 4] [0 1]
    [0 1 4] [2 3]
    [0 1 2 3] [4]

    Cross-validation is a loop over the folds; each fits its own model, and its own scaler on
    ``x[train]``:

    >>> import numpy as np
    >>> from minigrad.data import load_iris
    >>> iris, right = load_iris(), []
    >>> for train, test in KFold(5, shuffle=True, random_state=0).split(iris.x):
    ...     means = np.stack([iris.x[train][iris.y[train] == c].mean(0) for c in range(3)])
    ...     nearest = ((iris.x[test][:, None] - means) ** 2).sum(-1).argmin(1)
    ...     right.append((nearest == iris.y[test]).mean())
    >>> print(f"accuracy {np.mean(right):.3f} +- {np.std(right):.3f}")
    accuracy 0.927 +- 0.039
    """

    def split(self, x: Any, y: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the indices of the training and of the test samples of each fold, in order.

        Only the length of `x` is used; `y` is taken so that both kinds of folds are called alike.
        """
        n = self._count(x)
        order = np.arange(n)
        if self.shuffle:
            self._rng().shuffle(order)
        fold_of = np.empty(n, np.int64)
        sizes = [n // self.n_splits + (fold < n % self.n_splits) for fold in range(self.n_splits)]
        fold_of[order] = np.repeat(np.arange(self.n_splits), sizes)
        return self._indices(fold_of)


class StratifiedKFold(_Folds):
    """K folds in which every class has its share, to within one sample.

    Parameters
    ----------
    n_splits, shuffle, random_state
        As for `KFold`. Without `shuffle` the samples of a class are dealt out in their order.

    Raises
    ------
    ValueError
        No class has as many samples as there are folds; otherwise as for `KFold`.

    Warns
    -----
    UserWarning
        Some class has fewer samples than there are folds: not every fold can test it.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data import StratifiedKFold, load_iris
    >>> iris = load_iris()
    >>> for train, test in StratifiedKFold(3).split(iris.x, iris.y):
    ...     print(np.bincount(iris.y[test]))
    [17 17 16]
    [17 16 17]
    [16 17 17]
    """

    def split(self, x: Any, y: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the indices of the training and of the test samples of each fold, in order.

        Parameters
        ----------
        x : array or sequence
            Only its length is used.
        y : array of shape (n,)
            The class of each sample: ints or strings.
        """
        n = self._count(x)
        labels = np.asarray(y)
        if labels.shape != (n,):
            raise ValueError(
                f"y must hold {n} labels, one for each sample; its shape is {labels.shape}"
            )
        if labels.dtype.kind == "f" and not (labels == np.floor(labels)).all():
            raise ValueError("y must hold classes, and it holds fractions: use KFold for numbers")
        _, first, code = np.unique(labels, return_index=True, return_inverse=True)
        # Classes are numbered in the order in which they come up, so that folds do not depend on
        # what the classes are called.
        number = np.empty(len(first), np.int64)
        number[np.argsort(first, kind="stable")] = np.arange(len(first))
        code = number[code]
        counts = np.bincount(code)
        if counts.max() < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} folds are more than any class has samples: the largest "
                f"has {counts.max()}; use fewer folds"
            )
        if counts.min() < self.n_splits:
            warnings.warn(
                f"the smallest class has {counts.min()} samples, fewer than n_splits="
                f"{self.n_splits}: some folds will not test it",
                UserWarning,
                stacklevel=2,
            )
        rng = self._rng() if self.shuffle else None
        # Dealing the sorted labels out like cards gives each fold its share of every class, and
        # folds of equal size.
        dealt = np.arange(n) % self.n_splits
        ordered = np.sort(code)
        fold_of = np.empty(n, np.int64)
        for c in range(len(counts)):
            share = np.bincount(dealt[ordered == c], minlength=self.n_splits)
            folds = np.repeat(np.arange(self.n_splits), share)
            if rng is not None:
                rng.shuffle(folds)
            fold_of[code == c] = folds
        return self._indices(fold_of)
