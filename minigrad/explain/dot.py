"""Where each part of a larger drawing goes: by Graphviz's dot, through pygraphviz, if asked for."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.explain.layout import GAP_X, GAP_Y, MARGIN, Box, Layout, Point

INCH = 72.0  # dot takes sizes in inches and gives places in points; a point is our pixel


def lay_out_by_dot(boxes: Sequence[Box]) -> Layout:
    """Place boxes by Graphviz's dot, which finds fewer crossings where there are many.

    Raises
    ------
    ImportError
        Pygraphviz is not there.
    """
    try:
        import pygraphviz
    except ImportError:
        raise ImportError(
            'layout="dot" needs pygraphviz: python -m pip install "minigrad-engine[graphs]"; where '
            "pip has to build it, that needs Graphviz's C library first (on Debian: apt-get "
            'install graphviz libgraphviz-dev); layout="layers" needs nothing'
        ) from None
    with pygraphviz.AGraph(
        directed=True, strict=True, nodesep=str(GAP_X / INCH), ranksep=str(GAP_Y / INCH)
    ) as graph:
        graph.node_attr.update(shape="box", fixedsize="true", label="")
        graph.edge_attr["dir"] = "none"  # lines up to the boxes: arrowheads are ours
        name = {box: str(i) for i, box in enumerate(boxes)}
        for box in boxes:
            graph.add_node(name[box], width=box.width / INCH, height=box.height / INCH)
        for box in boxes:
            for source in box.sources:
                graph.add_edge(name[source], name[box])
        graph.layout(prog="dot")
        width, height = _numbers(graph.graph_attr["bb"])[2:]

        def place(x: float, y: float) -> Point:
            return x + MARGIN, height - y + MARGIN  # dot's y runs upwards

        for box in boxes:
            box.x, box.y = place(*_numbers(graph.get_node(name[box]).attr["pos"]))
        edges = []
        for box in boxes:
            for source in dict.fromkeys(box.sources):
                words = graph.get_edge(name[source], name[box]).attr["pos"].split()
                edges.append((source, box, [place(*_numbers(word)) for word in words]))
    return Layout(list(boxes), edges, width + 2 * MARGIN, height + 2 * MARGIN)


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split(",")]
