"""mg.profile: what it counts is exact, its frames nest, and it leaves everything as it was."""

from __future__ import annotations

import contextvars
import json
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.engine.modes import MODE

N, F, H = 5, 4, 8  # batch, features, hidden
FLOAT = 4


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(F, H)
        self.second = nn.Linear(H, F)

    def forward(self, x: Any) -> Any:
        return self.second(self.first(x).relu())


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.norm = nn.LayerNorm(F)

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = x + block(x)
        return self.norm(x)


def batch() -> mg.Tensor:
    rng = np.random.default_rng(0)
    return mg.tensor(rng.standard_normal((N, F)).astype(np.float32))


def cotangent() -> mg.Tensor:
    rng = np.random.default_rng(1)
    return mg.tensor(rng.standard_normal((N, F)).astype(np.float32))


def profiled(steps: int = 1, **options: Any) -> Any:
    mg.manual_seed(0)
    net, x, v = Net(), batch(), cotangent()
    with mg.profile(**options) as p:
        for _ in range(steps):
            net(x).backward(v)
    return p


def test_the_calls_of_a_known_net_are_exact() -> None:
    p = profiled(steps=3)
    assert {r.name: (r.calls, r.backward_calls) for r in p.ops()} == {
        "linear": (12, 12),
        "relu": (6, 6),
        "add": (6, 6),
        "layer_norm": (3, 3),
    }


def test_modules_are_named_by_their_path_and_hold_their_parts() -> None:
    rows = {r.name: r for r in profiled(steps=2).modules()}
    blocks = ["Net.blocks.0", "Net.blocks.1"]
    linears = [f"{b}.{name}" for b in blocks for name in ("first", "second")]
    assert set(rows) == {"Net", "Net.norm", *blocks, *linears}
    assert all(r.calls == 2 for r in rows.values())
    assert {n: r.backward_calls for n, r in rows.items()} == {
        "Net": 2 * 9,
        "Net.norm": 2,
        **dict.fromkeys(blocks, 2 * 3),
        **dict.fromkeys(linears, 2),
    }
    for block in blocks:
        inside = [rows[f"{block}.{name}"] for name in ("first", "second")]
        assert rows[block].forward >= sum(r.forward for r in inside)
        assert rows[block].backward >= sum(r.backward for r in inside)
        assert rows[block].bytes > sum(r.bytes for r in inside)  # and the relu's
    assert rows["Net"].bytes == sum(
        e.bytes for e in profiled(2).events if e.kind != "module"
    ) - sum(e.bytes for e in profiled(2).events if e.kind == "pass")


def test_modules_of_one_class_are_told_apart_and_a_module_alone_is_a_root() -> None:
    first, second = nn.Linear(F, H), nn.Linear(F, H)
    with mg.profile() as p:
        for layer in (first, second, first):
            layer(batch())
    assert {r.name: r.calls for r in p.modules()} == {"Linear": 2, "Linear#2": 1}


def test_the_bytes_are_those_of_the_arrays() -> None:
    layer, x, v = nn.Linear(F, H), batch(), mg.ones(N, H)
    with mg.profile() as p:
        y = layer(x)
        z = y.reshape(H, N)
        y.backward(v)
    assert z.shape == (H, N)
    held = {(e.name, e.kind): e.bytes for e in p.events}
    weights, inputs, outputs = (F * H + H) * FLOAT, N * F * FLOAT, N * H * FLOAT
    assert held["linear", "forward"] == inputs + weights + outputs
    assert held["reshape", "forward"] == 0  # a view
    # the gradient, the saved operand x, and the gradients of weight and bias
    assert held["linear", "backward"] == outputs + inputs + weights
    assert held["Linear", "module"] == held["linear", "forward"]
    assert held["backward", "pass"] == held["linear", "backward"]


def test_a_reshape_that_has_to_copy_moves_bytes() -> None:
    x = mg.ones(N, F).transpose(0, 1)
    with mg.profile() as p:
        x.reshape(F * N)
    assert [e.bytes for e in p.events if e.name == "reshape"] == [2 * N * F * FLOAT]


def test_the_peak_is_what_the_op_holds_beyond_the_start() -> None:
    n = 250_000
    x = mg.ones(n)
    with mg.profile() as p:
        for _ in range(3):
            y = x * 2.0  # the second and third while the result before is held
        del y
    (event, *_) = [e for e in p.events if e.name == "mul"]
    assert n * FLOAT <= event.peak < 1.05 * n * FLOAT
    assert 2 * n * FLOAT <= p.peak < 2.05 * n * FLOAT


