"""Same seed, same bits: across processes, hash seeds and BLAS threads, as far as it is promised.

Promised: a seed, a machine, the same versions and the same number of BLAS threads give the same
bits, in any process and under any PYTHONHASHSEED. With another number of BLAS threads a matrix
product may add up in another order, so that results agree to rounding only; nothing else in
minigrad depends on the number of threads.
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

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import hashlib, json, sys
import numpy as np
import minigrad as mg
from minigrad import nn

seed, width = int(sys.argv[1]), int(sys.argv[2])
mg.manual_seed(seed)
x = mg.randn(width, 20)
target = mg.randint(0, 5, (width,))
model = nn.Sequential(nn.Linear(20, width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 5))
optimiser = mg.optim.Adam(model.parameters(), lr=0.01)
losses = []
for epoch in range(3):
    order = mg.randperm(len(x))
    for i in range(0, len(x), 32):
        rows = order[i : i + 32]
        loss = nn.functional.cross_entropy(model(x[rows]), target[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
state = {name: p.detach().numpy() for name, p in sorted(model.named_parameters())}
digest = hashlib.sha256()
for name, value in state.items():
    digest.update(name.encode() + value.tobytes())
first = [float(v) for v in state["0.weight"].ravel()[:50]]
print(json.dumps({"sha256": digest.hexdigest(), "losses": losses, "first": first}))
"""


def train(seed: int, width: int = 64, **variables: str) -> dict[str, Any]:
    """Train a small net with dropout, shuffling and Adam in a process of its own."""
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(seed), str(width)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path, **variables},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def with_threads(count: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return dict.fromkeys(names, str(count))


@pytest.mark.slow
def test_same_seed_same_bits_in_any_process_under_any_hash_seed() -> None:
    runs = [train(7, PYTHONHASHSEED=hash_seed) for hash_seed in ("0", "1", "4294967295")]
    assert len({run["sha256"] for run in runs}) == 1
    assert runs[0]["losses"] == runs[1]["losses"] == runs[2]["losses"]
    assert runs[0]["losses"][-1] < runs[0]["losses"][0]
    assert train(8, PYTHONHASHSEED="0")["sha256"] != runs[0]["sha256"]


@pytest.mark.slow
def test_blas_threads_change_rounding_at_most() -> None:
    """Wide enough for BLAS to share out the products: the bits may differ then, the result not."""
    one, again, two = (train(7, 512, **with_threads(n)) for n in (1, 1, 2))
    assert one["sha256"] == again["sha256"]
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=1e-3)
    np.testing.assert_allclose(two["first"], one["first"], rtol=1e-2, atol=1e-3)


@pytest.mark.slow
def test_the_same_bits_with_two_blas_threads_twice() -> None:
    runs = [train(7, 512, **with_threads(2)) for _ in range(2)]
    assert runs[0]["sha256"] == runs[1]["sha256"]
