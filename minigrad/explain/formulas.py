"""Formulas: of an op's value from its facts, of its derivatives from the source of its rules.

A rule is shown as it stands in the op's declaration, so what is printed is what was run. Where it
is a longer function, `MEANING` says in a line what that computes.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from minigrad.engine.op import Op

LATEX = {
    "abs": r"\left|x\right|",
    "acos": r"\arccos x",
    "add": "a + b",
    "asin": r"\arcsin x",
    "atan": r"\arctan x",
    "cast": r"x",
    "conv2d": r"b_o + \sum_{c,k,l} w_{ockl}\, x_{n,c,i+k,j+l}",
    "cos": r"\cos x",
    "cosh": r"\cosh x",
    "cross_entropy": r"\log \sum_c e^{x_{nc}} - x_{n t_n}",
    "cumsum": r"\sum_{i \le k} x_i",
    "cumprod": r"\prod_{i \le k} x_i",
    "div": r"\frac{a}{b}",
    "erf": r"\frac{2}{\sqrt{\pi}} \int_0^x e^{-t^2}\, dt",
    "exp": "e^x",
    "exp2": "2^x",
    "expm1": "e^x - 1",
    "hypot": r"\sqrt{a^2 + b^2}",
    "layer_norm": r"\frac{x - \bar x}{\sqrt{\operatorname{var} x + \epsilon}}\, w + b",
    "linear": r"x W^T + b",
    "log": r"\ln x",
    "log10": r"\log_{10} x",
    "log1p": r"\ln(1 + x)",
    "log2": r"\log_2 x",
    "log_softmax": r"x_i - \log \sum_j e^{x_j}",
    "logsigmoid": r"-\ln(1 + e^{-x})",
    "logsumexp": r"\log \sum_j e^{x_j}",
    "matmul": r"\sum_k a_{ik}\, b_{kj}",
    "maximum": r"\max(a, b)",
    "mean": r"\frac{1}{n} \sum_i x_i",
    "minimum": r"\min(a, b)",
    "mse_loss": "(x - t)^2",
    "mul": r"a\, b",
    "neg": "-x",
    "nll_loss": "-x_{n t_n}",
    "pow": "a^b",
    "prod": r"\prod_i x_i",
    "reciprocal": r"\frac{1}{x}",
    "relu": r"\max(x, 0)",
    "rsqrt": r"\frac{1}{\sqrt{x}}",
    "sigmoid": r"\frac{1}{1 + e^{-x}}",
    "silu": r"\frac{x}{1 + e^{-x}}",
    "sin": r"\sin x",
    "sinh": r"\sinh x",
    "softmax": r"\frac{e^{x_i}}{\sum_j e^{x_j}}",
    "softplus": r"\frac{1}{\beta} \ln(1 + e^{\beta x})",
    "sqrt": r"\sqrt{x}",
    "square": "x^2",
    "sub": "a - b",
    "sum": r"\sum_i x_i",
    "tan": r"\tan x",
    "tanh": r"\tanh x",
    "transpose": "x^T",
    "var": r"\frac{1}{n - c} \sum_i (x_i - \bar x)^2",
}
# Ops without a formula in their facts, in words
PLAIN = {
    "alias": "x",
    "amax": "the largest x",
    "amin": "the smallest x",
    "broadcast_to": "x, repeated to the shape",
    "cast": "x, in another dtype",
    "cat": "the tensors, one after another",
    "clone": "x, copied",
    "gather": "x[index]",
    "getitem": "x[index]",
    "permute": "x, its axes in another order",
    "prod": "the product of x",
    "reshape": "x, in another shape",
    "stack": "the tensors, along a new axis",
    "sum": "sum(x)",
    "sum_to": "x, summed to the shape",
    "transpose": "x, two axes exchanged",
    "view": "x, in another shape",
}
# Rules that are longer functions: what they compute, in plain text and in LaTeX
MEANING = {
    ("amax", "x"): ("g at the largest x, shared by equal ones", r"g\, [x = y]"),
    ("amin", "x"): ("g at the smallest x, shared by equal ones", r"g\, [x = y]"),
    ("cat", "tensors"): ("the tensor's own piece of g", "g_i"),
    ("clamp", "x"): ("g where min <= x <= max, else 0", r"g\, [\min \le x \le \max]"),
    ("cross_entropy", "x"): (
        "g * (softmax(x) - target), over n for the mean",
        r"\frac{g}{n} (p - t)",
    ),
    ("getitem", "x"): ("g where it was taken from, else 0", "g"),
    ("leaky_relu", "x"): (
        "g where x > 0, else negative_slope * g",
        r"g\, ([x > 0] + s\, [x \le 0])",
    ),
    ("linear", "weight"): ("g^T x", "g^T x"),
    ("linear", "x"): ("g W", "g W"),
    ("logsumexp", "x"): ("g * exp(x - y)", r"g\, e^{x - y}"),
    ("matmul", "a"): ("g b^T", r"g\, b^T"),
    ("matmul", "b"): ("a^T g", "a^T g"),
    ("maximum", "a"): ("g where a > b, half of it where a = b", r"g\, [a > b]"),
    ("maximum", "b"): ("g where b > a, half of it where a = b", r"g\, [b > a]"),
    ("mean", "x"): ("g / n for each of the n that were averaged", r"\frac{g}{n}"),
    ("minimum", "a"): ("g where a < b, half of it where a = b", r"g\, [a < b]"),
    ("minimum", "b"): ("g where b < a, half of it where a = b", r"g\, [b < a]"),
    ("mse_loss", "target"): ("-g * 2 (x - target), over n for the mean", r"-\frac{2 g}{n} (x - t)"),
    ("mse_loss", "x"): ("g * 2 (x - target), over n for the mean", r"\frac{2 g}{n} (x - t)"),
    ("nll_loss", "x"): ("-g at x[n, target[n]], over n for the mean", r"-\frac{g}{n}"),
    ("permute", "x"): ("g, its axes put back", "g"),
    ("pow", "a"): ("g * b * a ** (b - 1)", r"g\, b\, a^{b - 1}"),
    ("pow", "b"): ("g * y * log(a)", r"g\, y \ln a"),
    ("reshape", "x"): ("g, in the shape of x", "g"),
    ("softplus", "x"): ("g * sigmoid(beta * x)", r"g\, \sigma(\beta x)"),
    ("sum", "x"): ("g for each that was summed", "g"),
    ("view", "x"): ("g, in the shape of x", "g"),
}


def plain_formula(op: Op) -> str:
    """Return an op's value in plain text; its call where no formula is known.

    Examples
    --------
    >>> from minigrad.engine.op import TABLE
    >>> from minigrad.explain.formulas import plain_formula
    >>> plain_formula(TABLE["sigmoid"])
    '1 / (1 + e^-x)'
    """
    known = op.facts.formula if op.facts is not None else ""
    return known or PLAIN.get(op.name) or f"{op.name}({', '.join(op.operands)})"


def latex_formula(op: Op) -> str:
    """Return an op's value in LaTeX; its call where no formula is known."""
    name = op.name.replace("_", r"\_")
    call = rf"\operatorname{{{name}}}({', '.join(map(_latex_name, op.operands))})"
    return LATEX.get(op.name, call)


