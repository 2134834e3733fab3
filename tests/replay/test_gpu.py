"""capture on CuPy: replays equal eager, a chain is one generated kernel, and what stays eager.

On the CPU stand-in the results are equal bit for bit, since both run the same C++ functions. On a
GPU a sum that ends a chain may be added up in another order than CuPy's own: hence `LIMIT`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.cases import cases
from support.checks import host

import minigrad as mg
from minigrad import nn, optim
from minigrad.backend import get_backend
from minigrad.engine.backward import gradients
from minigrad.engine.op import TABLE, Op
from minigrad.engine.tensor import Tensor
from minigrad.replay import chains
from minigrad.replay.passes import PASSES

LIMIT = 16  # ulp of the largest element
DATA_SHAPED = {"index", "masked_select", "nonzero", "repeat_interleave", "to_device"}
UNTRACED = {  # recorded as one call each, which a replay repeats: they look at values
    "cross_entropy", "dropout_mask", "gru_sequence", "gru_sequence'", "lstm_sequence",
    "lstm_sequence'", "nll_loss", "rnn_sequence", "rnn_sequence'",
}  # fmt: skip


def put(values: Any, device: str, **options: Any) -> Tensor:
    return mg.tensor(np.asarray(values), device=device, **options)


def flat(nest: Any) -> list[Any]:
    return [y for x in nest for y in flat(x)] if isinstance(nest, (tuple, list)) else [nest]


def same(found: Any, wanted: Any, what: str = "") -> None:
    """Compare two nests of tensors, NaN equal to NaN."""
    for a, b in zip(flat(found), flat(wanted), strict=True):
        if not isinstance(a, Tensor):
            assert a == b, what
            continue
        assert a.device == b.device, what
        x, y = host(a), host(b)
        assert (x.dtype, x.shape) == (y.dtype, y.shape), what
        if x.dtype.kind == "f":
            largest = np.abs(np.nan_to_num(y, posinf=0, neginf=0)).max(initial=0)
            atol = LIMIT * float(np.spacing(np.asarray(largest, y.dtype)))
            np.testing.assert_allclose(x, y, rtol=0, atol=atol, err_msg=what)
        else:
            np.testing.assert_array_equal(x, y, err_msg=what)


def instructions(replay: Any) -> list[Any]:
    return [i for p in replay.programs for instr in p.instrs for i in (instr, *instr.parts)]


# ---- ops ----------------------------------------------------------------------------------------


def test_relu_of_many_numbers(backend: str) -> None:
    """Above 8192 it goes another way than in the table's small samples."""

    def both(x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        y = nn.functional.relu(x)
        return gradients([y], [x], [(y * 3 + 1).detach()])[0]

    replay = mg.capture(both)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = put(rng.standard_normal((30, 400)), backend)
        same(replay(x), both(x))


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_every_op_forward_and_backward(row: Op, backend: str) -> None:
    """Replays on other values equal eager; what is not traced is on the list above."""
    for case in itertools.islice(cases([row]), 3):

        def both(*tensors: Any, case: Any = case) -> Any:
            outputs = case.draw(np.float32).on(tensors)
            inputs = [t for t in tensors if isinstance(t, Tensor) and t.requires_grad]
            wanted = [y for y in outputs if y.requires_grad]
            if not (wanted and inputs):
                return outputs
            return outputs, gradients(wanted, inputs, [y.detach() * 0.7 + 0.3 for y in wanted])

        replay = mg.capture(both)
        for seed in (0, 1, 2):
            call = case.draw(np.float32, seed)
            try:
                found = replay(*call.tensors(backend))
            except mg.CaptureError:
                assert row.name in DATA_SHAPED
                break
            same(found, both(*call.tensors(backend)), f"{case.id} with seed {seed}")
        if backend == "cuda":
            opaque = {i.name for i in instructions(replay) if i.kind == "opaque"}
            assert opaque <= UNTRACED


VALUES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-3, 40.0, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_expression_is_the_librarys_function(dtype: str, backend: str) -> None:
    """In pairs of all values, extremes included, a generated kernel gives the eager bits."""
    a, b = (put(v.reshape(-1).astype(dtype), backend) for v in np.meshgrid(VALUES, VALUES))
    xp: Any = get_backend(backend)
    compared = 0
    for name in chains.EXPRESSIONS:
        if name in ("copy", "where", "erf") or chains.EXPRESSIONS[name].kinds == "b":
            continue
        two = "b" in chains.EXPRESSIONS[name].text.replace("abs", "")
        for x in (a, b):
            args = (x._array, b._array)[: 2 if two or name.startswith("bitwise") else 1]
            if name.startswith("bitwise"):
                args = tuple(v > 0 for v in args)
            wanted = xp.quietly(getattr(xp, name), *args)
            if backend != "cuda":
                assert len(wanted) == len(args[0])
                continue
            found = xp.empty_like(wanted)
            run_alone(xp, name, args, found)
            np.testing.assert_array_equal(xp.to_host(found), xp.to_host(wanted), err_msg=name)
            compared += 1
    assert compared >= (2 * 40 if backend == "cuda" else 0)


def run_alone(xp: Any, name: str, args: tuple[Any, ...], out: Any) -> None:
    """Run one function of `chains` as a generated kernel."""
    from minigrad.replay.ir import TEMP, Instr, Storage, View

    def view(array: Any) -> View:
        storage = Storage(0, TEMP, array.nbytes, 0, None)
        return View(storage, 0, array.shape, array.strides, array.dtype, array)

    views = tuple(view(a) for a in args)
    part = Instr("ufunc", name, getattr(xp, name), views, {}, [view(out)])
    assert chains.rule_of(part) == name
    chains.chain_runner(Instr("fused", name, len, (), {}, [], parts=[part]), xp)()


# ---- chains -------------------------------------------------------------------------------------


def test_a_chain_is_one_kernel_that_a_sum_ends(backend: str) -> None:
    def chain(x: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        y = (x * 2.0 + shift).tanh() * x.sigmoid()
        return y, ((x - 1.0) * (x - 1.0) + shift).sum(dim=1)

    replay = mg.capture(chain)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, shift = (put(rng.standard_normal(s).astype("f4"), backend) for s in ((40, 300), (300,)))
        same(replay(x, shift), chain(x, shift))
    if backend == "cuda":
        program = replay.programs[-1]
        assert [i.kind for i in program.instrs] == ["fused", "fused"]
        assert "sum" in str(program)
        inner = [p for i in program.instrs for p in i.parts if p.outs[0].storage in i.local]
        assert len(inner) >= 6  # of these no array exists


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_chains_of_each_dtype(dtype: str, backend: str) -> None:
    """Choices, casts and numbers in float16 are rounded where CuPy's own functions round."""

    def chain(x: Tensor, shift: Tensor) -> Any:
        y = mg.where(x > 0.25, x * 0.1, mg.erf(x) - shift)
        z = (y.float() * 3 + 1e-3).to(x.dtype).clamp(-0.5, 0.5)
        return z, (z == 0.5) | (x < -1), (y * y).sum(dim=0), z.long().float() / 7

    replay = mg.capture(chain)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, shift = (put(rng.standard_normal(s).astype(dtype), backend) for s in ((33, 7), (7,)))
        same(replay(x, shift), chain(x, shift))
    if backend == "cuda":
        assert any(i.kind == "fused" for i in replay.programs[-1].instrs)


def test_equal_chains_are_one_kernel(backend: str) -> None:
    """Kernels are kept by their text: other shapes and numbers need no new one."""
    x, y = (mg.ones(n, 3, device=backend) for n in (4, 5))
    first, second = mg.capture(lambda x: (x * 2.0).exp()), mg.capture(lambda x: (x * 3.0).exp())
    first(x), first(x)
    before = chains.elementwise.cache_info()
    same(first(y), (y * 2.0).exp())
    same(second(y), (y * 3.0).exp())
    after = chains.elementwise.cache_info()
    assert after.misses == before.misses
    assert after.hits == before.hits + (2 if backend == "cuda" else 0)


def test_views_of_one_memory_are_told_apart(backend: str) -> None:
    def shift(x: Tensor) -> Tensor:
        y = x * 1.0
        for _ in range(3):
            y[1:] = y[:-1] + y[1:] * 0.5
            y *= y[0]
        return y + y.flip(0)

    replay = mg.capture(shift)
    for seed in range(3):
        x = put(np.random.default_rng(seed).random(50).astype("f4"), backend)
        same(replay(x), shift(x))


# ---- training -----------------------------------------------------------------------------------


class Attentive(nn.Module):
    """One head of attention over a short sequence, as scores."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(11, 8), nn.Linear(8, 4)
        self.attention, self.norm = nn.MultiheadAttention(8, 2, batch_first=True), nn.LayerNorm(8)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        y = self.attention(x, x, x, need_weights=False)[0]
        return self.head(self.norm(x + y).mean(1))


def _mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 12),
        nn.LayerNorm(12), nn.GELU(), nn.Linear(12, 4),
    )  # fmt: skip


def _cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(36, 4),
    )  # fmt: skip


NETS: dict[str, tuple[Callable[[], nn.Module], Callable[[Any], Any], Any]] = {
    "mlp": (_mlp, lambda rng: rng.standard_normal((8, 6)).astype("f4"), optim.Adam),
    "cnn": (_cnn, lambda rng: rng.standard_normal((8, 2, 6, 6)).astype("f4"),
            lambda p: optim.SGD(p, lr=0.05, momentum=0.9)),
    "attention": (Attentive, lambda rng: rng.integers(0, 11, (8, 5)), optim.AdamW),
}  # fmt: skip


def training(kind: str, device: str) -> tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]:
    make, _, optimizer = NETS[kind]
    mg.manual_seed(3)
    with mg.device(device):
        model = make()
    updates, loss_of = optimizer(model.parameters()), nn.CrossEntropyLoss()

    def step(x: Tensor, target: Tensor) -> Tensor:
        updates.zero_grad()
        loss = loss_of(model(x), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        updates.step()
        return loss

    return model, step


def batches(kind: str, device: str, count: int) -> list[tuple[Tensor, Tensor]]:
    rng = np.random.default_rng(0)
    draw = NETS[kind][1]
    return [(put(draw(rng), device), put(rng.integers(0, 4, 8), device)) for _ in range(count)]


@pytest.mark.parametrize("kind", NETS)
def test_training_steps(kind: str, backend: str) -> None:
    """Twelve captured steps leave what twelve eager ones leave: loss, parameters, buffers."""
    runs = []
    for captured in (False, True):
        model, step = training(kind, backend)
        run = mg.capture(step) if captured else step
        mg.manual_seed(11)  # for dropout
        losses = [run(*batch) for batch in batches(kind, backend, 12)]
        runs.append([*losses, *model.state_dict().values()])
        if captured:
            assert len(run.programs) == 1
    same(runs[1], runs[0])


@pytest.mark.parametrize("kind", NETS)
def test_an_optimisers_step_is_one_kernel_of_the_program(kind: str, backend: str) -> None:
    """Its numbers follow a schedule, and the count of steps, from replay to replay."""
    if backend == "cpu":
        assert get_backend(backend).kernels is None
        return
    _model, step = training(kind, backend)
    replay = mg.capture(step)
    for batch in batches(kind, backend, 4):
        replay(*batch)
    names = [i.name for i in replay.programs[-1].instrs]
    (update,) = [name for name in names if name.endswith(".step")]
    assert names.count(update) == 1
    assert names.index(update) > names.index(update.replace(".step", ".advance"))


@pytest.mark.parametrize("name", PASSES)
def test_each_pass_alone(name: str, backend: str) -> None:
    runs = []
    for passes in ([], [name]):
        model, step = training("mlp", backend)
        replay = mg.capture(step, passes=passes)
        mg.manual_seed(11)
        losses = [replay(*batch) for batch in batches("mlp", backend, 5)]
        runs.append([*losses, *model.parameters()])
    same(runs[1], runs[0], name)


# ---- what is refused ----------------------------------------------------------------------------


def test_a_label_out_of_range_is_found_at_a_replay(backend: str) -> None:
    replay = mg.capture(lambda x, t: nn.functional.cross_entropy(x, t))
    x = put(np.zeros((3, 4), np.float32), backend)
    for labels in ([0, 1, 2], [3, 1, 2], [1, 1, 1]):
        replay(x, put(labels, backend))
    assert len(replay.programs) == 1
    with pytest.raises(IndexError, match="labels go from 0 to 4"):
        replay(x, put([0, 1, 4], backend))
    ignored = put([0, -100, 1], backend)
    same(replay(x, ignored), nn.functional.cross_entropy(x, ignored))
    take = mg.capture(lambda x, i: mg.index_select(x, 0, i))
    take(x, put([0, 2], backend)), take(x, put([1, 2], backend))
    with pytest.raises(IndexError, match=r"out of (range|bounds)"):
        take(x, put([0, 3], backend))


def test_reading_a_value_is_refused(backend: str) -> None:
    x = mg.ones(2, 3, device=backend)
    readers: list[Callable[[Tensor], Any]] = [
        lambda y: y.sum().item(),
        lambda y: bool(y.sum() > 0),
        lambda y: y.cpu() if backend == "cuda" else y.numpy(),
        lambda y: y.tolist(),
        lambda y: y[y > 0],
    ]
    for read in readers:
        with pytest.raises(mg.CaptureError, match=r"(?s)captured function|mg\.where"):
            mg.capture(lambda x, read=read: read(x * 2))(x)


def test_devices_are_not_mixed(backend: str) -> None:
    if backend == "cpu":
        assert mg.capture(lambda x: x + 1)(mg.ones(2)).tolist() == [2.0, 2.0]
        return
    there, here = mg.ones(2, device=backend), mg.ones(2)
    with pytest.raises(mg.CaptureError, match="are on"):
        mg.capture(lambda a, b: a + b)(there, here)
    for a, b in ((there, here), (here, there)):
        with pytest.raises(mg.CaptureError, match="runs on one device"):
            mg.capture(lambda x, y=b: x * y)(a)


def test_without_arguments_the_first_tensor_says_where(backend: str) -> None:
    w = put([1.0, 2.0], backend)
    replay = mg.capture(lambda: (w.mul_(2.0) + 1.0).tanh())
    for k in range(3):
        same(replay(), (w * 1.0 + 1.0).tanh())
        assert w.tolist() == [2.0 ** (k + 1), 2.0 ** (k + 2)]
    assert len(replay.programs) == 1
    assert len(replay.programs[-1]) > 0


# ---- graphs -------------------------------------------------------------------------------------


def graph_training(backend: str, graph: bool) -> tuple[Any, list[Tensor], nn.Module]:
    model, step = training("mlp", backend)
    replay = mg.capture(step, graph=graph)
    mg.manual_seed(11)
    return replay, [replay(*batch) for batch in batches("mlp", backend, 7)], model


def test_where_there_are_no_graphs_a_program_runs_call_by_call(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement says so; on a GPU that captures, tests/gpu has the rest."""
    if backend == "cuda":
        import cupy

        def refuse(*args: Any) -> None:
            raise RuntimeError("capturing is refused by this test")

        monkeypatch.setattr(cupy.cuda.Stream, "begin_capture", refuse)
    _, wanted, first = graph_training(backend, False)
    replay, found, second = graph_training(backend, True)
    same([*found, *second.state_dict().values()], [*wanted, *first.state_dict().values()])
    statement = str(replay.programs[-1].graphs)
    if backend == "cpu":
        assert statement == "the CPU has no graphs"
    else:
        assert "no CUDA graph: capturing is refused by this test" in statement
        assert "Adam.advance: calls Python" in statement
        assert "dropout_mask" in statement


class FakeGraph:
    """Does what was captured, but for the first launch: the capture itself has done it here."""

    def __init__(self) -> None:
        self.launches = 0

    def launch(self) -> None:
        self.launches += 1


def test_stretches_are_graphs_and_the_rest_runs_between(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for CUDA's graphs: one runs, the next captures, all later ones launch."""
    if backend == "cpu":
        assert get_backend("cpu").graphed(len) is len
        return
    import cupy

    if not cupy.cuda.runtime.is_hip:
        pytest.skip("this test captures nothing: a GPU's graphs are tested in tests/gpu")
    made: list[FakeGraph] = []
    stretches: list[Any] = []

    def end(self: Any) -> FakeGraph:
        made.append(FakeGraph())
        return made[-1]

    def launch(self: FakeGraph) -> None:
        FakeGraph.launch_original(self)  # type: ignore[attr-defined]
        if self.launches > 1:
            stretches[made.index(self)]()

    monkeypatch.setattr(cupy.cuda.Stream, "begin_capture", lambda self: None)
    monkeypatch.setattr(cupy.cuda.Stream, "end_capture", end)
    monkeypatch.setattr(FakeGraph, "launch_original", FakeGraph.launch, raising=False)
    monkeypatch.setattr(FakeGraph, "launch", launch)
    _, wanted, first = graph_training(backend, False)
    model, step = training("mlp", backend)
    replay = mg.capture(step, graph=True)
    mg.manual_seed(11)
    found = []
    for k, batch in enumerate(batches("mlp", backend, 7)):
        found.append(replay(*batch))
        if replay.programs and not stretches and k >= 2:
            parts = replay.programs[-1].graphs._parts
            stretches += [run._run for run, _ in parts if hasattr(run, "captured")]
    same([*found, *model.state_dict().values()], [*wanted, *first.state_dict().values()])
    assert len(made) == len(stretches) >= 2
    assert {graph.launches for graph in made} == {4}
    assert "calls: a CUDA graph" in str(replay.programs[-1].graphs)
