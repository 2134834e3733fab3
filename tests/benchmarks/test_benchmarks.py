"""The benchmarks measure what they say: values agree, counts are right, results are shown whole.

No time is ever asserted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import growth, harness, memory, op_calls, op_sweep, rates, results, workload
from benchmarks.__main__ import main, parser
from benchmarks.clock import quartiles, run_for
from benchmarks.cost import Cost
from benchmarks.process import Failed, Process, installed
from minigrad.backend.blas import blas_threads

ROOT = Path(__file__).resolve().parents[2]
PEERS = (
    "captured", "torch", "torch-inference", "numpy", "autograd", "jax", "mygrad",
)  # fmt: skip
PAIRS = [
    (name, contender)
    for name in workload.names()
    for contender in workload.load(name).contenders
    if contender != "minigrad"
]


def test_the_workloads_are_w1_to_w10() -> None:
    labels = [workload.load(name).label for name in workload.names()]
    assert labels == [f"W{i}" for i in range(1, 11)]
    assert {c for _, c in PAIRS} == set(PEERS)
    for name in ("iris_mlp", "mnist_mlp", "wide_mlp", "cnn"):
        assert "numpy" in workload.load(name).contenders


def steps(name: str, contender: str, threads: int = 1) -> list[float]:
    made = workload.load(name)
    own = {"threads": threads} if contender in made.own_threads else {}
    step = made.contenders[contender](**{**made.small, **made.parity}, **own)
    return [float(step()) for _ in range(4)]


@pytest.mark.parametrize(("name", "contender"), PAIRS)
def test_contenders_compute_the_same(name: str, contender: str) -> None:
    if not installed(contender):
        pytest.skip(f"{contender} is not installed")
    made = workload.load(name)
    expected = steps(name, "minigrad")
    np.testing.assert_allclose(steps(name, contender), expected, rtol=made.tolerance)
    assert np.isfinite(expected).all()
    if name not in ("tanh_chain", "small_ops", "mobilenet", "minilm"):
        assert len(set(expected)) == 4  # they learn


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_written_out_cnn_does_not_depend_on_its_threads(threads: int) -> None:
    np.testing.assert_allclose(steps("cnn", "numpy", threads), steps("cnn", "minigrad"), rtol=2e-5)


def test_the_written_out_perceptron_drops_units_by_their_probability() -> None:
    made = workload.load("mnist_mlp")
    sizes = {**made.small, "widths": (20, 400, 4), "dropout": 0.5}
    kept = made.contenders["numpy"](**{**sizes, "dropout": 0.0})()
    losses = {made.contenders["numpy"](**sizes)() for _ in range(2)}
    assert len(losses) == 1  # its generator is seeded
    assert losses != {kept}
    assert losses.pop() == pytest.approx(kept, abs=0.5)


# Counted by hand, in MFLOP a step
FLOPS = {
    "iris_mlp": 0.9, "mnist_mlp": 45, "wide_mlp": 2450, "cnn": 2240, "transformer": 2620,
    "rnn": 183, "tanh_chain": 0, "small_ops": 0, "mobilenet": 600, "minilm": 680,
}  # fmt: skip


@pytest.mark.parametrize("name", workload.names())
def test_the_operations_counted_for_the_floor(name: str) -> None:
    made = workload.load(name)
    cost = made.cost(**harness._counted(made, "sizes"))
    assert cost.flops / 1e6 == pytest.approx(FLOPS[name], rel=0.02, abs=0.05)
    assert cost.bytes > 0
    assert cost.seconds(1e9, 1e9) == pytest.approx((cost.flops + cost.bytes) / 1e9)


def test_costs_add_up() -> None:
    assert (Cost(1, 2) + Cost(3, 4)) * 2 == Cost(8, 12)


def test_names_and_labels() -> None:
    assert workload.resolve(["W4", "iris_mlp", "w10"]) == ["cnn", "iris_mlp", "minilm"]
    assert workload.resolve([]) == workload.names()
    with pytest.raises(SystemExit, match="no workload 'W11'; there are: W1 iris_mlp, W2"):
        workload.resolve(["W11"])


# ---- processes ------------------------------------------------------------------------------


def test_a_comparison_in_processes() -> None:
    found = harness.compare(
        "small_ops", ["minigrad", "numpy"], threads=1, rounds=2, seconds=1e-4,
        rates=rates.Rates(1e9, 1e9), size="small",
    )  # fmt: skip
    assert list(found.seconds) == ["minigrad"]  # W8 has no written-out version
    assert len(found.seconds["minigrad"]) >= 2
    assert found.errors == {}
    assert found.floor == pytest.approx(3 * 20 * 1.5 * 10 * 4 / 1e9)


def test_wrong_values_and_failures_are_told_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, server: str, threads: int, /, **options: Any) -> None:
            self.name, self.turns = options["contender"], 0

        def ask(self, request: Any) -> Any:
            if self.name == "torch" and request == "values":
                raise Failed("ValueError: no")
            if request == "values":
                return [1.0, 2.0, 3.0, float("nan") if self.name == "jax" else 4.0]
            self.turns += 1
            if self.name == "autograd" and self.turns == 2:
                raise Failed("the process ended without an answer")
            return [0.5]

        def __enter__(self) -> Fake:
            return self

        def __exit__(self, *exc: object) -> None:
            pass

    monkeypatch.setattr(harness, "Process", Fake)
    monkeypatch.setattr(harness, "GAP", 0.0)
    found = harness.compare(
        "iris_mlp", ["minigrad", "torch", "jax", "mygrad", "autograd"],
        threads=1, rounds=3, seconds=1.0,
    )  # fmt: skip
    assert found.seconds == {"minigrad": [0.5] * 3, "mygrad": [0.5] * 3}
    assert found.errors["torch"] == "ValueError: no"
    assert found.errors["jax"].startswith("computes [1.0, 2.0, 3.0, nan] instead of [1.0")
    assert found.errors["autograd"] == "the process ended without an answer"
    text = results.block(found, ["torch"])
    assert "not measured: ValueError: no" in text


def test_a_process_tells_its_errors_and_goes_on() -> None:
    with Process(
        "benchmarks.memory:server", 1, workload="no", contender="a", threads=1, size="small"
    ) as p:
        for _ in range(2):
            with pytest.raises(Failed, match="ModuleNotFoundError"):
                p.ask(1)
    with Process("benchmarks.no_such:server", 1) as p, pytest.raises(Failed, match="no_such"):
        p.ask(1)
    with Process("os:_exit", 1, status=0) as p, pytest.raises(Failed, match="without an answer"):
        p.ask(1)


COUNTING = """
def server(contender):
    import numpy
    from minigrad import capture, get_num_threads, ones
    from minigrad.backend.blas import blas_threads

    def answer(request):
        run = capture(lambda x: x + 1)
        run(ones(2))
        return [get_num_threads(), run.programs[-1].threads, blas_threads()]

    return answer
