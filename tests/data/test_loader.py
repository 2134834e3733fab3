"""The loader: what it gives, from which seed, by how many threads, and from where on."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    Sampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    sample_rng,
    transforms,
)
from minigrad.data.seeding import Draws

X = np.arange(34.0).reshape(17, 2)
Y = np.arange(17)


def labels(loader) -> list[list[int]]:
    return [batch[1].tolist() for batch in loader]


def order_of(loader) -> list[int]:
    return [label for batch in labels(loader) for label in batch]


def loader_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("minigrad-loader")]


class Noisy(Dataset):
    """Read one by one, with noise of its own, slower for some samples than for others."""

    def __init__(self, n: int = 17, delay: float = 0.0) -> None:
        self.n, self.delay = n, delay

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index):
        time.sleep(self.delay * ((index * 7) % 3))
        return index, sample_rng().normal(size=3)


def assert_same(one, two) -> None:
    one, two = list(one), list(two)
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        assert len(a) == len(b)
        for left, right in zip(a, b, strict=True):
            assert np.asarray(left).dtype == np.asarray(right).dtype
            np.testing.assert_array_equal(left, right)


# What it gives


def test_in_order_and_whole() -> None:
    loader = DataLoader((X, Y), batch_size=5)
    assert labels(loader) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14], [15, 16]]
    assert len(loader) == 4
    x, _ = next(iter(loader))
    np.testing.assert_array_equal(x, X[:5])
    assert labels(DataLoader((X, Y), batch_size=5, drop_last=True)) == labels(loader)[:3]
    assert len(DataLoader((X, Y), batch_size=5, drop_last=True)) == 3


def test_shuffled_epochs_are_permutations_and_differ() -> None:
    loader = DataLoader((X, Y), batch_size=4, shuffle=True, seed=3)
    orders = [order_of(loader) for _ in range(4)]
    assert all(sorted(order) == list(range(17)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    again = DataLoader((X, Y), batch_size=4, shuffle=True, seed=3)
    assert [order_of(again) for _ in range(4)] == orders
    other = DataLoader((X, Y), batch_size=4, shuffle=True, seed=4)
    assert order_of(other) != orders[0]


def test_an_order_for_ever() -> None:
    loader = DataLoader((X, Y), batch_size=17, shuffle=True, seed=0)
    assert labels(loader)[0] == [9, 10, 3, 16, 1, 12, 8, 2, 4, 15, 13, 0, 5, 11, 6, 7, 14]


def test_draws_for_ever() -> None:
    draws = Draws.of(0, 0, [0, 1])
    assert draws.words().tolist() == [18232407239530505979, 16172095503037652687]
    assert draws.uniform().tolist() == [0.47296745866700407, 0.8575241070206425]
    assert draws.integers(10).tolist() == [4, 1]


def test_draws_are_uniform_and_uncorrelated() -> None:
    draws = Draws.of(11, 3, np.arange(20000))
    numbers = np.stack([draws.uniform() for _ in range(6)])
    counts = [np.bincount((row * 50).astype(int), minlength=50) for row in numbers]
    chi_square = ((np.array(counts) - 400) ** 2 / 400).sum(1)
    assert (np.abs(chi_square - 49) < 4.5 * np.sqrt(2 * 49)).all()
    assert np.abs(np.corrcoef(numbers) - np.eye(6)).max() < 4.5 / np.sqrt(20000)
    for row in numbers:
        assert abs(np.corrcoef(row[1:], row[:-1])[0, 1]) < 4.5 / np.sqrt(20000)


def test_the_seed_comes_from_manual_seed_or_a_generator() -> None:
    def order(**options) -> list[list[int]]:
        return labels(DataLoader((X, Y), batch_size=6, shuffle=True, **options))

    mg.manual_seed(5)
    first, second = order(), order()
    mg.manual_seed(5)
    assert [order(), order()] == [first, second]
    assert first != second
    assert order(generator=mg.Generator(9)) == order(generator=mg.Generator(9))


def test_arrays_lists_and_tensors() -> None:
    assert [batch.tolist() for batch in DataLoader(X[:3], batch_size=2)] == [
        [[0, 1], [2, 3]],
        [[4, 5]],
    ]
    assert [batch.tolist() for batch in DataLoader([1, 2, 3], batch_size=2)] == [[1, 2], [3]]
    tensors = TensorDataset(mg.tensor(X), mg.tensor(Y))
    for dataset in (tensors, Subset(tensors, [3, 1, 16]), [tensors[3], tensors[1], tensors[16]]):
        x, y = next(iter(DataLoader(dataset, batch_size=3)))
        assert isinstance(x, mg.Tensor)
        assert isinstance(y, mg.Tensor)
        expected = Y[:3] if dataset is tensors else [3, 1, 16]
        np.testing.assert_array_equal(y.numpy(), expected)
        np.testing.assert_array_equal(x.numpy(), X[np.asarray(expected)])


def test_collate_fn_gets_the_samples() -> None:
    def longest_first(samples):
        return sorted(samples, key=len, reverse=True)

    words = ["a", "ccc", "bb", "dddd"]
    loader = DataLoader(words, batch_size=2, collate_fn=longest_first, num_workers=1)
    assert list(loader) == [["ccc", "a"], ["dddd", "bb"]]
    pairs = DataLoader((X, Y), batch_size=3, collate_fn=lambda samples: [y for _, y in samples])
    assert next(iter(pairs)) == [0, 1, 2]


def test_samplers() -> None:
    assert labels(DataLoader((X, Y), batch_size=2, sampler=[5, 3, 3])) == [[5, 3], [3]]
    batches = DataLoader((X, Y), batch_sampler=[[1], [2, 4, 6]])
    assert labels(batches) == [[1], [2, 4, 6]]
    assert len(batches) == 2
    own = DataLoader((X, Y), batch_sampler=BatchSampler([4, 5, 6], 2))
    assert labels(own) == [[4, 5], [6]]
    assert (own.batch_size, own.drop_last, own.sampler) == (2, False, [4, 5, 6])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a positive int, not 0"),
        ({"batch_size": 2.0}, "batch_size must be a positive int"),
        ({"num_workers": -1}, "num_workers must be an int of at least 0"),
        ({"prefetch_factor": 0}, "prefetch_factor must be an int of at least 1"),
        ({"sampler": [1], "shuffle": True}, "sampler gives the order"),
        ({"batch_sampler": [[1]], "batch_size": 2}, "batch_sampler gives whole batches"),
        ({"batch_sampler": [[1]], "drop_last": True}, "batch_sampler gives whole batches"),
        ({"seed": -1}, "seed must be an int"),
        ({"seed": 1, "generator": mg.Generator(0)}, "not both"),
    ],
)
def test_wrong_arguments_are_refused(options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataLoader((X, Y), **options)


def test_an_empty_data_set_is_refused() -> None:
    with pytest.raises(ValueError, match="the data set is empty"):
        DataLoader((X[:0], Y[:0]))


# Workers


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_do_not_depend_on_the_workers(workers: int) -> None:
    def epochs(**options):
        loader = DataLoader(Noisy(**options), batch_size=3, shuffle=True, seed=1)
        loader.num_workers = workers if options else 0
        return [batch for _ in range(2) for batch in loader]

    assert_same(epochs(), epochs(delay=0.002))


def test_augmentation_does_not_depend_on_workers_or_on_how_batches_are_read() -> None:
    images = np.random.default_rng(0).random((17, 3, 6, 7), np.float32)
    change = transforms.Compose(
        [
            transforms.RandomAffine(40, 0.2, 0.2, 20, 0.2),
            transforms.RandomHorizontalFlip(),
            transforms.RandomCrop(6, padding=1),
            transforms.ColorJitter(0.4, 0.4, 0.4, 0.1),
        ]
    )
    whole = TensorDataset(images, Y, transform=change)

    class Singly(Dataset):
        def __len__(self) -> int:
            return len(whole)

        def __getitem__(self, index):
            return whole[index]

    def run(dataset, workers: int, batch_size: int):
        loader = DataLoader(dataset, batch_size, shuffle=True, seed=2, num_workers=workers)
        epochs = [list(loader) for _ in range(2)]
        return [[np.concatenate(part) for part in zip(*epoch, strict=True)] for epoch in epochs]

    expected = run(whole, 0, 4)
    assert (expected[0][0] != expected[1][0]).any()
    assert_same(expected, run(whole, 2, 4))
    assert_same(expected, run(Singly(), 0, 4))
    assert_same(expected, run(Singly(), 3, 4))
    assert_same(expected, run(whole, 2, 5))
    plain = TensorDataset(images, Y)
    assert_same(expected[0][1:], run(plain, 0, 4)[0][1:])


def test_a_sample_that_comes_twice_is_augmented_in_two_ways() -> None:
    loader = DataLoader(Noisy(), batch_size=8, sampler=[4] * 8, seed=0)
    (indices, noise), *rest = loader
    assert not rest
    assert indices.tolist() == [4] * 8
    assert len(np.unique(noise[:, 0])) == 8


def test_noise_for_the_collate_function_is_seeded_too() -> None:
    def mixed(samples):
        return sample_rng().normal(size=len(samples))

    options = {"batch_size": 3, "collate_fn": mixed, "seed": 0}
    one = np.concatenate(list(DataLoader((X, Y), **options)))
    two = np.concatenate(list(DataLoader((X, Y), num_workers=3, **options)))
    np.testing.assert_array_equal(one, two)
    assert len(np.unique(one)) == 17


def test_random_numbers_of_loaders_and_purposes_are_not_correlated() -> None:
    """A sampler's draws, and the augmentation of what it drew, come from unlike streams."""
    n = 4000

    class Uniform(Dataset):
        def __len__(self) -> int:
            return n

        def __getitem__(self, index):
            return index, sample_rng().random()

    sampler = WeightedRandomSampler(np.ones(n), n, seed=7)
    (indices, noise), *_ = DataLoader(Uniform(), batch_size=n, sampler=sampler, seed=7)
    assert abs(np.corrcoef(indices, noise)[0, 1]) < 4.5 / np.sqrt(n)
    (_, second), *_ = DataLoader(Uniform(), batch_size=n, seed=7)
    loader = DataLoader(Uniform(), batch_size=n, seed=7)
    list(loader)
    (_, third), *_ = loader
    assert abs(np.corrcoef(second, third)[0, 1]) < 4.5 / np.sqrt(n)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_names_the_sample_and_keeps_its_kind(workers: int) -> None:
    class Broken(Noisy):
        def __getitem__(self, index):
            if index == 11:
                raise KeyError("no such flower")
            return super().__getitem__(index)

    loader = DataLoader(Broken(), batch_size=4, num_workers=workers)
    with pytest.raises(KeyError, match="no such flower") as caught:
        list(loader)
    assert "in the data set's sample 11 (batch 2 of epoch 0)" in caught.value.__notes__
    assert loader_threads() == []


