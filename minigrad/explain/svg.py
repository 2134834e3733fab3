"""A layout as SVG."""

from __future__ import annotations

from html import escape

from minigrad.explain.layout import LINE, PAD, Layout, Point

STYLE = """
.mg-graph{--paper:#fff;--ink:#1c2430;--soft:#5b6675;--line:#8c97a6;--op:#e8f0fd;--op-edge:#3b6fc4;
--leaf:#e6f5ea;--leaf-edge:#2f8a4c;--constant:#f1f2f4;--constant-edge:#8c97a6;--module:#f7ecfb;
--module-edge:#8b4bab;--here:#ffcf4a;background:var(--paper);
font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){.mg-graph{--paper:#14181f;--ink:#e7ebf1;--soft:#a5b0bf;
--line:#76828f;--op:#1c2b44;--op-edge:#6f9fe8;--leaf:#17321f;--leaf-edge:#5cc07c;
--constant:#262b33;--module:#33213c;--module-edge:#c58be0;--here:#e0a800}}
.mg-graph text{fill:var(--ink)}.mg-graph text.more{fill:var(--soft)}
.mg-graph path.edge{fill:none;stroke:var(--line);stroke-width:1.4}
.mg-graph marker path{fill:var(--line)}
.mg-graph rect{stroke-width:1.4}
.mg-graph .op rect{fill:var(--op);stroke:var(--op-edge)}
.mg-graph .leaf rect{fill:var(--leaf);stroke:var(--leaf-edge)}
.mg-graph .constant rect{fill:var(--constant);stroke:var(--constant-edge);stroke-dasharray:4 3}
.mg-graph .module rect{fill:var(--module);stroke:var(--module-edge);stroke-width:2}
.mg-graph .here rect{stroke:var(--here);stroke-width:4}
"""


def svg(layout: Layout) -> str:
    """Return a layout as an SVG document."""
    width, height = f"{layout.width:.0f}", f"{layout.height:.0f}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mg-graph" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="computation graph">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="mg-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
    ]
    for _, _, points in layout.edges:
        parts.append(f'<path class="edge" marker-end="url(#mg-arrow)" d="{_path(points)}"/>')
    for box in layout.boxes:
        left, top = box.x - box.width / 2, box.y - box.height / 2
        names = escape(" ".join(box.rows), quote=True)
        parts.append(f'<g class="{box.kind}" data-rows="{names}">')
        parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" '
            f'height="{box.height:.1f}" rx="7"/>'
        )
        for i, line in enumerate(box.lines):
            y = top + PAD + LINE * (i + 0.75)
            more = ' class="more"' if i else ""
            parts.append(f'<text x="{left + PAD:.1f}" y="{y:.1f}"{more}>{escape(line)}</text>')
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _path(points: list[Point]) -> str:
    """Return a chain of curves as a path's commands."""
    words = [f"{x:.1f} {y:.1f}" for x, y in points]
    curves = [f"C{' '.join(words[i : i + 3])}" for i in range(1, len(words), 3)]
    return " ".join([f"M{words[0]}", *curves])
