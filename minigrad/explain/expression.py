"""Formulas from the command line: evaluated over the op table, and able to do nothing else."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from minigrad.engine.dtypes import float64
from minigrad.engine.op import TABLE, Op
from minigrad.engine.tensor import Tensor
from minigrad.explain.watch import watching


class ExpressionError(ValueError):
    """A formula cannot be evaluated; the message names the piece and says what would do."""


CONSTANTS = {"e": math.e, "pi": math.pi}
_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
    ast.MatMult: "matmul", ast.Mod: "remainder", ast.FloorDiv: "floor_divide",
}  # fmt: skip
_COMPARE = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
_LONGEST = 2000  # letters of a formula


def variable(text: str) -> tuple[str, Tensor]:
    """Return the name and the tensor that ``x=1`` or ``x=[[1, 2], [3, 4]]`` says.

    Raises
    ------
    ExpressionError
        It says neither.

    Examples
    --------
    >>> from minigrad.explain.expression import variable
    >>> name, x = variable("x=[1, 2]")
    >>> name, x.tolist()
    ('x', [1.0, 2.0])
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name.isidentifier():
        raise ExpressionError(f"{text!r} is no value such as x=1 or x=[1, 2]")
    if name in TABLE:
        raise ExpressionError(f"{name} is an op; call the variable something else")
    try:
        numbers = ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        numbers = None
    if not _is_numbers(numbers):
        raise ExpressionError(f"{name}={value!r} is neither a number nor a list of numbers")
    try:
        tensor = Tensor(numbers, dtype=float64, requires_grad=True)
    except (ValueError, TypeError, OverflowError) as error:
        raise ExpressionError(f"{name}={value}: {error}") from None
    tensor.name = name
    return name, tensor


