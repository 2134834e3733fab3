"""Mistakes in the text of the rules: each is planted by compiling the changed text.

The text is that of the rules themselves, lambdas in decorators and named functions, and of the
functions that only rules call. A mutant gives the function other code, so it is wrong wherever it
was imported to.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.op import Op
from minigrad.engine.tensor import Tensor, wrap
from mutation.mutant import Mutant, Touched

Use = tuple[Op, str]
Change = tuple[str, ast.AST]  # the kind of mistake, and what a node becomes

# ---- what a changed text may call ----------------------------------------------------------------


def _wrong_axis(dim: Any) -> Any:
    """Return the axis before, the axes in another order, or one axis for all."""
    if dim is None:
        return 0
    if isinstance(dim, (tuple, list)):
        return tuple(d - 1 for d in dim)
    return dim - 1


def _off_by_one(value: Any) -> Any:
    """Return a number, the last of several, or an index, that is one too large."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (tuple, list)) and len(value):
        return type(value)([*value[:-1], _off_by_one(value[-1])])
    if isinstance(value, slice):
        return slice((value.start or 0) + 1, value.stop, value.step)
    if isinstance(value, np.ndarray):
        return np.roll(value, 1)
    if isinstance(value, Tensor):
        return wrap(_off_by_one(value._array), None)
    return value + 1 if isinstance(value, (int, np.integer)) else value


def _ones(x: Any) -> Any:
    """Return a constant instead of an input."""
    return x * 0 + 1


def _detached(x: Any) -> Any:
    """Return the input's values without its graph, so that a second derivative is wrong."""
    return x._array if isinstance(x, Tensor) else x


CALLABLE = {f"_mutation{f.__name__}": f for f in (_wrong_axis, _off_by_one, _ones, _detached)}


def _call(name: str, x: ast.AST) -> ast.AST:
    return ast.Call(ast.Name(f"_mutation{name}", ast.Load()), [x], [])  # type: ignore[list-item]


# ---- the functions that are broken ---------------------------------------------------------------


class Site:
    """A function whose text is broken, and the rules that it is part of."""

    def __init__(self, function: types.FunctionType, name: str, uses: list[Use]) -> None:
        self.function, self.name, self.uses = function, name, uses
        self.tree = _tree(function)
        rows = [row for row, _ in uses]
        # fused ops are differentiated a second time by their meaning, not by their rules
        self.second = any(
            r.meaning is None and r.facts is not None and r.facts.order > 1 for r in rows
        )

    def compiled(self, tree: ast.AST) -> types.CodeType:
        """Return the code of a changed text."""
        if isinstance(tree, ast.Lambda):
            module: Any = ast.Expression(tree)
            mode = "eval"
        else:
            module, mode = ast.Module([tree], []), "exec"  # type: ignore[list-item]
        code = compile(
            ast.fix_missing_locations(module), self.function.__code__.co_filename, mode,
            flags=0x1000000,  # from __future__ import annotations
            dont_inherit=True,
        )  # fmt: skip
        name = self.function.__code__.co_name
        return next(
            c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name
        )


@functools.cache
def _module(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"))


def _tree(function: types.FunctionType) -> Any:
    """Return the lambda or the def that a function was made from."""
    code = function.__code__
    lambdas = []
    for node in ast.walk(_module(code.co_filename)):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == code.co_firstlineno:
                bare = copy.deepcopy(node)
                bare.decorator_list = []
                return bare
        if (
            isinstance(node, ast.Lambda)
            and code.co_name == "<lambda>"
            and node.lineno == code.co_firstlineno
        ):
            lambdas.append(node)
    for node in lambdas:  # several may start on one line: which holds what is executed?
        body = node.body
        start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
        if any(
            c is not None and d and start <= (a, c) and (b, d) <= end
            for a, b, c, d in code.co_positions()
        ):
            return node
    raise LookupError(f"no text found for {function.__qualname__} in {code.co_filename}")


def _called(function: types.FunctionType) -> list[types.FunctionType]:
    """Return the functions of the package that a function names."""
    found, codes = [], [function.__code__]
    while codes:
        code = codes.pop()
        for name in code.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, types.FunctionType) and value.__module__.startswith("minigrad"):
                found.append(value)
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return found