def test_the_peak_of_a_module_covers_what_it_frees_again() -> None:
    n = 250_000

    class Wasteful(nn.Module):
        def forward(self, x: Any) -> Any:
            parts = [x * float(k) for k in range(1, 5)]
            return parts[0] + 1.0

    x = mg.ones(n)
    with mg.profile() as p:
        y = Wasteful()(x)
    assert y.shape == (n,)
    (row,) = p.modules()
    assert 5 * n * FLOAT <= row.peak < 5.1 * n * FLOAT
    assert p.peak >= row.peak


def test_without_memory_nothing_is_traced() -> None:
    p = profiled(memory=False)
    assert not tracemalloc.is_tracing()
    assert p.peak == 0
    assert all(e.peak == 0 for e in p.events)
    assert "peak" not in p.table()
    assert "peak MB" in profiled().table()


def test_a_users_own_tracing_goes_on() -> None:
    tracemalloc.start()
    try:
        profiled()
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_the_events_of_second_derivatives_are_inside_their_node() -> None:
    x = mg.tensor([0.3, -0.7], dtype=mg.float64, requires_grad=True)
    v = mg.tensor([1.5, -0.5], dtype=mg.float64)
    with mg.profile() as p:
        (g,) = mg.autograd.grad(x.tanh(), x, v, create_graph=True)
        (h,) = mg.autograd.grad(g, x, v)
    t = np.tanh(x.detach().numpy())
    np.testing.assert_allclose(h.numpy(), v.numpy() ** 2 * -2 * t * (1 - t * t), rtol=1e-12)
    (node,) = [e for e in p.events if e.name == "tanh" and e.kind == "backward"][:1]
    inside = [
        e for e in p.events
        if e.kind == "forward" and node.start <= e.start
        and e.start + e.duration <= node.start + node.duration
    ]  # fmt: skip
    assert len(inside) >= 2  # the rule's products
    assert node.own == node.duration - sum(e.duration for e in inside)


def test_exceptions_restore_the_mode_and_end_what_had_begun() -> None:
    before = MODE.get()

    class Broken(nn.Module):
        def forward(self, x: Any) -> Any:
            x = x.relu()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), mg.profile() as p:
        nn.Sequential(nn.Linear(F, H), Broken())(batch())
    assert MODE.get() is before
    assert not tracemalloc.is_tracing()
    assert {r.name: r.calls for r in p.modules()} == {
        "Sequential": 1, "Sequential.0": 1, "Sequential.1": 1
    }  # fmt: skip
    with mg.profile() as p:
        with pytest.raises(ValueError, match="matmul"):
            mg.ones(2, 3) @ mg.ones(2, 3)
        mg.ones(2) + 1.0
    assert [(e.name, e.bytes) for e in p.events] == [("matmul", 0), ("add", 4 * FLOAT)]
    assert MODE.get() is before


def test_an_exception_in_backward_ends_its_node() -> None:
    x = mg.ones(3, requires_grad=True)
    h = x * 2.0

    def hook(g: mg.Tensor) -> None:
        raise ZeroDivisionError

    h.register_hook(hook)
    before = MODE.get()
    with mg.profile() as p:
        with pytest.raises(ZeroDivisionError):
            (h * 3.0).backward(mg.ones(3))
        inner = MODE.get()
        y = x + 1.0
    assert y.shape == (3,)
    assert inner.scope is not None
    assert [(e.name, e.kind) for e in p.events] == [
        ("mul", "forward"), ("mul", "backward"), ("backward", "pass"), ("add", "forward")
    ]  # fmt: skip
    assert MODE.get() is before


def test_other_threads_are_not_seen_unless_they_run_in_a_copy_of_the_context() -> None:
    def work() -> None:
        for _ in range(7):
            mg.ones(3) + 1.0

    with mg.profile() as p:
        stranger = threading.Thread(target=work)
        context = contextvars.copy_context()
        own = threading.Thread(target=context.run, args=(work,))
        for t in (stranger, own):
            t.start()
        for t in (stranger, own):
            t.join()
        mg.ones(3) * 2.0
    assert {r.name: r.calls for r in p.ops()} == {"add": 7, "mul": 1}
    assert len({e.thread for e in p.events}) == 2


