"""Command line of the benchmarks: ``python -m benchmarks run``, ``accuracy``, ``graph``, ..."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
from pathlib import Path

from benchmarks import digits_accuracy, graph_size, import_time, workloads
from benchmarks.harness import compare, installed, serve


def workload_names() -> list[str]:
    """Return the workloads that can be run."""
    names = [m.name for m in pkgutil.iter_modules(workloads.__path__)]
    modules = [importlib.import_module(f"benchmarks.workloads.{n}") for n in names]
    return [n for n, m in zip(names, modules, strict=True) if hasattr(m, "minigrad_step")]


def run(options: argparse.Namespace) -> None:
    """Time workloads against other frameworks and print ratios (below 1: minigrad is faster)."""
    peers = [f for f in options.against.split(",") if f]
    for f in peers:
        if not installed(f):
            print(f"{f} is not installed here and is left out")
    frameworks = ["minigrad", *(f for f in peers if installed(f))]
    print(f"threads {options.threads}, rounds {options.rounds} x {options.seconds} s, interleaved")
    header = "".join(f"{f + ' ms':>14}" for f in frameworks)
    print(f"{'workload':12}{header}   ratio to each peer")
    rows = {}
    for name in options.names or workload_names():
        found = compare(
            name,
            frameworks,
            threads=options.threads,
            rounds=options.rounds,
            seconds=options.seconds,
        )
        rows[name] = found
        cells = "".join(
            f"{found[f] * 1e3:14.3f}" if f in found else f"{'-':>14}" for f in frameworks
        )
        ratios = " ".join(
            f"{f} {found['minigrad'] / found[f]:.2f}" for f in frameworks[1:] if f in found
        )
        print(f"{name:12}{cells}   {ratios}", flush=True)
    if options.json:
        record = {"machine": platform.platform(), "threads": options.threads, "seconds": rows}
        target = Path(options.json)
        temporary = target.with_suffix(target.suffix + ".part")
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
        os.replace(temporary, target)
        print(f"written: {target}")


def graph(_: argparse.Namespace) -> None:
    """Print the cost of one op in graphs of several sizes."""
    found = graph_size.measure()
    base = found["chain of 1,000"]
    for name, us in found.items():
        print(f"{name:20}{us:8.2f} us per op   {us / base:5.2f} of the short chain")


def imports(_: argparse.Namespace) -> None:
    """Print what importing minigrad costs."""
    found = import_time.measure()
    for name, ms in found.items():
        print(f"{name:14}{ms:8.1f} ms   {ms / found['numpy']:5.2f} of numpy")


def accuracy(options: argparse.Namespace) -> None:
    """Print the accuracy that lesson 9's network reaches here and in torch."""
    found = digits_accuracy.measure(options.data, options.seeds, options.epochs, options.threads)
    if abs(digits_accuracy.report(found)) > digits_accuracy.LIMIT:
        raise SystemExit(1)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    timed = commands.add_parser("run", help="workloads against other frameworks")
    timed.add_argument("names", nargs="*", help="workloads (default: all)")
    timed.add_argument("--against", default="torch", help="comma-separated peers")
    timed.add_argument("--threads", type=int, default=2)
    timed.add_argument("--rounds", type=int, default=6)
    timed.add_argument("--seconds", type=float, default=0.3)
    timed.add_argument("--json", help="write the figures to this file")
    timed.set_defaults(function=run)
    learned = commands.add_parser("accuracy", help="what lesson 9's network learns, beside torch")
    learned.add_argument("--data", default="mnist", choices=["digits", "mnist", "fashion"])
    learned.add_argument("--seeds", type=int, default=3, help="runs of each")
    learned.add_argument("--epochs", type=int, help="instead of the lesson's number")
    learned.add_argument("--threads", type=int, default=1)
    learned.set_defaults(function=accuracy)
    commands.add_parser("graph", help="cost of an op by graph size").set_defaults(function=graph)
    commands.add_parser("import", help="import time").set_defaults(function=imports)
    commands.add_parser("list", help="names of the workloads").set_defaults(
        function=lambda _: print("\n".join(workload_names()))
    )
    worker = commands.add_parser("worker", help=argparse.SUPPRESS)
    worker.add_argument("workload")
    worker.add_argument("framework")
    worker.add_argument("threads", type=int)
    worker.set_defaults(function=lambda o: serve(o.workload, o.framework, o.threads))
    options = parser.parse_args()
    options.function(options)


if __name__ == "__main__":
    main()
