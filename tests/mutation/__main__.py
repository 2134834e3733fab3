"""Run the mutants of the derivative rules: ``python -m tests.mutation``, in the repository's root.

Every derivative rule of the op table is broken in every way that ``mutation.results`` and
``mutation.sources`` know, one at a time, and the checks of that op must fail. A survivor that is
not on the list in ``survivors.toml``, with its reason, makes the run fail.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

from mutation.report import table  # noqa: E402
from mutation.run import Record, all_mutants, complaints, run, sample  # noqa: E402


def main() -> int:
    """Parse the command line and run; the exit status is 1 where the list does not account."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("-k", "--only", default="", help="only mutants whose id has this in it")
    parser.add_argument("--sample", action="store_true", help="the sample of the default tests")
    parser.add_argument("--json", type=Path, help="write every mutant and what became of it here")
    parser.add_argument("--part", help=argparse.SUPPRESS)  # k/n, of a process of its own
    args = parser.parse_args()
    mutants = sample() if args.sample else all_mutants()
    mutants = [m for m in mutants if args.only in m.id]
    if args.part:
        part, parts = map(int, args.part.split("/"))
        args.json.write_text(json.dumps(run(mutants[part::parts])), encoding="utf-8")
        return 0
    start = time.perf_counter()
    records = run(mutants) if args.jobs == 1 else _spread(args.jobs)
    order = {m.id: i for i, m in enumerate(mutants)}
    records.sort(key=lambda r: order[r["id"]])
    print(table(records, time.perf_counter() - start))
    if args.json:
        args.json.write_text(json.dumps(records, indent=1), encoding="utf-8")
    wrong = complaints(records, whole=not (args.sample or args.only))
    print("\n".join(wrong), file=sys.stderr)
    return int(bool(wrong))


def _spread(jobs: int) -> list[Record]:
    """Run parts of the mutants in processes of their own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{i}.json") for i in range(jobs)]
        command = [sys.executable, str(Path(__file__).parent), *sys.argv[1:]]
        running = [
            subprocess.Popen(
                [*command, "--part", f"{i}/{jobs}", "--json", str(file)], env=environment
            )
            for i, file in enumerate(files)
        ]
        failed = [p.args for p in running if p.wait()]
        if failed:
            raise SystemExit(f"a process failed: {failed[0]}")
        return [r for file in files for r in json.loads(file.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    raise SystemExit(main())
