"""Command line of the benchmarks: ``python -m benchmarks run``, ``ops``, ``memory``, ..."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from benchmarks import (
    device_sweep,
    digits_accuracy,
    graph_size,
    growth,
    harness,
    import_time,
    memory,
    op_sweep,
    rates,
    results,
    workload,
)
from benchmarks.libraries import stand_in
from benchmarks.process import MISSING, installed

THREADS = "of each library (default: %(default)s)"
PEERS = ("torch", "torch-inference", "jax", "mygrad", "autograd")


def contenders(peers: Sequence[str], device: str = "") -> list[str]:
    """Return who is measured: minigrad, captured, the limit, and the peers that are here.

    With a device those of them that can use it are measured there too.
    """
    found = ["minigrad", "captured", "numpy", *peers]
    if device:
        on_both = ["minigrad", "captured", *(p for p in peers if p == "torch")]
        found += [f"{name}@{device}" for name in on_both]
    for name in found:
        if not installed(name):
            print(f"{'mg.capture' if name == 'captured' else name} {MISSING}")
    return [name for name in found if installed(name)]


def run(options: argparse.Namespace) -> None:
    """Time workloads against other frameworks and print ratios (below 1: faster)."""
    names = workload.resolve(options.names)
    everyone = contenders(options.against, options.device)
    if f"minigrad@{options.device}" in everyone and (warning := stand_in()):
        print(warning)
    here = [p for p in options.against if p in everyone]
    measured = rates.measure(options.threads)
    print(f"{options.threads} threads: {measured}")
    print(f"{options.rounds} rounds of {options.seconds} s each, in turns", flush=True)
    found = []
    for name in names:
        found.append(
            harness.compare(
                name,
                everyone,
                threads=options.threads,
                rounds=options.rounds,
                seconds=options.seconds,
                rates=measured,
            )
        )
        print("\n" + results.block(found[-1], here), flush=True)
    reference = here[0] if here else "minigrad"
    print("\n" + results.summary(found, reference))
    if options.json:
        results.write_json(options.json, results.record(found, options.threads, measured))
    if options.picture:
        results.picture(found, reference, options.threads, options.picture)
    if any(r.errors for r in found):
        raise SystemExit("not all could be measured, see above")


def ops(options: argparse.Namespace) -> None:
    """Time each op beside torch's."""
    if not installed("torch"):
        raise SystemExit(f"torch {MISSING}: there is nothing to compare with")
    sweep = op_sweep.measure(
        options.names,
        options.sizes,
        threads=options.threads,
        rounds=options.rounds,
        seconds=options.seconds,
        show=lambda line: print(line, flush=True),
    )
    print(op_sweep.means(sweep))
    for name, why in sweep.left_out.items():
        print(f"{name} is left out: {why}")
    if options.json:
        content = {"machine": results.machine(), "threads": options.threads}
        results.write_json(options.json, {**content, "seconds": sweep.seconds})


def devices(options: argparse.Namespace) -> None:
    """Compare each op on the CPU with the same on a device."""
    if not installed(f"minigrad@{options.device}"):
        from minigrad.backend import gpu_problem

        raise SystemExit(f"{options.device} cannot be used: {gpu_problem()}")
    if warning := stand_in():
        print(warning)
    lines = device_sweep.measure(options.names, options.sizes, options.device, options.seconds)
    print(device_sweep.table(lines, options.device))
    if options.json:
        content = {x.op: {"ulp": x.ulp, "seconds": x.seconds} for x in lines}
        results.write_json(options.json, {"machine": results.machine(), "ops": content})


def peak_memory(options: argparse.Namespace) -> None:
    """Print the most memory that training takes."""
    (name,) = workload.resolve([options.workload])
    everyone = contenders(options.against)
    found = memory.measure(name, everyone, options.threads, options.steps)
    print(f"peak memory of a process that runs {options.steps} steps of {name}")
    print(memory.table(found, options.against))
    if options.json:
        results.write_json(options.json, {"machine": results.machine(), "bytes": found})


