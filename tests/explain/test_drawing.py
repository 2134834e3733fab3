"""Drawings: no box over another, lines run downwards, values and gradients in the boxes."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.explain import TooLargeError, draw, walk, watching
from minigrad.explain.layout import GAP_X, Box, lay_out

SVG = "{http://www.w3.org/2000/svg}"


def random_boxes(seed: int) -> list[Box]:
    """Return boxes of random sizes, each pointing from up to three earlier ones."""
    rng = np.random.default_rng(seed)
    boxes: list[Box] = []
    for i in range(int(rng.integers(1, 40))):
        lines = ("x" * int(rng.integers(1, 30)),) * int(rng.integers(1, 5))
        some = rng.integers(0, max(1, i), size=rng.integers(0, 4)) if i else []
        boxes.append(Box(lines, "op", (str(i),), [boxes[int(k)] for k in some]))
    return boxes


@pytest.mark.parametrize("seed", range(25))
def test_boxes_are_apart_and_lines_run_down(seed: int) -> None:
    boxes = random_boxes(seed)
    layout = lay_out(boxes)
    assert layout.boxes == boxes
    for a, b in itertools.combinations(boxes, 2):
        across = abs(a.x - b.x) - (a.width + b.width) / 2
        down = abs(a.y - b.y) - (a.height + b.height) / 2
        assert across > GAP_X - 1e-6 or down > 0
    for box in boxes:
        assert box.x - box.width / 2 > 0
        assert box.x + box.width / 2 < layout.width
        assert box.y - box.height / 2 > 0
        assert box.y + box.height / 2 < layout.height
    pairs = {(a, b) for a, b, _ in layout.edges}
    assert pairs == {(source, box) for box in boxes for source in box.sources}
    for _, _, points in layout.edges:
        heights = [y for _, y in points]
        assert heights == sorted(heights)


@pytest.mark.parametrize("seed", range(25))
def test_no_line_runs_through_a_box(seed: int) -> None:
    layout = lay_out(random_boxes(seed))
    for start, end, points in layout.edges:
        for box in layout.boxes:
            if box in (start, end):
                continue
            top, bottom = box.y - box.height / 2, box.y + box.height / 2
            for (x, y), (to_x, to_y) in itertools.pairwise(points[::3]):  # ends of curves
                if min(bottom, to_y) - max(top, y) > 1e-6:  # beside the box it must be upright
                    assert x == to_x
                    assert abs(x - box.x) > box.width / 2


def small() -> tuple[mg.Tensor, mg.Tensor]:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    x.name = "x<b>&\"'"
    with watching():
        loss = (x * x).sum(dim=0)
    return x, loss


def test_the_svg_has_a_box_for_each_tensor() -> None:
    _, loss = small()
    root = ET.fromstring(draw(loss).svg)
    groups = {
        g.get("data-rows"): [t.text for t in g.iter(f"{SVG}text")] for g in root.iter(SVG + "g")
    }
    assert groups == {
        "x<b>&\"'": ["x<b>&\"'", "float32[2]", "value [1, 2]", "grad [2, 4]"],
        "v1": ["v1 = mul(x<b>&\"', x<b>&\"')", "float32[2]", "value [1, 4]", "grad [1, 1]"],
        "loss": ["loss = sum(v1, dim=0)", "value 5", "grad 1"],
    }
    edges = [p for p in root.iter(f"{SVG}path") if p.get("class") == "edge"]
    assert len(edges) == 2  # used twice, drawn once


def test_modules_are_one_box_unless_they_call_others() -> None:
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    inputs = mg.tensor([[1.0, -1.0]])
    with watching():
        loss = net(inputs).sum() + net[0].bias.sum()
    boxes = {box.rows[-1]: box for box in draw(loss).layout.boxes}
    kinds = [box.kind for box in boxes.values()]
    assert kinds.count("module") == 3
    assert boxes["v1"].lines[:3] == ("v1 = net.0 (Linear)", "linear", "weight: float32[3, 2]")
    assert "net.0.weight" in boxes["v1"].rows
    assert "net.0.bias" in boxes  # used outside as well, so it has its own
    flat = draw(loss, collapse=False).layout.boxes
    assert len(flat) == len(walk(loss).rows)
    assert all(box.kind != "module" for box in flat)


def test_a_module_called_twice_is_two_boxes() -> None:
    layer = nn.Linear(2, 2)
    x = mg.tensor([1.0, 2.0])
    with watching():
        loss = layer(layer(x)).sum()
    boxes = draw(loss).layout.boxes
    assert [box.kind for box in boxes].count("module") == 2
    assert {"layer.weight", "layer.bias"} <= {box.rows[0] for box in boxes}


def test_saved_as_svg_and_png(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    _, loss = small()
    drawing = draw(loss)
    drawing.save(tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == drawing.svg
    assert drawing._repr_svg_() == drawing.svg
    drawing.save(tmp_path / "graph.png")
    pixels = np.asarray(image.open(tmp_path / "graph.png").convert("RGB")).astype(int)
    wanted = (drawing.layout.height * 2, drawing.layout.width * 2)
    np.testing.assert_allclose(pixels.shape[:2], wanted, atol=2)
    for box, colour in zip(drawing.layout.boxes, ("e6f5ea", "e8f0fd", "e8f0fd"), strict=True):
        corner = pixels[int(2 * (box.y - box.height / 2) + 8), int(2 * box.x)]
        np.testing.assert_allclose(corner, list(bytes.fromhex(colour)), atol=3)
    with pytest.raises(ValueError, match=r"saved as \.svg or \.png, not as 'graph\.gif'"):
        drawing.save("graph.gif")


def test_several_elements_are_drawn_without_gradients() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    assert "grad" not in draw(y).svg
    assert "grad [2, 20]" in draw(y, gradient=mg.tensor([1.0, 10.0])).svg


def test_many_numbers_are_a_range_and_long_words_are_cut() -> None:
    x = mg.arange(50, dtype=mg.float32).requires_grad_()
    x.name = "a_name_" * 20
    svg = draw((x * 2).sum()).svg
    assert "value 50 values from 0 to 49" in svg
    longest = max(len(t.text or "") for t in ET.fromstring(svg).iter(f"{SVG}text"))
    assert longest <= 54


def test_a_huge_graph_is_not_drawn() -> None:
    y = mg.tensor(1.0, requires_grad=True)
    for _ in range(250):
        y = y * 0.5
    with pytest.raises(TooLargeError, match=r"mg\.explain\.draw\(\.\.\., max_nodes=2000\)"):
        draw(y)
