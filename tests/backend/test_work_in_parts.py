"""Several threads compute what one computes: the same bits, and products to the last few."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.parity_optimizers import EVERY

import minigrad as mg
from minigrad.backend import NUMPY, numpy_backend, threads
from minigrad.backend.blas import blas_threads
from minigrad.ops import conv_kernels, pool
from minigrad.optim import flat

pytestmark = pytest.mark.skipif(
    blas_threads() is None, reason="the threads of this BLAS cannot be set"
)

COUNTS = pytest.mark.parametrize("count", [2, 3])


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Tell how many parts were handed out; they are begun by workers, however small they are."""
    counts: list[int] = []
    plain = threads._Crew.hand_out

    def hand_out(crew: Any, tasks: Any) -> None:
        counts.append(len(tasks))
        plain(crew, tasks)
        end = time.monotonic() + 1
        while any(task._parts for task in tasks) and time.monotonic() < end:
            time.sleep(0)

    monkeypatch.setattr(threads._Crew, "hand_out", hand_out)
    yield counts
    mg.set_num_threads(None)


def on(count: int | None, function: Callable[[], Any], take: bool = False) -> Any:
    """Return what a function returns on so many threads; ``take``: the cores are ours by then."""
    mg.set_num_threads(count)
    if take:
        threads.take_cores()
    try:
        return function()
    finally:
        mg.set_num_threads(None)


def same_bits(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert a.tobytes() == b.tobytes()


def with_gradients(function: Callable[..., Any], arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Return a function's value, and its gradients for a random cotangent."""
    leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
    y = function(*leaves)
    g = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(mg.tensor(g, dtype=y.dtype))
    return [y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)]


# ---- convolution --------------------------------------------------------------------------------

CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "many-images": ((6, 3, 7, 8), (4, 3, 3, 3), {"padding": 1}),
    "rows-of-one-image": ((1, 3, 9, 8), (4, 3, 3, 3), {}),
    "stride": ((4, 3, 9, 10), (2, 3, 3, 2), {"stride": (2, 1), "padding": (1, 0)}),
    "stride-along-rows": ((4, 3, 9, 10), (2, 3, 3, 2), {"stride": 2}),
    "dilation": ((4, 2, 9, 10), (3, 2, 3, 2), {"dilation": (2, 3), "padding": 2}),
    "groups": ((4, 4, 7, 7), (6, 2, 3, 3), {"groups": 2, "padding": 1}),
    "padding-beyond-the-kernel": ((4, 2, 3, 4), (3, 2, 2, 2), {"padding": 5}),
    "same": ((3, 2, 6, 5), (3, 2, 4, 3), {"padding": "same"}),
    "one-row": ((3, 2, 1, 9), (3, 2, 1, 3), {"padding": (0, 1)}),
    "no-batch": ((3, 9, 8), (4, 3, 3, 3), {"padding": 1}),
    "empty-batch": ((0, 3, 5, 5), (2, 3, 3, 3), {}),
    "no-columns": ((4, 2, 5, 0), (3, 2, 3, 3), {"padding": 2}),
    "no-rows": ((4, 2, 0, 5), (3, 2, 3, 3), {"padding": 2}),
}


