"""What only a GPU can show: cuBLAS's numbers, streams, memory, races, speed. Run by ``-m gpu``.

Each test records what it measured (`figure`); support/gpu_report.py writes that into a dated file.
Limits are those of the arithmetic, never of a clock: a speed is recorded and not judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from support.cases import Case, cases
from support.checks import grads_of, host
from support.gpu_report import emulated

import minigrad as mg
from minigrad import nn, optim
from minigrad.backend import gpu_problem
from minigrad.engine.op import TABLE

PROBLEM = gpu_problem()
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(PROBLEM is not None, reason=f"needs a CUDA GPU: {PROBLEM}"),
]
Figure = Callable[[str, Any], None]
RNG = np.random.default_rng(0)


@pytest.fixture
def cp() -> Any:
    """CuPy."""
    import cupy

    return cupy


@pytest.fixture
def deterministic() -> Iterator[None]:
    """Switch the deterministic sums on, and off again."""
    mg.use_deterministic(True)
    yield
    mg.use_deterministic(False)


def put(values: Any, **options: Any) -> mg.Tensor:
    return mg.tensor(values, device="cuda", **options)


@pytest.mark.parametrize(("dtype", "unit"), [("float64", 2.2e-16), ("float32", 1.2e-7)])
@pytest.mark.parametrize("inner", [3, 100, 4096])
def test_products_are_as_precise_as_their_dtype(
    dtype: str, unit: float, inner: int, figure: Figure
) -> None:
    """cuBLAS against float64 on the host; TensorFloat-32 would be off by about 1e-3."""
    a, b = (RNG.standard_normal(s) for s in ((65, inner), (inner, 33)))
    a, b = a.astype(dtype), b.astype(dtype)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    found = host(put(a) @ put(b))
    assert found.dtype == dtype
    size = np.abs(a.astype(np.float64)) @ np.abs(b.astype(np.float64))
    worst = float((np.abs(found - exact) / size).max() / unit)
    figure(f"product {dtype} of inner size {inner}: error in units of eps |a| |b|", worst)
    assert worst < 4 * inner**0.5 + 4


def test_float16_products_are_added_up_in_float32(figure: Figure) -> None:
    a = (RNG.random((8, 4096)) * 0.01).astype(np.float16)
    exact = a.astype(np.float64) @ a.T.astype(np.float64)
    found = host(put(a) @ put(a).T).astype(np.float64)
    worst = float(np.abs(found / exact - 1).max())
    figure("product float16 of inner size 4096: largest relative error", worst)
    assert worst < 2e-3  # one rounding; sums in float16 would be off by a few per cent


def test_the_op_table_beside_the_host(figure: Figure) -> None:
    """Values and gradients in float32: the largest distance, in ulp of the result's scale."""
    worst: dict[str, float] = {}
    for case in cases(TABLE.values()):
        if case.row.facts is not None and case.row.facts.order:
            distance = parity(case)
            if distance is not None:
                worst[case.row.name] = max(worst.get(case.row.name, 0.0), distance)
    assert len(worst) > 150
    top = sorted(worst.items(), key=lambda pair: -pair[1])
    figure("ops compared with the host", len(worst))
    figure("largest distance in ulp of the scale, by op (the ten largest)", dict(top[:10]))
    assert top[0][1] < 4096, top[:5]  # 12 of the 24 bits: sums in another order, never mathematics


def parity(case: Case) -> float | None:
    """Return how far a call is apart on the two devices; None for one that draws numbers."""
    if "dropout" in case.row.name:
        return None  # each backend has its own generator
    call = case.draw(np.float32)
    results = []
    for device in ("cpu", "cuda"):
        tensors = call.tensors(device)
        outputs = [y for y in call.on(tensors) if y.is_floating_point()]
        grads = grads_of(outputs, tensors, call)
        results.append([host(x) for x in (*outputs, *grads) if x is not None])
    largest = 0.0
    for a, b in zip(*results, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        finite = np.isfinite(a)
        np.testing.assert_array_equal(finite, np.isfinite(b))
        if finite.any():
            ulp = np.spacing(np.abs(a[finite]).max().astype(np.float32))
            largest = max(largest, float(np.abs(a[finite] - b[finite]).max() / ulp))
    return largest


def test_on_another_stream(cp: Any) -> None:
    """What is queued on a stream is done in its order, the copies from the host included."""
    a = RNG.standard_normal((512, 512)).astype(np.float32)
    stream = cp.cuda.Stream(non_blocking=True)
    with stream:
        x = put(a)
        for _ in range(20):
            x = (x @ x.T).tanh()
        found = host(x)
    y = put(a)
    for _ in range(20):
        y = (y @ y.T).tanh()
    np.testing.assert_array_equal(found, host(y))


def network() -> nn.Sequential:
    mg.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(8 * 64, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 10),
    ).to("cuda")  # fmt: skip


