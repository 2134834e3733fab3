"""Runs mutants, all of them or a sample, and holds the survivors to the reasoned list."""

from __future__ import annotations

import functools
import random
import time
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import minigrad as mg  # noqa: F401  (its ops are the table)
from minigrad.engine.op import TABLE
from mutation import results, sources
from mutation.mutant import Mutant, judge

REASONED = Path(__file__).with_name("survivors.toml")
SEED = 20261122  # of the sample
Record = dict[str, Any]  # a mutant and what became of it, as in the JSON file


@functools.cache
def all_mutants() -> tuple[Mutant, ...]:
    """Return every mutant, in the order of the table."""
    return (*results.mutants(TABLE), *sources.mutants(TABLE))


def reasons(errors: bool = True) -> dict[str, str]:
    """Return the reasoned list; without ``errors`` only mutants that change no derivative."""
    entries = tomllib.loads(REASONED.read_text(encoding="utf-8"))["survivor"]
    return {e["id"]: e["reason"] for e in entries if errors or not e.get("error", False)}


def sample(per_rule: int = 2, per_kind: int = 12) -> list[Mutant]:
    """Return some mutants of each rule and of each kind, the same at every call."""
    rng = random.Random(SEED)
    shuffled = sorted(all_mutants(), key=lambda m: m.id)
    rng.shuffle(shuffled)
    places, kinds = Counter[str](), Counter[str]()
    chosen = []
    for m in shuffled:
        if places[m.place] < per_rule or kinds[m.kind] < per_kind:
            places[m.place] += 1
            kinds[m.kind] += 1
            chosen.append(m)
    return sorted(chosen, key=lambda m: m.id)


def run(mutants: Iterable[Mutant]) -> list[Record]:
    """Judge mutants one after the other."""
    records = []
    for m in mutants:
        start = time.perf_counter()
        verdict = judge(m)
        records.append(
            {
                "id": m.id,
                "kind": m.kind,
                "place": m.place,
                "ops": sorted({row.name for row, _ in m.uses}),
                "file": m.file,
                "line": m.line,
                "before": m.before,
                "after": m.after,
                "state": verdict.state,
                "by": verdict.by,
                "error": verdict.error,
                "seconds": round(time.perf_counter() - start, 4),
            }
        )
    return records


def complaints(records: list[Record], whole: bool) -> list[str]:
    """Return what the reasoned list does not account for.

    A survivor must be on it. What is on it must survive; with ``whole``, also be a mutant at all.
    """
    known = reasons()
    found = []
    for r in records:
        if r["state"] == "survived" and r["id"] not in known:
            found.append(f"survived: {r['id']}  ({r['file']}:{r['line']})")
        if r["state"] != "survived" and r["id"] in known:
            found.append(f"{r['state']}, but on the list of survivors: {r['id']}")
    if whole:
        there = {r["id"] for r in records}
        found += [f"on the list of survivors, but no mutant: {i}" for i in known if i not in there]
    return found
