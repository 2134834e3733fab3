"""Does the network of lesson 9 learn as well in minigrad as in torch? Same data, same settings.

Weights, order and dropout are drawn from each framework's own numbers, by the same laws: single
runs differ, and what is compared is the mean over seeds. Every run has a process of its own.
"""

from __future__ import annotations

import importlib.util
import math
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from benchmarks.process import installed, thread_environment

LIMIT = 0.4  # percentage points that the means may differ by
LESSON = Path(__file__).resolve().parents[1] / "lessons" / "09_digits.py"


@dataclass(frozen=True)
class Result:
    """One run: the test accuracy at its end, and the seconds of training."""

    accuracy: float
    seconds: float


def lesson() -> ModuleType:
    """Import lesson 9 from its file; nothing is run by it."""
    spec = importlib.util.spec_from_file_location("lesson_09_digits", LESSON)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def minigrad_run(data: str, seed: int, epochs: int | None, threads: int) -> Result:
    """Train once with minigrad (its threads were set when the process began)."""
    import minigrad as mg

    digits = lesson()
    task = digits.load(data, offline=True)
    settings = replace(task.settings, epochs=epochs or task.settings.epochs)
    mg.manual_seed(seed)
    model = digits.build(task.pixels)
    history = digits.train(model, task, settings, show=False)
    return Result(history.accuracies[-1], sum(history.seconds))


def torch_run(data: str, seed: int, epochs: int | None, threads: int) -> Result:
    """Train once with torch, in the lesson's words as far as torch has them."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    digits = lesson()
    task = digits.load(data, offline=True)
    settings = replace(task.settings, epochs=epochs or task.settings.epochs)
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(task.pixels, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(64, 10),
    )
    loss_function = nn.CrossEntropyLoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=settings.lr, momentum=settings.momentum)
    n = len(task.train_y)
    seconds = 0.0
    for _ in range(settings.epochs):
        start = time.perf_counter()
        order = torch.randperm(n).numpy()
        for first in range(0, n, settings.batch):
            chosen = order[first : first + settings.batch]
            x = torch.tensor(digits.normalise(task.train_x[chosen], task.pixel_max))
            y = torch.tensor(task.train_y[chosen])
            optimiser.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimiser.step()
            if not math.isfinite(loss.item()):
                raise FloatingPointError(f"the loss became {loss.item()}")
        seconds += time.perf_counter() - start
    model.eval()
    with torch.no_grad():
        found = model(torch.tensor(digits.normalise(task.test_x, task.pixel_max))).argmax(1)
    return Result(float((found.numpy() == task.test_y).mean()), seconds)


RUNS = {"minigrad": minigrad_run, "torch": torch_run}


def measure(
    data: str = "mnist", seeds: int = 3, epochs: int | None = None, threads: int = 1
) -> dict[str, list[Result]]:
    """Train with both frameworks, taking turns, once for each seed.

    Parameters
    ----------
    data
        What lesson 9 calls it: digits, mnist or fashion.
    seeds
        The number of runs of each framework, with the seeds 0, 1, ...
    epochs
        Instead of the number that the lesson states for this data.
    threads
        Of each framework.
    """
    if not installed("torch"):
        raise SystemExit("torch is not installed here: there is nothing to compare with")
    from minigrad.data import DataNotFoundError

    try:
        lesson().load(data)  # found or downloaded once, before the processes look for it
    except DataNotFoundError as error:
        raise SystemExit(f"error: {error}") from None
    results: dict[str, list[Result]] = {name: [] for name in RUNS}
    # The threads of BLAS are set by the environment that a new process starts in.
    with (
        patch.dict("os.environ", thread_environment(threads)),
        ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool,
    ):
        for seed in range(seeds):
            for name, run in RUNS.items():
                results[name].append(pool.submit(run, data, seed, epochs, threads).result())
    return results


def report(results: dict[str, list[Result]]) -> float:
    """Print all runs and their means; return minigrad's mean less torch's, in points."""
    print("test accuracy, % (seconds of training)")
    print(f"{'seed':6}" + "".join(f"{name:>20}" for name in results))
    for seed, row in enumerate(zip(*results.values(), strict=True)):
        cells = "".join(f"{100 * r.accuracy:12.2f} ({r.seconds:5.1f})" for r in row)
        print(f"{seed:<6}{cells}")
    means = {
        name: (
            100 * statistics.mean(r.accuracy for r in rows),
            statistics.median(r.seconds for r in rows),
        )
        for name, rows in results.items()
    }
    print("mean, median of the seconds")
    print("      " + "".join(f"{a:12.2f} ({s:5.1f})" for a, s in means.values()))
    difference = means["minigrad"][0] - means["torch"][0]
    print(f"minigrad - torch: {difference:+.2f} points (limit {LIMIT})")
    return difference
