"""Samplers: in which order the samples of a data set come, and in which batches.

Each of them that draws is a function of its seed and of how often it was iterated before (its
epoch), and these two numbers are its whole state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.data.seeding import ORDER, Draws, check_seed, draw_seed, permutation

if TYPE_CHECKING:
    from minigrad.backend import Generator


class Sampler:
    """Base of samplers: give ``__iter__`` and ``__len__``.

    A sampler whose order changes from epoch to epoch also gives ``state_dict()`` and
    ``load_state_dict(state)``; without them a loader that uses it cannot be resumed.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} needs a method __iter__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} needs a method __len__")


class SequentialSampler(Sampler):
    """All indices of a data set in order.

    Examples
    --------
    >>> from minigrad.data import SequentialSampler
    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)

    def state_dict(self) -> dict[str, Any]:
        """Return an empty dict: every epoch has the same order."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Accept what `state_dict` returned."""


class _SeededSampler(Sampler):
    """A sampler whose order is a function of (seed, epoch)."""

    def __init__(self, generator: Generator | None, seed: int | None) -> None:
        if seed is not None and generator is not None:
            raise ValueError("give a generator or a seed, not both")
        self.seed = draw_seed(generator) if seed is None else check_seed(seed)
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        order = self._order(self.epoch)
        self.epoch += 1
        return iter(order.tolist())

    def _order(self, epoch: int) -> np.ndarray:
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return the seed, and the number of the epoch that the next iteration gives."""
        return {"seed": self.seed, "epoch": self.epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        if missing := sorted({"seed", "epoch"} - set(state)):
            raise ValueError(f"the state of the {type(self).__name__} lacks {', '.join(missing)}")
        self.seed, self.epoch = check_seed(state["seed"]), int(state["epoch"])


class RandomSampler(_SeededSampler):
    """All indices of a data set in a random order, another one at each iteration.

    Parameters
    ----------
    data_source : Dataset
        Only its length is used.
    replacement : bool
        Draw each index independently of the others, so that some come twice and some never.
    num_samples : int, optional
        How many indices one iteration gives; the length of the data set if not given. More than
        that without replacement: whole orders follow one another, each index as often as the
        others to within one.
    generator : Generator, optional
        Where the seed comes from; without it, minigrad's default generator.
    seed : int, optional
        The seed itself, instead of a generator.

    Raises
    ------
    ValueError
        `num_samples` is not positive, the data set is empty, or both generator and seed are given.

    Examples
    --------
    >>> from minigrad.data import RandomSampler
    >>> sampler = RandomSampler("abcde", seed=0)
    >>> list(sampler), list(sampler)
    ([3, 1, 2, 4, 0], [3, 0, 2, 4, 1])
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        super().__init__(generator, seed)
        n = len(data_source)
        self.data_source = data_source
        self.replacement = replacement
        self.num_samples = _check_count(n if num_samples is None else num_samples, n)

    def __len__(self) -> int:
        return self.num_samples

    def _order(self, epoch: int) -> np.ndarray:
        n, wanted = len(self.data_source), self.num_samples
        if self.replacement:
            return Draws.of(self.seed, epoch, np.arange(wanted), ORDER).integers(n)
        # A third seed only where more than one order is needed.
        orders = [permutation(n, [self.seed, epoch])]
        orders += [permutation(n, [self.seed, epoch, i]) for i in range(1, -(-wanted // n))]
        return np.concatenate(orders)[:wanted]


def _check_count(wanted: Any, n: int) -> int:
    if n == 0:
        raise ValueError("the data set is empty: there is nothing to sample")
    if not isinstance(wanted, (int, np.integer)) or isinstance(wanted, bool) or wanted < 1:
        raise ValueError(f"num_samples must be a positive int, not {wanted!r}")
    return int(wanted)


class SubsetRandomSampler(_SeededSampler):
    """The given indices in a random order, another one at each iteration.

    Examples
    --------
    >>> from minigrad.data import SubsetRandomSampler
    >>> sorted(SubsetRandomSampler([7, 9, 11], seed=0))
    [7, 9, 11]
    """

    def __init__(
        self,
        indices: Sequence[int] | np.ndarray,
        generator: Generator | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        super().__init__(generator, seed)
        self.indices = np.asarray(indices, np.int64)

    def __len__(self) -> int:
        return len(self.indices)

    def _order(self, epoch: int) -> np.ndarray:
        return self.indices[permutation(len(self), [self.seed, epoch])]


class WeightedRandomSampler(_SeededSampler):
    """Indices drawn with given weights, for instance ``1 / count`` of each sample's class.

    Parameters
    ----------
    weights : sequence of float
        One for each sample, none negative; they need not add up to 1.
    num_samples : int
        How many indices one iteration gives.
    replacement : bool
        Draw each index independently of the others (the default, as in torch); else no index
        comes twice, and each draw has the weights of those that are left.
    generator, seed : optional
        As in `RandomSampler`.

    Raises
    ------
    ValueError
        A weight is negative or not finite, all are zero, or there are fewer positive ones than
        `num_samples` without replacement.

    Notes
    -----
    Without replacement the indices are those of the largest ``log(u) / w`` with u uniform in
    (0, 1): Efraimidis and Spirakis (2006), "Weighted random sampling with a reservoir".

    Examples
    --------
    >>> from minigrad.data import WeightedRandomSampler
    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 3, seed=0))
    [1, 1, 1]
    >>> sorted(WeightedRandomSampler([1, 2, 0, 9], 3, replacement=False, seed=0))
    [0, 1, 3]
    """

    def __init__(
        self,
        weights: Sequence[float] | np.ndarray,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        super().__init__(generator, seed)
        self.weights = np.asarray(weights, np.float64)
        if self.weights.ndim != 1:
            raise ValueError(
                "weights must be one number for each sample, not an array of shape "
                f"{list(self.weights.shape)}"
            )
        self.num_samples = _check_count(num_samples, len(self.weights))
        self.replacement = replacement
        for i in np.flatnonzero(~((self.weights >= 0) & np.isfinite(self.weights)))[:1]:
            raise ValueError(
                f"weights[{i}] is {self.weights[i]}: weights must be finite and not negative"
            )
        positive = int((self.weights > 0).sum())
        if positive == 0 or (not replacement and positive < self.num_samples):
            raise ValueError(
                f"{positive} of the {len(self.weights)} weights are positive: too few for "
                f"{self.num_samples} samples {'with' if replacement else 'without'} replacement"
            )

    def __len__(self) -> int:
        return self.num_samples

    def _order(self, epoch: int) -> np.ndarray:
        if self.replacement:
            u = Draws.of(self.seed, epoch, np.arange(self.num_samples), ORDER).uniform()
            reached = np.cumsum(self.weights)
            index = np.searchsorted(reached, u * reached[-1], side="right")
            return np.minimum(index, np.flatnonzero(self.weights)[-1])  # u * total may round up
        u = 1 - Draws.of(self.seed, epoch, np.arange(len(self.weights)), ORDER).uniform()
        with np.errstate(divide="ignore"):
            keys = np.where(self.weights > 0, np.log(u) / self.weights, -np.inf)
        return np.argsort(-keys, kind="stable")[: self.num_samples]


class BatchSampler(Sampler):
    """Lists of `batch_size` indices out of a sampler.

    Parameters
    ----------
    sampler : Sampler or iterable of int
        Where the indices come from.
    batch_size : int
        How many make a batch.
    drop_last : bool
        Leave the last batch out if it is smaller.

    Examples
    --------
    >>> from minigrad.data import BatchSampler, SequentialSampler
    >>> list(BatchSampler(SequentialSampler("abcde"), 2, False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool = False) -> None:
        whole = isinstance(batch_size, (int, np.integer)) and not isinstance(batch_size, bool)
        if not whole or batch_size < 1:
            raise ValueError(f"batch_size must be a positive int, not {batch_size!r}")
        self.sampler = sampler
        self.batch_size = int(batch_size)
        self.drop_last = bool(drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        return self._batches(iter(self.sampler))  # the sampler's epoch begins now, not when asked

    def _batches(self, indices: Iterator[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in indices:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the sampler inside."""
        return sampler_state(self.sampler)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        load_sampler_state(self.sampler, state)


def sampler_state(sampler: Any) -> dict[str, Any]:
    """Return a sampler's state; a sequence of indices has none and needs none.

    Raises
    ------
    TypeError
        The sampler keeps its state to itself.
    """
    if hasattr(sampler, "state_dict"):
        return dict(sampler.state_dict())
    if hasattr(sampler, "__getitem__"):
        return {}
    raise TypeError(
        f"the sampler {type(sampler).__name__} cannot be resumed: give it methods state_dict() and "
        "load_state_dict(state), or pass a list of indices"
    )


def load_sampler_state(sampler: Any, state: Mapping[str, Any]) -> None:
    """Hand a sampler the state that `sampler_state` returned."""
    if hasattr(sampler, "load_state_dict"):
        sampler.load_state_dict(state)
