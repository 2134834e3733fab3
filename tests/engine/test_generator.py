"""Random numbers: one seed, one stream, and a state that can be saved as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import minigrad as mg


def test_same_seed_same_numbers() -> None:
    mg.manual_seed(7)
    a = mg.randn(5).tolist()
    mg.manual_seed(7)
    assert mg.randn(5).tolist() == a
    assert mg.randn(5).tolist() != a


def test_own_generator_leaves_the_default_one_alone() -> None:
    mg.manual_seed(7)
    a = mg.rand(3).tolist()
    mg.manual_seed(7)
    mg.rand(100, generator=mg.Generator(1))
    assert mg.rand(3).tolist() == a


def test_state_goes_through_json() -> None:
    g = mg.Generator(3)
    mg.randn(7, generator=g)
    mg.randint(0, 10, (3,), generator=g)  # leaves half a word over
    text = json.dumps(g.get_state())
    wanted = [mg.randint(0, 10, (5,), generator=g).tolist(), mg.randn(5, generator=g).tolist()]
    other = mg.Generator(99)
    other.set_state(json.loads(text))
    assert other.initial_seed() == 3
    assert [
        mg.randint(0, 10, (5,), generator=other).tolist(),
        mg.randn(5, generator=other).tolist(),
    ] == wanted


def test_state_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not a state of minigrad\.Generator"):
        mg.Generator(0).set_state({"bit_generator": "PCG64", "words": [1, 2, 3, 4]})


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True])
def test_bad_seed(seed: object) -> None:
    with pytest.raises(ValueError, match="seed must be an int that is not negative"):
        mg.manual_seed(seed)  # type: ignore[arg-type]


def test_unseeded_generators_differ() -> None:
    assert (
        mg.rand(4, generator=mg.Generator()).tolist()
        != mg.rand(4, generator=mg.Generator()).tolist()
    )


def test_same_numbers_in_another_process_with_another_hash_seed() -> None:
    code = (
        "import minigrad as mg; mg.manual_seed(5); "
        "print(mg.randn(3).tolist(), mg.randperm(9).tolist())"
    )
    mg.manual_seed(5)
    wanted = f"{mg.randn(3).tolist()} {mg.randperm(9).tolist()}"
    for hash_seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={
                **os.environ,
                "PYTHONHASHSEED": hash_seed,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )
        assert done.stdout.strip() == wanted
