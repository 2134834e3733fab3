"""Drawings placed by Graphviz's dot: boxes apart, lines from box to box; a refusal without it."""

from __future__ import annotations

import itertools
import sys

import pytest

import minigrad as mg
from minigrad.explain import Drawing, draw
from minigrad.explain.layout import MARGIN, Box, Point


def drawn(layout: str) -> Drawing:
    """Return a drawing of a graph in which values are used up to three times, far away too."""
    x = mg.tensor([0.5, -1.0], requires_grad=True)
    values = [x, x * 2]
    for i in range(30):
        values.append((values[-1] * values[i // 2] + values[-2]).tanh())
    return draw(values[-1].sum(), layout=layout, collapse=False)


def off_the_border(point: Point, box: Box) -> float:
    """Return how far a point is outside a box, or inside, in the direction that is farthest out."""
    x, y = point
    return abs(max(abs(x - box.x) - box.width / 2, abs(y - box.y) - box.height / 2))


def test_dot_places_what_the_layers_place() -> None:
    pytest.importorskip("pygraphviz", reason="pygraphviz is not installed")
    ours, dots = drawn("layers"), drawn("dot")
    assert [b.lines for b in dots.layout.boxes] == [b.lines for b in ours.layout.boxes]
    pairs = {(a.rows, b.rows) for a, b, _ in dots.layout.edges}
    assert pairs == {(a.rows, b.rows) for a, b, _ in ours.layout.edges}
    for a, b in itertools.combinations(dots.layout.boxes, 2):
        across = abs(a.x - b.x) - (a.width + b.width) / 2
        down = abs(a.y - b.y) - (a.height + b.height) / 2
        assert max(across, down) > 5
    for box in dots.layout.boxes:
        assert box.width / 2 + MARGIN - 1 < box.x < dots.layout.width - box.width / 2 - MARGIN + 1
        assert (
            box.height / 2 + MARGIN - 1 < box.y < dots.layout.height - box.height / 2 - MARGIN + 1
        )
    for start, end, points in dots.layout.edges:
        assert len(points) % 3 == 1
        assert points[0][1] < points[-1][1]
        assert off_the_border(points[0], start) < 1
        assert off_the_border(points[-1], end) < 1
    assert dots.svg.count("<path class=") == len(dots.layout.edges)


def test_without_pygraphviz_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(ImportError, match=r"minigrad-engine\[graphs\].*Graphviz's C library"):
        drawn("dot")


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="layout is 'layers' or 'dot', not 'neato'"):
        drawn("neato")
