"""What does ``import minigrad`` cost beside ``import numpy``? Fresh interpreters, taking turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time


def measure(rounds: int = 15) -> dict[str, float]:
    """Return the median milliseconds of a fresh interpreter that imports each."""
    statements = {"python alone": "pass", "numpy": "import numpy", "minigrad": "import minigrad"}
    # compiled modules are kept, as they are wherever a package is installed
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(rounds + 1):
        for name, statement in statements.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(t[1:]) for name, t in times.items()}
