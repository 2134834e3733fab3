"""A walk as a page to step through: one file that loads nothing."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigrad.explain.drawing import boxes_of
from minigrad.explain.layout import lay_out
from minigrad.explain.numbers import show
from minigrad.explain.record import Contribution, Row
from minigrad.explain.svg import svg
from minigrad.explain.text import disagreement, given_by, unbroadcast_text

if TYPE_CHECKING:
    from minigrad.explain.walk import Walk

FRAME = Path(__file__).with_name("page.html")


def page(walk: Walk) -> str:
    """Return the page of a walk."""
    gradients = {
        entry: row.gradient
        for entry, row in zip(walk.graph.entries, walk.rows, strict=True)
        if row.gradient is not None
    }
    picture = svg(lay_out(boxes_of(walk.graph, gradients, collapse=False)))
    data = json.dumps(steps(walk), ensure_ascii=True)
    parts = {
        "TITLE": escape(f"A walk to {walk.rows[-1].name}"),
        "NOTE": escape(walk.note),
        "PICTURE": picture,
        "TEXT": escape(walk.text()),
        "DATA": data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    }
    frame = FRAME.read_text(encoding="utf-8")
    pieces = frame.split("@@")  # text, name, text, name ... so that no part is searched for names
    return "".join(parts[p] if i % 2 else p for i, p in enumerate(pieces))


def steps(walk: Walk) -> list[dict[str, Any]]:
    """Return what the page shows at each step: strings only, which it sets as text."""
    many = walk.many
    first = [_fact(f"{r.name} : {r.type_text}", show(r.value, many)) for r in walk.given]
    found = [_step("given", "What is given", [r.name for r in walk.given], facts=first)]
    forward = walk.computed
    for i, row in enumerate(forward, start=1):
        facts = [
            _fact(f"{x.name} = {x.of}" if x.of else x.name, show(x.value, many))
            for x in row.operands
            if x.of or x.value is not None
        ]
        facts.append(_fact(f"{row.name} : {row.type_text}", show(row.value, many), "result"))
        title = f"{row.name} = {row.call_text}"
        phase = f"forward {i} of {len(forward)}"
        found.append(_step(phase, title, [row.name], f"value: {row.formula}", row, facts))
    if walk.seed is None:
        return found
    end = walk.rows[-1]
    facts = [_fact(f"gradient of {end.name}", show(walk.seed, many), "result")]
    title = f"Backward starts at {end.name}"
    found.append(_step("backward", title, [end.name], facts=facts))
    back = [walk[name] for name in walk.order if walk[name].kind == "op"]
    for i, row in enumerate(back, start=1):
        for c in given_by(walk, row):
            title = f"through {row.name} = {row.call_text} to {c.to}"
            phase = f"backward {i} of {len(back)}"
            formula = f"contribution to {c.to} as {c.operand}: {c.rule}"
            facts = _backward_facts(c, walk[c.to], many)
            found.append(_step(phase, title, [row.name, c.to], formula, row, facts))
    leaves = [row for row in walk.given if row.kind == "leaf"]
    last = [
        _fact(f"{r.name}.grad +=", "nothing" if r.gradient is None else show(r.gradient, many))
        for r in leaves
    ]
    found.append(
        _step("gradients", "What backward adds to .grad", [r.name for r in leaves], facts=last)
    )
    return found


def _backward_facts(c: Contribution, to: Row, many: int) -> list[dict[str, str]]:
    facts = [_fact(f"g, the gradient of {c.by}", show(c.incoming, many))]
    if c.local is not None:
        rows = "" if c.elementwise else " (a row for each result)"
        facts.append(_fact(f"local derivative{rows}", show(c.local, many)))
    if c.summed_axes:
        facts.append(_fact("before un-broadcast", show(c.raw, many)))
        facts.append(_fact("un-broadcast", unbroadcast_text(c).partition(": ")[2], "words"))
    facts.append(_fact("contribution", show(c.value, many), "result"))
    if c.total > 1:
        facts.append(_fact(f"sum so far ({c.number} of {c.total})", show(c.running, many)))
    if c.number == c.total:
        facts.append(_fact(f"gradient of {to.name}", show(to.gradient, many), "result"))
        if to.difference is not None:
            facts.append(_fact("finite difference", show(to.difference, many)))
        if not to.agrees:
            facts.append(_fact("look", disagreement(to), "verdict"))
    return facts


def _fact(label: str, value: str, kind: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "kind": kind}


def _step(
    phase: str,
    title: str,
    here: list[str],
    formula: str = "",
    row: Row | None = None,
    facts: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    line = "" if row is None else row.line
    return {
        "phase": phase, "title": title, "here": here, "formula": formula, "line": line,
        "facts": facts or [],
    }  # fmt: skip
