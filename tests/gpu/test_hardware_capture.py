"""capture on a GPU: CUDA graphs, sums that end chains, and that a step never waits. By ``-m gpu``.

On the CPU stand-in, which has no graphs, the statement that says so is what is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.checks import host
from support.gpu_report import emulated

import minigrad as mg
from minigrad import nn, optim
from minigrad.backend import gpu_problem

PROBLEM = gpu_problem()
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(PROBLEM is not None, reason=f"needs a CUDA GPU: {PROBLEM}"),
]
Figure = Callable[[str, Any], None]


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(8 * 64, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 10),
    )  # fmt: skip


def training() -> tuple[nn.Module, Callable[[Any, Any], Any]]:
    mg.manual_seed(0)
    model = network().to("cuda")
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)

    def step(x: Any, target: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return model, step


def batches(count: int) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(1)
    return [
        (
            mg.tensor(rng.standard_normal((16, 3, 16, 16)).astype(np.float32), device="cuda"),
            mg.tensor(rng.integers(0, 10, 16), device="cuda"),
        )
        for _ in range(count)
    ]


def test_graphs_leave_what_calls_leave(figure: Figure) -> None:
    """Eager, captured and captured with graphs, 20 steps, amid other work on the device."""
    results, statement = {}, ""
    for name in ("eager", "captured", "graphs"):
        model, step = training()
        run = step if name == "eager" else mg.capture(step, graph=name == "graphs")
        losses = []
        for batch in batches(20):
            losses.append(run(*batch).item())
            mg.ones(1000, 100, device="cuda").exp()  # memory that a graph must not write to
        results[name] = [np.array(losses), *(host(v) for v in model.state_dict().values())]
        if name == "graphs":
            statement = str(run.programs[-1].graphs)
    figure("what of a captured step is a CUDA graph", statement.splitlines())
    for name in ("captured", "graphs"):
        off = max(
            float(np.abs(a - b).max() / (np.abs(b).max() + 1e-30))
            for a, b in zip(results[name], results["eager"], strict=True)
        )
        figure(f"20 steps, {name} beside eager: largest distance, relative", off)
        assert off < 1e-3
    if emulated():
        assert "no CUDA graph" in statement
    else:
        assert "calls: a CUDA graph" in statement
        assert "no CUDA graph" not in statement


def test_a_sum_that_ends_a_chain_is_the_librarys(figure: Figure) -> None:
    """Its order may be another one; the limit is that of a sum in float32."""
    rng = np.random.default_rng(0)
    replay = mg.capture(lambda x: ((x * 1.5).tanh() * x).sum(dim=1))
    worst = 0.0
    for _ in range(3):
        x = rng.standard_normal((7, 100_003 if not emulated() else 1003)).astype(np.float32)
        found = host(replay(mg.tensor(x, device="cuda")))
        v = np.tanh(1.5 * x.astype(np.float64)) * x
        unit = np.abs(v).sum(axis=1) * 2.0**-24
        worst = max(worst, float((np.abs(found - v.sum(axis=1)) / unit).max()))
    figure("sum that ends a chain: error in units of 2^-24 of the sum of absolute values", worst)
    assert worst < 64


@pytest.mark.skipif(emulated(), reason="a CPU stand-in captures no stream")
def test_an_eager_step_can_be_captured_by_cuda_itself() -> None:
    """CUDA refuses to capture a stream on which the host waits: an eager step never does."""
    import cupy as cp

    _, step = training()
    (x, target), *_ = batches(1)
    stream, pool = cp.cuda.Stream(non_blocking=True), cp.cuda.MemoryPool()
    with cp.cuda.using_allocator(pool.malloc), stream:
        for _ in range(3):
            step(x, target)
        stream.synchronize()
        stream.begin_capture()
        try:
            step(x, target)
        finally:
            graph = stream.end_capture()
        graph.launch(stream)
        stream.synchronize()
