"""Batches out of a data set: shuffled, read ahead by threads, and resumable at any batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.data.collate import default_collate
from minigrad.data.dataset import TensorDataset, batch_reader
from minigrad.data.samplers import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    load_sampler_state,
    sampler_state,
)
from minigrad.data.seeding import COLLATE, Draws, check_seed, draw_seed, drawing

if TYPE_CHECKING:
    from collections.abc import Generator as Generated

    from minigrad.backend import Generator

_VERSION = 1


@dataclass
class _Place:
    """Where an epoch is: `position` batches of it were handed out."""

    epoch: int
    position: int
    sampler: dict[str, Any] | None  # its state at the beginning of the epoch; None if it has none


@dataclass(frozen=True)
class _Task:
    """One batch to fetch: its number in the epoch, the place of its first sample, its indices."""

    number: int
    first: int
    indices: list[int]


class DataLoader:
    """Iterate over a data set in batches.

    Each iteration is one epoch. What it gives depends on the seed, the epoch and the position only:
    not on the number of workers, on timing, or on where an earlier run was cut off.

    Parameters
    ----------
    dataset : Dataset, ndarray or tuple of arrays
        Anything with ``__len__`` and ``__getitem__``. A tuple of arrays is a `TensorDataset`.
    batch_size : int
        Samples in a batch.
    shuffle : bool
        A new random order in every epoch.
    sampler : iterable of int, optional
        Gives the order instead of `shuffle`: a `Sampler`, or a list of indices.
    batch_sampler : iterable of list of int, optional
        Gives the batches, instead of `batch_size`, `shuffle`, `sampler` and `drop_last`.
    num_workers : int
        Threads that fetch batches ahead of time; with 0 each batch is fetched when it is asked for.
        They are threads, not processes: NumPy, SciPy and Pillow release the interpreter's lock
        while they compute and decode, nothing has to be pickled or copied between processes, and
        a data set may hold what cannot be pickled. A data set's own slow Python code gains
        nothing from them.
    collate_fn : callable, optional
        Makes a batch out of a list of samples; `default_collate` if not given.
    drop_last : bool
        Leave the last batch out if it is smaller.
    generator : Generator, optional
        Where the seed comes from; without it, minigrad's default generator, which
        ``mg.manual_seed`` seeds.
    seed : int, optional
        The seed itself, instead of a generator.
    prefetch_factor : int
        With workers, ``num_workers * prefetch_factor`` batches are fetched ahead.

    Attributes
    ----------
    seed : int
        Decides the order and the augmentation of every epoch.
    epoch : int
        Number of the epoch that runs, or that begins next; the first is 0.

    Raises
    ------
    ValueError
        Arguments that exclude each other, an empty data set, or a number that is not positive.
    IndexError, or what the data set raises
        From the iteration, with a note that names the sample, the batch and the epoch.

    Notes
    -----
    ``for x, y in loader`` gives what the data set holds, stacked: arrays from arrays (operations
    and modules take them as they are), Tensors from Tensors.

    The random numbers of a sample (those of `minigrad.data.transforms` and `sample_rng`) are a hash
    of the seed, the epoch and the sample's position in the epoch. Of its position, not its index:
    a sample that a sampler gives twice in an epoch is augmented in two ways.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data import DataLoader
    >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> loader = DataLoader((x, y), batch_size=2, shuffle=True, seed=0)
    >>> for epoch in range(2):
    ...     print([labels.tolist() for _, labels in loader])
    [[3, 1], [2, 4], [0]]
    [[3, 0], [2, 4], [1]]

    Stop after a batch, and go on from there, in another process if need be:

    >>> loader = DataLoader((x, y), batch_size=2, shuffle=True, seed=0)
    >>> for _, labels in loader:
    ...     state = loader.state_dict()
    ...     break
    >>> resumed = DataLoader((x, y), batch_size=2, shuffle=True)
    >>> resumed.load_state_dict(state)
    >>> for epoch in range(2):
    ...     print([labels.tolist() for _, labels in resumed])
    [[2, 4], [0]]
    [[3, 0], [2, 4], [1]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        drop_last: bool = False,
        generator: Generator | None = None,
        seed: int | None = None,
        prefetch_factor: int = 2,
    ) -> None:
        if isinstance(dataset, tuple) and all(hasattr(a, "shape") for a in dataset):
            dataset = TensorDataset(*dataset)
        if len(dataset) == 0:
            raise ValueError("the data set is empty: it has no sample to make a batch of")
        _check_whole("num_workers", num_workers, 0)
        _check_whole("prefetch_factor", prefetch_factor, 1)
        if seed is not None and generator is not None:
            raise ValueError("give a generator or a seed, not both")
        if sampler is not None and shuffle:
            raise ValueError("sampler gives the order, so shuffle=True cannot: give one of them")
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or drop_last
        ):
            raise ValueError(
                "batch_sampler gives whole batches: leave out batch_size, shuffle, sampler and "
                "drop_last"
            )
        self.dataset = dataset
        self.num_workers = int(num_workers)
        self.prefetch_factor = int(prefetch_factor)
        self.collate_fn = default_collate if collate_fn is None else collate_fn
        self.seed = draw_seed(generator) if seed is None else check_seed(seed)
        if sampler is None:
            sampler = RandomSampler(dataset, seed=self.seed) if shuffle else None
            sampler = SequentialSampler(dataset) if sampler is None else sampler
        self.batch_sampler: Any = batch_sampler
        if batch_sampler is None:
            self.batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self._reader = _whole_batches(dataset) if collate_fn is None else None
        self._next_epoch = 0
        self._place: _Place | None = None  # of the epoch that was begun last, until it ends
        self._resume: _Place | None = None  # from load_state_dict, until the next iteration

    @property
    def sampler(self) -> Any:
        """What gives the order; of a `batch_sampler` without one, the `batch_sampler`."""
        return getattr(self.batch_sampler, "sampler", self.batch_sampler)

    @property
    def batch_size(self) -> int | None:
        """How many samples make a batch; None if a foreign `batch_sampler` decides."""
        return getattr(self.batch_sampler, "batch_size", None)

    @property
    def drop_last(self) -> bool:
        """Whether a smaller last batch is left out."""
        return bool(getattr(self.batch_sampler, "drop_last", False))

    @property
    def epoch(self) -> int:
        """Number of the epoch that runs, or that begins next."""
        place = self._resume or self._place
        return self._next_epoch if place is None else place.epoch

    @property
    def resumes_at(self) -> int:
        """Number in its epoch of the batch that the next iteration begins with."""
        return 0 if self._resume is None else self._resume.position

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        place = self._resume
        if place is None:
            place = _Place(self._next_epoch, 0, self._sampler_state())
        self._resume, self._place = None, place
        self._next_epoch = place.epoch + 1
        return self._epoch(place, self._tasks(iter(self.batch_sampler), place.position))

    def _sampler_state(self) -> dict[str, Any] | None:
        try:
            return sampler_state(self.batch_sampler)
        except TypeError:  # to be told by state_dict: a loader that is never saved needs no state
            return None

    @staticmethod
    def _tasks(batches: Iterator[list[int]], skipped: int) -> Iterator[_Task]:
        first = 0
        for number, indices in enumerate(batches):
            if number >= skipped:
                yield _Task(number, first, list(indices))
            first += len(indices)

    def _epoch(self, place: _Place, tasks: Iterator[_Task]) -> Iterator[Any]:
        fetch = self._fetched_ahead if self.num_workers else self._fetched_when_asked
        with closing(fetch(place, tasks)) as batches:
            for batch in batches:
                place.position += 1
                yield batch
        if self._place is place:
            self._place = None

    def _fetched_when_asked(
        self, place: _Place, tasks: Iterator[_Task]
    ) -> Generated[Any, None, None]:
        for task in tasks:
            yield self._fetch(place.epoch, task)

    def _fetched_ahead(self, place: _Place, tasks: Iterator[_Task]) -> Generated[Any, None, None]:
        waiting: deque[Future[Any]] = deque()
        pool = ThreadPoolExecutor(self.num_workers, thread_name_prefix="minigrad-loader")

        def order(wanted: int) -> None:
            while len(waiting) < wanted and (task := next(tasks, None)) is not None:
                waiting.append(pool.submit(self._fetch, place.epoch, task))

        try:
            order(self.num_workers * self.prefetch_factor)
            while waiting:
                batch = waiting.popleft().result()
                order(self.num_workers * self.prefetch_factor)  # they work while the batch is used
                yield batch
        finally:  # also where the loop over the batches was left: no thread stays behind
            pool.shutdown(wait=True, cancel_futures=True)

    def _fetch(self, epoch: int, task: _Task) -> Any:
        """Return one batch; its random numbers come from its place in the epoch."""
        count = len(task.indices)
        if self._reader is not None:
            positions = np.arange(task.first, task.first + count)
            with drawing(Draws.of(self.seed, epoch, positions)):
                return self._noted(self._reader, np.asarray(task.indices), task, epoch)
        samples = []
        for position, index in enumerate(task.indices, task.first):
            with drawing(Draws.of(self.seed, epoch, [position])):
                samples.append(self._noted(self.dataset.__getitem__, index, task, epoch))
        with drawing(Draws.of(self.seed, epoch, [task.number], COLLATE)):
            return self._noted(self.collate_fn, samples, task, epoch)

    @staticmethod
    def _noted(function: Callable[[Any], Any], argument: Any, task: _Task, epoch: int) -> Any:
        """Call, and let an exception say where in the data it came up."""
        try:
            return function(argument)
        except Exception as error:
            if isinstance(argument, (int, np.integer)):
                what = f"sample {argument}"
            else:
                shown = ", ".join(map(str, task.indices[:8]))
                what = f"samples {shown}{', ...' if len(task.indices) > 8 else ''}"
            error.add_note(f"in the data set's {what} (batch {task.number} of epoch {epoch})")
            raise

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader is, in plain numbers and strings.

        In the body of a loop over the loader the batch that the body has counts as done; batches
        fetched ahead do not. Where the loop ended by itself, the next epoch is about to begin.

        Returns
        -------
        dict
            ``version``, ``seed``, ``epoch``, ``position`` (batches of the epoch handed out),
            ``samples``, ``batch_size``, ``drop_last``, ``order`` (the sampler's class) and
            ``sampler`` (its state at the beginning of the epoch).

        Raises
        ------
        TypeError
            A sampler of one's own has no ``state_dict``.
        """
        place = self._resume or self._place
        if place is None:
            place = _Place(self._next_epoch, 0, sampler_state(self.batch_sampler))
        state = place.sampler
        if state is None:
            state = sampler_state(self.batch_sampler)
        return {
            "version": _VERSION,
            "seed": self.seed,
            "epoch": place.epoch,
            "position": place.position,
            **self._signature(),
            "sampler": state,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on, at the next iteration, where the loader was that gave this state.

        Raises
        ------
        ValueError
            The state is broken, of another version, or of a loader with another number of samples,
            batch size, `drop_last` or kind of sampler: its positions mean nothing here. The loader
            stays as it was.
        """
        if state.get("version") != _VERSION:
            raise ValueError(
                f"the state's version is {state.get('version')!r} and this minigrad reads "
                f"{_VERSION}: it is not from DataLoader.state_dict(), or from another minigrad"
            )
        for key, here in self._signature().items():
            if state.get(key) != here:
                raise ValueError(
                    f"the state is of a loader with {key}={state.get(key)!r}, and this one has "
                    f"{key}={here!r}: make the loader as it was when the state was saved"
                )
        if missing := sorted({"seed", "epoch", "position", "sampler"} - set(state)):
            raise ValueError(f"the state is broken: it lacks {', '.join(missing)}")
        place = _Place(int(state["epoch"]), int(state["position"]), dict(state["sampler"]))
        batches = len(self) if hasattr(self.batch_sampler, "__len__") else place.position
        if place.epoch < 0 or not 0 <= place.position <= batches:
            raise ValueError(
                f"the state is broken: epoch {place.epoch}, position {place.position}; an epoch "
                f"has {batches} batches, and neither can be negative"
            )
        seed = check_seed(state["seed"])
        load_sampler_state(self.batch_sampler, state["sampler"])
        self.seed, self._resume = seed, place

    def _signature(self) -> dict[str, Any]:
        return {
            "samples": len(self.dataset),
            "batch_size": 0 if self.batch_size is None else self.batch_size,
            "drop_last": int(self.drop_last),
            "order": type(self.sampler).__name__,
        }


def _check_whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be an int of at least {least}, not {value!r}")


def _whole_batches(dataset: Any) -> Callable[[np.ndarray], Any] | None:
    if isinstance(dataset, np.ndarray):
        return dataset.__getitem__
    return batch_reader(dataset)
