"""Data sets: things with a length and an index, whole, cut, joined and split."""

from __future__ import annotations

import bisect
import operator
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.data.seeding import draw_seed, permutation

if TYPE_CHECKING:
    from minigrad.backend import Generator


class Dataset:
    """Base of map-style data sets: give ``__len__`` and ``__getitem__``.

    A subclass is a convenience, not a duty: `DataLoader` takes any object with the two.
    One more method, ``take(indices)``, may return a whole batch at once where that is faster than
    sample by sample; the loader then uses it, unless it was given a ``collate_fn``.

    Examples
    --------
    >>> from minigrad.data import Dataset
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 5
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> both = Squares() + Squares()
    >>> len(both), both[6]
    (10, 1)
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} needs a method __len__")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


def in_range(index: Any, n: int, name: str) -> int:
    """Return an index from 0 to n - 1; a negative one counts from the end, others are refused."""
    i = operator.index(index)
    if not -n <= i < n:
        raise IndexError(f"index {i} is out of range: {name} has {n} samples, 0 to {n - 1}")
    return i + n if i < 0 else i


class TensorDataset(Dataset):
    """Samples that are the rows of arrays or tensors: sample i is ``(a[i], b[i], ...)``.

    Parameters
    ----------
    *arrays : ndarray or Tensor
        Of one length along axis 0. They are kept, not copied.
    transform : callable, optional
        Applied to the first member: to one image when a sample is asked for, to a batch (N, ...)
        when the loader asks for one. The transforms of `minigrad.data.transforms` give the same
        bits both ways.

    Raises
    ------
    ValueError
        No array, one without an axis, or unlike lengths.

    Examples
    --------
    >>> from minigrad.data import TensorDataset, load_iris
    >>> iris = load_iris()
    >>> samples = TensorDataset(iris.x, iris.y)
    >>> len(samples), samples[0]
    (150, (array([5.1, 3.5, 1.4, 0.2]), np.int64(0)))
    """

    def __init__(self, *arrays: Any, transform: Callable[[Any], Any] | None = None) -> None:
        kept = tuple(np.asarray(a) if isinstance(a, (list, tuple)) else a for a in arrays)
        shapes = [tuple(a.shape) for a in kept]
        if not kept or () in shapes or len({shape[0] for shape in shapes}) != 1:
            raise ValueError(
                "TensorDataset needs at least one array, each with an axis of samples, and all of "
                f"one length along it; the shapes are {[list(shape) for shape in shapes]}"
            )
        self.tensors = kept
        self.transform = transform

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        i = in_range(index, len(self), "this TensorDataset")
        return self._transformed(tuple(a[i] for a in self.tensors))

    def take(self, indices: np.ndarray) -> tuple[Any, ...]:
        """Return a whole batch: the rows at these indices of each array."""
        n = len(self)
        wrong = (indices < -n) | (indices >= n)
        if wrong.any():
            in_range(indices[wrong][0], n, "this TensorDataset")
        return self._transformed(tuple(a[indices] for a in self.tensors))

    def _transformed(self, members: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.transform is None:
            return members
        return (self.transform(members[0]), *members[1:])


class Subset(Dataset):
    """The samples of a data set at the given indices, in their order.

    Raises
    ------
    IndexError
        An index is out of range.

    Examples
    --------
    >>> from minigrad.data import Subset
    >>> last = Subset("abcdef", [5, 3])
    >>> len(last), last[0], last[1]
    (2, 'f', 'd')
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | np.ndarray) -> None:
        self.dataset = dataset
        self.indices = _as_indices(indices)
        n = len(dataset)
        for bad in self.indices[(self.indices < -n) | (self.indices >= n)][:1]:
            in_range(bad, n, "the data set")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[in_range(index, len(self), "this Subset")])]


def batch_reader(dataset: Any) -> Callable[[np.ndarray], Any] | None:
    """Return what reads a whole batch at once, given its indices; None if nothing does."""
    if isinstance(dataset, Subset):
        inner, indices = batch_reader(dataset.dataset), dataset.indices
        return None if inner is None else lambda chosen: inner(indices[chosen])
    # Only of a Dataset: arrays and tables of other libraries have a `take` of another meaning.
    return getattr(dataset, "take", None) if isinstance(dataset, Dataset) else None


def _as_indices(indices: Sequence[int] | np.ndarray) -> np.ndarray:
    array = np.asarray(indices if isinstance(indices, np.ndarray) else list(indices))
    if array.size == 0:
        return np.zeros(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        hint = "; np.flatnonzero(mask) makes them out of a mask" if array.dtype == bool else ""
        raise TypeError(
            f"indices must be a list of ints, not {array.dtype}{list(array.shape)}{hint}"
        )
    return array.astype(np.int64)


class ConcatDataset(Dataset):
    """Several data sets, one after the other.

    Raises
    ------
    ValueError
        There is none.

    Examples
    --------
    >>> from minigrad.data import ConcatDataset
    >>> both = ConcatDataset(["ab", "cde"])
    >>> len(both), both[1], both[2], both[-1], both.cumulative_sizes
    (5, 'b', 'c', 'e', [2, 5])
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one data set")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        i = in_range(index, len(self), "this ConcatDataset")
        which = bisect.bisect_right(self.cumulative_sizes, i)
        return self.datasets[which][i - (self.cumulative_sizes[which - 1] if which else 0)]


def random_split(
    dataset: Any, lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset]:
    """Split a data set at random into parts that share no sample.

    Parameters
    ----------
    dataset : Dataset
        What to split.
    lengths : sequence of int, or of float
        The sizes, which must add up to ``len(dataset)``; or fractions that add up to 1. A part of
        fraction f gets ``floor(f * n)`` samples, and those left over go one each to the first
        parts, as in torch.
    generator : Generator, optional
        Where the seed comes from; without it, minigrad's default generator.

    Raises
    ------
    ValueError
        The lengths do not add up, or one is negative.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.data import random_split
    >>> train, test = random_split(range(10), [0.75, 0.25], mg.Generator(0))
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (8, 2, True)
    """
    n = len(dataset)
    sizes = np.asarray(lengths)
    if sizes.ndim != 1 or sizes.dtype.kind not in "iuf" or sizes.size == 0 or (sizes < 0).any():
        raise ValueError(f"lengths must be a list of sizes or fractions, none negative: {lengths}")
    if sizes.dtype.kind == "f":
        if abs(sizes.sum() - 1) > 1e-9:
            raise ValueError(f"the fractions {lengths} add up to {sizes.sum():.6g}, not to 1")
        sizes = np.floor(sizes * n).astype(np.int64)
        left_over = n - int(sizes.sum())
        sizes += np.bincount(np.arange(left_over) % len(sizes), minlength=len(sizes))
    if sizes.sum() != n:
        raise ValueError(
            f"the lengths {lengths} add up to {sizes.sum()}, and the data set has {n} samples: "
            "give sizes that add up to that, or fractions that add up to 1"
        )
    order = permutation(n, draw_seed(generator))
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(sizes)[:-1])]
