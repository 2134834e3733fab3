"""The pages that the book is made of, and what stops it; the whole is built and opened by CI."""

from __future__ import annotations

import inspect
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.book import BookError, build
from minigrad.book import mathjax as fetching
from minigrad.book.found import NoChineseError, write_errata
from minigrad.book.mathjax import MathJaxError, mathjax
from minigrad.book.optable import draw_curve, entry, is_curve, write_op_pages
from minigrad.book.reference import NAMESPACES, page, public, write_reference
from minigrad.check.claims import Claim
from minigrad.engine.op import TABLE
from minigrad.learn.records import LessonRecord, record, write_record


@pytest.mark.slow
def test_every_op_has_its_place_and_every_curve_its_picture(tmp_path: Path) -> None:
    write_op_pages(tmp_path)
    ops = {name for name in TABLE if not name.startswith("_")}
    text = "".join(p.read_text(encoding="utf-8") for p in tmp_path.glob("*.md"))
    assert set(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == ops
    assert set(re.findall(r"\| \[(\w+)\]\(#op", text)) == ops
    pictures = {p.stem for p in tmp_path.glob("*.png")}
    assert pictures == {name for name in ops if is_curve(TABLE[name])}
    assert {"tanh", "relu", "log", "gelu", "abs"} <= pictures
    assert {"add", "sum", "matmul"}.isdisjoint(pictures)


@pytest.mark.parametrize(
    ("name", "breaks"),
    [("exp", (0, 0)), ("relu", (0, 1)), ("abs", (0, 2)), ("sign", (2, 0)), ("floor", (5, 0))],
)
def test_a_curve_is_broken_where_it_jumps(name: str, breaks: tuple[int, int]) -> None:
    curves = [line for line in draw_curve(TABLE[name]).axes[0].lines if len(line.get_ydata()) > 2]
    assert tuple(int(np.isnan(curve.get_ydata()).sum()) for curve in curves) == breaks


def test_an_entry_has_the_rule_that_runs_and_what_holds_at_a_kink() -> None:
    text = entry(TABLE["abs"], "abs.png")
    assert r"$$y = \left|x\right|$$" in text
    assert "No derivative at 0" in text
    assert "abs.png" in text
    assert "Gradient of `x`" in entry(TABLE["reshape"], None)


def test_an_op_made_of_others_is_not_said_to_have_no_derivative() -> None:
    assert not TABLE["flatten"].primitive
    assert "Made of other ops" in entry(TABLE["flatten"], None)
    assert "Checked up to derivatives of order 2" in entry(TABLE["flatten"], None)
    assert "It has no derivative" in entry(TABLE["argmax"], None)
    assert "Checked" not in entry(TABLE["argmax"], None)


def test_the_errata_are_not_half_chinese(tmp_path: Path) -> None:
    claim = Claim("D0 4.3", "a claim that no table has", "0.5", 0.5)
    kept = LessonRecord("01_forward_backward", "x", (record(claim, "holds"),), {})
    write_record(kept, tmp_path)
    with pytest.raises(NoChineseError, match="no Chinese for: 01_forward_backward: a claim that"):
        write_errata(tmp_path, tmp_path, tmp_path)


@pytest.mark.slow
def test_the_reference_has_every_public_name_once(tmp_path: Path) -> None:
    pages = write_reference(tmp_path)
    assert pages == [module for module, _ in NAMESPACES]
    text = "".join((tmp_path / f"{name}.rst").read_text(encoding="utf-8") for name in pages)
    named = re.findall(r"^.. auto(?:class|function):: ([\w.]+)$", text, re.MULTILINE)
    assert len(named) == len(set(named))
    for name in ("minigrad.Tensor", "minigrad.tanh", "minigrad.nn.Linear", "minigrad.optim.Adam"):
        assert name in named
    for name, thing in [*public(nn), *public(mg)]:
        assert inspect.getdoc(thing), name


def test_a_namespace_leaves_out_what_stood_before() -> None:
    seen = {id(mg.Tensor)}
    text = page("minigrad", "x", seen)
    assert ".. autoclass:: minigrad.Tensor\n" not in text
    assert ".. autofunction:: minigrad.tanh\n" in text


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(BookError, match="not empty and not a book"):
        build([], tmp_path, tmp_path / "cache")
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_without_npm_it_says_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MathJaxError, match=r"there is no npm: install Node\.js, or put the file"):
        mathjax(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_other_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "package" / "es5"
    source.mkdir(parents=True)
    (source / "tex-svg-full.js").write_text("alert('no')")

    def pack(words: list[str], cwd: str, **_: object) -> subprocess.CompletedProcess[str]:
        subprocess.check_call(["tar", "-C", str(tmp_path), "-czf", f"{cwd}/x.tgz", "package"])
        return subprocess.CompletedProcess(words, 0, "x.tgz", "")

    monkeypatch.setattr(fetching.shutil, "which", lambda name: "npm")
    monkeypatch.setattr(fetching.subprocess, "run", pack)
    with pytest.raises(MathJaxError, match="has the SHA-256"):
        mathjax(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_what_is_in_the_cache_is_taken_if_it_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "SHA256", fetching._digest(b"right"))
    monkeypatch.setenv("PATH", "")
    (tmp_path / fetching.NAME).write_bytes(b"right")
    assert mathjax(tmp_path).read_bytes() == b"right"
    (tmp_path / fetching.NAME).write_bytes(b"wrong")
    with pytest.raises(MathJaxError):
        mathjax(tmp_path)
