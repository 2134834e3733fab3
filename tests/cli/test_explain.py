"""``python -m minigrad explain FORMULA NAME=VALUE ...``: its output, files, errors, status."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.cli import main
from minigrad.explain.expression import ExpressionError, evaluate_expression, evaluate_formula

EXAMPLE = ["explain", "tanh(x*w+b)", "x=1", "w=2", "b=-1"]


def test_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(EXAMPLE) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "walk to y: 3 ops, 3 leaves"
    slope = 1 - np.tanh(1.0) ** 2
    assert out[-3:] == [
        f"  x.grad += {2 * slope:.6g}", f"  w.grad += {slope:.6g}", f"  b.grad += {slope:.6g}"
    ]  # fmt: skip
    assert not any("line" in line for line in out)  # there is none


def test_the_tape_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "x @ w - [1, 2]", "x=[1,2]", "w=[[1,2],[3,4]]", "--tape"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "in  x:float64[2]",
        "in  w:float64[2, 2]",
        "in  c1:int64[2] constant",
        "    v1:float64[2] = matmul x w",
        "    y:float64[2] = sub v1 c1",
        "out y",
    ]


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, picture = tmp_path / "walk.html", tmp_path / "graph.svg"
    assert main([*EXAMPLE, "--tape", "--html", str(page), "--svg", str(picture)]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [f"page: {page}", f"picture: {picture}"]
    assert "A walk to y" in page.read_text(encoding="utf-8")
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert main([*EXAMPLE, "--svg", str(tmp_path / "no" / "graph.svg")]) == 1
    assert "make it first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tahn(x)", "x=1"], "there is no op 'tahn'; did you mean"),
        (["tanh(y)", "x=1"], "y has no value; give it one: y=1"),
        (["tanh + x", "x=1"], "tanh is an op and must be called: tanh(x)"),
        (["x *", "x=1"], "is no formula"),
        (["x * 2", "x=[1,2]"], "sum(x * 2) or mean(x * 2)"),
        (["x", "x=[1,"], "neither a number nor a list"),
        (["x", "x=abc"], "neither a number nor a list"),
        (["x", "x=[[1],[1,2]]"], "x=[[1],[1,2]]:"),
        (["x", "x"], "no value such as x=1"),
        (["x", "x=1", "x=2"], "x has two values"),
        (["x", "tanh=1"], "tanh is an op; call the variable something else"),
        (["2 * 3"], "use a variable in it"),
        (["9**9**9**9 * x", "x=1"], "out of range"),
        (["(-1)**0.5 * x", "x=1"], "is no real number"),
        (["1 / 0 * x", "x=1"], "division by zero"),
        (["x @ w", "x=[1,2]", "w=[1,2,3]"], "the last axis of a is 2"),
        (["sum(x, dim=3)", "x=[1,2]"], "sum(x, dim=3): "),
        (["tanh(*x)", "x=[1,2]"], "* and ** are not understood"),
        (["x[0:1]", "x=[1,2]"], "is not understood"),
        (["(" * 400 + "x" + ")" * 400, "x=1"], "is no formula: "),
        (["+".join("x" * 1500), "x=1"], "at most 2000 are read"),
        (["+".join("x" * 300), "x=1"], "more than 200 ops"),
    ],
)
def test_mistakes_are_explained(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('true')",
        "x.__class__",
        "x.numpy()",
        "x.backward()",
        "(lambda: x)()",
        "[x for x in (1, 2)]",
        "open('/etc/passwd')",
        "x if x else x",
        "f'{x}'",
        "(y := x)",
        "x.tanh.op",
        "eval('x')",
        "_place(x, [2], 0)",
        "b'x' * x",
        "tanh(**{'x': 1})",
    ],
)
def test_nothing_but_ops_is_run(formula: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate_expression(formula, {"x": mg.tensor(1.0)})


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("x + 2 * w", 7.0),
        ("-x ** 2", -1.0),
        ("x.mul(w)", 3.0),
        ("sum([x, w])", None),
        ("cat([reshape(x, [1]), reshape(w, [1])]).sum()", 4.0),
        ("where(x < w, x, w)", 1.0),
        ("maximum(x, w) // 2", 1.0),
        ("v[1] * v[-1]", 6.0),
        ("m[0, 1]", 2.0),
        ("mean(v, dim=-1)", 2.0),
        ("pi * x", np.pi),
        ("logsumexp(v, 0)", np.log(np.exp([1.0, 2.0, 3.0]).sum())),
        ("cross_entropy(m, [0, 1])", 0.8132616875182228),
        ("mse_loss(v, [1, 1, 1], reduction='sum')", 5.0),
    ],
)
def test_formulas(formula: str, value: float | None) -> None:
    numbers = ["x=1", "w=3", "v=[1,2,3]", "m=[[1,2],[3,4]]"]
    if value is None:
        with pytest.raises(ExpressionError):
            evaluate_formula(formula, numbers)
        return
    assert evaluate_formula(formula, numbers).item() == pytest.approx(value, rel=1e-15)