def rule_text(op: Op, operand: str, options: Mapping[str, Any]) -> str:
    """Return the derivative rule of an operand, as the op's declaration has it.

    Examples
    --------
    >>> from minigrad.engine.op import TABLE
    >>> from minigrad.explain.formulas import rule_text
    >>> rule_text(TABLE["tanh"], "x", {})
    'g * (1 - y * y)'
    """
    if (op.name, operand) in MEANING:
        return MEANING[op.name, operand][0]
    body = _rule(op, operand)
    return _call(op, operand) if body is None else ast.unparse(_decided(body, options))


def rule_latex(op: Op, operand: str, options: Mapping[str, Any]) -> str:
    r"""Return the derivative rule of an operand in LaTeX.

    Examples
    --------
    >>> from minigrad.engine.op import TABLE
    >>> from minigrad.explain.formulas import rule_latex
    >>> print(rule_latex(TABLE["tanh"], "x", {}))
    g \cdot \left(1 - y \cdot y\right)
    """
    if (op.name, operand) in MEANING:
        return MEANING[op.name, operand][1]
    body = _rule(op, operand)
    if body is None:
        return _verbatim(_call(op, operand))
    return _latex(_decided(body, options))


def _call(op: Op, operand: str) -> str:
    """Return how a rule is called that is no single expression."""
    rule = op.rules[operand]
    return f"{rule.__name__.strip('_')}({', '.join(inspect.signature(rule).parameters)})"


