"""Interleaved timing: one process for each framework, taking turns, so that drift hits all alike.

A worker builds its workload, reports the values of its first steps (parity is checked before any
time is believed), and then runs steps for as long as it is told, again and again.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

PARITY_STEPS = 4
GAP = 0.2  # seconds between turns: a BLAS helper thread may spin on after its last product


def thread_environment(threads: int) -> dict[str, str]:
    """Return the environment of a worker: the same number of threads for every library."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONUTF8": "1"}


@dataclass
class Worker:
    """A process that runs one workload in one framework."""

    workload: str
    framework: str
    threads: int
    seconds: list[float] = field(default_factory=list)

    def start(self) -> list[float]:
        """Start the process; return the values of its first steps."""
        command = [sys.executable, "-m", "benchmarks", "worker", self.workload, self.framework]
        self.process = subprocess.Popen(
            [*command, str(self.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=thread_environment(self.threads),
        )
        return self._read()

    def turn(self, seconds: float) -> None:
        """Let it run steps for a while, and keep their times."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        self.seconds += self._read()

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def _read(self) -> list[float]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the worker {self.workload}/{self.framework} ended without a result")
        return json.loads(line)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def installed(framework: str) -> bool:
    """Say whether a framework can be measured here."""
    return importlib.util.find_spec(framework) is not None


def serve(workload: str, framework: str, threads: int) -> None:
    """Be a worker (runs in the process that `Worker.start` makes)."""
    if framework == "torch":
        import torch

        torch.set_num_threads(threads)
    module = importlib.import_module(f"benchmarks.workloads.{workload}")
    step = getattr(module, f"{framework}_step")()
    print(json.dumps([float(step()) for _ in range(PARITY_STEPS)]), flush=True)
    for line in sys.stdin:
        end = time.perf_counter() + float(line)
        times = []
        while True:
            start = time.perf_counter()
            step()
            now = time.perf_counter()
            times.append(now - start)
            if now >= end:
                break
        print(json.dumps(times), flush=True)


def compare(
    workload: str, frameworks: list[str], *, threads: int, rounds: int, seconds: float
) -> dict[str, float]:
    """Measure one workload; return the median seconds of a step by framework.

    Raises
    ------
    SystemExit
        The frameworks' first values differ: they do not compute the same.
    """
    module = importlib.import_module(f"benchmarks.workloads.{workload}")
    workers = [Worker(workload, f, threads) for f in frameworks if hasattr(module, f"{f}_step")]
    try:
        values = [w.start() for w in workers]
        for w, v in zip(workers, values, strict=True):
            worst = max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(v, values[0], strict=True))
            if worst > module.PARITY:
                raise SystemExit(
                    f"{workload}: {w.framework} computes {v}, {workers[0].framework} {values[0]}"
                )
        for _ in range(rounds):
            for w in workers:
                w.turn(seconds)
                time.sleep(GAP)
    finally:
        for w in workers:
            w.stop()
    return {w.framework: w.median for w in workers}
