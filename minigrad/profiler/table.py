"""The profile as text."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.profiler.recorder import Event
from minigrad.profiler.rows import Row, instruction_rows, module_rows, op_rows, span_rows

_HEADS = ("calls", "backward", "forward ms", "backward ms", "share", "MB moved", "peak MB")


def show(
    events: Sequence[Event],
    seconds: float,
    peak: int,
    memory: bool,
    sort_by: str,
    limit: int | None,
) -> str:
    """Return the tables (see `Profile.table`)."""
    if limit is not None and limit < 1:
        raise ValueError(f"limit is a number of rows, at least 1, not {limit}")
    ops, modules = op_rows(events, sort_by), module_rows(events, sort_by)
    spans, replayed = span_rows(events, sort_by), instruction_rows(events, sort_by)
    head = f"profile of {seconds * 1e3:.3f} ms"
    if memory:
        head += f", {peak / 1e6:.3f} MB held at the peak beyond the start"
    outside = seconds - sum(row.time for row in (*ops, *replayed))
    lines = [head, ""]
    if ops or not replayed:
        lines += _table("op", ops, seconds, memory, limit)
    if replayed:
        lines += [""] * bool(ops)
        lines += _table("captured instruction", replayed, seconds, memory, limit)
    lines.append(_line(["outside ops", "", "", f"{outside * 1e3:.3f}", "", _share(outside, seconds)
                        ], _width(replayed or ops)))  # fmt: skip
    for what, rows in (("module, its parts included", modules), ("span", spans)):
        if rows:
            lines += ["", *_table(what, rows, seconds, memory, limit)]
    return "\n".join(lines)


def _table(
    what: str, rows: Sequence[Row], seconds: float, memory: bool, limit: int | None
) -> list[str]:
    width = _width(rows)
    heads = _HEADS if memory else _HEADS[:-1]
    lines = [_line([what, *heads], width)]
    for row in rows[:limit]:
        cells = [
            row.name,
            str(row.calls),
            str(row.backward_calls),
            f"{row.forward * 1e3:.3f}",
            f"{row.backward * 1e3:.3f}",
            _share(row.time, seconds),
            f"{row.bytes / 1e6:.3f}",
        ]
        lines.append(_line([*cells, f"{row.peak / 1e6:.3f}"] if memory else cells, width))
    if limit is not None and len(rows) > limit:
        lines.append(f"... and {len(rows) - limit} more")
    return lines


def _width(rows: Sequence[Row]) -> int:
    return max([27, *(len(row.name) + 1 for row in rows)])


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def _line(cells: Sequence[str], width: int) -> str:
    return (cells[0].ljust(width) + "".join(f"{c:>12}" for c in cells[1:])).rstrip()