@COUNTS
@pytest.mark.parametrize("last", [False, True], ids=["nchw", "nhwc"])
@pytest.mark.parametrize("name", list(CONVOLUTIONS))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_convolution(
    monkeypatch: pytest.MonkeyPatch, handed: list[int], name: str, last: bool, dtype: str,
    count: int,
) -> None:  # fmt: skip
    size, weight_size, options = CONVOLUTIONS[name]
    rng = np.random.default_rng(0)
    shapes = (size, weight_size, weight_size[:1])
    x, weight, bias = (rng.standard_normal(s).astype(dtype) for s in shapes)

    def convolve(x: Any, weight: Any, bias: Any) -> Any:
        if last:
            x = mg.movedim(x, -1, -3)
        return mg.conv2d(x, weight, bias, **options)

    given = [np.ascontiguousarray(np.moveaxis(x, -3, -1)) if last else x, weight, bias]
    run = partial(with_gradients, convolve, given)
    whole = run()
    monkeypatch.setattr(conv_kernels, "_TILE", 64)
    one = run()
    assert not handed
    same_bits(on(count, run), one)
    # by x where rows are stepped over or there are groups: not shared
    assert len(handed) >= (0 if name == "empty-batch" else 2)
    assert all(0 < n < count for n in handed)
    if dtype == "float64":  # cut or not, on one thread or several, it is a convolution
        for a, b in zip(one, whole, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


@COUNTS
def test_convolution_with_a_kernel_of_one_element(
    monkeypatch: pytest.MonkeyPatch, handed: list[int], count: int
) -> None:
    """All three are one product, which threads share as any other."""
    monkeypatch.setattr(numpy_backend, "_SHARED_PRODUCTS", 64)
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s) for s in [(4, 20, 5, 6), (40, 20, 1, 1), (40,)]]
    run = partial(with_gradients, mg.conv2d, arrays)
    one = run()
    for a, b in zip(on(count, run, take=True), one, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert handed == [count - 1] * 3


@pytest.mark.parametrize("name", ["empty-batch", "no-columns", "no-rows"])
def test_convolution_of_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Its gradients are zeros, whatever was in the memory before."""
    size, weight_size, options = CONVOLUTIONS[name]
    monkeypatch.setattr(
        NUMPY, "empty", lambda shape, dtype: np.full(shape, 7, dtype), raising=False
    )
    run = partial(
        with_gradients,
        lambda x, w: mg.conv2d(x, w, **options),
        [np.ones(size), np.ones(weight_size)],
    )
    for count in (None, 2):
        y, gx, gw = on(count, run)
        assert not y.any()
        assert (gx.shape, gx.size) == (size, 0)
        assert gw.shape == weight_size
        assert not gw.any()


# ---- pooling ------------------------------------------------------------------------------------

POOLINGS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "apart": ((6, 3, 8, 8), {"kernel_size": 2}),
    "not-covering": ((6, 3, 8, 9), {"kernel_size": 2, "stride": 3}),
    "overlapping": ((6, 3, 7, 8), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "dilated": ((6, 2, 8, 7), {"kernel_size": 2, "stride": 1, "dilation": 3}),
    "ceil": ((5, 2, 7, 8), {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    "no-batch": ((7, 6, 6), {"kernel_size": 2}),
    "empty-batch": ((0, 3, 6, 6), {"kernel_size": 2}),
}


@COUNTS
@pytest.mark.parametrize("kind", ["distinct", "ties", "nan"])
@pytest.mark.parametrize("last", [False, True], ids=["nchw", "nhwc"])
@pytest.mark.parametrize("name", list(POOLINGS))
def test_max_pool(
    monkeypatch: pytest.MonkeyPatch, handed: list[int], name: str, last: bool, kind: str,
    count: int,
) -> None:  # fmt: skip
    size, options = POOLINGS[name]
    rng = np.random.default_rng(0)
    x = rng.standard_normal(size)
    if kind == "ties":
        x = rng.integers(0, 2, size).astype(float)
    elif kind == "nan":
        x[rng.random(size) < 0.02] = np.nan

    def largest(x: Any) -> Any:
        if last:
            x = mg.movedim(x, -1, -3)
        # after flatten the cotangent lies in another order than what the pooling returned
        return mg.max_pool2d(x, **options).flatten(1)

    given = [np.ascontiguousarray(np.moveaxis(x, -3, -1)) if last else x]
    run = partial(with_gradients, largest, given)
    whole = run()
    monkeypatch.setattr(pool, "_TILE", 32)
    one = run()
    assert not handed
    same_bits(on(count, run), one)
    assert len(handed) >= (0 if name == "empty-batch" else 2)
    same_bits(one, whole)


# ---- elementwise --------------------------------------------------------------------------------


def views(rng: np.random.Generator) -> dict[str, Callable[[], np.ndarray]]:
    """Return arrays in several layouts, with all kinds of numbers."""
    x = rng.standard_normal((96, 10, 11)).astype("float32") * 3
    for value in (0.0, -0.0, np.inf, -np.inf, np.nan):
        x[rng.random(x.shape) < 0.01] = value
    return {
        "plain": x,
        "permuted": x.transpose(2, 0, 1),
        "stepped": np.repeat(x, 2, axis=1)[:, ::2],
        "reversed": x[::-1, :, ::-1],
        "broadcast": np.broadcast_to(x[:, :1], x.shape),
        "double": x.astype("float64"),
        "half": x.astype("float16"),
    }


LAYOUTS = ["plain", "permuted", "stepped", "reversed", "broadcast", "double", "half"]
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "relu": mg.relu,
    "gelu": mg.gelu,
    "gelu-tanh": partial(mg.gelu, approximate="tanh"),
    "erf": mg.erf,
    "erfc": mg.erfc,
}


@COUNTS
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_blocks(
    monkeypatch: pytest.MonkeyPatch, handed: list[int], name: str, layout: str, count: int
) -> None:
    x = views(np.random.default_rng(0))[layout]
    g = np.random.default_rng(1).standard_normal(x.shape[::-1]).astype(x.dtype).T

    def run() -> list[np.ndarray]:
        t = mg.from_numpy(x).requires_grad_()  # as it lies
        y = FUNCTIONS[name](t)
        y.backward(mg.from_numpy(g))
        return [y.detach().numpy(), t.grad.numpy()]

    with np.errstate(all="ignore"):  # 0 times inf
        one = run()
        for limit in ("_WHOLE", "_SHARED"):
            monkeypatch.setattr(numpy_backend, limit, 512)
        monkeypatch.setattr(numpy_backend, "_BLOCK", 500)
        same_bits(run(), one)
        assert not handed
        same_bits(on(count, run, take=True), one)
    assert handed
    assert all(0 < n < count for n in handed)


def test_an_error_in_a_block_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in [("_WHOLE", 8), ("_SHARED", 8), ("_BLOCK", 8)]:
        monkeypatch.setattr(numpy_backend, name, value)

    def fail(xp: Any, out: Any, x: Any) -> None:
        if (x == 50).any():
            raise ValueError("fifty")

    with pytest.raises(ValueError, match="fifty"):
        on(2, lambda: NUMPY.into_blocks(fail, np.arange(100.0)), take=True)


# ---- optimizers ---------------------------------------------------------------------------------


def updated(name: str, options: dict[str, Any]) -> list[np.ndarray]:
    """Return parameters after some updates, and what the optimiser keeps about them."""
    rng = np.random.default_rng(0)
    shapes = [(9, 9), (3,), (70,), (), (2, 3, 4), (0, 3), (41,)]
    ps = [mg.nn.Parameter(mg.tensor(rng.standard_normal(s))) for s in shapes]
    optimizer = getattr(mg.optim, name)(ps, lr=0.1, **options)
    for step in range(4):
        for p in ps:
            g = rng.standard_normal(p.shape[::-1]).T  # copied where it lies in another order
            p.grad = None if (step == 2 and p is ps[3]) else mg.from_numpy(np.asarray(g))
        optimizer.step()
    state = [v.numpy().copy() for kept in optimizer.state.values() for v in kept.values()]
    return [p.detach().numpy().copy() for p in ps] + state


@COUNTS
@pytest.mark.parametrize("decay", [{}, {"weight_decay": 0.1}, {"maximize": True}])
@pytest.mark.parametrize(("name", "options"), EVERY, ids=[name for name, _ in EVERY])
def test_optimizers(
    monkeypatch: pytest.MonkeyPatch, handed: list[int], name: str, options: dict[str, Any],
    decay: dict[str, Any], count: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(flat, "CHUNK", 16)
    monkeypatch.setattr(flat, "DIRECT", 8)
    run = partial(updated, name, options | decay)
    one = run()
    same_bits(on(count, run, take=True), one)
    assert len(handed) >= 4
    assert set(handed) == {count - 1}


def test_shares_of_an_update_have_scratch_memory_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flat, "CHUNK", 16)
    monkeypatch.setattr(flat, "DIRECT", 8)
    ps = [mg.nn.Parameter(mg.ones(n)) for n in (100, 5, 4, 50)]
    (gathered,) = flat.gather(ps)
    grads = [np.ones(p.shape, p.dtype) for p in ps]
    for count in (None, 2, 3, 1, 3):

        def shares() -> list[flat.Run]:
            (run,) = gathered.runs(grads, ("m",), spares=1)
            return gathered.shares(run)

        found = on(count, shares, take=True)
        assert len(found) == (count or 1)
        covered = sorted(
            gathered.xp.byte_bounds(chunk.p) for share in found for chunk in share.chunks
        )
        assert len(covered) == 12
        assert all(a[1] == b[0] for a, b in pairwise(covered))
        scratch = [
            [a for chunk in share.chunks for a in (chunk.g, chunk.work, chunk.state[-1])]
            for share in found
        ]
        assert all(scratch)
        for i, one in enumerate(scratch):
            for other in scratch[:i]:
                assert not any(np.shares_memory(a, b) for a in one for b in other)


def test_few_chunks_are_no_empty_shares() -> None:
    (gathered,) = flat.gather([mg.nn.Parameter(mg.ones(5))])

    def shares() -> list[flat.Run]:
        (run,) = gathered.runs([np.ones(5, np.float32)], (), spares=0)
        return gathered.shares(run)

    assert [len(share.chunks) for share in on(3, shares, take=True)] == [1]


def test_an_optimizer_goes_on_with_more_threads_and_with_fewer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flat, "CHUNK", 16)
    monkeypatch.setattr(flat, "DIRECT", 8)
    ends = []
    for counts in ([None] * 5, [None, 2, 3, 1, 2]):
        rng = np.random.default_rng(0)
        p = mg.nn.Parameter(mg.tensor(rng.standard_normal(200)))
        optimizer = mg.optim.Adam([p], lr=0.1)
        for count in counts:
            p.grad = mg.tensor(rng.standard_normal(200))
            on(count, optimizer.step, take=True)
        ends.append([p.detach().numpy().copy()])
    same_bits(*ends)


# ---- products -----------------------------------------------------------------------------------

PRODUCTS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "tall": ((100, 7), (7, 5)),
    "wide": ((5, 7), (7, 100)),
    "square": ((40, 33), (33, 40)),
    "few-rows": ((2, 9), (9, 2)),
    "one-number": ((1, 9), (9, 1)),
    "batch": ((5, 4, 6), (5, 6, 3)),
    "two-matrices": ((2, 4, 6), (2, 6, 3)),
    "one-matrix": ((1, 4, 6), (1, 6, 3)),
    "batches": ((3, 2, 4, 6), (3, 2, 6, 3)),
    "broadcast": ((3, 4, 6), (6, 3)),
    "vector": ((40, 6), (6,)),
    "vectors": ((6,), (6,)),
    "from-the-left": ((6,), (6, 40)),
    "nothing-added": ((4, 0), (0, 5)),
    "no-rows": ((0, 4), (4, 5)),
}


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("turned", ["", "a", "b", "ab"])
@pytest.mark.parametrize("name", list(PRODUCTS))
def test_products(
    monkeypatch: pytest.MonkeyPatch, handed: list[int], name: str, turned: str, count: int
) -> None:
    monkeypatch.setattr(numpy_backend, "_SHARED_PRODUCTS", 1)
    rng = np.random.default_rng(0)
    shapes = PRODUCTS[name]
    exact = []
    for which, shape in zip("ab", shapes, strict=True):
        x = rng.standard_normal(shape)
        if which in turned and x.ndim > 1:
            x = np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)
        exact.append(x)
    for dtype, error in (("float64", 1e-12), ("float32", 1e-5)):
        a, b = (x.astype(dtype) for x in exact)
        found = on(count, partial(NUMPY.matmul, a, b), take=True)
        right = np.matmul(*exact)
        assert (np.shape(found), found.dtype) == (right.shape, dtype)
        np.testing.assert_allclose(found, right, rtol=error, atol=error)
        given = np.full(right.shape, 9.0, dtype)
        if right.ndim:
            assert on(count, partial(NUMPY.matmul, a, b, out=given), take=True) is given
            np.testing.assert_allclose(given, right, rtol=error, atol=error)
    shared = len(shapes[0]) == len(shapes[1]) > 1 and 0 not in (*shapes[0], *shapes[1])
    least = 2 * count if name not in ("few-rows", "one-number", "one-matrix") else 10**9
    assert bool(handed) == ((shared and right.size >= least) or handed == [1, 1])


@pytest.mark.parametrize(
    ("name", "count", "cuts"),
    [
        ("tall", 2, [(0, 48), (48, 100)]),
        ("tall", 3, [(0, 32), (32, 64), (64, 100)]),
        ("wide", 2, [(0, 48), (48, 100)]),
        ("batch", 2, [(0, 2), (2, 5)]),
        ("batch", 9, [(k, k + 1) for k in range(5)]),
    ],
)
def test_where_products_are_cut(
    monkeypatch: pytest.MonkeyPatch, name: str, count: int, cuts: list[tuple[int, int]]
) -> None:
    """Rows and columns so many at a time as BLAS computes, matrices one by one."""
    monkeypatch.setattr(numpy_backend, "_SHARED_PRODUCTS", 1)
    found: list[Any] = []
    monkeypatch.setattr(threads, "share", lambda parts: found.extend(p.args for p in parts))
    on(count, lambda: NUMPY.matmul(*map(np.ones, PRODUCTS[name])), take=True)
    assert found == cuts


@COUNTS
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_layers_and_their_gradients(
    monkeypatch: pytest.MonkeyPatch, handed: list[int], dtype: str, count: int
) -> None:
    monkeypatch.setattr(numpy_backend, "_SHARED_PRODUCTS", 64)
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s).astype(dtype) for s in [(50, 20), (30, 20), (30,), (30, 40)]]

    def layers(x: Any, weight: Any, bias: Any, other: Any) -> Any:
        return mg.nn.functional.linear(x, weight, bias) @ other

    run = partial(with_gradients, layers, arrays)
    one = run()
    error = 1e-12 if dtype == "float64" else 1e-4
    for a, b in zip(on(count, run, take=True), one, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=error, atol=error)
    assert len(handed) >= 4


def test_small_products_are_not_shared(handed: list[int]) -> None:
    a = np.ones((100, 100))
    assert (on(2, lambda: NUMPY.matmul(a, a), take=True) == 100).all()
    assert not handed


# ---- all together -------------------------------------------------------------------------------


def trained(capture: bool) -> list[np.ndarray]:
    """Train a small network, and return its losses and what it has learned."""
    mg.manual_seed(0)
    model = mg.nn.Sequential(
        mg.nn.Conv2d(2, 6, 3, padding=1), mg.nn.ReLU(), mg.nn.MaxPool2d(2),
        mg.nn.Conv2d(6, 8, 3, stride=2), mg.nn.GELU(), mg.nn.MaxPool2d(3, 1, 1),
        mg.nn.Flatten(), mg.nn.Linear(72, 5),
    )  # fmt: skip
    optimizer = mg.optim.AdamW(model.parameters(), lr=0.01)
    rng = np.random.default_rng(0)
    x = mg.tensor(rng.standard_normal((12, 2, 14, 14)).astype("float32"))
    labels = mg.tensor(rng.integers(0, 5, 12))

    def step(x: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        loss = mg.nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    run = mg.capture(step) if capture else step
    losses = np.array([run(x, labels).item() for _ in range(5)])
    if capture:
        assert [p.threads for p in run.programs] == [mg.get_num_threads()]
    assert losses[-1] < losses[0]
    return [losses, *(p.detach().numpy().copy() for p in model.parameters())]


@COUNTS
@pytest.mark.parametrize("capture", [False, True])
def test_a_network_learns_the_same(
    monkeypatch: pytest.MonkeyPatch, handed: list[int], capture: bool, count: int
) -> None:
    monkeypatch.setattr(conv_kernels, "_TILE", 2048)
    monkeypatch.setattr(pool, "_TILE", 512)
    for name, value in [("_WHOLE", 256), ("_SHARED", 256), ("_BLOCK", 256)]:
        monkeypatch.setattr(numpy_backend, name, value)
    monkeypatch.setattr(flat, "CHUNK", 64)
    monkeypatch.setattr(flat, "DIRECT", 32)
    one = trained(capture)
    assert not handed
    same_bits(on(count, partial(trained, capture)), one)
    assert len(handed) > (5 if capture else 20)  # replays of a network so small are on one thread


@pytest.mark.parametrize(("count", "given", "has"), [(None, None, 1), (2, None, 2), (2, 1, 1)])
def test_capture_takes_as_many(count: int | None, given: int | None, has: int) -> None:
    double = mg.capture(lambda x: mg.exp(x) * 2, threads=given)
    on(count, lambda: double(mg.ones(3)))
    assert double.programs[0].threads == has