def test_two_threads_profile_at_the_same_time() -> None:
    counts: dict[int, int] = {}
    together = threading.Barrier(2)

    def work(n: int) -> None:
        with mg.profile() as p:
            together.wait(timeout=30)
            for _ in range(n):
                mg.ones(3) + 1.0
        counts[n] = p.ops()[0].calls

    threads = [threading.Thread(target=work, args=(n,)) for n in (20, 30)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert counts == {20: 20, 30: 30}
    assert not tracemalloc.is_tracing()


def test_no_grad_and_anomaly_mode_work_under_it() -> None:
    x = mg.tensor([1.0, 0.0], requires_grad=True)
    with mg.profile() as p, mg.no_grad():
        y = x * 2.0
    assert not y.requires_grad
    assert p.ops()[0].calls == 1
    with mg.profile() as p, mg.detect_anomaly(), pytest.raises(mg.AnomalyError, match="log made 1"):
        mg.log(x)
    assert [e.name for e in p.events] == ["log"]
    with mg.detect_anomaly(), mg.profile() as p, pytest.raises(mg.AnomalyError, match="log made 1"):
        mg.log(x)
    assert [e.name for e in p.events] == ["log"]


def test_results_are_the_same_under_it() -> None:
    x, v = batch(), cotangent()
    grads = []
    for profile in (False, True):
        mg.manual_seed(0)
        net = Net()
        if profile:
            with mg.profile():
                net(x).backward(v)
        else:
            net(x).backward(v)
        grads.append([p.grad.numpy() for p in net.parameters() if p.grad is not None])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_array_equal(a, b)


def test_hooks_of_modules_run_under_it() -> None:
    layer = nn.Linear(F, H)
    layer.register_forward_hook(lambda module, args, y: y * 2.0)
    x = batch()
    with mg.profile() as p:
        y = layer(x)
    np.testing.assert_array_equal(y.detach().numpy(), layer(x).detach().numpy())
    assert {r.name: r.calls for r in p.ops()} == {"linear": 1, "mul": 1}
    assert [e.module for e in p.events] == ["Linear"] * 3


# ---- the table ------------------------------------------------------------------------------


def test_the_times_add_up() -> None:
    p = profiled(steps=2)
    own = sum(r.time for r in p.ops())
    assert 0 < own < p.seconds
    assert all(e.own >= 0 for e in p.events)
    text = p.table()
    assert text == str(p)
    rows = [line.split() for line in text.splitlines()]
    (outside,) = [float(r[2]) for r in rows if r[:2] == ["outside", "ops"]]
    assert outside == pytest.approx((p.seconds - own) * 1e3, abs=2e-3)


def test_the_order_of_the_rows_and_their_number() -> None:
    p = profiled()
    for order in ("time", "forward", "backward", "bytes", "peak"):
        values = [getattr(r, order) for r in p.ops(sort_by=order)]
        assert values == sorted(values, reverse=True)
    names = [r.name for r in p.modules(sort_by="name")]
    assert names == sorted(names)
    assert p.ops(sort_by="calls")[0].name == "linear"
    text = p.table(sort_by="name", limit=2)
    assert "... and 2 more" in text
    assert "layer_norm" in text
    assert "relu" not in text
    with pytest.raises(ValueError, match=r"sort_by is one of time, .*not 'speed'"):
        p.table(sort_by="speed")
    with pytest.raises(ValueError, match="at least 1, not 0"):
        p.table(limit=0)


def test_spans() -> None:
    with mg.profile() as p:
        for _ in range(2):
            with p.span("update"):
                mg.ones(3) + 1.0
    lines = p.table().splitlines()
    (row,) = [line.split() for line in lines if line.startswith("update")]
    assert row[1] == "2"
    assert [e.name for e in p.events if e.kind == "span"] == ["update"] * 2
    with pytest.raises(RuntimeError, match="outside the block"), p.span("late"):
        pass


def test_a_profile_is_for_one_block() -> None:
    p = mg.profile()
    assert p.events == []
    with p:
        with pytest.raises(RuntimeError, match="inside a profile"), mg.profile():
            pass
        mg.ones(3) + 1.0
    assert len(p.events) == 1
    with pytest.raises(RuntimeError, match="has its block"), p:
        pass
    with pytest.raises(TypeError, match="memory is True or False"):
        mg.profile(memory=1)  # type: ignore[arg-type]


# ---- the trace ------------------------------------------------------------------------------


def test_the_trace_is_json_whose_events_nest(tmp_path: Path) -> None:
    p = profiled(steps=2)
    target = tmp_path / "step.json"
    p.trace(target)
    trace = json.loads(target.read_text(encoding="utf-8"))
    events = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    assert len(events) == len(p.events)
    assert [e["ph"] for e in trace["traceEvents"] if e["ph"] != "X"] == ["M"]
    kinds = {e["cat"] for e in events}
    assert kinds == {"forward", "backward", "module", "pass"}
    running: list[Any] = []
    slack = 1e-6  # microseconds; the clock counts 1e-3
    depth = 0
    for e in events:  # in order of their starts, the longer first
        assert e["dur"] >= 0
        while running and running[-1]["ts"] + running[-1]["dur"] <= e["ts"] + slack:
            running.pop()
        if running:
            assert e["ts"] + e["dur"] <= running[-1]["ts"] + running[-1]["dur"] + slack
        running.append(e)
        depth = max(depth, len(running))
    assert depth == 4  # Net, a block, a linear layer, its op
    inner = [e for e in events if e["cat"] == "forward" and e["name"] == "relu"]
    assert {e["args"]["module"] for e in inner} == {"Net.blocks.0", "Net.blocks.1"}
    assert all(e["args"]["bytes"] == 2 * N * H * FLOAT for e in inner)


def test_a_trace_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    p = profiled()
    with pytest.raises(FileNotFoundError, match="does not exist; make it first"):
        p.trace(tmp_path / "none" / "step.json")


def captured_step() -> Any:
    """Return a captured training step with its batch, recorded and replayed once."""
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(F, H), nn.ReLU(), nn.Linear(H, 3))
    updates = optim.Adam(net.parameters())
    target = mg.tensor([0, 1, 2, 1, 0])

    @mg.capture
    def step(x: mg.Tensor, target: mg.Tensor) -> mg.Tensor:
        updates.zero_grad()
        loss = nn.functional.cross_entropy(net(x), target)
        loss.backward()
        updates.step()
        return loss

    def run() -> float:
        return step(batch(), target).item()

    for _ in range(2):
        run()
    return step, run


