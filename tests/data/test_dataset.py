"""Data sets, random splits, samplers and collation, against PyTorch where it has the same."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import Generator
from minigrad.data import (
    BatchSampler,
    ConcatDataset,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)


def test_tensor_dataset() -> None:
    x, y = np.arange(12.0).reshape(4, 3), np.array([3, 1, 2, 0])
    samples = TensorDataset(x, y)
    assert len(samples) == 4
    assert samples[-1][1] == 0
    np.testing.assert_array_equal(samples[2][0], x[2])
    np.testing.assert_array_equal(samples.take(np.array([3, -4]))[0], x[[3, 0]])
    assert samples.tensors[0] is x
    lists = TensorDataset([[1.0], [2.0]], [0, 1])
    assert lists[1][1] == 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((), r"the shapes are \[\]"),
        ((np.zeros(()),), r"the shapes are \[\[\]\]"),
        ((np.zeros((3, 2)), np.zeros(4)), r"the shapes are \[\[3, 2\], \[4\]\]"),
    ],
)
def test_unlike_arrays_are_refused(arrays, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TensorDataset(*arrays)


def test_a_transform_is_applied_to_the_first_member() -> None:
    samples = TensorDataset(np.arange(3.0), np.arange(3), transform=lambda x: -x)
    assert samples[2] == (-2.0, 2)
    assert [part.tolist() for part in samples.take(np.array([1, 2]))] == [[-1, -2], [1, 2]]


def test_subset_and_concat() -> None:
    letters = "abcdef"
    part = Subset(letters, np.array([5, 0, -1]))
    assert [*part] == ["f", "a", "f"]
    nested = Subset(part, [2, 1])
    assert [*nested] == ["f", "a"]
    assert len(Subset(letters, [])) == 0
    joined = ConcatDataset([letters, range(3), part])
    assert [joined[i] for i in range(len(joined))] == [*letters, 0, 1, 2, "f", "a", "f"]
    assert joined[-1] == "f"
    assert joined[-12] == "a"
    for i in (12, -13):
        with pytest.raises(IndexError, match=f"index {i} is out of range"):
            joined[i]
    with pytest.raises(IndexError, match="index 6 is out of range: the data set has 6 samples"):
        Subset(letters, [0, 6])
    with pytest.raises(IndexError, match="this Subset has 3 samples"):
        part[3]
    with pytest.raises(TypeError, match="flatnonzero"):
        Subset(letters, np.array([True] * 6))
    with pytest.raises(TypeError, match="float64"):
        Subset(letters, [0.5])
    with pytest.raises(ValueError, match="at least one data set"):
        ConcatDataset([])


def test_what_a_subclass_forgot_is_named() -> None:
    class Half(Dataset):
        pass

    class Order(Sampler):
        pass

    for call, method in (
        (lambda: len(Half()), "Half needs a method __len__"),
        (lambda: Half()[0], "Half needs a method __getitem__"),
        (lambda: iter(Order()), "Order needs a method __iter__"),
        (lambda: len(Order()), "Order needs a method __len__"),
    ):
        with pytest.raises(NotImplementedError, match=method):
            call()


@pytest.mark.parametrize(
    ("n", "lengths"),
    [
        (10, [3, 7]),
        (10, [10, 0]),
        (10, [0.3, 0.3, 0.4]),
        (11, [0.5, 0.5]),
        (7, [0.34, 0.33, 0.33]),
        (101, [0.1] * 10),
    ],
)
def test_random_split_has_torchs_sizes(n: int, lengths) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    parts = random_split(range(n), lengths, Generator(0))
    theirs = torch.utils.data.random_split(range(n), lengths)
    assert [len(part) for part in parts] == [len(part) for part in theirs]
    assert sorted(sample for part in parts for sample in part) == list(range(n))
    again = random_split(range(n), lengths, Generator(0))
    assert [[*a] for a in again] == [[*a] for a in parts]


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([3, 4], "add up to 7, and the data set has 10"),
        ([0.5, 0.6], "add up to 1.1, not to 1"),
        ([-1, 11], "none negative"),
        ([], "none negative"),
        ([[5, 5]], "none negative"),
    ],
)
def test_wrong_lengths_are_refused(lengths, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_split(range(10), lengths)


# Samplers


def test_random_sampler() -> None:
    sampler = RandomSampler(range(50), seed=1)
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    state = RandomSampler(range(50), seed=1)
    state.load_state_dict({"seed": 1, "epoch": 1})
    assert list(state) == second
    assert all(type(i) is int for i in first)

    more = list(RandomSampler(range(5), num_samples=12, seed=0))
    assert len(more) == 12
    assert sorted(more[:5]) == sorted(more[5:10]) == list(range(5))
    assert more[:5] != more[5:10]
    few = list(RandomSampler(range(100), num_samples=7, seed=0))
    assert len(set(few)) == 7


def test_random_sampler_with_replacement_is_even() -> None:
    sampler = RandomSampler(range(10), replacement=True, num_samples=5000, seed=0)
    counts = np.bincount(list(sampler), minlength=10)
    assert np.abs(counts - 500).max() < 4.5 * np.sqrt(5000 * 0.09)


def test_subset_random_sampler() -> None:
    sampler = SubsetRandomSampler([9, 4, 7, 1], seed=0)
    orders = [list(sampler) for _ in range(30)]
    assert all(sorted(order) == [1, 4, 7, 9] for order in orders)
    assert len({tuple(order) for order in orders}) > 10
    assert len(sampler) == 4


def test_weighted_sampler_draws_by_weight() -> None:
    weights = np.array([1.0, 0.0, 3.0, 6.0])
    sampler = WeightedRandomSampler(weights, 10000, seed=0)
    shares = np.bincount(list(sampler), minlength=4) / 10000
    expected = weights / 10
    assert shares[1] == 0
    assert (
        np.abs(shares - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 1e4) + 1e-12
    ).all()


def test_weighted_sampler_without_replacement_has_the_exact_pair_probabilities() -> None:
    """P(i then j) = w_i / W * w_j / (W - w_i), the definition of drawing without replacement."""
    weights = np.array([1.0, 2.0, 5.0])
    n = 6000
    sampler = WeightedRandomSampler(weights, 2, replacement=False, seed=3)
    counts = np.zeros((3, 3))
    for _ in range(n):
        i, j = sampler
        counts[i, j] += 1
    expected = weights[:, None] / 8 * weights[None, :] / (8 - weights[:, None])
    np.fill_diagonal(expected, 0)
    assert expected.sum() == pytest.approx(1)
    deviation = np.abs(counts / n - expected)
    assert (deviation <= 4.5 * np.sqrt(expected * (1 - expected) / n)).all()


@pytest.mark.parametrize("n", [0, 1, 6, 7])
@pytest.mark.parametrize("drop_last", [False, True])
def test_batch_sampler_is_torchs(n: int, drop_last: bool) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ours = BatchSampler(SequentialSampler(range(n)), 3, drop_last)
    theirs = torch.utils.data.BatchSampler(range(n), 3, drop_last)
    assert list(ours) == list(theirs)
    assert len(ours) == len(theirs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomSampler([]), "the data set is empty"),
        (lambda: RandomSampler("ab", num_samples=0), "num_samples must be a positive int"),
        (lambda: WeightedRandomSampler([1, -1], 1), r"weights\[1\] is -1.0"),
        (lambda: WeightedRandomSampler([np.nan], 1), r"weights\[0\] is nan"),
        (lambda: WeightedRandomSampler([[1.0]], 1), "not an array of shape"),
        (lambda: WeightedRandomSampler([0, 0], 1), "0 of the 2 weights are positive"),
        (lambda: WeightedRandomSampler([0, 1], 2, replacement=False), "without replacement"),
        (lambda: BatchSampler([1], 0), "batch_size must be a positive int"),
        (lambda: RandomSampler("a", generator=mg.Generator(0), seed=0), "not both"),
    ],
)
def test_wrong_samplers_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# Collation

Point = namedtuple("Point", "x y")


def test_collate_has_the_form_of_torchs() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    samples = [
        (np.float32([1, 2]), {"a": 3, "b": (1.5, True), "s": "one"}, Point(1, [2, 3])),
        (np.float32([4, 5]), {"a": 7, "b": (2.5, False), "s": "two"}, Point(4, [5, 6])),
    ]
    ours = default_collate(samples)
    theirs = torch.utils.data.default_collate(samples)

    def compare(a, b) -> None:
        if isinstance(b, torch.Tensor):
            assert isinstance(a, np.ndarray)
            assert str(b.dtype).removeprefix("torch.") == str(a.dtype)
            np.testing.assert_array_equal(a, b.numpy())
        elif isinstance(b, dict):
            assert list(a) == list(b)
            for key in b:
                compare(a[key], b[key])
        elif isinstance(b, str):
            assert a == b
        else:
            assert len(a) == len(b)
            for left, right in zip(a, b, strict=True):
                compare(left, right)

    compare(ours, theirs)
    assert isinstance(ours, tuple)
    assert isinstance(ours[2], Point)
    assert default_collate(["x", "y"]) == ["x", "y"]


def test_collate_of_tensors_stays_on_the_tape() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    batch = default_collate([x, 2 * x])
    assert isinstance(batch, mg.Tensor)
    (batch * mg.tensor([[1.0, 10.0], [100.0, 1000.0]])).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [201, 2010])


def test_what_cannot_be_stacked_is_refused() -> None:
    with pytest.raises(ValueError, match=r"first is \[2\] and number 1 is \[3\]"):
        default_collate([mg.zeros(2), mg.zeros(3)])
    with pytest.raises(ValueError, match="samples of one batch have 1 to 2 members"):
        default_collate([(1, 2), (1,)])
    with pytest.raises(TypeError, match=r"cannot make a batch of builtins\.object"):
        default_collate([object()])
