"""ReLU's slope behind max pooling's gradient: where it is applied, and that no bit differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.backward import gradients
from minigrad.engine.tensor import Tensor
from minigrad.nn import functional as F
from minigrad.ops import pool
from minigrad.ops.windows import place
from minigrad.replay import PASSES, recorder
from minigrad.replay.ir import TEMP, Instr, Storage, View

SHAPE = (3, 2, 6, 8)
Step = Callable[..., Any]


@pytest.fixture(autouse=True)
def pooling_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record pooling's gradient as behind large images: no condition is worth computing twice."""
    monkeypatch.setattr(recorder, "_SHORT", 0)


def pooled(x: Tensor, g: Tensor, kernel: int = 2, stride: int = 2) -> Tensor:
    """Return the gradient of a ReLU and the pooling behind it."""
    x = (x * 1.5).requires_grad_()
    y = F.max_pool2d(mg.relu(x), kernel, stride)
    return gradients([y], [x], [g])[0]


def numbers(special: bool, dtype: Any = np.float32) -> tuple[Any, Any]:
    """Return x with many ties and a gradient for its windows of 2x2, perhaps of odd numbers."""
    rng = np.random.default_rng(4)
    x = rng.integers(-2, 3, SHAPE).astype(dtype) / 2
    g = rng.standard_normal((*SHAPE[:2], 3, 4)).astype(dtype)
    if special:
        for a in (x, g):
            odd = [np.nan, np.inf, -np.inf, -0.0, 0.0]
            a[rng.random(a.shape) < 0.25] = 0
            places = rng.random(a.shape) < 0.2
            a[places] = rng.choice(odd, places.sum())
    return x, g


def applied(run: Any) -> list[Instr]:
    """Return the instructions that the pass has changed."""
    return [instr for instr in run.programs[-1].instrs if "masks" in instr.touched]


def multiplied(run: Any) -> int:
    """Return how many numbers the program multiplies outside of pooling."""
    products = [i for i in run.programs[-1].instrs if i.run is np.multiply]
    return sum(i.outs[0].size for i in products)


