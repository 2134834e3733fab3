"""The table of killed and planted mutants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from minigrad.engine.op import TABLE
from mutation.run import Record, reasons


def family(record: Record) -> str:
    """Return the module that a mutant's op is declared in: arithmetic, conv, pool."""
    return record["file"].removesuffix(".py")


def scores(records: Iterable[Record], by: Callable[[Record], str]) -> dict[str, tuple[int, int]]:
    """Return (killed, planted) for each group."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for r in records:
        found[by(r)][0] += r["state"] == "killed"
        found[by(r)][1] += 1
    return {name: (killed, planted) for name, (killed, planted) in sorted(found.items())}


def table(records: list[Record], seconds: float) -> str:
    """Return the report in plain text."""
    planted = [r for r in records if r["state"] != "void"]
    lines = []
    for title, by in (("kind", lambda r: r["kind"]), ("family", family)):
        groups = scores(planted, by)
        width = max(map(len, groups))
        lines += [f"{title:{width}s}  killed  planted", *(
            f"{name:{width}s}  {k:6d}  {n:7d}" + ("" if k == n else f"   {n - k} survived")
            for name, (k, n) in groups.items()
        ), ""]  # fmt: skip
    ops = scores(planted, lambda r: r["place"])
    weak = [f"{name} {k}/{n}" for name, (k, n) in ops.items() if k < n]
    lines += [f"rules and functions: {len(ops)}; with a survivor: {', '.join(weak) or 'none'}", ""]
    known = reasons()
    for r in planted:
        if r["state"] == "survived":
            lines.append(f"survived {r['file']}:{r['line']}  {r['id']}")
            lines.append(f"         {known.get(r['id'], 'NOT ON THE LIST')}")
    killed = sum(r["state"] == "killed" for r in planted)
    checked = sum(r["error"] == "AssertionError" for r in planted)
    harmless = reasons(errors=False)
    same = sum(r["state"] == "survived" and r["id"] in harmless for r in planted)
    errors = len(planted) - same
    rows = sum(bool(row.rules) for row in TABLE.values())
    lines += [
        f"{killed} of {len(planted)} mutants killed ({100 * killed / max(len(planted), 1):.2f} %) "
        f"in {rows} ops with rules.",
        f"{same} of the {len(planted) - killed} survivors change no derivative, for the reason "
        f"listed: of {errors} planted errors {killed} are killed "
        f"({100 * killed / max(errors, 1):.2f} %).",
        f"{checked} by a check that compares, {killed - checked} by an exception on the way; "
        f"{len(records) - len(planted)} more had nothing to change and do not count.",
        f"{seconds:.0f} s",
    ]
    return "\n".join(lines)