def _is_numbers(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return all(map(_is_numbers, x))
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def evaluate_expression(text: str, variables: Mapping[str, Tensor]) -> Tensor:
    """Evaluate a formula of numbers, variables, arithmetic and calls of ops.

    Nothing else is understood: no attribute but an op's name (``x.sum()``), no import, no builtin.

    Raises
    ------
    ExpressionError
        It has anything else, or an op refuses its arguments.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.explain.expression import evaluate_expression
    >>> evaluate_expression("sum(x ** 2)", {"x": mg.tensor([3.0, 4.0])})
    tensor(25.)
    """
    if len(text) > _LONGEST:
        raise ExpressionError(f"the formula has {len(text)} letters, at most {_LONGEST} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ExpressionError(f"{text!r} is no formula: {what}") from None
    try:
        result = _Evaluator(variables).value(tree)
    except RecursionError:
        raise ExpressionError("the formula is nested too deeply") from None
    except (ArithmeticError, MemoryError) as error:
        raise ExpressionError(f"{text!r}: {error or type(error).__name__}") from None
    if isinstance(result, Tensor):
        return result
    raise ExpressionError(
        f"{text!r} gives {result!r:.40}, no tensor; use a variable in it, such as x, and give its "
        "value: x=1"
    )


def evaluate_formula(formula: str, values: Sequence[str]) -> Tensor:
    """Evaluate a formula, watched, with variables as `variable` reads them; the result is ``y``.

    Raises
    ------
    ExpressionError
        The formula or a value is not understood.
    """
    variables: dict[str, Tensor] = {}
    for text in values:
        name, tensor = variable(text)
        if name in variables:
            raise ExpressionError(f"{name} has two values")
        variables[name] = tensor
    with watching(lines=False):
        result = evaluate_expression(formula, variables)
    result.name = result.name or "y"
    return result


class _Evaluator:
    def __init__(self, variables: Mapping[str, Tensor]) -> None:
        self.variables = variables

    def value(self, x: ast.expr) -> Any:
        """Return the value of a piece of the formula."""
        match x:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return x.value
            case ast.Name():
                return self.named(x.id)
            case ast.List() | ast.Tuple():
                parts = [self.value(part) for part in x.elts]
                return tuple(parts) if isinstance(x, ast.Tuple) else parts
            case ast.UnaryOp(op=ast.USub()):
                inner = self.value(x.operand)
                return -inner if _is_numbers(inner) else self.run("neg", [inner], {}, x)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.value(x.operand)
            case ast.BinOp() if type(x.op) in _BINARY:
                return self.binary(x)
            case ast.Compare(ops=[operation], comparators=[right]) if type(operation) in _COMPARE:
                sides = [self.value(x.left), self.value(right)]
                return self.run(_COMPARE[type(operation)], sides, {}, x)
            case ast.Subscript(slice=ast.Constant() | ast.UnaryOp() | ast.Tuple() | ast.List()):
                return self.run("getitem", [self.value(x.value), self.value(x.slice)], {}, x)
            case ast.Call(func=ast.Name()):
                return self.call(x.func.id, [], x)  # type: ignore[attr-defined]
            case ast.Call(func=ast.Attribute(value=owner)):
                return self.call(x.func.attr, [self.value(owner)], x)  # type: ignore[attr-defined]
        raise ExpressionError(
            f"{ast.unparse(x)!r} is not understood; a formula has numbers, variables, lists, "
            "+ - * / ** @, comparisons, x[0], and calls of ops such as tanh(x)"
        )

    def named(self, name: str) -> Any:
        if name in self.variables:
            return self.variables[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in TABLE:
            raise ExpressionError(f"{name} is an op and must be called: {name}(x)")
        raise ExpressionError(f"{name} has no value; give it one: {name}=1")

    def binary(self, x: ast.BinOp) -> Any:
        left, right = self.value(x.left), self.value(x.right)
        name = _BINARY[type(x.op)]
        if _is_number(left) and _is_number(right):  # as floats, which cannot grow without bound
            exact = {"add": "__add__", "sub": "__sub__", "mul": "__mul__", "div": "__truediv__",
                     "pow": "__pow__", "remainder": "__mod__",
                     "floor_divide": "__floordiv__"}  # fmt: skip
            if name in exact:
                result = getattr(float(left), exact[name])(float(right))
                if isinstance(result, float):
                    return result
            raise ExpressionError(f"{ast.unparse(x)!r} is no real number")
        return self.run(name, [left, right], {}, x)

    def call(self, name: str, first: list[Any], x: ast.Call) -> Any:
        if any(isinstance(a, ast.Starred) for a in x.args) or any(
            k.arg is None for k in x.keywords
        ):
            raise ExpressionError(f"{ast.unparse(x)!r}: * and ** are not understood in a call")
        args = [*first, *map(self.value, x.args)]
        return self.run(name, args, {k.arg: self.value(k.value) for k in x.keywords}, x)  # type: ignore[misc]

    def run(self, name: str, args: list[Any], kwargs: dict[str, Any], x: ast.expr) -> Any:
        op = TABLE.get(name)
        if op is None or name.startswith("_"):
            near = get_close_matches(name, [n for n in TABLE if not n.startswith("_")])
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ExpressionError(f"there is no op {name!r}{hint}")
        args = [_as_tensor(op, i, a) for i, a in enumerate(args)]
        if not any(isinstance(a, Tensor) for a in _flat([*args, *kwargs.values()])):
            args = [Tensor(a, dtype=float64) if _is_number(a) and i == 0 else a
                    for i, a in enumerate(args)]  # fmt: skip
        try:
            return op.function(*args, **kwargs)
        except (ValueError, TypeError, IndexError, RuntimeError) as error:
            raise ExpressionError(f"{ast.unparse(x)}: {str(error).partition(chr(10))[0]}") from None


def _as_tensor(op: Op, place: int, x: Any) -> Any:
    """Return a list of numbers that stands for an operand as a tensor."""
    is_operand = place < len(op.names) and op.names[place] in op.operands
    if is_operand and not op.variadic and isinstance(x, (list, tuple)) and _is_numbers(x):
        whole = all(isinstance(number, int) for number in _flat(x))
        return Tensor(x, dtype=None if whole else float64)
    return x


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def _flat(x: Any) -> list[Any]:
    return [y for part in x for y in _flat(part)] if isinstance(x, (list, tuple)) else [x]