def expect_same(run: Any, step: Step, *arrays: Any) -> None:
    """Compare replays with eager, bit for bit."""
    for scale in (1, -1):
        given = [mg.tensor(arrays[0]), *(mg.tensor(a * scale) for a in arrays[1:])]
        with np.errstate(invalid="ignore"):
            found, expected = run(*given), step(*given)
        if isinstance(found, Tensor):
            found, expected = (found,), (expected,)
        for a, b in zip(found, expected, strict=True):
            assert a.numpy().tobytes() == b.numpy().tobytes()


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_bit_is_that_of_eager(dtype: Any, special: bool) -> None:
    x, g = numbers(special, dtype)
    run = mg.capture(pooled)
    expect_same(run, pooled, x, g)
    assert [i.name for i in applied(run)][:2] == ["greater", "multiply"]
    plain = mg.capture(pooled, passes=[p for p in PASSES if p != "masks"])
    plain(mg.tensor(x), mg.tensor(g))
    # x with a number, and the mask with the image's or the windows' gradients
    assert (multiplied(plain), multiplied(run)) == (x.size + x.size, x.size + x.size // 4)


@pytest.mark.parametrize("special", [False, True])
def test_windows_that_leave_elements_out(special: bool) -> None:
    def step(x: Tensor, g: Tensor) -> Tensor:
        return pooled(x, g, 2, 3)

    x, g = numbers(special)
    run = mg.capture(step)
    expect_same(run, step, x, g[:, :, :2, :3])
    assert len(applied(run)) == 3


@pytest.mark.parametrize("special", [False, True])
def test_windows_that_overlap_are_left_alone(special: bool) -> None:
    """The gradients of an element may add up to less than zero: the slope makes it -0."""

    def step(x: Tensor, g: Tensor) -> Tensor:
        return pooled(x, g, 3, 1)

    x, _ = numbers(special)
    g = np.random.default_rng(6).standard_normal((3, 2, 4, 6)).astype(np.float32)
    run = mg.capture(step)
    expect_same(run, step, x, g)
    assert not applied(run)


@pytest.mark.parametrize("special", [False, True])
def test_gradients_in_another_order_than_the_images(special: bool) -> None:
    """After a convolution images lie channels last; after flatten their gradients do not."""

    def step(x: Tensor, g: Tensor) -> Tensor:
        x = (x * 1.5).requires_grad_()
        y = F.max_pool2d(mg.relu(x.permute(0, 3, 1, 2)), 2).flatten(1)
        return gradients([y], [x], [g])[0]

    x, g = numbers(special)
    run = mg.capture(step)
    expect_same(run, step, np.ascontiguousarray(x.transpose(0, 2, 3, 1)), g.reshape(3, -1))
    assert len(applied(run)) == 3


def test_a_network_is_trained() -> None:
    mg.manual_seed(2)
    net = mg.nn.Sequential(
        mg.nn.Conv2d(2, 4, 3, padding=1), mg.nn.ReLU(), mg.nn.MaxPool2d(2),
        mg.nn.Conv2d(4, 4, 3, padding=1), mg.nn.ReLU(), mg.nn.MaxPool2d(2),
        mg.nn.Flatten(), mg.nn.Linear(8, 3),
    )  # fmt: skip

    def step(x: Tensor, target: Tensor) -> list[Tensor]:
        net.zero_grad()
        loss = F.cross_entropy(net(x), target)
        loss.backward()
        return [loss.detach(), *(p.grad for p in net.parameters())]

    run = mg.capture(step)
    x, target = mg.randn(3, 2, 6, 8), mg.tensor([0, 2, 1])
    for _ in range(3):
        found = [t.numpy().copy() for t in run(x, target)]
        expected = [t.numpy() for t in step(x, target)]
        for a, b in zip(found, expected, strict=True):
            assert a.tobytes() == b.tobytes()
        x = x + 1
    assert len(applied(run)) == 6


# ---- where it must not be applied ---------------------------------------------------------------


def also_used(x: Tensor, g: Tensor) -> tuple[Tensor, ...]:
    """The pooling's own gradient is a result as well."""
    x = (x * 1.5).requires_grad_()
    r = mg.relu(x)
    y = F.max_pool2d(r, 2)
    return gradients([y], [x, r], [g])


def two_gradients(x: Tensor, g: Tensor) -> Tensor:
    """What the ReLU gives is used twice: the gradients are added before the slope."""
    x = (x * 1.5).requires_grad_()
    r = mg.relu(x)
    return gradients([F.max_pool2d(r, 2), r.sin()], [x], [g, x.detach().cos()])[0]


@pytest.mark.parametrize("step", [also_used, two_gradients])
def test_other_users_of_a_gradient_get_it_without_the_slope(step: Step) -> None:
    run = mg.capture(step)
    expect_same(run, step, *numbers(True))
    assert not applied(run)


def view(number: int, shape: tuple[int, ...], dtype: Any = np.float32) -> View:
    array = np.zeros(shape, dtype)
    storage = Storage(number, TEMP, array.nbytes, 0, None)
    return View(storage, 0, shape, array.strides, array.dtype, array)


def by_hand(change: str) -> SimpleNamespace:
    """Return a program of pooling's gradient and a slope, with something amiss."""
    x, gx, slopes, result = (view(n, (2, 6, 6), d) for n, d in enumerate([np.float32] * 4))
    mask = view(4, (2, 6, 6), bool)
    y, g = view(5, (2, 3, 3)), view(6, (2, 3, 3))
    other = replace(x, storage=replace(x.storage, number=7))
    where = place((6, 6), 2, 2, 0, 1)
    test = {"less": np.less, "or equal": np.greater_equal}.get(change, np.greater)
    compared = other if change == "another array" else x
    bound = 0.5 if change == "more than one half" else 0
    turned = replace(mask, shape=mask.shape, strides=(36, 1, 6))
    instrs = [
        Instr("opaque", "window_max'", pool._window_max_x, (g, x, y, where), {}, [gx]),
        Instr("ufunc", "compare", test, (compared, bound), {}, [mask]),
        Instr("ufunc", "multiply", np.multiply, (gx, turned if change == "turned" else mask), {},
              [gx if change == "in place" else result]),
    ]  # fmt: skip
    negate = Instr("ufunc", "negative", np.negative, (x,), {}, [x])
    use = Instr("ufunc", "negative", np.negative, (mask if change == "mask" else gx,), {}, [slopes])
    if change == "compared later":
        instrs.insert(1, negate)
    if change == "compared before":
        instrs = [instrs[1], negate, instrs[0], instrs[2]]
    if change == "fine, before":
        instrs = [instrs[1], instrs[0], instrs[2]]
    if change in ("gradient", "mask"):
        instrs.append(use)
    if change == "written before":
        instrs.insert(0, Instr("copy", "constant", np.copyto, (1.0,), {}, [result]))
    for what, v in {"gradient": gx, "x": x, "mask": mask, "result": result}.items():
        v.storage.kept = change == f"{what} kept"
    if change == "in a larger one":
        result.storage.nbytes += 4
    return SimpleNamespace(instrs=instrs, roots=lambda: [result])


AWAY = (
    "another array", "less", "or equal", "more than one half", "turned", "in place", "gradient",
    "mask", "compared later", "compared before", "written before", "gradient kept", "x kept",
    "mask kept", "result kept", "in a larger one",
)  # fmt: skip


@pytest.mark.parametrize("change", ["fine", "fine, before", *AWAY])
def test_where_it_would_be_wrong_it_is_left_alone(change: str) -> None:
    program = by_hand(change)
    before = list(program.instrs)
    PASSES["masks"](program)
    assert (program.instrs == before) == (change in AWAY)
    if change not in AWAY:
        assert [i.outs[0].shape for i in program.instrs] == [(2, 3, 3), (2, 3, 3), (2, 6, 6)]
