"""A layout as PNG, by matplotlib."""

from __future__ import annotations

import io

from minigrad.explain.layout import LINE, PAD, Layout

FACE = {"op": "#e8f0fd", "leaf": "#e6f5ea", "constant": "#f1f2f4", "module": "#f7ecfb"}
EDGE = {"op": "#3b6fc4", "leaf": "#2f8a4c", "constant": "#8c97a6", "module": "#8b4bab"}
PIXELS = 100.0  # of the layout, to an inch


def png(layout: Layout) -> bytes:
    """Return a layout as a PNG file.

    Raises
    ------
    ImportError
        Matplotlib is not there.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
        from matplotlib.path import Path
    except ImportError:
        raise ImportError(
            'a PNG needs matplotlib: python -m pip install "minigrad-engine[lessons]"; '
            "SVG needs nothing"
        ) from None
    figure = Figure((layout.width / PIXELS, layout.height / PIXELS), dpi=2 * PIXELS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, layout.width)
    axes.set_ylim(layout.height, 0)
    for _, _, points in layout.edges:
        codes = [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)
        axes.add_patch(
            FancyArrowPatch(
                path=Path(points, codes), arrowstyle="-|>", mutation_scale=9, color="#8c97a6"
            )
        )
    for box in layout.boxes:
        left, top = box.x - box.width / 2, box.y - box.height / 2
        axes.add_patch(
            FancyBboxPatch(
                (left + 4, top + 4), box.width - 8, box.height - 8,
                boxstyle="round,pad=4", facecolor=FACE[box.kind], edgecolor=EDGE[box.kind],
                linestyle="--" if box.kind == "constant" else "-",
            )
        )  # fmt: skip
        for i, line in enumerate(box.lines):
            axes.text(
                left + PAD, top + PAD + LINE * (i + 0.75), line, family="monospace",
                fontsize=8.6, parse_math=False, color="#1c2430" if i == 0 else "#5b6675",
            )  # fmt: skip
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
