"""Run the tests that depend on a seed with many of them: ``python tests/seeds.py --count 20``.

Two seeds decide what a run of pytest does: hypothesis's, which draws the examples, and Python's
hash seed, which orders sets of strings. CI fixes both, so that a failure is never a surprise; this
command varies both, so that no test owes its success to them. Run K has the seed K for both, which
reproduces a failure by itself:

    PYTHONHASHSEED=K HYPOTHESIS_PROFILE=seeds python -m pytest --hypothesis-seed=K FILE
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parent
# Besides the tests that use hypothesis: the engine and the mutation clock keep sets and dicts.
ALSO = ("engine", "ops/test_refusals.py", "packaging/test_imports.py")
# These fix their own random numbers, and are many.
WITHOUT = "not planted"


def sensitive() -> list[Path]:
    """Return the tests that depend on one of the seeds: files, and folders of them."""
    also = [TESTS / name for name in ALSO]
    drawing = [
        path
        for path in sorted(TESTS.rglob("test_*.py"))
        if re.search(r"^(from|import) hypothesis\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    return also + [p for p in drawing if not any(p.is_relative_to(a) for a in also)]


def counts(summary: str) -> dict[str, int]:
    """Return how many tests passed, failed and so on, from pytest's last line.

    Examples
    --------
    >>> counts("1 failed, 20 passed, 2 errors in 3.21s")
    {'failed': 1, 'passed': 20, 'error': 2}
    """
    found = re.findall(r"(\d+) (failed|passed|skipped|error)", summary)
    return {name: int(number) for number, name in found}


def run(seed: int, paths: Iterable[Path], words: Sequence[str]) -> tuple[dict[str, int], str]:
    """Run pytest once; return its counts and, if it failed, what it printed."""
    path = os.pathsep.join(p for p in (str(TESTS.parent), os.environ.get("PYTHONPATH")) if p)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"]
    command += [f"--hypothesis-seed={seed}", "-m", "not slow", "-k", WITHOUT, *words]
    done = subprocess.run(
        [*command, *map(str, paths)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=TESTS.parent,
        env={
            **os.environ,
            "PYTHONPATH": path,
            "PYTHONHASHSEED": str(seed),
            "HYPOTHESIS_PROFILE": "seeds",
        },
        check=False,
    )
    lines = done.stdout.strip().splitlines() or [""]
    return counts(lines[-1]), "" if done.returncode == 0 else done.stdout + done.stderr


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all, print a line for each, and return 1 if any failed."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="Words after -- go to pytest."
    )
    parser.add_argument("--count", type=int, default=20, help="how many seeds (20)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("paths", nargs="*", type=Path, help="tests to run instead of the usual")
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    options = parser.parse_args(given[:cut])
    if options.count < 1 or options.first < 0:
        parser.error("--count must be 1 or more, and --first 0 or more")
    paths = [path.resolve() for path in options.paths] or sensitive()
    print("seed  passed  failed  skipped  seconds", flush=True)
    failures = 0
    for seed in range(options.first, options.first + options.count):
        start = time.perf_counter()
        found, output = run(seed, paths, given[cut + 1 :])
        failed = found.get("failed", 0) + found.get("error", 0)
        seconds = time.perf_counter() - start
        print(
            f"{seed:4}  {found.get('passed', 0):6}  {failed:6}  {found.get('skipped', 0):7}  "
            f"{seconds:7.1f}",
            flush=True,
        )
        if output:
            failures += 1
            print(output, flush=True)
    print(f"{options.count - failures} of {options.count} seeds passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