def _closure(roots: list[types.FunctionType], ops: set[Any]) -> list[types.FunctionType]:
    """Return the functions that the roots call, directly or not, ops left out."""
    seen: dict[types.FunctionType, None] = {}
    stack = list(roots)
    while stack:
        for f in _called(stack.pop()):
            if f not in ops and f not in seen:
                seen[f] = None
                stack.append(f)
    return list(seen)


def sites(table: dict[str, Op]) -> list[Site]:
    """Return the rules, and the functions that only rules call."""
    ops = {row.function for row in table.values()}
    rules: dict[Any, list[Use]] = {}
    for row in table.values():
        if row.facts is not None and row.facts.order:
            for operand, rule in row.rules.items():
                rules.setdefault(rule, []).append((row, operand))
    elsewhere: list[Any] = []
    for row in table.values():
        for f in (row.declared, row.meaning, row.hint):
            elsewhere += [f] if isinstance(f, types.FunctionType) else []
    modules = {row.declared.__module__ for row in table.values()}
    reached = {rule: _closure([rule], ops) for rule in rules}
    parts = {f for found in reached.values() for f in found}
    parts |= {row.shared for row in table.values() if row.shared is not None}
    for function in _defined(modules):
        if function not in parts and function not in rules:
            elsewhere.append(function)
    shared = {*_closure(elsewhere, ops), *elsewhere}
    found = []
    for rule, uses in rules.items():
        row, operand = uses[0]
        found.append(Site(rule, f"{row.name}.{operand}", uses))
    for row in table.values():
        if isinstance(row.shared, types.FunctionType):
            asking = [(row, n) for n, r in row.rules.items() if "shared" in _parameters(r)]
            found.append(Site(row.shared, f"{row.name}.shared", asking))
    helpers: dict[Any, list[Use]] = {}
    for rule, functions in reached.items():
        for f in functions:
            if f not in shared and f not in rules:
                helpers.setdefault(f, []).extend(rules[rule])
    for f, uses in helpers.items():
        found.append(Site(f, f"{f.__name__}()", uses))
    return found


def _parameters(function: Any) -> Any:
    return inspect.signature(function).parameters


def _defined(modules: set[str]) -> Iterator[types.FunctionType]:
    """Yield the functions and methods that stand in modules."""
    for name in modules:
        for value in vars(sys.modules[name]).values():
            members = vars(value).values() if isinstance(value, type) else [value]
            for member in members:
                if isinstance(member, types.FunctionType) and member.__module__ == name:
                    yield member


# ---- what can go wrong ---------------------------------------------------------------------------

