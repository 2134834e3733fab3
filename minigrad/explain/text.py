"""A walk as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.explain.numbers import show
from minigrad.explain.record import Contribution, Row

if TYPE_CHECKING:
    from minigrad.explain.walk import Walk

INDENT = " " * 7


def text(walk: Walk) -> str:
    """Return a walk as plain ASCII text."""
    return "\n".join(line for line, _ in styled_lines(walk))


def styled_lines(walk: Walk) -> list[tuple[str, str]]:
    """Return the lines, each with what it is: heading, step, formula, number, verdict, plain."""
    many = walk.many
    lines: list[tuple[str, str]] = [(_title(walk), "heading")]
    if walk.note:
        lines.append((f"  ({walk.note})", "plain"))
    if walk.given:
        lines += [("", "plain"), ("given", "heading")]
    for row in walk.given:
        what = ", wants a gradient" if row.kind == "leaf" else ", constant"
        lines.append((f"  {row.name} : {row.type_text} = {show(row.value, many)}{what}", "number"))
    if walk.computed:
        lines += [("", "plain"), ("forward", "heading")]
    for i, row in enumerate(walk.computed, start=1):
        call = f"  {i}. {row.name} : {row.type_text} = {row.call_text}"
        lines.append((f"{call}     {row.formula}", "step"))
        if row.line:
            lines.append((f"{INDENT}line {row.line}", "plain"))
        if row.module:
            lines.append((f"{INDENT}in {row.module}", "plain"))
        for x in row.operands:
            if x.of:
                lines.append((f"{INDENT}{x.name} = {x.of} = {show(x.value, many)}", "number"))
            elif x.value is not None:
                lines.append((f"{INDENT}{x.name} = {show(x.value, many)}", "number"))
        lines.append((f"{INDENT}{row.name} = {show(row.value, many)}", "number"))
    if walk.seed is not None:
        lines += [("", "plain"), (f"backward, from g = {show(walk.seed, many)}", "heading")]
        lines += _backward(walk)
        lines += [("", "plain"), ("gradients, which backward adds to .grad", "heading")]
        for row in walk.given:
            if row.kind == "leaf":
                value = "nothing" if row.gradient is None else show(row.gradient, many)
                lines.append((f"  {row.name}.grad += {value}", "number"))
    return lines


def _title(walk: Walk) -> str:
    ops = len(walk.computed)
    parts = [_count(ops, "op")]
    for kind, word in (("leaf", "leaf"), ("constant", "constant")):
        number = sum(row.kind == kind for row in walk.rows)
        parts += [_count(number, word)] if number else []
    return f"walk to {walk.rows[-1].name}: {', '.join(parts)}"


def _count(number: int, word: str) -> str:
    several = {"leaf": "leaves"}.get(word, word + "s")
    return f"{number} {word if number == 1 else several}"


def _backward(walk: Walk) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    many = walk.many
    steps = [walk[name] for name in walk.order if walk[name].kind == "op"]
    for i, row in enumerate(steps, start=1):
        if row.gradient is None:
            lines.append((f"  {i}. through {row.name} = {row.call_text}: no gradient came", "step"))
            continue
        g = show(row.gradient, many)
        lines.append((f"  {i}. through {row.name} = {row.call_text}, with g = {g}", "step"))
        for c in given_by(walk, row):
            lines += _contribution(c, walk.rows, many)
            if c.number == c.total:
                lines += _complete(walk[c.to], many)
    return lines


def given_by(walk: Walk, row: Row) -> list[Contribution]:
    """Return what a row's op gave to its operands, in their order."""
    found = [c for other in walk.rows for c in other.contributions if c.by == row.name]
    places = [x.name for x in row.operands]
    return sorted(found, key=lambda c: places.index(c.operand))


def _contribution(c: Contribution, rows: tuple[Row, ...], many: int) -> list[tuple[str, str]]:
    lines = [(f"{INDENT}to {c.to} as {c.operand}: {c.rule}", "formula")]
    inner = INDENT + "  "
    local = local_text(c, many)
    if c.summed_axes:
        lines.append((f"{inner}{local}before un-broadcast {show(c.raw, many)}", "number"))
        lines.append(
            (f"{inner}{unbroadcast_text(c)}: contribution {show(c.value, many)}", "number")
        )
    else:
        lines.append((f"{inner}{local}contribution {show(c.value, many)}", "number"))
    if c.total > 1:
        what = f"sum so far ({c.number} of {c.total})"
        lines.append((f"{inner}{what} {show(c.running, many)}", "number"))
    return lines


def local_text(c: Contribution, many: int) -> str:
    """Return the local derivative in words, "" if it is too large to be read."""
    if c.local is None:
        return ""
    what = "local derivative" if c.elementwise else "local derivatives (a row for each result)"
    return f"{what} {show(c.local, many)}, "


def unbroadcast_text(c: Contribution) -> str:
    """Say along which axes a contribution is summed."""
    axes = " and ".join(map(str, c.summed_axes))
    word = "axis" if len(c.summed_axes) == 1 else "axes"
    return (
        f"un-broadcast: {c.to} was repeated along {word} {axes}, so its parts are summed, "
        f"{list(c.raw.shape)} to {list(c.value.shape)}"
    )


def _complete(row: Row, many: int) -> list[tuple[str, str]]:
    line = f"{INDENT}gradient of {row.name} = {show(row.gradient, many)}"
    if row.hooked:
        line += " (a hook put it there)"
    if row.difference is not None:
        line += f" (finite difference {show(row.difference, many)})"
    lines = [(line, "number")]
    if not row.agrees:
        lines.append((f"{INDENT}{disagreement(row)}", "verdict"))
    return lines


def disagreement(row: Row) -> str:
    """Say what a gradient that is not the difference may mean."""
    if row.hooked:
        return "these two differ, since the hook changed the gradient"
    return (
        "these two differ: a kink or jump (relu at 0, a tie of max), a hook on the way, or a wrong "
        "rule"
    )
