"""What the tests marked ``gpu`` found on a device, in a dated file that README can quote.

``pytest -m gpu`` on a machine with a GPU writes ``gpu-results/gpu-DATE.json``: the device, the
versions, how many tests passed, failed and were skipped, and the figures that tests recorded with
the fixture ``figure``. On the CPU stand-in a file is written only where ``MINIGRAD_GPU_RESULTS``
names one, and it says that nothing ran on a GPU.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.backend import gpu_problem
from minigrad.io.atomic import write_atomic

VARIABLE = "MINIGRAD_GPU_RESULTS"


def emulated() -> bool:
    """Whether CuPy runs on the CPU stand-in; it says so once CuPy is imported."""
    return gpu_problem() is None and os.environ.get("CUPY_ON_CPU") == "1"


def device() -> dict[str, Any]:
    """Return what is known of the device."""
    import cupy as cp

    runtime = cp.cuda.runtime
    properties = runtime.getDeviceProperties(0)
    name = properties["name"].decode()
    return {
        "name": f"{name} (a CPU stand-in: nothing ran on a GPU)" if emulated() else name,
        "memory_bytes": int(properties["totalGlobalMem"]),
        "compute_capability": f"{properties['major']}.{properties['minor']}",
        "devices": runtime.getDeviceCount(),
        "driver": runtime.driverGetVersion(),
        "runtime": runtime.runtimeGetVersion(),
        "cupy": cp.__version__,
    }


def report(outcomes: Iterable[str], figures: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return the content of the file."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": device(),
        "minigrad": mg.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "tests": dict(sorted(Counter(outcomes).items())),
        "seconds": round(seconds, 1),
        "figures": figures,
    }


def write(root: Path, outcomes: list[str], figures: dict[str, Any], seconds: float) -> Path | None:
    """Write the file, if tests ran on a device; return where, or None."""
    named = os.environ.get(VARIABLE)
    if set(outcomes) <= {"skipped"} or gpu_problem() is not None or (emulated() and not named):
        return None
    content = report(outcomes, figures, seconds)
    day = content["date"].partition("T")[0]
    path = Path(named) if named else root / "gpu-results" / f"gpu-{day}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, (json.dumps(content, indent=1) + "\n").encode())
    return path