"""


@pytest.mark.parametrize(
    ("contender", "ours"), [("minigrad", 2), ("captured", 2), ("captured@cuda", 2), ("numpy", 1)]
)
def test_a_process_has_the_threads_that_were_asked_for(
    contender: str, ours: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """minigrad and what it captures have as many as BLAS; elsewhere BLAS alone has them."""
    if blas_threads() is None:
        pytest.skip("NumPy's BLAS is none whose threads can be set")
    (tmp_path / "counting.py").write_text(COUNTING, encoding="utf-8")
    path = [str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    with Process("counting:server", 2, contender=contender) as process:
        found, replayed, blas = process.ask("threads")
    assert (found, replayed) == (ours, ours)
    assert blas == 2 or os.cpu_count() == 1


def test_rates_are_positive_and_shown() -> None:
    found = rates.measure(2, side=32, seconds=1e-3, buffer=4096)
    assert found.flops > 0
    assert found.bytes > 0
    assert str(rates.Rates(390e9, 50e9)) == "390 GFLOP/s (sgemm), 50.0 GB/s (copies)"


def test_peak_memory_sees_what_a_step_holds() -> None:
    found = memory.measure("small_ops", ["minigrad", "numpy"], 1, steps=1, size="small")
    assert list(found) == ["minigrad"]
    assert 1e7 < float(found["minigrad"]) < 1e9
    before = memory.peak_rss()
    held = np.ones(40_000_000, np.uint8)
    assert memory.peak_rss() >= before
    assert memory.peak_rss() >= held.nbytes
    text = memory.table({"minigrad": 100_000_000, "torch": 400_000_000, "jax": "no"}, ["torch"])
    assert text.splitlines()[1].split() == ["minigrad", "100.0", "0.25"]
    assert "not measured: no" in text


# ---- the clock, fits -----------------------------------------------------------------------


def test_run_for_runs_at_least_once() -> None:
    calls: list[int] = []
    times = run_for(lambda: calls.append(1), 0.0)
    assert len(times) == len(calls) == 1
    assert quartiles([3.0]) == (3.0, 3.0, 3.0)
    assert quartiles([4.0, 1.0, 2.0, 3.0, 5.0]) == (2.0, 3.0, 4.0)


def test_the_fitted_exponent_of_known_data() -> None:
    sizes = [64, 128, 256, 1024]
    found = growth.fit(sizes, [3e-6 * n**1.3 for n in sizes])
    assert found.exponent == pytest.approx(1.3, abs=1e-12)
    assert found.worst == pytest.approx(1, abs=1e-9)
    bent = growth.fit([1, 2, 4], [1.0, 2.2, 4.0])
    assert bent.exponent == pytest.approx(1.0, abs=1e-12)
    assert bent.worst == pytest.approx(1.1 ** (2 / 3), rel=1e-9)
    assert str(bent) == "exponent 1.000 (points within 7%)"
    for wrong in (([1], [1.0]), ([1, 2], [1.0, 0.0])):
        with pytest.raises(ValueError, match="a fit needs two sizes and positive times"):
            growth.fit(*wrong)


@pytest.mark.parametrize("case", growth.CASES)
def test_every_case_of_growth_can_be_built(case: str) -> None:
    made = growth.CASES[case]
    known = workload.load(made.workload)
    small = [made.sizes(v) for v in (2, 3)]
    counted = [
        known.cost(**{**harness._counted(known, "sizes"), **sizes}) for sizes in small
    ]  # fmt: skip
    assert counted[1].flops > counted[0].flops
    step = known.contenders["minigrad"](**{**known.small, **small[0]})
    assert np.isfinite(step())
    large = [known.cost(**{**harness._counted(known, "sizes"), **made.sizes(v * 4096)}).flops
             for v in (1, 2)] if made.what != "depth" else [1.0, 2.0]  # fmt: skip
    assert np.log2(large[1] / large[0]) == pytest.approx(made.arithmetic, abs=0.3)
    text = growth.block(case, {"minigrad": {1: 1.0, 2: 2.0}}, {"torch": "no"})
    assert "exponent 1.000" in text
    assert "not measured: no" in text


# ---- the sweep over ops --------------------------------------------------------------------


@pytest.mark.parametrize("n", [100, 5000])
def test_every_op_of_the_sweep_runs_and_scales(n: int) -> None:
    lib = op_sweep.library("minigrad")
    known = op_sweep.rows()
    assert len(known) > 180
    for name, row in known.items():
        call = op_calls.layout(row, n)
        assert call is not None
        values = op_calls.draw(lib, row, call)
        result = op_calls.invoke(row.function, row, call, values)
        outputs = result if isinstance(result, (tuple, list)) else [result]
        sizes = [t.numel() for t in (*values, *outputs) if hasattr(t, "numel")]
        assert name.startswith("linalg_") or n / 4 <= max(sizes) <= 70_000, name


def test_the_layouts_are_of_ops_that_exist() -> None:
    from minigrad.engine.op import TABLE

    op_sweep.library("minigrad")
    assert set(op_calls.layouts(100)) <= set(TABLE)


def test_the_ratios_of_a_sweep() -> None:
    sweep = op_sweep.Sweep([10])
    sweep.seconds["exp"] = {"minigrad": {10: [1.0, 4.0]}, "torch": {10: [2.0, 1.0]}}
    sweep.seconds["eq"] = {"minigrad": {10: [8.0]}, "torch": {10: [1.0]}}
    assert sweep.ratios("exp", 10) == [0.5, 4.0]
    assert sweep.ratios("eq", 10) == [8.0, None]
    assert sweep.mean(10, 0) == pytest.approx(2.0)
    assert op_sweep.line(sweep, "eq").split() == ["eq", "8.00", "-"]
    assert op_sweep.means(sweep).split() == ["geometric", "mean", "2.00", "4.00"]
    assert "10" in op_sweep.heads([10])


@pytest.mark.slow
def test_a_sweep_in_processes() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    lines: list[str] = []
    sweep = op_sweep.measure(
        ["exp", "sort", "alias"], [10], threads=1, rounds=1, seconds=0.0, show=lines.append
    )
    assert set(sweep.seconds) == {"exp", "sort"}
    assert sweep.left_out == {"alias": "torch has none of this name"}
    assert len(lines) == 3
    with pytest.raises(SystemExit, match="there is no op 'nothing'"):
        op_sweep.measure(["nothing"], [10], threads=1, rounds=1, seconds=0.0)


# ---- what is shown -------------------------------------------------------------------------


def fake() -> list[results.Result]:
    first = results.Result("W1", "iris_mlp", "a title", 1e-4)
    first.seconds = {
        "minigrad": [1e-3, 2e-3, 3e-3],
        "torch": [4e-3, 4e-3, 4e-3],
        "numpy": [0.5e-3],
    }
    second = results.Result("W8", "small_ops", "another")
    second.seconds = {"minigrad": [6e-3], "torch": [2e-3]}
    second.errors = {"jax": "no"}
    return [first, second]


def test_the_tables() -> None:
    first, second = fake()
    rows = [line.split() for line in results.block(first, ["torch", "jax"]).splitlines()]
    assert rows[0][-2:] == ["0.100", "ms"]
    assert rows[2] == ["minigrad", "1.500", "2.000", "2.500", "3", "0.50", "4.00", "20.0"]
    assert rows[3] == ["torch", "4.000", "4.000", "4.000", "3", "1.00", "8.00", "40.0"]
    assert "machine was busy" not in results.block(first, ["torch"])
    first.floor = 3e-3
    assert "machine was busy" in results.block(first, ["torch"])
    assert results.block(second, ["torch"]).splitlines()[-1].split() == [
        "jax", "not", "measured:", "no"
    ]  # fmt: skip
    lines = results.summary([first, second], "torch").splitlines()
    assert lines[1].split() == ["minigrad", "numpy"]
    assert [line.split() for line in lines[2:]] == [
        ["W1", "iris_mlp", "0.50", "0.12"],
        ["W8", "small_ops", "3.00", "-"],
    ]
    assert first.ratio("captured", "torch") is None


def test_the_json(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    results.write_json(str(target), results.record(fake(), 2, rates.Rates(2.0, 3.0)))
    found = json.loads(target.read_text(encoding="utf-8"))
    assert found["threads"] == 2
    assert found["rates"] == {"flops": 2.0, "bytes": 3.0}
    one = found["workloads"]["W1"]
    assert one["floor"] == 1e-4
    assert one["seconds"]["minigrad"] == {"q1": 1.5e-3, "median": 2e-3, "q3": 2.5e-3, "steps": 3}
    assert found["workloads"]["W8"]["errors"] == {"jax": "no"}
    assert found["machine"]["cores"] >= 1


def test_the_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    target = tmp_path / "ratios.svg"
    results.picture(fake(), "torch", 2, str(target))
    text = target.read_text(encoding="utf-8")
    for label in ("Below 1 is faster than torch", "W8", "minigrad", "computed floor"):
        assert f"<!-- {label}" in text
    with pytest.raises(SystemExit, match="nothing to draw"):
        results.picture(fake(), "mygrad", 2, str(target))


# ---- the command line ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--against", "tinygrad"], "no peer 'tinygrad'; there are: torch, torch-inference"),
        (["run", "--threads", "0"], "must be more than 0: 0"),
        (["accuracy", "--threads", "0"], "must be more than 0: 0"),
        (["run", "--rounds", "-1"], "must be more than 0: -1"),
        (["ops", "--sizes", "0"], "sizes are numbers from 1 on"),
        (["nothing"], "invalid choice: 'nothing'"),
        ([], "required: command"),
    ],
)
def test_errors_of_the_command_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_unknown_names_end_the_run() -> None:
    with pytest.raises(SystemExit, match="no workload 'W0'"):
        main(["run", "W0"])
    with pytest.raises(SystemExit, match="no case 'W0'; there are: W2-batch"):
        main(["growth", "W0"])


def test_the_sizes_and_peers_are_read() -> None:
    options = parser().parse_args(["ops", "exp", "--sizes", "1e2,3"])
    assert options.sizes == [100, 3]
    options = parser().parse_args(["run", "W1", "--against", "torch,jax"])
    assert options.against == ["torch", "jax"]
    assert parser().parse_args(["run", "--against", ""]).against == []


def test_list_names_all_in_a_process_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "list"],
        cwd=ROOT, check=True, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert [line.split()[0] for line in done.stdout.splitlines()] == [f"W{i}" for i in range(1, 11)]


def test_missing_peers_are_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import __main__ as command

    monkeypatch.setattr(command, "installed", lambda name: name in ("minigrad", "numpy"))
    assert command.contenders(["torch", "jax"]) == ["minigrad", "numpy"]
    out = capsys.readouterr().out
    assert "torch is not installed here and is left out" in out
    assert "mg.capture is not installed here" in out
