"""The walk: forward and backward through a graph, one tensor at a time, with all numbers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from typing import Any

from minigrad.engine.errors import show_line
from minigrad.engine.tensor import Tensor
from minigrad.explain.differences import AFFORDABLE, Differences, agree
from minigrad.explain.formulas import latex_formula, plain_formula
from minigrad.explain.graph import Entry, Graph, graph_of, operand_names
from minigrad.explain.numbers import MANY
from minigrad.explain.page import page
from minigrad.explain.record import Operand, Row
from minigrad.explain.reverse import Backward, run_backward
from minigrad.explain.terminal import print_walk
from minigrad.explain.text import text
from minigrad.explain.watch import names_here, watching
from minigrad.io.atomic import write_atomic


@dataclass(frozen=True)
class Walk:
    """What `walk` returns: the story as rows, and ways to read it.

    ``str`` of it is the text, in a notebook it is the page.

    Attributes
    ----------
    rows : tuple of Row
        The tensors, in the order of computation; the last is the one that was walked to.
    order : tuple of str
        Their names in the order in which backward completed their gradients.
    seed : array or None
        The gradient that backward started from; None if the tensor wants none.
    note : str
        What was left out, and what would bring it; "" for nothing.
    many : int
        Tensors of more elements are shown as a summary.
    graph : Graph
        Whence it was made.
    """

    rows: tuple[Row, ...]
    order: tuple[str, ...]
    seed: Any
    note: str
    many: int
    graph: Graph

    def __getitem__(self, name: str) -> Row:
        """Return the row of a name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no row {name!r}; there are: {', '.join(row.name for row in self.rows)}")

    @property
    def given(self) -> list[Row]:
        """The leaves and constants."""
        return [row for row in self.rows if row.kind != "op"]

    @property
    def computed(self) -> list[Row]:
        """The results of ops."""
        return [row for row in self.rows if row.kind == "op"]

    def text(self) -> str:
        """Return the story as plain text."""
        return text(self)

    def html(self) -> str:
        """Return the story as a page to step through: one file, which loads nothing."""
        return page(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page (``.html``) or the text (any other name) to a file."""
        content = self.html() if str(path).endswith(".html") else self.text() + "\n"
        write_atomic(path, content.encode())

    def show(self) -> None:
        """Print the story: with colours in a terminal where rich is installed, else the text."""
        if sys.stdout.isatty() and find_spec("rich") is not None:
            print_walk(self)
        else:
            print(self.text())

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        last = self.rows[-1]
        return f"<walk to {last.name} {last.type_text}: {len(self.rows)} tensors>"

    def _repr_html_(self) -> str:
        style = "width:100%;height:44rem;border:0"
        return f'<iframe style="{style}" srcdoc="{escape(self.html(), quote=True)}"></iframe>'


def walk(
    loss: Tensor | Callable[..., Tensor],
    *inputs: Any,
    gradient: Any = None,
    differences: bool | None = None,
    max_nodes: int = 200,
    many: int = MANY,
) -> Walk:
    """Walk through a graph, forward and backward, and tell each number.

    The backward is the engine's: its derivative rules are run on what it saved, node by node. It
    touches no ``.grad`` and frees nothing.

    Parameters
    ----------
    loss : Tensor or callable
        The end of the graph. If it was computed under `watching`, everything is known; else what
        the engine kept. Or a function that returns it, which is watched while it runs.
    *inputs
        Of the function.
    gradient : Tensor or array, optional
        The gradient to start from, of the tensor's shape; for one element it is 1.
    differences : bool, optional
        Put the finite difference beside each gradient. By default where that takes at most some
        seconds.
    max_nodes : int
        More ops, leaves and constants than these are refused.
    many : int
        Tensors of more elements are shown as a summary.

    Raises
    ------
    TooLargeError
        The graph has more than ``max_nodes`` parts.
    GraphError
        The graph was freed by a backward, or the tensor has several elements and no ``gradient``
        was given.
    MutationError
        An array that a derivative needs was changed in place.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor(2.0, requires_grad=True, dtype=mg.float64)
    >>> with mg.explain.watching(lines=False):
    ...     loss = mg.tanh(w * 0.5)
    >>> print(mg.explain.walk(loss))
    walk to loss: 2 ops, 1 leaf
    <BLANKLINE>
    given
      w : float64[] = 2, wants a gradient
    <BLANKLINE>
    forward
      1. v1 : float64[] = mul(a=w, b=0.5)     a b
           a = w = 2
           b = 0.5
           v1 = 1
      2. loss : float64[] = tanh(x=v1)     (e^x - e^-x) / (e^x + e^-x)
           x = v1 = 1
           loss = 0.761594
    <BLANKLINE>
    backward, from g = 1
      1. through loss = tanh(x=v1), with g = 1
           to v1 as x: g * (1 - y * y)
             local derivative 0.419974, contribution 0.419974
           gradient of v1 = 0.419974 (finite difference 0.419974)
      2. through v1 = mul(a=w, b=0.5), with g = 0.419974
           to w as a: g * b
             local derivative 0.5, contribution 0.209987
           gradient of w = 0.209987 (finite difference 0.209987)
    <BLANKLINE>
    gradients, which backward adds to .grad
      w.grad += 0.209987
    """
    names = names_here()
    if not isinstance(loss, Tensor):
        if not callable(loss):
            raise TypeError(f"mg.explain.walk needs a Tensor, not {type(loss).__name__}")
        with watching():
            loss = loss(*inputs)
    elif inputs:
        raise TypeError("mg.explain.walk takes inputs only after a function to call with them")
    graph = graph_of(loss, names, max_nodes, "mg.explain.walk")
    backward = None if loss._node is None else run_backward(graph, loss, gradient, many)
    found, note = _differences(graph, backward, differences)
    rows = tuple(_row(entry, backward, found) for entry in graph.entries)
    order = () if backward is None else tuple(entry.name for entry in backward.order)
    seed = None if backward is None else backward.seed
    return Walk(rows, order, seed, note, many, graph)


def _differences(
    graph: Graph, backward: Backward | None, wanted: bool | None
) -> tuple[dict[Entry, Any], str]:
    """Return the differences of all entries with a gradient, and what is to be said about them."""
    if backward is None:
        return {}, "no operand wants a gradient (requires_grad=True), so there is no backward"
    if wanted is False:
        return {}, ""
    tool = Differences(graph, backward.seed)
    if not tool.known:
        return {}, (
            "computed without mg.explain.watching(): only what the derivatives need was kept, so "
            "some values and the finite differences are missing"
        )
    entries = list(backward.gradients)
    cost = tool.cost(entries)
    if wanted is None and cost > AFFORDABLE:
        return {}, (
            f"the finite differences were left out: they would run {cost} ops; ask for them with "
            "differences=True"
        )
    return {entry: tool.of(entry) for entry in entries}, ""


def _row(entry: Entry, backward: Backward | None, differences: dict[Entry, Any]) -> Row:
    gradient = None if backward is None else backward.gradients.get(entry)
    difference = differences.get(entry)
    agrees = difference is None or agree(gradient, difference, entry.dtype)
    line = "" if entry.line is None else show_line(entry.line)
    common: dict[str, Any] = {
        "name": entry.name,
        "kind": entry.kind,
        "dtype": str(entry.dtype),
        "shape": entry.shape,
        "value": entry.value,
        "line": line,
        "module": "" if entry.module is None else entry.module.path,
        "gradient": gradient,
        "difference": difference,
        "agrees": agrees,
    }
    if backward is not None:
        common["contributions"] = tuple(backward.contributions.get(entry, ()))
        common["hooked"] = entry in backward.hooked
    if entry.op is None:
        return Row(**common)
    return Row(
        **common,
        op=entry.op.name,
        formula=plain_formula(entry.op),
        latex=latex_formula(entry.op),
        operands=_operands(entry),
        options=entry.option_texts(),
    )


def _operands(entry: Entry) -> tuple[Operand, ...]:
    found: list[Operand] = []
    for name, x in zip(operand_names(entry), entry.operands, strict=True):
        inner = isinstance(x, Entry)
        found.append(Operand(name, x.name if inner else "", x.value if inner else x))
    return tuple(found)
