"""Flat buffers: who lies where, and what happens when somebody moves."""

from __future__ import annotations

import copy
import functools
import tracemalloc
from typing import Any

import numpy as np
import pytest
from support.parity_optimizers import EVERY

import minigrad as mg
from minigrad.optim import flat as flat_module
from minigrad.optim.flat import gather

SHAPES = [(3, 4), (3,), (2, 3, 5), ()]


def params(device: str = "cpu", dtype: str = "float64", shapes: Any = None) -> list[Any]:
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.standard_normal(s), dtype) for s in shapes or SHAPES]
    return [mg.nn.Parameter(mg.tensor(a, device=device)) for a in arrays]


def host(t: Any) -> np.ndarray:
    return t.detach().cpu().numpy().copy()


def give(ps: list[Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    for p in ps:
        p.grad = mg.tensor(rng.standard_normal(p.shape), dtype=p.dtype, device=p.device)


def reference_adam(start: np.ndarray, grads: list[np.ndarray], lr: float) -> np.ndarray:
    """Adam, one parameter at a time, as it is defined."""
    p, m, v = start.copy(), 0.0, 0.0
    for t, g in enumerate(grads, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p = p - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p


def test_parameters_become_views_of_one_buffer(backend: str) -> None:
    ps = params(backend)
    before = [host(p) for p in ps]
    (flat,) = gather(ps)
    for p, old in zip(ps, before, strict=True):
        assert p._array.base is flat.buffer
        assert np.array_equal(host(p), old)
    flat.buffer[...] = 7.0
    assert all((host(p) == 7.0).all() for p in ps)
    assert flat.buffer.size == sum(p.numel() for p in ps)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_memory_order_is_kept(axes: tuple[int, ...]) -> None:
    array = np.arange(24.0).reshape(2, 3, 4).transpose(axes)
    p = mg.nn.Parameter(array)
    gather([p])
    assert p._array.strides == array.strides
    assert np.array_equal(p._array, array)


def test_linear_weight_keeps_its_layout_through_training() -> None:
    layer = mg.nn.Linear(6, 4)
    optimizer = mg.optim.Adam(layer.parameters())
    for _ in range(2):
        layer(mg.randn(5, 6)).square().sum().backward()
        optimizer.step()
    assert layer.weight.shape == (4, 6)
    assert layer.weight._array.T.flags.c_contiguous
    assert layer.weight.grad._array.T.flags.c_contiguous  # so that no step has to reorder it


def test_one_buffer_for_each_dtype() -> None:
    ps = params(dtype="float64")[:2] + params(dtype="float32") + params(dtype="float64")[2:]
    starts = [host(p) for p in ps]
    flats = gather(ps)
    assert [f.buffer.dtype for f in flats] == ["float64", "float32"]
    optimizer = mg.optim.Adam(ps, lr=0.1)
    grads = []
    for step in range(3):
        give(ps, step)
        grads.append([host(p.grad) for p in ps])
        optimizer.step()
    for i, p in enumerate(ps):
        want = reference_adam(starts[i], [g[i] for g in grads], 0.1)
        np.testing.assert_allclose(host(p), want, rtol=1e-4 if p.dtype == "float32" else 1e-12)


@pytest.mark.parametrize(
    "sizes", [[(7,)], [(3,), (1,)] * 9, [(0,), (5,), (0, 3)], [(40,), (3,), (41,)]]
)
def test_chunks_of_every_cut(monkeypatch: pytest.MonkeyPatch, sizes: list[Any]) -> None:
    """Chunks of 8 elements: parameters alone, together, cut into several, empty."""
    monkeypatch.setattr(flat_module, "CHUNK", 8)
    monkeypatch.setattr(flat_module, "DIRECT", 5)
    ps = params(shapes=sizes)
    starts = [host(p) for p in ps]
    optimizer = mg.optim.Adam(ps, lr=0.1)
    grads = []
    for step in range(4):
        give(ps, step)
        grads.append([host(p.grad) for p in ps])
        optimizer.step()
        assert [np.array_equal(host(p.grad), g) for p, g in zip(ps, grads[-1], strict=True)]
    for i, p in enumerate(ps):
        want = reference_adam(starts[i], [g[i] for g in grads], 0.1)
        np.testing.assert_allclose(host(p), want, rtol=1e-12)


@pytest.mark.parametrize("options", [{"weight_decay": 0.1}, {"maximize": True}])
def test_gradients_are_only_read(options: dict[str, Any]) -> None:
    ps = params(shapes=[(300, 300), (4, 4)])
    optimizer = mg.optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True, **options)
    for step in range(2):
        give(ps, step)
        before = [host(p.grad) for p in ps]
        optimizer.step()
        for p, g in zip(ps, before, strict=True):
            assert np.array_equal(host(p.grad), g)


def test_none_gradients_stop_a_parameters_clock(backend: str) -> None:
    ps = params(backend)
    starts = [host(p) for p in ps]
    optimizer = mg.optim.Adam(ps, lr=0.1)
    grads: list[list[np.ndarray]] = [[] for _ in ps]
    for step in range(6):
        give(ps, step)
        for i, p in enumerate(ps):
            if (step + i) % 3 == 0 or (i == 2 and step < 5):
                p.grad = None
            else:
                grads[i].append(host(p.grad))
        optimizer.step()
    for i, p in enumerate(ps):
        np.testing.assert_allclose(host(p), reference_adam(starts[i], grads[i], 0.1), rtol=1e-12)
        assert optimizer.state[p]["step"].item() == len(grads[i]) > 0


def test_frozen_parameters_stay(backend: str) -> None:
    ps = params(backend)
    ps[1].requires_grad_(False)
    start = host(ps[1])
    optimizer = mg.optim.SGD(ps, lr=0.1, weight_decay=1.0)
    sum((p * p).sum() for p in ps).backward()
    optimizer.step()
    assert np.array_equal(host(ps[1]), start)
    assert ps[1] not in optimizer.state


def replace_data(ps: list[Any]) -> None:
    ps[1].data = ps[1].data * 1.0


def replace_all(ps: list[Any]) -> None:
    for p in ps:
        p.data = p.detach().clone()


def other_optimizer_gathers(ps: list[Any]) -> None:
    gather(list(reversed(ps)))


@pytest.mark.parametrize("move", [replace_data, replace_all, other_optimizer_gathers])
@pytest.mark.parametrize("make", [mg.optim.Adam, lambda p: mg.optim.SGD(p, lr=0.1, momentum=0.9)])
def test_moved_arrays_are_noticed(move: Any, make: Any) -> None:
    """With the same values in other memory, training goes on with the same bits."""
    one, two = params(), params()
    a, b = make(one), make(two)
    for step in range(6):
        give(one, step)
        give(two, step)
        a.step()
        b.step()
        if step == 2:
            move(two)
    for p, q in zip(one, two, strict=True):
        assert np.array_equal(host(p), host(q))


def test_new_values_are_taken_over() -> None:
    (p,) = params(shapes=[(3,)])
    optimizer = mg.optim.SGD([p], lr=0.5)
    for _ in range(2):
        p.data = mg.tensor([1.0, 2.0, 3.0], dtype=mg.float64)
        p.grad = mg.tensor([2.0, 2.0, 2.0], dtype=mg.float64)
        optimizer.step()
        assert p.tolist() == [0.0, 1.0, 2.0]


def test_in_place_changes_by_the_user_stay_in_the_buffer() -> None:
    (p,) = params(shapes=[(3,)])
    optimizer = mg.optim.SGD([p], lr=1.0)
    p.grad = mg.zeros(3, dtype=mg.float64)
    optimizer.step()
    view = p._array
    with mg.no_grad():
        p[...] = 5.0
        p.mul_(2.0)
    p.grad = mg.ones(3, dtype=mg.float64)
    optimizer.step()
    assert p._array is view
    assert p.tolist() == [9.0, 9.0, 9.0]


def test_state_follows_a_module_to_another_dtype() -> None:
    layer = mg.nn.Linear(3, 2)
    optimizer = mg.optim.Adam(layer.parameters(), lr=0.1)
    x = mg.randn(4, 3)
    layer(x).square().sum().backward()
    optimizer.step()
    before = {k: host(v) for k, v in optimizer.state[layer.weight].items()}
    layer.double()
    optimizer.zero_grad()
    layer(x.double()).square().sum().backward()
    grad = host(layer.weight.grad)
    optimizer.step()
    state = optimizer.state[layer.weight]
    assert state["step"].item() == 2
    assert state["exp_avg"].dtype == mg.float64
    np.testing.assert_allclose(
        host(state["exp_avg"]), 0.9 * before["exp_avg"].astype("f8") + 0.1 * grad, rtol=1e-12
    )


def test_a_parameter_added_later(backend: str) -> None:
    ps = params(backend)
    optimizer = mg.optim.SGD(ps[:2], lr=0.1, momentum=0.9)
    give(ps, 0)
    optimizer.step()
    optimizer.add_param_group({"params": ps[2:], "lr": 1.0})
    before = [host(p) for p in ps]
    grads = [host(p.grad) for p in ps]
    optimizer.step()
    np.testing.assert_allclose(host(ps[0]), before[0] - 0.1 * 1.9 * grads[0], rtol=1e-12)
    np.testing.assert_allclose(host(ps[2]), before[2] - 1.0 * grads[2], rtol=1e-12)


def test_backward_after_a_step_is_refused() -> None:
    """The second step's backward would use the first step's values: torch refuses it as well."""
    layer = mg.nn.Linear(3, 2)
    optimizer = mg.optim.SGD(layer.parameters(), lr=0.1)
    layer(mg.randn(4, 3)).sum().backward()
    optimizer.step()
    x = mg.randn(4, 3, requires_grad=True)
    y = layer(x).square().sum()
    layer(mg.randn(4, 3)).sum().backward()
    optimizer.step()
    with pytest.raises(mg.MutationError, match=r"SGD\.step"):
        y.backward()


def test_a_step_allocates_nothing_large() -> None:
    ps = params(dtype="float32", shapes=[(600, 500), (500,), (500, 300), (300,)])
    optimizer = mg.optim.Adam(ps, weight_decay=0.1)
    give(ps, 0)
    optimizer.step()
    tracemalloc.start()
    optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000  # the parameters take 1.8 MB


def test_copies_of_model_and_optimizer_go_their_own_way() -> None:
    layer = mg.nn.Linear(3, 2)
    optimizer = mg.optim.Adam(layer.parameters(), lr=0.1)
    x = mg.randn(4, 3)

    def train(module: Any, opt: Any) -> None:
        opt.zero_grad()
        module(x).square().sum().backward()
        opt.step()

    train(layer, optimizer)
    twin, twin_optimizer = copy.deepcopy((layer, optimizer))
    frozen = host(layer.weight)
    train(twin, twin_optimizer)
    assert np.array_equal(host(layer.weight), frozen)
    train(layer, optimizer)
    assert np.array_equal(host(layer.weight), host(twin.weight))


def test_sgd_joins_parameters_again_after_a_pause() -> None:
    """Momentum does not depend on how many steps there were, so one run serves all again."""
    ps = params()
    optimizer = mg.optim.SGD(ps, lr=0.1, momentum=0.9)
    for step in range(3):
        give(ps, step)
        if step == 1:
            ps[1].grad = None
        optimizer.step()
    (flat,) = optimizer.gathered(0)
    assert len(flat.runs(flat.gradients(), ("momentum_buffer",))) == 1


DECAYS = [
    {},
    {"weight_decay": 0.1, "l1_decay": 0.05, "maximize": True},
    {"weight_decay": 0.1, "l1_decay": 0.5, "decoupled_weight_decay": True},
]


def each_of_every(function: Any) -> Any:
    """Run a test with every optimiser, without decay and with both kinds of it."""
    cases = [
        (name, options | decay)
        for name, options in EVERY
        for decay in DECAYS
        if not (name == "AdamW" and decay)  # its decay is decoupled, and in the options
    ]
    ids = [f"{name}-{i % 3}" for i, (name, _) in enumerate(cases)]
    return pytest.mark.parametrize(("name", "options"), cases, ids=ids)(function)


@each_of_every
def test_same_numbers_on_every_device_and_with_every_cut(
    monkeypatch: pytest.MonkeyPatch, backend: str, name: str, options: dict[str, Any]
) -> None:
    ends = []
    for device, cut in (("cpu", 8), (backend, flat_module.CHUNK)):
        monkeypatch.setattr(flat_module, "CHUNK", cut)
        monkeypatch.setattr(flat_module, "DIRECT", cut // 2)
        ps = params(device)
        optimizer = getattr(mg.optim, name)(ps, lr=0.1, **options)
        for step in range(5):
            give(ps, step)
            before = [host(p.grad) for p in ps]
            if step == 3:
                ps[0].grad = None
            optimizer.step()
            for p, g in zip(ps[1:], before[1:], strict=True):
                assert np.array_equal(host(p.grad), g)  # gradients are only read
        ends.append([host(p) for p in ps])
    for a, b, start in zip(*ends, params(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
        assert (a != host(start)).any()


@each_of_every
def test_a_parameter_without_gradients_is_as_if_alone(name: str, options: dict[str, Any]) -> None:
    """What the others do does not matter: its clock, numbers and state are its own."""
    make = functools.partial(getattr(mg.optim, name), lr=0.1, **options)
    ps, alone = params(), params()
    optimizer, others = make(ps), [make([p]) for p in alone]
    for step in range(9):
        for group in (ps, alone):
            give(group, step)
            for i, p in enumerate(group):
                if (step + i) % 3 == 0 or (i == 2 and step < 4):
                    p.grad = None
        optimizer.step()
        for other in others:
            other.step()
    for p, q in zip(ps, alone, strict=True):
        np.testing.assert_allclose(host(p), host(q), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_no_step_allocates_anything_large_or_keeps_anything(
    name: str, options: dict[str, Any]
) -> None:
    ps = params(dtype="float32", shapes=[(600, 500), (500,), (300, 500)])
    both = {} if name == "AdamW" else {"l1_decay": 0.01, "weight_decay": 0.1}
    optimizer = getattr(mg.optim, name)(ps, **options | both)
    give(ps, 0)
    for _ in range(2):
        optimizer.step()
    held = {n: a.ctypes.data for n, a in optimizer.gathered(0)[0].state.items()}
    tracemalloc.start()
    for _ in range(5):
        optimizer.step()
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60_000  # the parameters take 1.8 MB
    assert size < 30_000
    assert held == {n: a.ctypes.data for n, a in optimizer.gathered(0)[0].state.items()}


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_half_precision_stays_half_and_near(name: str, options: dict[str, Any]) -> None:
    """float16 keeps its state in float16, as torch does: an eps of 1e-8 would be 0 there."""
    if name in ("Adagrad", "RMSprop", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adadelta"):
        options = options | {"eps": 1e-3}
    ends = []
    for dtype in ("float16", "float64"):
        ps = params(dtype=dtype)
        optimizer = getattr(mg.optim, name)(ps, lr=0.02, **options)
        for step in range(20):
            rng = np.random.default_rng(step)
            for p in ps:
                g = rng.uniform(0.25, 1.0, p.shape).astype("float16")
                p.grad = mg.tensor(g, dtype=p.dtype)
            optimizer.step()
        assert {str(p.dtype) for p in ps} == {dtype}
        arrays = [v for s in optimizer.state.values() for k, v in s.items() if v.shape]
        assert {str(a.dtype) for a in arrays} <= {dtype}
        ends.append(np.concatenate([host(p).ravel().astype("f8") for p in ps]))
    np.testing.assert_allclose(ends[0], ends[1], atol=0.02)
    moved = np.concatenate([host(p).ravel() for p in params()]) - ends[1]
    assert moved.min() > 0.005


@each_of_every
def test_groups_of_a_dtype_and_options_of_their_own(name: str, options: dict[str, Any]) -> None:
    """Two groups and two dtypes in one optimiser, or in four: the same bits."""
    kinds, starts = [], [params(dtype="float32")[:2] + params()[2:] for _ in range(2)]
    make = getattr(mg.optim, name)
    together, apart = starts
    groups = [{"params": together[::2], "lr": 0.03}, {"params": together[1::2]}]
    kinds.append([make(groups, lr=0.1, **options)])
    kinds.append(
        [make([p], lr=0.03 if i % 2 == 0 else 0.1, **options) for i, p in enumerate(apart)]
    )
    for step in range(4):
        for ps, optimizers in zip(starts, kinds, strict=True):
            give(ps, step)
            for optimizer in optimizers:
                optimizer.step()
    for p, q in zip(together, apart, strict=True):
        assert np.array_equal(host(p), host(q))
