"""The op table's pages: of each op its formula, derivatives, kinks and, of a curve, its picture."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.facts import ELEMENTWISE_1, Facts
from minigrad.engine.op import TABLE, Op
from minigrad.engine.tensor import Tensor
from minigrad.explain.formulas import latex_formula, plain_formula, rule_latex, rule_text
from minigrad.learn.colours import BLUE, RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 801
WINDOW = 9  # points, of which no more than two steps belong to a jump

FIRST = """# The op table

What the engine computes: {count} ops, each declared once with its derivative. Its page is made from
that declaration, so the rule that stands there is the rule that runs; `g` is the gradient of the
result `y`. A rule that is longer than an expression is shown by its meaning, or by the name of the
function that computes it.
"""


def write_op_pages(folder: Path) -> None:
    r"""Write the table, and a page for each module of ops with its pictures.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder that exists.

    Examples
    --------
    >>> from minigrad.book.optable import entry
    >>> from minigrad.engine.op import TABLE
    >>> print(entry(TABLE["square"], picture=None))
    (op-square)=
    ## square
    <BLANKLINE>
    Square (of bools as int64).
    <BLANKLINE>
    $$y = x^2$$
    <BLANKLINE>
    Gradient of `x`:
    <BLANKLINE>
    $$g \cdot \left(2 \cdot x\right)$$
    <BLANKLINE>
    - Checked up to derivatives of order 2, with random cotangents.
    <BLANKLINE>
    """
    names, rows = [], []
    for module, ops in _modules():
        name = module.rpartition(".")[2]
        texts = [f"# {name}\n\n{_summary(inspect.getmodule(ops[0].declared))}\n"]
        for op in ops:
            picture = None
            if is_curve(op):
                picture = f"{op.name}.png"
                draw_curve(op).savefig(folder / picture, dpi=110)
            texts.append(entry(op, picture))
        (folder / f"{name}.md").write_text("\n".join(texts), encoding="utf-8")
        names.append(name)
        rows += [f"## [{name}]({name}.md)", "", _table(ops), ""]
    count = sum(not name.startswith("_") for name in TABLE)
    (folder / "table.md").write_text(
        "\n".join([FIRST.format(count=count), *rows, *_contents(names)]), encoding="utf-8"
    )


def _table(ops: list[Op]) -> str:
    """Return a line an op: its name, what it computes, which derivatives are checked."""
    lines = ["| op | what it computes | derivatives checked |", "|---|---|---|"]
    for op in ops:
        order = op.facts.order if op.facts is not None else 0
        what = _summary(op.declared).replace("|", "\\|")
        checked = {0: "none", 1: "first"}.get(order, "first and second")
        lines.append(f"| [{op.name}](#op-{op.name.replace('_', '-')}) | {what} | {checked} |")
    return "\n".join(lines)


def _contents(names: list[str]) -> list[str]:
    return ["```{toctree}", ":hidden:", "", *names, "```", ""]


def _modules() -> Iterator[tuple[str, list[Op]]]:
    """Yield the public ops by the module that declares them."""
    public = [op for op in TABLE.values() if not op.name.startswith("_")]
    order = list(dict.fromkeys(op.declared.__module__ for op in public))
    public.sort(key=lambda op: order.index(op.declared.__module__))
    for module, ops in groupby(public, key=lambda op: op.declared.__module__):
        yield module, list(ops)


def entry(op: Op, picture: str | None) -> str:
    """Return an op's part of its page, in MyST Markdown."""
    lines = [f"(op-{op.name.replace('_', '-')})=", f"## {op.name}", "", _summary(op.declared), ""]
    formula = latex_formula(op)
    if r"\operatorname" in formula and op.facts is not None and op.facts.formula:
        lines += [f"y = `{plain_formula(op)}`", ""]
    elif r"\operatorname" not in formula:
        lines += [f"$$y = {formula}$$", ""]
    options = dict(zip(op.attrs, op.defaults, strict=False))
    for operand in op.rules:
        rule = rule_latex(op, operand, options)
        if r"\texttt" in rule:
            lines += [f"Gradient of `{operand}`: `{rule_text(op, operand, options)}`", ""]
        else:
            lines += [f"Gradient of `{operand}`:", "", f"$${rule}$$", ""]
    lines += [*_facts(op), ""]
    if picture is not None:
        caption = f"{op.name} and its derivative, for x from {_range(op)}."
        lines += [f":::{{figure}} {picture}", f":alt: {caption}", caption, ":::", ""]
    return "\n".join(lines)


def _facts(op: Op) -> Iterator[str]:
    facts = op.facts
    if not op.primitive:
        yield "- Made of other ops, whose derivatives are its own."
    elif not op.rules:
        yield "- It has no derivative."
    if facts is None:
        return
    if facts.kinks:
        at = ", ".join(f"{kink:g}" for kink in facts.kinks)
        yield f"- No derivative at {at}{_sentence('; what is taken', facts.convention)}."
    elif facts.convention:
        yield f"- At kinks and ties{_sentence('', facts.convention)}."
    if facts.order:
        yield f"- Checked up to derivatives of order {facts.order}, with random cotangents."
    if facts.torch:
        yield f"- In PyTorch: `torch.{facts.torch}`."


def _sentence(before: str, convention: str) -> str:
    return f"{before}: {convention.rstrip('.')}" if convention else ""


def _summary(thing: Any) -> str:
    """Return the first sentence or two of a docstring: what stands before the first blank line."""
    text = inspect.getdoc(thing) or ""
    return " ".join(text.partition("\n\n")[0].split())


def is_curve(op: Op) -> bool:
    """Whether an op is a function of one number, so that it can be drawn."""
    facts = op.facts
    return (
        facts is not None
        and len(op.operands) == 1
        and all(sample in facts.samples for sample in ELEMENTWISE_1)
        and "x" in op.rules
    )


def draw_curve(op: Op) -> Figure:
    """Draw a function and its derivative, which the engine computes."""
    from matplotlib.figure import Figure

    assert op.facts is not None
    low, high = _limits(op.facts)
    x = Tensor(np.linspace(low, high, POINTS), requires_grad=True)
    y = op.function(x)
    y.backward(Tensor(np.ones(POINTS)))
    assert x.grad is not None
    figure = Figure(figsize=(5.2, 2.9), layout="constrained")
    axes = figure.add_subplot()
    for values, style, colour, label in (
        (y.detach().numpy(), "-", BLUE, op.name),
        (x.grad.numpy(), "--", RED, "derivative"),
    ):
        shown = np.where(_jumps(values), np.nan, values)
        axes.plot(x.detach().numpy(), shown, style, color=colour, label=label)
    for kink in op.facts.kinks:
        axes.axvline(kink, color="0.8", linewidth=1)
    axes.set_xlabel("x")
    axes.set_ylabel("value")
    axes.grid(color="0.92")
    axes.legend()
    return figure


def _jumps(values: np.ndarray) -> np.ndarray:
    """Return where a curve is broken: after a step that is much longer than those around it."""
    steps = np.abs(np.diff(values, prepend=values[0]))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(steps, WINDOW // 2), WINDOW)
    return (steps > 0.1) & (steps > 10 * np.median(around, axis=1))


def _limits(facts: Facts) -> tuple[float, float]:
    domain = facts.domain
    low, high = domain if isinstance(domain[0], (int, float)) else domain[0]
    return (-4.0, 4.0) if (low, high) == (-2.0, 2.0) else (float(low), float(high))


def _range(op: Op) -> str:
    assert op.facts is not None
    low, high = _limits(op.facts)
    return f"{low:g} to {high:g}"