def test_errors_of_whole_batches_and_of_collating_name_the_samples() -> None:
    with pytest.raises(IndexError, match="index 17 is out of range") as caught:
        list(DataLoader((X, Y), batch_size=2, sampler=[1, 2, 3, 17], num_workers=1))
    assert "samples 3, 17 (batch 1 of epoch 0)" in caught.value.__notes__[0]
    ragged = [np.zeros((3, 4, 4)), np.zeros((3, 4, 5))]
    with pytest.raises(ValueError, match=r"first is \[3, 4, 4\] and number 1 is \[3, 4, 5\]"):
        list(DataLoader(ragged, batch_size=2))


def test_leaving_the_loop_early_leaves_no_thread() -> None:
    loader = DataLoader(Noisy(delay=0.001), batch_size=1, num_workers=3, seed=0)
    for _ in loader:
        assert loader_threads()
        break
    assert loader_threads() == []

    def fail() -> None:
        for _ in loader:
            raise RuntimeError("in the body")

    with pytest.raises(RuntimeError, match="in the body"):
        fail()
    assert loader_threads() == []
    half = iter(loader)
    next(half)
    half.close()
    assert loader_threads() == []


def test_workers_do_not_run_ahead_without_end() -> None:
    read = []

    class Counting(Noisy):
        def __getitem__(self, index):
            read.append(index)
            return index

    batches = iter(DataLoader(Counting(1000), batch_size=1, num_workers=2, prefetch_factor=3))
    next(batches)
    time.sleep(0.05)
    assert 1 < len(read) <= 1 + 2 * 3 + 2
    batches.close()


