"""Where each part of a drawing goes: layers from top to bottom, few crossings, no system binary."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

GAP_X, GAP_Y, MARGIN = 28.0, 46.0, 16.0
LETTER, LINE, PAD = 7.3, 16.0, 9.0  # of the text in a box
SWEEPS = 12

Point = tuple[float, float]


@dataclass(eq=False)
class Box:
    """A box of the drawing, or (without lines) a bend of a long edge; x and y are its centre."""

    lines: tuple[str, ...]
    kind: str = "bend"
    rows: tuple[str, ...] = ()
    sources: list[Box] = field(default_factory=list)
    layer: int = 0
    x: float = 0.0
    y: float = 0.0
    row: tuple[float, float] = (0.0, 0.0)  # where its row begins and ends

    @property
    def width(self) -> float:
        """The width in pixels."""
        return LETTER * max(map(len, self.lines)) + 2 * PAD if self.lines else 6.0

    @property
    def height(self) -> float:
        """The height in pixels."""
        return LINE * len(self.lines) + 2 * PAD if self.lines else 0.0


@dataclass
class Layout:
    """Boxes with their places, and the edges between them.

    An edge is a chain of cubic Bezier curves: a point, then for each curve two that draw it to
    their side, and its end.
    """

    boxes: list[Box]
    edges: list[tuple[Box, Box, list[Point]]]
    width: float
    height: float


def lay_out(boxes: Sequence[Box]) -> Layout:
    """Place boxes, which come after those they point from."""
    _layers(boxes)
    chains: list[list[Box]] = []
    bends: list[Box] = []
    for box in boxes:
        for source in dict.fromkeys(box.sources):  # one line, however often it is used
            chain = [source]
            for layer in range(source.layer + 1, box.layer):
                bend = Box((), layer=layer)
                bends.append(bend)
                chain.append(bend)
            chains.append([*chain, box])
    above: dict[Box, list[Box]] = {b: [] for b in (*boxes, *bends)}
    below: dict[Box, list[Box]] = {b: [] for b in (*boxes, *bends)}
    for chain in chains:
        for upper, lower in itertools.pairwise(chain):
            above[lower].append(upper)
            below[upper].append(lower)
    rows: list[list[Box]] = [[] for _ in range(max(b.layer for b in boxes) + 1)]
    for box in (*boxes, *bends):
        rows[box.layer].append(box)
    _order(rows, above, below)
    _across(rows, above, below)
    _down(rows)
    left = min(b.x - b.width / 2 for b in boxes) - MARGIN
    for box in (*boxes, *bends):
        box.x -= left
    width = max(b.x + b.width / 2 for b in (*boxes, *bends)) + MARGIN
    height = max(b.y + b.height / 2 for b in boxes) + MARGIN
    edges = [(chain[0], chain[-1], _curve(_points(chain))) for chain in chains]
    return Layout(list(boxes), edges, width, height)


def _layers(boxes: Sequence[Box]) -> None:
    """Put each box below all it comes from, and what comes from nothing just above its user."""
    for box in boxes:
        if box.sources:
            box.layer = 1 + max(source.layer for source in box.sources)
    users: dict[Box, int] = {}
    for box in boxes:
        for source in box.sources:
            users[source] = min(users.get(source, box.layer), box.layer)
    for box in boxes:
        if not box.sources and box in users:
            box.layer = users[box] - 1


def _order(rows: list[list[Box]], above: dict[Box, list[Box]], below: dict[Box, list[Box]]) -> None:
    """Order each row by the mean place of the neighbours, downwards and upwards in turn."""
    for sweep in range(SWEEPS):
        neighbours = below if sweep % 2 else above
        for row in reversed(rows) if sweep % 2 else rows:
            place = {b: i / max(1, len(r) - 1) for r in rows for i, b in enumerate(r)}
            row.sort(key=lambda b: _mean([place[n] for n in neighbours[b]], place[b]))


def _across(
    rows: list[list[Box]], above: dict[Box, list[Box]], below: dict[Box, list[Box]]
) -> None:
    """Choose x: near the neighbours, in the row's order, and apart.

    What comes from nothing follows its users and pulls nobody, or chains would drift aside.
    """
    inner = {b: [n for n in above[b] if above[n]] or above[b] for row in rows for b in row}
    for row in rows:
        _spread(row, [0.0] * len(row))
    for sweep in range(SWEEPS + 1):  # downwards last
        neighbours = below if sweep % 2 else inner
        for row in reversed(rows) if sweep % 2 else rows:
            _spread(row, [_mean([n.x for n in neighbours[b]], b.x) for b in row])
    for row in rows:
        _draw_near(row, above, below)


def _draw_near(row: list[Box], above: dict[Box, list[Box]], below: dict[Box, list[Box]]) -> None:
    """Move what comes from nothing, at both ends of a row, as near to its users as there is room.

    The others stay where they are.
    """
    firm = [i for i, box in enumerate(row) if above[box]]
    if not firm:
        _spread(row, [_mean([n.x for n in below[b]], b.x) for b in row])
        return
    for i in range(firm[-1] + 1, len(row)):
        row[i].x = max(_mean([n.x for n in below[row[i]]], 0.0), row[i - 1].x + _apart(row, i - 1))
    for i in reversed(range(firm[0])):
        row[i].x = min(_mean([n.x for n in below[row[i]]], 0.0), row[i + 1].x - _apart(row, i))


def _apart(row: list[Box], i: int) -> float:
    """Return how far box i and the next one must be apart."""
    return (row[i].width + row[i + 1].width) / 2 + GAP_X


def _spread(row: list[Box], wanted: list[float]) -> None:
    """Put boxes as near to the wanted x as their widths allow.

    Pushed to the right only, or to the left only, they are apart, and so they are halfway.
    """
    if not row:
        return
    apart = [_apart(row, i) for i in range(len(row) - 1)]
    right, left = list(wanted), list(wanted)
    for i, gap in enumerate(apart):
        right[i + 1] = max(wanted[i + 1], right[i] + gap)
    for i in reversed(range(len(apart))):
        left[i] = min(wanted[i], left[i + 1] - apart[i])
    for box, a, b in zip(row, right, left, strict=True):
        box.x = (a + b) / 2


def _down(rows: list[list[Box]]) -> None:
    top = MARGIN
    for row in rows:
        height = max((b.height for b in row), default=0.0)
        for box in row:
            box.y, box.row = top + height / 2, (top, top + height)
        top += height + GAP_Y


def _points(chain: list[Box]) -> list[Point]:
    """Return the way of an edge: upright within the rows, so that it touches no box there."""
    start, *bends, end = chain
    points = [(start.x, start.y + start.height / 2), (start.x, start.row[1])]
    for bend in bends:
        points += [(bend.x, edge) for edge in bend.row]
    points += [(end.x, end.row[0]), (end.x, end.y - end.height / 2)]
    return list(dict.fromkeys(points))


def _curve(points: list[Point]) -> list[Point]:
    """Return a smooth way through points, leaving and arriving upright."""
    (x, y), *rest = points
    curve = [(x, y)]
    for to_x, to_y in rest:
        half = (y + to_y) / 2
        curve += [(x, half), (to_x, half), (to_x, to_y)]
        x, y = to_x, to_y
    return curve


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
