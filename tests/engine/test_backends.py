"""What the engine promises of every backend: where tensors are made, indices, sums, masks."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.backend import get_backend

RNG = np.random.default_rng(0)


def put(values: Any, device: str, **options: Any) -> mg.Tensor:
    return mg.tensor(np.asarray(values), device=device, **options)


def host(x: Any) -> Any:
    return x.detach().cpu().numpy()


MAKERS: list[Callable[[], mg.Tensor]] = [
    lambda: mg.tensor([1.0, 2.0]),
    lambda: mg.tensor(np.ones(2)),
    lambda: mg.as_tensor(np.ones(2)),
    lambda: mg.zeros(2),
    lambda: mg.ones(2),
    lambda: mg.empty(2),
    lambda: mg.full((2,), 3.0),
    lambda: mg.arange(3),
    lambda: mg.linspace(0, 1, 3),
    lambda: mg.eye(2),
    lambda: mg.rand(2),
    lambda: mg.randn(2),
    lambda: mg.normal(0.0, 1.0, 2),
    lambda: mg.randint(0, 4, (2,)),
    lambda: mg.randperm(3),
    lambda: nn.Parameter([1.0, 2.0]),
    lambda: nn.Linear(2, 3).weight,
    lambda: nn.BatchNorm1d(2).running_mean,
    lambda: nn.BatchNorm1d(2).num_batches_tracked,
    lambda: nn.SinusoidalPositionalEncoding(4, 5).encoding,
]


def test_the_default_device(backend: str) -> None:
    """It is for what is on no device yet; and a device that is given comes first."""
    here = mg.ones(2)
    there = mg.ones(2, device=backend)
    with mg.device(backend) as entered:
        assert mg.get_default_device() == entered == there.device
        assert [make().device.type for make in MAKERS] == [backend] * len(MAKERS)
        assert mg.zeros(2, device="cpu").device.type == "cpu"
        assert mg.tensor([1.0], device="cpu").device.type == "cpu"
        same = [mg.tensor(here), mg.as_tensor(here), mg.zeros_like(here), mg.empty_like(here)]
        same += [here.clone(), here * 2.0, mg.randn_like(here), mg.from_numpy(np.ones(2))]
        same += [mg.from_dlpack(np.ones(2)), nn.Parameter(here)]
        assert [x.device.type for x in same] == ["cpu"] * len(same)
        here.data = np.zeros(2, np.float32)
        assert here.device.type == "cpu"
    assert mg.zeros(2).device.type == "cpu"
    same = [mg.tensor(there), mg.zeros_like(there), there.clone(), mg.from_dlpack(there)]
    same += [mg.empty_like(there), mg.rand_like(there), nn.Parameter(there)]
    assert [x.device.type for x in same] == [backend] * len(same)


def test_the_default_device_can_be_set(backend: str) -> None:
    mg.set_default_device(backend)
    try:
        assert mg.zeros(2).device.type == backend
        with mg.device("cpu"):
            assert mg.zeros(2).device.type == "cpu"
        assert mg.ones(2).device.type == backend
    finally:
        mg.set_default_device("cpu")


def test_training_with_all_on_the_default_device(backend: str) -> None:
    """Nothing inside takes a new tensor for one on the CPU, or the other way round."""
    found = []
    for device in ("cpu", backend):
        mg.manual_seed(0)
        with mg.device(device):
            net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 2))
            optimizer = mg.optim.Adam(net.parameters(), amsgrad=True)
            average = mg.optim.swa_utils.AveragedModel(net)
            schedule = mg.optim.lr_scheduler.StepLR(optimizer, 1)
            for _ in range(3):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(net(mg.randn(6, 3)), mg.randint(0, 2, (6,)))
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 0.1)
                optimizer.step()
                schedule.step()
                average.update_parameters(net)
            again = mg.optim.Adam(net.parameters(), amsgrad=True)
            again.load_state_dict(optimizer.state_dict())
            again.step()
            found.append([host(x) for x in average.state_dict().values()])
            assert {p.device.type for p in net.parameters()} == {device}
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


OUT_OF_RANGE: dict[str, Callable[[mg.Tensor, mg.Tensor], Any]] = {
    "x[i]": lambda x, i: x[i],
    "x[:, i]": lambda x, i: x[:, i],
    "x[..., i]": lambda x, i: x[..., i],
    "x[None, i, 0]": lambda x, i: x[None, i, 0],
    "x[i] = 0": lambda x, i: x.__setitem__(i, 0.0),
    "index_put": lambda x, i: mg.index_put(x, 0.0, i),
    "index_select": lambda x, i: mg.index_select(x, 0, i),
    "index_add": lambda x, i: mg.index_add(x, 0, i, mg.ones_like(x)),
    "gather": lambda x, i: mg.gather(x, 0, i[:, None]),
    "take_along_dim": lambda x, i: mg.take_along_dim(x, i[:, None], 0),
    "take_along_dim, flat": lambda x, i: mg.take_along_dim(x, i * 100),
    "scatter": lambda x, i: mg.scatter(x, 0, i[:, None], 1.0),
    "scatter_add": lambda x, i: mg.scatter_add(x, 0, i[:, None], mg.ones_like(x)),
    "embedding": lambda x, i: mg.embedding(i, x),
    "cross_entropy": lambda x, i: mg.cross_entropy(x, i),
    "nll_loss": lambda x, i: mg.nll_loss(x, i),
    "one_hot": lambda x, i: mg.one_hot(i, 3),
}


@pytest.mark.parametrize("index", [3, -4, 10**6])
@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_an_index_out_of_range_is_refused(name: str, index: int, backend: str) -> None:
    """CuPy itself wraps it round, without a word."""
    x = put(RNG.standard_normal((3, 3)), backend)
    before = host(x).copy()
    with pytest.raises(
        (IndexError, ValueError), match=r"out of (range|bounds)|outside|must be from"
    ):
        OUT_OF_RANGE[name](x, put([0, index, 1], backend))
    assert np.array_equal(host(x), before)


WRITES: list[tuple[tuple[int, ...], Any]] = [
    ((4,), np.array([1, 1, 0, 1, 3, 0])),
    ((4, 3), np.array([-1, 3, 0, 3])),
    ((4, 3), (np.array([0, 0, 2, 0]), np.array([1, 1, -1, 2]))),
    ((2, 4, 3), (slice(None), np.array([[1, 1], [0, 1]]))),
]


@pytest.mark.parametrize("number", range(len(WRITES)))
@pytest.mark.parametrize("values", ["many", "one"])
def test_of_an_element_written_twice_the_last_value_stays(
    number: int, values: str, backend: str
) -> None:
    """And it alone gets a gradient, as on the CPU."""
    shape, index = WRITES[number]
    start = RNG.standard_normal(shape)
    value = RNG.standard_normal(start[index].shape if values == "many" else ())
    g = RNG.standard_normal(shape)
    wanted = start.copy()
    wanted[index] = value
    found = []
    for device in ("cpu", backend):
        parts = index if isinstance(index, tuple) else (index,)
        key = tuple(put(i, device) if isinstance(i, np.ndarray) else i for i in parts)
        x, v = (put(a, device, requires_grad=True) for a in (start, value))
        y = mg.index_put(x, v, key)
        y.backward(put(g, device))
        z = x.detach().clone()
        z[key] = v.detach()
        assert np.array_equal(host(y), wanted)
        assert np.array_equal(host(z), wanted)
        found.append([host(x.grad), host(v.grad)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12)


def test_lists_are_indices_as_well(backend: str) -> None:
    x = put(np.arange(5.0), backend)
    assert x[[3, 0, 3]].tolist() == [3.0, 0.0, 3.0]
    x[[1, 4, 1]] = [10.0, 20.0, 30.0]
    assert x.tolist() == [0.0, 30.0, 2.0, 3.0, 20.0]
    with pytest.raises(IndexError, match="out of"):
        x[[1, 5]] = 0.0


def test_singular_matrices_are_refused(backend: str) -> None:
    """CuPy's own functions return numbers without a meaning."""
    singular = put([[1.0, 2.0], [2.0, 4.0]], backend)
    for go in (mg.linalg.inv, lambda A: mg.linalg.solve(A, put([1.0, 2.0], backend))):
        with pytest.raises(ValueError, match="singular"):
            go(singular)