def test_a_replay_is_seen_by_the_lines_of_its_program() -> None:
    step, run = captured_step()
    with mg.profile() as p:
        for _ in range(3):
            run()
    program = step.programs[-1]
    assert len(step.programs) == 1
    assert p.ops() == []
    rows = p.instructions(sort_by="name")
    costs = program.cost().lines
    early = [i for i, instr in enumerate(program.instrs) if instr.prologue]
    late = [i for i in range(len(program)) if i not in early]
    assert early
    assert [row.name for row in rows] == [f"step {i:3} {costs[i].name}" for i in late]
    assert [row.bytes for row in rows] == [3 * costs[i].nbytes for i in late]
    assert {row.calls for row in rows} == {3}
    whole = [e for e in p.events if e.kind == "replay"]
    assert [e.name for e in whole] == ["step"] * 3
    inside = sum(e.duration for e in p.events if e.kind == "instruction")
    assert 0 < inside < sum(e.duration for e in whole)
    text = p.table(limit=2)
    assert "captured instruction" in text
    assert f"... and {len(rows) - 2} more" in text


def test_a_fused_group_goes_by_the_names_in_it() -> None:
    @mg.capture
    def wave(x: mg.Tensor) -> mg.Tensor:
        return ((x * 1.5 + 0.25).tanh() * 2).exp()

    x = mg.tensor(np.random.default_rng(0).standard_normal(1 << 17).astype(np.float32))
    wave(x)
    with mg.profile() as p:
        y = wave(x)
    (row,) = p.instructions()
    assert row.name == "wave   0 5 on each tile: 2 multiply, add, tanh, exp"
    assert row.bytes == x.nbytes + y.nbytes  # what is between never leaves the cache
    (unfused,) = (mg.capture(wave.__wrapped__, passes=[]),)
    unfused(x)
    with mg.profile() as p:
        unfused(x)
    assert sum(row.bytes for row in p.instructions()) > 9 * x.nbytes


def test_the_trace_has_the_lines_inside_their_replay(tmp_path: Path) -> None:
    step, run = captured_step()
    with mg.profile(memory=False) as p:
        run()
    p.trace(tmp_path / "replay.json")
    events = json.loads((tmp_path / "replay.json").read_bytes())["traceEvents"]
    (whole,) = [e for e in events if e.get("cat") == "replay"]
    lines = [e for e in events if e.get("cat") == "instruction"]
    assert len(lines) == sum(not instr.prologue for instr in step.programs[-1].instrs)
    end = whole["ts"] + whole["dur"]
    assert all(whole["ts"] <= e["ts"] and e["ts"] + e["dur"] <= end + 1e-3 for e in lines)


def test_a_replay_under_it_does_the_same_and_leaves_the_mode() -> None:
    _, seen = captured_step()
    _, unseen = captured_step()
    with mg.profile():
        found = [seen() for _ in range(4)]
    assert MODE.get().scope is None
    assert found == [unseen() for _ in range(4)]
    assert seen() == unseen()


def test_an_exception_in_a_replay_ends_its_line() -> None:
    w = batch().requires_grad_()

    @mg.capture
    def step(x: mg.Tensor) -> None:
        w.grad = None
        (w * x).sum().backward()
        nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True)

    for _ in range(2):
        step(batch())
    with mg.profile() as p:
        scope = MODE.get().scope
        with pytest.raises(RuntimeError, match="norm"):
            step(batch() * float("nan"))
        assert MODE.get().scope is scope
    kinds = [e.kind for e in p.events]
    assert kinds[-2:] == ["instruction", "replay"]


def test_without_a_profile_a_replay_is_the_program_itself() -> None:
    step, run = captured_step()
    program = step.programs[-1]
    assert "tell" not in program.source
    run()
    assert program._telling is None
    with mg.profile():
        run()
    assert program._telling is not None