@functools.cache
def _rule(op: Op, operand: str) -> ast.expr | None:
    """Return the expression that a rule returns; None if it is more than that."""
    rule = op.rules[operand]
    try:
        if rule.__name__ != "<lambda>":
            tree = ast.parse(textwrap.dedent(inspect.getsource(rule))).body[0]
            body = tree.body[-1:] if isinstance(tree, ast.FunctionDef) else []
            alone = isinstance(tree, ast.FunctionDef) and all(
                isinstance(s, ast.Expr)
                for s in tree.body[:-1]  # no more than a docstring before
            )
            return body[0].value if alone and isinstance(body[0], ast.Return) else None
        declared = ast.parse(textwrap.dedent(inspect.getsource(op.declared))).body[0]
    except OSError:  # the source is not there
        return None
    for decorator in getattr(declared, "decorator_list", []):
        for keyword in getattr(decorator, "keywords", []):
            if keyword.arg == operand and isinstance(keyword.value, ast.Lambda):
                return keyword.value.body
    return None


def _decided(body: ast.expr, options: Mapping[str, Any]) -> ast.expr:
    """Return the branch of ``A if option is None else B`` that the options decide."""
    while isinstance(body, ast.IfExp) and isinstance(body.test, ast.Compare):
        test = body.test
        left, operation, right = test.left, test.ops[0], test.comparators[0]
        of_none = isinstance(right, ast.Constant) and right.value is None
        if not (of_none and isinstance(left, ast.Name) and left.id in options):
            break
        yes = (options[left.id] is None) == isinstance(operation, ast.Is)
        body = body.body if yes else body.orelse
    return body


_FUNCTIONS = {"cos", "cosh", "exp", "log", "sin", "sinh", "tan", "tanh"}
_BINARY = {ast.Add: (1, " + "), ast.Sub: (1, " - "), ast.Mult: (2, r" \cdot "),
           ast.MatMult: (2, r"\, ")}  # fmt: skip


def _latex(x: ast.expr, above: int = 0) -> str:
    """Return an expression in LaTeX; ``above`` is how strongly what is around it binds."""
    if isinstance(x, ast.Name):
        return _latex_name(x.id)
    if isinstance(x, ast.Constant):
        return str(x.value)
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        return _bracket("-" + _latex(x.operand, 3), 1, above)
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Div):
        return rf"\frac{{{_latex(x.left)}}}{{{_latex(x.right)}}}"
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Pow):
        return rf"{_latex(x.left, 4)}^{{{_latex(x.right)}}}"
    if isinstance(x, ast.BinOp) and type(x.op) in _BINARY:
        rank, sign = _BINARY[type(x.op)]
        return _bracket(_latex(x.left, rank) + sign + _latex(x.right, rank + 1), rank, above)
    if isinstance(x, ast.Call) and isinstance(x.func, ast.Name) and not x.keywords:
        name = x.func.id
        head = rf"\{name}" if name in _FUNCTIONS else rf"\operatorname{{{_escaped(name)}}}"
        return rf"{head}\left({', '.join(map(_latex, x.args))}\right)"
    return _verbatim(ast.unparse(x))


def _bracket(text: str, rank: int, above: int) -> str:
    return rf"\left({text}\right)" if rank < above else text


def _latex_name(name: str) -> str:
    return name if len(name) == 1 else rf"\mathrm{{{_escaped(name)}}}"


def _verbatim(text: str) -> str:
    return rf"\texttt{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
    return "".join(special.get(c) or (f"\\{c}" if c in "_%&#${}" else c) for c in text)