# Calls that bring a gradient to a shape, and calls that arrange its axes
TO_SHAPE = {
    "restore", "broadcast_to", "sum_to", "reshape", "_unrows", "_crop", "expand_dims", "squeeze",
}  # fmt: skip
TO_ORDER = {"swapaxes", "transpose", "_transposed", "permute", "moveaxis"}
SYMMETRIC = {
    "multiply",
    "row_dots",
    "clamp",
    "max",
    "min",
    "_square_sum",
    "products",
}  # in the first two arguments
# Calls that take a part in no derivative: of dtypes, of backends, of Python's own objects
ASIDE = {
    "backend_of", "cast", "wide", "wrap", "zeros", "len", "isinstance", "getattr", "range", "zip",
    "type", "tuple", "as_tuple", "_is_number", "_tiles",
}  # fmt: skip
# Calls whose result is constant between jumps, so that nothing is lost by detaching
DECIDES = {
    "sign", "isfinite", "trunc", "floor_divide", "_larger", "_smaller", "_slope", "_shared_rule",
    "window_choice",
}  # fmt: skip
AXES = {"dim", "dims", "dim0", "dim1", "dim2", "axis"}
TAKES_AXES = {"swapaxes", "transpose", "sum", "mean", "flip", "cumsum", "moveaxis"}
FLIPS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
NEGATED = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def number_of(node: ast.AST | None) -> int | float | None:
    """Return the number that a node writes, also with a minus."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number_of(node.operand)
        return None if inner is None else -inner
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def is_shape(node: ast.AST) -> bool:
    """Say whether a node is about shapes: tuples, and names of them."""
    return isinstance(node, ast.Tuple) or (isinstance(node, ast.Name) and "shape" in node.id)


class Text:
    """Finds what can go wrong at each node of a function's text."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.nodes = _expressions(site.tree)
        self.parent = {c: n for n in self.nodes for c in ast.iter_child_nodes(n)}
        args = site.tree.args.args
        self.sort = {a.arg: self.sort_of(a) for a in args}
        self.first = args[0].arg if args else ""
        self.is_rule = not site.name.endswith("()")

    def sort_of(self, arg: ast.arg) -> str:
        """Return what a parameter is: array, axis, index, number, flag, or something else."""
        name = arg.arg
        if self.sort_from_row(name):
            return self.sort_from_row(name)
        if name in AXES:
            return "axis"
        text = ast.unparse(arg.annotation) if arg.annotation is not None else ""
        if text == "Any" and name in {"g", "x", "y", "a", "b", "c", "weight", "scores"}:
            return "array"
        return {"int": "index", "float": "number", "bool": "flag"}.get(text, "")

    def sort_from_row(self, name: str) -> str:
        row, _ = self.site.uses[0]
        if self.site.name.endswith("()"):
            return ""
        if name == "y" or (name in row.operands and row.operands.index(name) in row.cast_at):
            return "array"
        if name in row.operands:
            return "index"
        if name not in row.attrs:
            return "aux" if name == "aux" else "index" if name == "i" else ""
        if name in AXES:
            return "axis"
        parameter = inspect.signature(row.declared).parameters[name]
        text = str(parameter.annotation)
        if "bool" in text:
            return "flag" if name == "keepdim" else ""
        if "str" in text:
            return ""
        if "float" in text:
            return "number"
        return "index" if any(word in text for word in ("int", "Int", "Any", "Pair")) else ""

    # ---- one method for each sort of node

    def changes(self, node: ast.AST) -> Iterator[Change]:
        """Yield what can go wrong at a node."""
        at = getattr(self, "at_" + type(node).__name__, None)
        found = list(at(node)) if at is not None else []
        if isinstance(node, (ast.Constant, ast.UnaryOp)) and number_of(node) is not None:
            found += self.at_number(node)
        for kind, new in found:  # what only chooses a way is a kind of its own
            yield "case" if self.chooses(node) else kind, new

    def chooses(self, node: ast.AST) -> bool:
        """Say whether a node is in the condition of an ``if``."""
        while node in self.parent:
            above = self.parent[node]
            if isinstance(above, (ast.If, ast.IfExp)) and above.test is node:
                return True
            node = above
        return False

    def at_BinOp(self, node: ast.BinOp) -> Iterator[Change]:
        left, right = node.left, node.right
        swapped = ast.BinOp(right, node.op, left)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            add = isinstance(node.op, ast.Add)
            if not (is_shape(left) or is_shape(right)):
                yield "sign", ast.BinOp(left, ast.Sub() if add else ast.Add(), right)
            yield "dropped term", left
            yield "dropped term", right if add else ast.UnaryOp(ast.USub(), right)
            if not add:
                yield "swapped", swapped
        elif isinstance(node.op, ast.Mult):
            yield "factor" if number_of(right) is not None else "dropped term", left
            yield "factor" if number_of(left) is not None else "dropped term", right
        elif isinstance(node.op, ast.Div):
            yield "division", left
            yield "division", ast.BinOp(left, ast.Mult(), right)
            yield "swapped", swapped
        elif isinstance(node.op, (ast.MatMult, ast.Pow)):
            yield "swapped", swapped
        elif isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            yield "dropped term", left
            yield "dropped term", right
            other = ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd()
            yield "comparison", ast.BinOp(left, other, right)
        elif isinstance(node.op, (ast.FloorDiv, ast.Mod)):
            yield "division", left

    def at_AugAssign(self, node: ast.AugAssign) -> Iterator[Change]:
        yield "dropped term", ast.Pass()
        if isinstance(node.op, (ast.Add, ast.Sub)):
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield "sign", ast.AugAssign(node.target, other, node.value)

    def at_UnaryOp(self, node: ast.UnaryOp) -> Iterator[Change]:
        if number_of(node) is None:
            yield "sign" if isinstance(node.op, ast.USub) else "comparison", node.operand

    def at_Compare(self, node: ast.Compare) -> Iterator[Change]:
        kind = type(node.ops[0])
        if len(node.ops) != 1:
            return
        if kind in FLIPS:
            yield "comparison", ast.Compare(node.left, [FLIPS[kind]()], node.comparators)
        if not isinstance(self.parent.get(node), (ast.If, ast.IfExp)):  # there it is a case
            yield "comparison", ast.Compare(node.left, [NEGATED[kind]()], node.comparators)

    def at_IfExp(self, node: ast.IfExp) -> Iterator[Change]:
        yield "case", node.body
        yield "case", node.orelse

    def at_If(self, node: ast.If) -> Iterator[Change]:
        for value in (True, False):
            yield "case", ast.If(ast.Constant(value), node.body, node.orelse)

    def at_BoolOp(self, node: ast.BoolOp) -> Iterator[Change]:
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "case", ast.BoolOp(other, node.values)

    def at_number(self, node: ast.AST) -> Iterator[Change]:
        value, parent = number_of(node), self.parent.get(node)
        if number_of(parent) is not None or value is None:  # a part of a number
            return
        one_more, double = ast.Constant(value + 1), ast.Constant(2 * value)
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.Div)):
            yield "factor", double
        elif isinstance(parent, ast.BinOp):
            yield "off by one", one_more
        elif self.is_axis(node):
            yield "axis", ast.Constant(value - 1)
        elif self.inside(node, ast.Subscript) or isinstance(parent, (ast.Slice, ast.Tuple)):
            yield "off by one", one_more
        else:
            yield "constant", one_more

    def is_axis(self, node: ast.AST) -> bool:
        """Say whether a number tells an axis to a call."""
        parent = self.parent.get(node)
        if isinstance(parent, ast.Tuple):
            parent = self.parent.get(parent)
        if isinstance(parent, ast.keyword):
            return parent.arg in AXES
        if not isinstance(parent, ast.Call):
            return False
        return _name(parent) in TAKES_AXES

    def inside(self, node: ast.AST, kind: type[ast.AST]) -> bool:
        """Say whether a node is in the index of a subscript."""
        while node in self.parent:
            above = self.parent[node]
            if isinstance(above, kind):
                return getattr(above, "slice", None) is node
            node = above
        return False

    def at_Constant(self, node: ast.Constant) -> Iterator[Change]:
        parent = self.parent[node]
        keeps = not isinstance(parent, ast.keyword) or parent.arg == "keepdim"
        if isinstance(node.value, bool) and isinstance(parent, (ast.Call, ast.keyword)) and keeps:
            yield "unbroadcast", ast.Constant(not node.value)
        if isinstance(node.value, str) and "->" in node.value and "," in node.value:
            terms, _, out = node.value.partition("->")  # of einsum
            for letter in sorted(set(terms) - set(out) - {","})[:1]:
                yield "axis", ast.Constant(f"{terms}->{letter + out[1:]}")

    def at_Call(self, node: ast.Call) -> Iterator[Change]:
        name, method = _name(node), isinstance(node.func, ast.Attribute)
        args = node.args
        on_library = method and isinstance(node.func.value, (ast.Name, ast.Call)) and (
            ast.unparse(node.func.value) in {"xp", "np", "math", "backend_of(g)", "backend_of(x)"}
        )  # fmt: skip
        if method and not on_library:
            inner: ast.AST = node.func.value
        elif args and not isinstance(args[0], ast.Starred):
            inner = args[0]
        else:
            return
        if name == "index" and method:
            yield "transposed", ast.Subscript(inner, args[0], ast.Load())
        elif name in TO_SHAPE:
            yield "unbroadcast", inner
        elif name in TO_ORDER:
            yield "transposed", inner
        elif self.gives_array(node, name):
            yield "dropped term", inner
        if name in TO_ORDER | ASIDE:
            return
        for i in range(len(args) - 1):
            pair = args[i : i + 2]
            if name in SYMMETRIC and i == 0:
                continue
            if name == "einsum" and isinstance(args[0], ast.Constant):
                one, _, other = str(args[0].value).partition("->")[0].partition(",")
                if one == other:
                    continue
            plain = any(isinstance(a, (ast.Constant, ast.Starred, ast.Tuple)) for a in pair)
            sorts = {self.sort.get(a.id, "?") if isinstance(a, ast.Name) else "?" for a in pair}
            if name == "where" and i == 1:
                plain = False
            if plain or (len(sorts) > 1 and "?" not in sorts) or self.is_option(pair[1]):
                continue
            yield (
                "swapped",
                ast.Call(node.func, [*args[:i], pair[1], pair[0], *args[i + 2 :]], node.keywords),
            )

    def is_option(self, node: ast.AST) -> bool:
        """Say whether a node is plainly no array."""
        if isinstance(node, ast.Name):
            return self.sort.get(node.id) not in {"array", None} or "shape" in node.id
        return isinstance(node, ast.Subscript) and "shape" in ast.unparse(node)

    def gives_array(self, node: ast.Call, name: str) -> bool:
        """Say whether a call is of an op, or of a function that makes a gradient."""
        if name in ASIDE or name in {"max", "min"}:
            return False
        target = self.site.function.__globals__.get(name)
        return isinstance(node.func, ast.Name) and isinstance(target, types.FunctionType)

    def at_Attribute(self, node: ast.Attribute) -> Iterator[Change]:
        if node.attr == "T":
            yield "transposed", node.value
        if node.attr == "transposed":
            yield "transposed", node.value

    def at_Subscript(self, node: ast.Subscript) -> Iterator[Change]:
        if not isinstance(node.ctx, ast.Load):
            return
        text = ast.unparse(node.slice)
        if "None" in text:
            yield "unbroadcast", node.value
        elif isinstance(node.slice, (ast.Slice, ast.Tuple)):
            yield "off by one", node.value

    def at_Name(self, node: ast.Name) -> Iterator[Change]:
        if not isinstance(node.ctx, ast.Load):
            return
        sort, parent = self.sort.get(node.id, ""), self.parent.get(node)
        used = isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is node
        if (
            isinstance(parent, ast.Call)
            and _name(parent) in ASIDE
            and sort in {"array", "axis", "index"}
        ):
            used = parent.args[0] is node and _name(parent) not in {"cast", "wide"}
            if used:
                return
        if sort == "array" and node.id == self.first:  # all of g at once: among the results
            uses = sum(isinstance(n, ast.Name) and n.id == node.id for n in self.nodes)
            if uses > 1 and not used:
                yield "constant", _call("_ones", node)
        elif sort == "array" and not used and not isinstance(parent, ast.Compare):
            yield "constant", _call("_ones", node)
            if self.site.second and not self.inside_compare(node):
                yield "detached", _call("_detached", node)
        elif sort == "aux" and isinstance(parent, (ast.BinOp, ast.UnaryOp)):
            yield "constant", _call("_ones", node)
        elif sort == "axis" and not isinstance(parent, ast.Compare):
            yield "axis", _call("_wrong_axis", node)
        elif sort == "index" and not isinstance(parent, ast.Compare):
            yield "off by one", _call("_off_by_one", node)
        elif sort == "number" and not isinstance(parent, ast.Compare):
            yield "factor", ast.BinOp(ast.Constant(2), ast.Mult(), node)
        elif sort == "flag":
            yield "unbroadcast", ast.UnaryOp(ast.Not(), node)
        elif node.id.isupper() and isinstance(self.site.function.__globals__.get(node.id), float):
            yield "factor", ast.BinOp(ast.Constant(2), ast.Mult(), node)

    def inside_compare(self, node: ast.AST) -> bool:
        """Say whether a node only decides something, so that no derivative goes through it."""
        while node in self.parent:
            node = self.parent[node]
            if isinstance(node, (ast.Compare, ast.If)):
                return True
            if isinstance(node, ast.Call) and _name(node) in DECIDES:
                return True
        return False

    def renamed(self) -> Iterator[tuple[str, str]]:
        """Yield the parameters of a rule that could ask for another saved array instead."""
        if not self.is_rule:
            return
        row, _ = self.site.uses[0]
        if row.variadic:
            return
        arrays = [n for i, n in enumerate(row.operands) if i in row.cast_at] + ["y"]
        for name, sort in self.sort.items():
            if sort == "array" and name != self.first:
                for other in arrays:
                    if other not in self.sort:
                        yield name, other