def training(model: nn.Module) -> Callable[[], mg.Tensor]:
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    x = put(RNG.standard_normal((64, 3, 16, 16)).astype(np.float32))
    target = put(RNG.integers(0, 10, 64))

    def step() -> mg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def test_memory_does_not_grow(cp: Any, figure: Figure) -> None:
    pool = cp.get_default_memory_pool()
    step = training(network())
    for _ in range(10):
        step()
    before = pool.used_bytes(), pool.total_bytes()
    for _ in range(30 if emulated() else 200):
        step()
    assert (pool.used_bytes(), pool.total_bytes()) == before
    figure("pool of a small network in training, bytes used and held", before)


def test_out_of_memory_is_said_and_survived(cp: Any) -> None:
    kept = put([1.0, 2.0])
    _, total = cp.cuda.runtime.memGetInfo()
    with pytest.raises(MemoryError):
        mg.zeros(2 * total // 4, device="cuda")
    cp.get_default_memory_pool().free_all_blocks()
    assert (kept * 2).tolist() == [2.0, 4.0]


@pytest.mark.usefixtures("deterministic")
def test_the_same_bits_every_time() -> None:
    """Gradients that many threads add into one place, thirty times."""
    table = put(RNG.standard_normal((50, 64)).astype(np.float32), requires_grad=True)
    index = put(RNG.integers(0, 50, 20_000))
    g = put(RNG.standard_normal((20_000, 64)).astype(np.float32))
    first = None
    for _ in range(30):
        table.grad = None
        table[index].backward(g)
        found = host(table.grad)
        first = found if first is None else first
        np.testing.assert_array_equal(found, first)


def test_sums_in_another_order_stay_near(figure: Figure) -> None:
    table = put(RNG.standard_normal((50, 64)).astype(np.float32), requires_grad=True)
    index = RNG.integers(0, 50, 20_000)
    g = RNG.standard_normal((20_000, 64)).astype(np.float32)
    exact = np.zeros((50, 64))
    np.add.at(exact, index, g.astype(np.float64))
    seen = set()
    for _ in range(20):
        table.grad = None
        table[put(index)].backward(put(g))
        found = host(table.grad)
        seen.add(found.tobytes())
        np.testing.assert_allclose(found, exact, rtol=0, atol=2e-3)
    figure("different results of 20 sums with atomic additions", len(seen))


def test_training_is_that_of_the_host(figure: Figure) -> None:
    losses = {}
    start = network().cpu()
    weights = {k: host(v) for k, v in start.state_dict().items()}
    for device in ("cpu", "cuda"):
        model = network().to(device)
        model.load_state_dict({k: mg.tensor(v, device=device) for k, v in weights.items()})
        rng = np.random.default_rng(1)
        x = mg.tensor(rng.standard_normal((64, 3, 16, 16)).astype(np.float32), device=device)
        target = mg.tensor(rng.integers(0, 10, 64), device=device)
        optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        losses[device] = []
        for _ in range(30):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), target)
            loss.backward()
            optimizer.step()
            losses[device].append(loss.item())
    off = np.abs(np.array(losses["cpu"]) / np.array(losses["cuda"]) - 1)
    figure("30 steps of training, largest relative distance of the losses", float(off.max()))
    assert losses["cuda"][-1] < 0.5 * losses["cuda"][0]
    assert off[:5].max() < 1e-4


@pytest.mark.skipif(emulated(), reason="a CPU stand-in has no speed: time nothing there")
def test_speed_is_recorded(cp: Any, figure: Figure) -> None:
    step = training(network())
    for name, run in (("eager", step), ("captured", mg.capture(step))):
        for _ in range(20):
            run()
        cp.cuda.Device().synchronize()
        start = time.perf_counter()
        for _ in range(100):
            run()
        cp.cuda.Device().synchronize()
        figure(f"a step of the small network, {name}, ms", (time.perf_counter() - start) * 10)
