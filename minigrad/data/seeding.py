"""Random numbers that depend on what is drawn for, never on when or by which thread.

Shuffles are ordered by raw words of SFC64, and a sample's draws are a hash of (seed, epoch,
position of the sample in the epoch, number of the draw). Both are the same on every machine and
NumPy version, and neither has a state that a batch drawn earlier or elsewhere could disturb.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from minigrad.backend import Generator

_STEP = np.uint64(0x9E3779B97F4A7C15)
_SEED_LIMIT = 2**63  # fits every format that a checkpoint may be written in
# What numbers are drawn for: the same seed, epoch and position give unlike numbers for each.
SAMPLES, COLLATE, ORDER = 0, 1, 2


def permutation(n: int, seed: int | Sequence[int]) -> np.ndarray:
    """Return 0 to n - 1 in an order that a seed, or a sequence of seeds, fixes for ever.

    Notes
    -----
    The order is that of n raw 64-bit words of NumPy's SFC64, because NumPy keeps the words of a
    bit generator the same for ever, and the results of ``shuffle`` not.

    Examples
    --------
    >>> from minigrad.data.seeding import permutation
    >>> permutation(5, 0).tolist(), permutation(5, [0, 1]).tolist()
    ([3, 1, 2, 4, 0], [3, 0, 2, 4, 1])
    """
    return np.argsort(np.random.SFC64(seed).random_raw(n), kind="stable").astype(np.int64)


def draw_seed(generator: Generator | None = None) -> int:
    """Draw a seed from a generator; from minigrad's default one if none is given."""
    if generator is None:
        from minigrad.backend import default_generator

        generator = default_generator
    return int(generator.host.integers(_SEED_LIMIT))


def check_seed(seed: int) -> int:
    """Return a seed that is an int from 0 to 2**63 - 1; refuse any other."""
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < _SEED_LIMIT:
        raise ValueError(f"seed must be an int from 0 to 2**63 - 1, not {seed!r}")
    return int(seed)


def _mix(words: np.ndarray) -> np.ndarray:
    """Scramble 64-bit words (the finaliser of SplitMix64)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


@lru_cache(maxsize=64)
def _base(seed: int, epoch: int, purpose: int) -> np.ndarray:
    base = np.random.SeedSequence([seed, epoch, purpose, 0]).generate_state(1, np.uint64)
    base.flags.writeable = False
    return base


class Draws:
    """Random numbers for n samples at once, each sample's own.

    Sample i of a batch of n gets the numbers that it would get alone: what is drawn for a batch
    equals, bit for bit, what is drawn image by image.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n,)
        One key for each sample.

    Notes
    -----
    The d-th word of a sample is SplitMix64's d-th output for its key: Steele, Lea and Flood (2014),
    "Fast splittable pseudorandom number generators".

    Examples
    --------
    >>> from minigrad.data.seeding import Draws
    >>> both, alone = Draws.of(7, 0, [4, 5]), Draws.of(7, 0, [5])
    >>> bool(both.uniform()[1] == alone.uniform()[0])
    True
    """

    def __init__(self, keys: np.ndarray) -> None:
        self._keys = keys
        self._drawn = 0

    @classmethod
    def of(
        cls, seed: int, epoch: int, positions: Sequence[int] | np.ndarray, purpose: int = SAMPLES
    ) -> Draws:
        """Make the draws for these positions of an epoch."""
        base = _base(seed, epoch, purpose)
        return cls(_mix(base ^ _mix(np.asarray(positions).astype(np.uint64) + _STEP)))

    def __len__(self) -> int:
        return len(self._keys)

    def words(self) -> np.ndarray:
        """Draw one 64-bit word for each sample."""
        self._drawn += 1
        offset = np.full(1, self._drawn, np.uint64) * _STEP  # arrays wrap round without a warning
        return _mix(self._keys + offset)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Draw a float64 in ``[low, high)`` for each sample."""
        return low + (high - low) * ((self.words() >> np.uint64(11)) * 2.0**-53)

    def integers(self, n: int | np.ndarray) -> np.ndarray:
        """Draw an int64 from 0 to n - 1 for each sample."""
        return np.minimum(np.floor(self.uniform() * n), np.asarray(n) - 1).astype(np.int64)

    def spread(self, n: int) -> Draws:
        """Make draws for n samples out of one word of the first of these."""
        return Draws(_mix(self.words()[:1] + np.arange(n, dtype=np.uint64) * _STEP))

    def rng(self) -> np.random.Generator:
        """Make a NumPy generator out of one word of the first sample."""
        return np.random.Generator(np.random.SFC64(int(self.words()[0])))


_running = threading.local()  # each worker thread has its own


@contextmanager
def drawing(draws: Draws) -> Iterator[None]:
    """Let everything that is drawn inside, in this thread, come from these draws."""
    before = getattr(_running, "draws", None)
    _running.draws = draws
    try:
        yield
    finally:
        _running.draws = before


def current_draws(n: int, generator: Generator | None = None) -> Draws:
    """Return the draws to use for n samples.

    A given generator decides; else the loader that is fetching a sample in this thread; else
    minigrad's default generator.
    """
    running: Draws | None = getattr(_running, "draws", None)
    if generator is not None or running is None:
        return Draws.of(draw_seed(generator), 0, np.arange(n))
    return running if len(running) == n else running.spread(n)


def sample_rng() -> np.random.Generator:
    """Return a NumPy generator for the sample that is being fetched.

    For a data set's own ``__getitem__``: inside a `DataLoader` its numbers depend on the loader's
    seed, the epoch and the sample's place in it, never on the number of workers; a resumed run
    draws them again. Elsewhere it is seeded by ``mg.manual_seed``.

    Examples
    --------
    >>> from minigrad.data import DataLoader, Dataset, sample_rng
    >>> class Noisy(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         return index + sample_rng().normal()
    >>> one = list(DataLoader(Noisy(), batch_size=2, seed=0))
    >>> two = list(DataLoader(Noisy(), batch_size=2, seed=0, num_workers=2))
    >>> all((a == b).all() for a, b in zip(one, two, strict=True))
    True
    """
    return current_draws(1).rng()