def _expressions(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes of a function that do something: no annotations, no text."""
    found = [tree]
    for node in found:
        for field, child in ast.iter_fields(node):
            if field in {"annotation", "returns", "defaults", "kw_defaults"}:
                continue
            for c in child if isinstance(child, list) else [child]:
                text = isinstance(c, ast.Expr) and isinstance(c.value, ast.Constant)
                if isinstance(c, ast.AST) and not text:
                    found.append(c)
    return found


def _name(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else super().visit(node)


class _Rename(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> Any:
        return ast.Name(self.new, node.ctx) if node.id == self.old else node

    def visit_arg(self, node: ast.arg) -> Any:
        return ast.arg(self.new, None) if node.arg == self.old else node


# ---- mutants -------------------------------------------------------------------------------------


def mutants(table: dict[str, Op]) -> list[Mutant]:
    """Return every mistake of every text, equal ones once."""
    found = []
    for site in sites(table):
        text = Text(site)
        original = ast.dump(site.tree)
        seen, numbers = {original}, Counter[str]()
        edits: list[tuple[str, str, str, int, Callable[[], Any]]] = []
        for node in text.nodes:
            for kind, new in text.changes(node):
                make = functools.partial(_edited, site, node, new)
                line = getattr(node, "lineno", site.function.__code__.co_firstlineno)
                edits.append((kind, ast.unparse(node), ast.unparse(new), line, make))
        for old, other in text.renamed():
            make = functools.partial(_renamed, site, old, other)
            edits.append(("swapped", old, other, site.function.__code__.co_firstlineno, make))
        for kind, before, after, line, make in edits:
            tree = make()
            dump = ast.dump(tree)
            if dump in seen:
                continue
            seen.add(dump)
            mutant = functools.partial(
                Mutant,
                kind=kind,
                place=site.name,
                file=Path(site.function.__code__.co_filename).name,
                line=line,
                before=_short(before),
                after=_short(after),
                uses=tuple(site.uses),
                plant=functools.partial(_planted, site, tree),
            )
            numbers[mutant().id] += 1
            found.append(mutant(number=numbers[mutant().id]))
    return found


def _short(text: str) -> str:
    """Return a text on one line, without the tool's own names."""
    text = " ".join(text.split()).replace("_mutation_", "")
    return text if len(text) <= 120 else text[:117] + "..."


def _edited(site: Site, node: ast.AST, new: ast.AST) -> Any:
    """Return a site's tree with one node replaced."""
    place = next(i for i, n in enumerate(ast.walk(site.tree)) if n is node)
    tree = copy.deepcopy(site.tree)
    old = next(n for i, n in enumerate(ast.walk(tree)) if i == place)
    tree = _Replace(old, copy.deepcopy(new)).visit(tree)
    return ast.fix_missing_locations(tree)


def _renamed(site: Site, old: str, new: str) -> Any:
    """Return a site's tree with one parameter in the place of another."""
    return _Rename(old, new).visit(copy.deepcopy(site.tree))


@contextmanager
def _planted(site: Site, tree: Any) -> Iterator[Touched]:
    function = site.function
    old = function.__code__
    space: dict[str, Callable[..., Any]] = function.__globals__
    new = site.compiled(tree)
    space.update(CALLABLE)
    function.__code__ = new
    try:
        _forget(site)
        yield Touched(True)
    finally:
        function.__code__ = old
        for name in CALLABLE:
            del space[name]
        _forget(site)


def _forget(site: Site) -> None:
    """Let ops plan again: a rule may ask for other parameters now."""
    for row, _ in site.uses:
        row.plans.clear()