@pytest.fixture
def deterministic() -> Iterator[None]:
    mg.use_deterministic()
    yield
    mg.use_deterministic(False)


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_deterministic_sums_have_the_cpus_bits(dtype: str, backend: str) -> None:
    """Each place is added up in the order of its values, whatever the order of the threads."""
    assert mg.is_deterministic()
    ids = RNG.integers(0, 5, 40)
    table, g = RNG.standard_normal((5, 3)).astype(dtype), RNG.standard_normal((40, 3)).astype(dtype)
    pairs = RNG.integers(-3, 3, (2, 40))
    results = []
    for device in ("cpu", backend):
        w = put(table, device, requires_grad=True)
        mg.embedding(put(ids, device), w).backward(put(g, device))
        x = put(table, device, requires_grad=True)
        x[put(pairs[0], device), put(pairs[1], device)].backward(put(g[:, 0], device))
        z = mg.index_add(put(table, device), 0, put(ids, device), put(g, device))
        empty = mg.index_add(put(table, device), 0, put(ids[:0], device), put(g[:0], device))
        results.append([host(w.grad), host(x.grad), host(z), host(empty)])
    for a, b in zip(*results, strict=True):
        assert a.dtype == b.dtype == dtype
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1e-3, 1 - 1e-3])
def test_masks_drop_with_the_probability_that_is_asked_for(p: float, backend: str) -> None:
    xp, n = get_backend(backend), 100_000
    for dtype in ("float16", "float32", "float64"):
        mask = xp.dropout_mask((n // 10, 10), p, 2.0, np.dtype(dtype), mg.Generator(1))
        assert mask.dtype == dtype
        values = xp.to_host(mask)
        assert set(np.unique(values)) <= {0.0, 2.0}
        zero = values == 0
        spread = (p * (1 - p) / n) ** 0.5
        assert abs(zero.mean() - p) <= 5 * spread
        # neighbours in both directions are independent
        for a, b in ((zero[1:], zero[:-1]), (zero[:, 1:], zero[:, :-1])):
            assert abs((a & b).mean() - p * p) <= 6 * spread


def test_a_mask_follows_its_generator(backend: str) -> None:
    x = mg.ones(1000, device=backend, requires_grad=True)
    stream = mg.Generator(3)
    first, second = (mg.dropout(x, 0.4, generator=stream) for _ in range(2))
    assert first.device.type == backend
    assert not np.array_equal(host(first), host(second))
    again = mg.dropout(x, 0.4, generator=mg.Generator(3))
    assert np.array_equal(host(first), host(again))
    second.backward(mg.ones(1000, device=backend))
    assert np.array_equal(host(x.grad), host(second))


def test_derivatives_of_functions(backend: str) -> None:
    """grad, jvp, vjp, jacobian, hessian and hvp, against the same on the CPU."""

    def f(x: Any) -> Any:
        return (x.sin() * x.exp() + x @ x).tanh().sum()

    def g(x: Any) -> Any:
        return mg.cumsum(x * x.sin(), 0)

    point, direction = RNG.standard_normal(4) / 4, RNG.standard_normal(4)
    results = []
    for device in ("cpu", backend):
        x, v = put(point, device), put(direction, device)
        made = [mg.grad(f)(x), mg.jacobian(g)(x), mg.hessian(f)(x), mg.hvp(f, x, v)]
        made += [mg.jvp(g, (x,), (v,))[1], *mg.value_and_grad(f)(x)]
        made.append(mg.grad(lambda x: (mg.grad(f)(x) ** 2).sum())(x))
        assert {y.device.type for y in made} == {device}
        results.append([host(y) for y in made])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12)


def test_precision_is_what_the_backend_says(backend: str) -> None:
    """Without CUPY_TF32, CuPy computes float32 products in float32, and adds float16 in float32."""
    a, b = (put(RNG.standard_normal((64, 64)), backend) for _ in range(2))
    exact = host(a @ b)
    for dtype, limit in ((mg.float32, 1e-6), (mg.float16, 3e-3)):
        product = host(a.to(dtype) @ b.to(dtype))
        assert np.abs(product - exact).max() < limit * 10
    ones = mg.ones(4096, dtype=mg.float16, device=backend)
    assert (ones @ ones).item() == ones.sum().item() == 4096.0


def test_arrays_travel_through_pinned_memory(backend: str) -> None:
    """Which is what lets CuPy copy them while the host goes on; the CPU's stay where they are."""
    sizes: list[int] = []
    values = np.ones(1000, np.float32)
    if backend == "cpu":
        assert mg.as_tensor(values, device=backend)._array is values
        return
    cupy = importlib.import_module("cupy")
    cuda = cupy.cuda
    pool = cuda.PinnedMemoryPool()

    def allocate(size: int) -> Any:
        sizes.append(size)
        return pool.malloc(size)

    cuda.set_pinned_memory_allocator(allocate)
    try:
        x = mg.tensor(values, device=backend)
    finally:
        cuda.set_pinned_memory_allocator(cupy.get_default_pinned_memory_pool().malloc)
    assert sizes == [4000]
    assert x.sum().item() == 1000.0