# Resuming


def make(workers: int, sampler=None) -> DataLoader:
    return DataLoader(
        Noisy(), batch_size=4, shuffle=sampler is None, sampler=sampler, num_workers=workers
    )


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", range(13))
def test_resumed_at_every_batch_of_three_epochs(workers: int, stop: int) -> None:
    """The state is written as JSON in the loop's body, and read by a loader with other seeds."""
    mg.manual_seed(1)
    loader = make(workers)
    batches, saved = [], None
    for _ in range(3):
        for batch in loader:
            batches.append(batch)
            if len(batches) == stop:
                saved = json.dumps(loader.state_dict())
    if stop == 0:
        mg.manual_seed(1)
        saved = json.dumps(make(workers).state_dict())
    assert len(batches) == 15
    mg.manual_seed(99)
    resumed = make(2 - workers)
    assert saved is not None
    resumed.load_state_dict(json.loads(saved))
    assert resumed.epoch == (0 if stop == 0 else (stop - 1) // 5)
    rest = []
    while len(rest) < 15 - stop:
        rest += list(resumed)
    assert_same(batches[stop:], rest)
    assert resumed.epoch == 3


@pytest.mark.parametrize("workers", [0, 3])
def test_resumed_augmentation_of_whole_batches(workers: int) -> None:
    images = np.random.default_rng(0).random((17, 1, 6, 6), np.float32)
    change = transforms.Compose([transforms.RandomAffine(40, 0.2), transforms.RandomCrop(5)])

    def loader(seed: int) -> DataLoader:
        samples = TensorDataset(images, Y, transform=change)
        return DataLoader(samples, 3, shuffle=True, num_workers=workers, seed=seed)

    batches, states = [], []
    first = loader(1)
    for _ in range(2):
        for batch in first:
            batches.append(batch)
            states.append(json.dumps(first.state_dict()))
    for done, state in enumerate(states, 1):
        resumed = loader(2)
        resumed.load_state_dict(json.loads(state))
        rest = []
        while len(rest) < len(batches) - done:
            rest += list(resumed)
        assert_same(batches[done:], rest)


def test_the_last_batch_of_an_epoch_and_the_end_of_it() -> None:
    loader = make(2)
    for _ in loader:
        state = loader.state_dict()
    assert (state["epoch"], state["position"]) == (0, 5)
    ended = loader.state_dict()
    assert (ended["epoch"], ended["position"]) == (1, 0)
    second = list(loader)
    loader.load_state_dict(state)
    assert list(loader) == []
    assert_same(list(loader), second)
    loader.load_state_dict(ended)
    assert_same(list(loader), second)


def test_a_state_is_the_same_before_it_is_used() -> None:
    loader = make(0)
    next(iter(loader))
    state = loader.state_dict()
    other = make(0)
    other.load_state_dict(state)
    assert other.state_dict() == state
    assert loader.state_dict() == state


def test_resumed_twice_in_one_epoch() -> None:
    loader = make(2)
    whole = list(loader)
    mine = make(0)
    fresh = dict(
        loader.state_dict(), epoch=0, position=0, sampler={**loader.state_dict()["sampler"]}
    )
    fresh["sampler"]["epoch"] = 0
    got = []
    for take in (2, 1, 2):
        mine = make(2)
        mine.load_state_dict(fresh)
        for i, batch in enumerate(mine, 1):
            got.append(batch)
            if i == take:
                fresh = json.loads(json.dumps(mine.state_dict()))
                break
    assert_same(got, whole)


def test_weighted_and_sequence_samplers_resume() -> None:
    for sampler in (lambda: WeightedRandomSampler(np.arange(17.0), 20), lambda: list(range(5, 15))):
        loader = make(2, sampler())
        batches = []
        for _ in range(2):
            for batch in loader:
                batches.append(batch)
                if len(batches) == 2:
                    state = loader.state_dict()
        resumed = make(0, sampler())
        resumed.load_state_dict(state)
        rest = [*resumed, *resumed]
        assert_same(batches[2:], rest)


class Hidden(Sampler):
    """A sampler of a user, with a state that nobody can ask for."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __iter__(self):
        return iter(self.rng.permutation(17).tolist())

    def __len__(self) -> int:
        return 17


class Open(Hidden):
    def state_dict(self):
        return {"numpy": self.rng.bit_generator.state}

    def load_state_dict(self, state) -> None:
        self.rng.bit_generator.state = state["numpy"]


def test_a_foreign_sampler_resumes_if_it_can_and_says_so_if_not() -> None:
    loader = make(0, Hidden())
    assert len(list(loader)) == 5
    with pytest.raises(
        TypeError, match=r"Hidden cannot be resumed: give it methods state_dict\(\)"
    ):
        loader.state_dict()
    loader = make(0, Open())
    batches = []
    for _ in range(2):
        for batch in loader:
            batches.append(batch)
            if len(batches) == 3:
                state = json.loads(json.dumps(loader.state_dict()))
    resumed = make(2, Open())
    resumed.load_state_dict(state)
    assert_same([*resumed, *resumed], batches[3:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version is 2 and this minigrad reads 1"),
        ({"version": None}, "it is not from DataLoader.state_dict"),
        ({"samples": 16}, "samples=16, and this one has samples=17"),
        ({"batch_size": 5}, "batch_size=5, and this one has batch_size=4"),
        ({"drop_last": 1}, "drop_last=1, and this one has drop_last=0"),
        ({"order": "SequentialSampler"}, "order='SequentialSampler'"),
        ({"position": -1}, "the state is broken: epoch 0, position -1"),
        ({"position": 6}, "position 6; an epoch has 5 batches"),
        ({"epoch": -1}, "the state is broken"),
        ({"sampler": {"seed": 1}}, "the state of the RandomSampler lacks epoch"),
        ({"seed": 1.5}, "seed must be an int"),
    ],
)
def test_a_state_of_another_loader_is_refused(change, message: str) -> None:
    loader = make(0)
    before = loader.state_dict()
    with pytest.raises(ValueError, match=message):
        loader.load_state_dict({**before, **change})
    assert loader.state_dict() == before


def test_a_state_that_lacks_something_is_refused() -> None:
    loader = make(0)
    state = loader.state_dict()
    for key in state:
        with pytest.raises(ValueError, match=key):
            loader.load_state_dict({k: v for k, v in state.items() if k != key})
    assert loader.state_dict() == state


def test_nested_loops_do_not_disturb_one_another() -> None:
    loader = DataLoader((X, Y), batch_size=6, shuffle=True, seed=0)
    outer = iter(loader)
    first = next(outer)[1].tolist()
    inner = labels(loader)
    rest = [batch[1].tolist() for batch in outer]
    again = DataLoader((X, Y), batch_size=6, shuffle=True, seed=0)
    assert labels(again) == [first, *rest]
    assert labels(again) == inner
