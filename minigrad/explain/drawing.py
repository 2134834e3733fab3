"""The graph as a picture: a box for each tensor with its value and gradient, modules as one box."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minigrad.engine.tensor import Tensor
from minigrad.explain.dot import lay_out_by_dot
from minigrad.explain.graph import Entry, Graph, graph_of, operand_text
from minigrad.explain.layout import Box, Layout, lay_out
from minigrad.explain.numbers import show
from minigrad.explain.png import png
from minigrad.explain.reverse import run_backward
from minigrad.explain.svg import svg
from minigrad.explain.watch import ModuleCall, names_here
from minigrad.io.atomic import write_atomic

FEW = 6  # numbers in a box; of more, or of what does not fit, only the range
DIGITS = 4
LONGEST = 54  # letters of a line in a box
LAYOUTS: dict[str, Callable[[Sequence[Box]], Layout]] = {"layers": lay_out, "dot": lay_out_by_dot}


@dataclass(frozen=True)
class Drawing:
    """What `draw` returns; in a notebook it shows itself.

    Attributes
    ----------
    svg : str
        The picture, which follows the reader's light or dark mode.
    layout : Layout
        Where its parts are.
    """

    svg: str
    layout: Layout

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, by its ending as SVG or (with matplotlib) as PNG.

        Raises
        ------
        ValueError
            The name ends in neither.
        ImportError
            Matplotlib is not there.
        """
        ending = os.path.splitext(path)[1].lower()
        if ending == ".svg":
            write_atomic(path, self.svg.encode())
        elif ending == ".png":
            write_atomic(path, png(self.layout))
        else:
            raise ValueError(f"a drawing is saved as .svg or .png, not as {os.fspath(path)!r}")

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        boxes, lines = len(self.layout.boxes), len(self.layout.edges)
        return f"<drawing of {boxes} boxes and {lines} lines; .save('graph.svg') writes it>"


def draw(
    t: Tensor,
    *,
    gradient: Any = None,
    collapse: bool = True,
    max_nodes: int = 200,
    layout: str = "layers",
) -> Drawing:
    """Draw the graph behind a tensor, with values and gradients.

    Parameters
    ----------
    t : Tensor
        The end of the graph, computed under `watching` if all values are to be known.
    gradient : Tensor or array, optional
        The gradient to start from. Without it, a tensor of several elements gets a drawing without
        gradients.
    collapse : bool
        Draw a call of a module that calls no other as one box (known only under `watching`).
    max_nodes : int
        More ops, leaves and constants than these are refused.
    layout : str
        Who places the boxes: ``"layers"``, which needs nothing, or ``"dot"``, which is Graphviz's
        and has fewer lines crossing in larger graphs (extra ``graphs``).

    Raises
    ------
    TooLargeError
        There are more.
    ValueError
        There is no such layout.
    ImportError
        The layout is ``"dot"`` and pygraphviz is not there.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor(2.0, requires_grad=True)
    >>> with mg.explain.watching():
    ...     loss = (w * 3).tanh()
    >>> mg.explain.draw(loss)
    <drawing of 3 boxes and 2 lines; .save('graph.svg') writes it>
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout is {' or '.join(map(repr, LAYOUTS))}, not {layout!r}")
    graph = graph_of(t, names_here(), max_nodes, "mg.explain.draw")
    gradients: dict[Entry, Any] = {}
    if t._node is not None and (gradient is not None or t.numel() == 1):
        gradients = run_backward(graph, t, gradient, 0).gradients
    placed = LAYOUTS[layout](boxes_of(graph, gradients, collapse))
    return Drawing(svg(placed), placed)


def boxes_of(graph: Graph, gradients: Mapping[Entry, Any], collapse: bool) -> list[Box]:
    """Return the boxes of a graph, each after those that it points from."""
    groups: dict[int, list[Entry]] = {}  # by a module's call, or by the entry itself
    made: dict[int, ModuleCall] = {}
    consumers = graph.consumers()
    key: dict[Entry, int] = {}
    for entry in graph.entries:
        call = entry.module
        whole = collapse and call is not None and not call.inner and entry is not graph.root
        key[entry] = id(call) if whole else id(entry)
        if whole and call is not None:
            made[id(call)] = call
    for entry in graph.entries:  # a parameter that only one module uses is in its box
        users = {key[c] for c in consumers[entry]}
        if entry.kind == "leaf" and len(users) == 1 and next(iter(users)) in made:
            key[entry] = users.pop()
        groups.setdefault(key[entry], []).append(entry)
    boxes: dict[int, Box] = {}
    last = {key[entry]: i for i, entry in enumerate(graph.entries)}
    for k in sorted(groups, key=last.__getitem__):
        entries = groups[k]
        if k in made:
            box = _module_box(made[k], entries, gradients)
        else:
            box = _box(entries[0], gradients)
        inside = set(entries)
        for entry in entries:
            box.sources += [boxes[key[s]] for s in entry.sources() if s not in inside]
        boxes[k] = box
    return list(boxes.values())


def _box(entry: Entry, gradients: Mapping[Entry, Any]) -> Box:
    if entry.op is None:
        lines = [entry.name if entry.kind == "leaf" else f"{entry.name} (constant)"]
    else:
        words = [operand_text(x) for x in entry.operands if x is not None]
        words += [f"{n}={v}" for n, v in entry.option_texts().items()]
        lines = [f"{entry.name} = {entry.op.name}({', '.join(words)})"]
    lines += _numbers(entry, gradients)
    return Box(tuple(map(_cut, lines)), entry.kind, (entry.name,))


def _module_box(call: ModuleCall, entries: list[Entry], gradients: Mapping[Entry, Any]) -> Box:
    ops = [e for e in entries if e.op is not None]
    title = call.path if call.path == call.kind else f"{call.path} ({call.kind})"
    lines = [f"{ops[-1].name} = {title}", ", ".join(e.op.name for e in ops if e.op is not None)]
    for entry in entries:
        if entry.kind == "leaf":
            lines.append(f"{entry.name.rpartition('.')[2]}: {entry.type_text}")
    lines += _numbers(ops[-1], gradients)
    return Box(tuple(map(_cut, lines)), "module", tuple(e.name for e in entries))


def _numbers(entry: Entry, gradients: Mapping[Entry, Any]) -> list[str]:
    lines = []
    if entry.shape:
        lines.append(entry.type_text)
    if entry.value is not None:
        lines.append(f"value {_short(entry.value)}")
    if entry in gradients:
        lines.append(f"grad {_short(gradients[entry])}")
    return lines


def _short(x: Any) -> str:
    text = show(x, FEW, DIGITS)
    return text if len(text) < LONGEST - len("value ") else show(x, 0, DIGITS)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."
