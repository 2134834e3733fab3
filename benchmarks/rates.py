"""What this machine can do, measured for the floors: its best large product, and its best copy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.clock import run_for
from benchmarks.process import Process

SIDE = 1024  # of the square product: large, and short enough for many tries
BUFFER = 1 << 23  # bytes: larger than a core's own cache
COPIES = 4  # one after the other, so that handing the work to a thread costs little of it


@dataclass(frozen=True)
class Rates:
    """Per second: float32 operations of a product, and bytes read plus written by a copy."""

    flops: float
    bytes: float

    def __str__(self) -> str:
        return f"{self.flops / 1e9:.0f} GFLOP/s (sgemm), {self.bytes / 1e9:.1f} GB/s (copies)"


def server(threads: int) -> Callable[[Any], Any]:
    """Return what measures, with a side for the product and seconds for each measurement."""

    def measure(request: dict[str, Any]) -> dict[str, float]:
        side, seconds = request["side"], request["seconds"]
        rng = np.random.default_rng(0)
        a, b = rng.random((2, side, side), np.float32)
        out = np.empty_like(a)
        product = min(run_for(lambda: np.matmul(a, b, out), seconds))
        pairs = [np.ones((2, request["buffer"] // 4), np.float32) for _ in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            copy = min(run_for(lambda: list(pool.map(_copy, pairs)), seconds))
        moved = COPIES * 2 * request["buffer"] * threads
        return {"flops": 2 * side**3 / product, "bytes": moved / copy}

    return measure


def _copy(pair: np.ndarray) -> None:
    for _ in range(COPIES):
        np.copyto(pair[1], pair[0])


def measure(threads: int, side: int = SIDE, seconds: float = 2.0, buffer: int = BUFFER) -> Rates:
    """Return the rates of a fresh process with so many threads; the best of many tries."""
    with Process("benchmarks.rates:server", threads, threads=threads) as process:
        found = process.ask({"side": side, "seconds": seconds, "buffer": buffer})
    return Rates(found["flops"], found["bytes"])