def grow(options: argparse.Namespace) -> None:
    """Print how costs grow."""
    for name in options.names:
        if name not in growth.CASES:
            raise SystemExit(f"there is no case {name!r}; there are: {', '.join(growth.CASES)}")
    everyone = [
        name
        for name in contenders(options.against)
        if name in ("minigrad", "captured", *options.against)
    ]
    content: dict[str, Any] = {"machine": results.machine(), "threads": options.threads}
    for name in options.names or growth.CASES:
        found, errors = growth.measure(
            name,
            everyone,
            threads=options.threads,
            rounds=options.rounds,
            seconds=options.seconds,
        )
        print(growth.block(name, found, errors), flush=True)
        content[name] = {
            c: {"seconds": t, "exponent": growth.fit(list(t), list(t.values())).exponent}
            for c, t in found.items()
        }
    if options.json:
        results.write_json(options.json, content)


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


def show_workloads(_: argparse.Namespace) -> None:
    """Print what can be run."""
    for name in workload.names():
        made = workload.load(name)
        print(f"{made.label:4} {name:12} {made.title}; {', '.join(made.contenders)}")


def _peers(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"no peer {name!r}; there are: {', '.join(PEERS)}")
    return names


def _sizes(text: str) -> list[int]:
    sizes = [int(float(part)) for part in text.split(",") if part]
    if not sizes or min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"sizes are numbers from 1 on, such as 1e2,1e4: {text!r}")
    return sizes


def _positive(kind: type) -> Any:
    def read(text: str) -> Any:
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"must be more than 0: {text}")
        return value

    return read


def _timed(command: argparse.ArgumentParser, rounds: int, seconds: float) -> None:
    command.add_argument("--threads", type=_positive(int), default=2, help=THREADS)
    command.add_argument("--rounds", type=_positive(int), default=rounds)
    command.add_argument("--seconds", type=_positive(float), default=seconds, help="of a turn")
    command.add_argument("--json", help="write the figures to this file")


def _against(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--against",
        type=_peers,
        default=["torch"],
        help=f"of {','.join(PEERS)} (default: torch, which is eager; torch-inference is its "
        "inference mode, for W9 and W10)",
    )


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    def add(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text)
        command.set_defaults(function=function)
        return command

    timed = add("run", run, "workloads against other frameworks")
    timed.add_argument("names", nargs="*", help="names or labels, such as W4 (default: all)")
    _against(timed)
    _timed(timed, rounds=6, seconds=0.3)
    timed.add_argument("--device", default="", help="on this one too, such as cuda")
    timed.add_argument("--picture", help="draw the ratios into this file (needs matplotlib)")
    single = add("ops", ops, "each op beside its namesake in torch")
    single.add_argument("names", nargs="*", help="ops (default: all)")
    single.add_argument("--sizes", type=_sizes, default=_sizes("1e2,1e3,1e4,1e5,1e6"))
    _timed(single, rounds=3, seconds=0.01)
    both = add("devices", devices, "each op on the CPU and on a device: distance, cost, speed")
    both.add_argument("names", nargs="*", help="ops (default: all)")
    both.add_argument("--device", default="cuda")
    both.add_argument("--sizes", type=_sizes, default=_sizes("1e2,1e3,1e4,1e5,1e6"))
    both.add_argument("--seconds", type=_positive(float), default=0.01, help="of each timing")
    both.add_argument("--json", help="write the figures to this file")
    held = add("memory", peak_memory, "the most memory of a process")
    held.add_argument("workload", nargs="?", default="W4")
    _against(held)
    held.add_argument("--threads", type=_positive(int), default=2, help=THREADS)
    held.add_argument("--steps", type=_positive(int), default=20)
    held.add_argument("--json", help="write the figures to this file")
    more = add("growth", grow, "cost by batch, width, depth and sequence, with exponents")
    more.add_argument("names", nargs="*", help=f"of {', '.join(growth.CASES)} (default: all)")
    _against(more)
    _timed(more, rounds=5, seconds=0.2)
    learned = add("accuracy", accuracy, "what lesson 9's network learns, beside torch")
    learned.add_argument("--data", default="mnist", choices=["digits", "mnist", "fashion"])
    learned.add_argument("--seeds", type=int, default=3, help="runs of each")
    learned.add_argument("--epochs", type=int, help="instead of the lesson's number")
    learned.add_argument("--threads", type=_positive(int), default=1, help=THREADS)
    add("graph", graph, "cost of an op by graph size")
    add("import", imports, "import time")
    add("list", show_workloads, "the workloads and who is measured on them")
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and run."""
    options = parser().parse_args(arguments)
    options.function(options)


if __name__ == "__main__":
    main()
