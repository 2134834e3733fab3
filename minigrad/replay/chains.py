"""Chains of elementwise calls as one generated kernel each: fusion on a GPU.

A kernel reads each operand once, computes the chain in registers and writes what is wanted of it; a
sum or a largest element over some axes may end it. Every step rounds to the dtype that CuPy's own
function would have written, and the compiler is told not to contract products and sums, so the
results are those of the calls one by one; only a sum may be added up in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import Backend
from minigrad.replay.ir import Instr, View

# What CUDA C++ calls them
_TYPES = {
    "bool": "bool", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long long",
    "uint8": "unsigned char", "uint16": "unsigned short", "uint32": "unsigned int",
    "uint64": "unsigned long long", "float16": "float16", "float32": "float", "float64": "double",
}  # fmt: skip


class Rule(NamedTuple):
    """A function in CUDA C++, of the operands a, b and c, and the kinds of dtypes it is for."""

    text: str
    kinds: str = "f"


def _nan_aware(sign: str) -> str:
    return f"a != a ? a : (b != b ? b : (a {sign} b ? a : b))"


EXPRESSIONS: dict[str, Rule] = {
    "add": Rule("a + b", "fiu"),
    "subtract": Rule("a - b", "fiu"),
    "multiply": Rule("a * b", "fiub"),
    "true_divide": Rule("a / b"),
    "negative": Rule("-a", "fi"),
    "positive": Rule("a", "fiu"),
    "absolute": Rule("a < 0 ? -a : (a == 0 ? (W)0 : a)", "f"),
    "square": Rule("a * a"),
    "reciprocal": Rule("1 / a"),
    "sqrt": Rule("sqrt(a)"),
    "exp": Rule("exp(a)"),
    "expm1": Rule("expm1(a)"),
    "log": Rule("log(a)"),
    "log1p": Rule("log1p(a)"),
    "log2": Rule("log2(a)"),
    "log10": Rule("log10(a)"),
    "sin": Rule("sin(a)"),
    "cos": Rule("cos(a)"),
    "tan": Rule("tan(a)"),
    "arcsin": Rule("asin(a)"),
    "arccos": Rule("acos(a)"),
    "arctan": Rule("atan(a)"),
    "sinh": Rule("sinh(a)"),
    "cosh": Rule("cosh(a)"),
    "tanh": Rule("tanh(a)"),
    "arcsinh": Rule("asinh(a)"),
    "arccosh": Rule("acosh(a)"),
    "arctanh": Rule("atanh(a)"),
    "floor": Rule("floor(a)"),
    "ceil": Rule("ceil(a)"),
    "trunc": Rule("trunc(a)"),
    "sign": Rule("a != a ? a : (W)((a > 0) - (a < 0))"),
    "maximum": Rule(_nan_aware(">"), "fiu"),
    "minimum": Rule(_nan_aware("<"), "fiu"),
    "power": Rule("pow(a, b)"),
    "erf": Rule("erf(a)"),
    "less": Rule("a < b", "fiub"),
    "less_equal": Rule("a <= b", "fiub"),
    "greater": Rule("a > b", "fiub"),
    "greater_equal": Rule("a >= b", "fiub"),
    "equal": Rule("a == b", "fiub"),
    "not_equal": Rule("a != b", "fiub"),
    "isnan": Rule("a != a"),
    "logical_and": Rule("a && b", "b"),
    "logical_or": Rule("a || b", "b"),
    "logical_not": Rule("!a", "b"),
    "bitwise_and": Rule("a & b", "iub"),
    "bitwise_or": Rule("a | b", "iub"),
    "bitwise_xor": Rule("a ^ b", "iub"),
    "where": Rule("c != 0 ? a : b", "fiub"),
    "copy": Rule("a", "fiub"),
}
BOOLEAN = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "isnan"}

REDUCTIONS = {
    "sum": ("a + b", "0"),
    "amax": (_nan_aware(">"), "-INFINITE"),
    "amin": (_nan_aware("<"), "INFINITE"),
}
_INFINITE = "__longlong_as_double(0x7ff0000000000000LL)"
MOST = 24  # arrays that one kernel takes
# Python's numbers take the dtype of the arrays beside them
_NUMBERS = (bool, int, float)


class Chain(NamedTuple):
    """What a kernel is made of: its parameters as CuPy wants them, its text, and the operands."""

    inputs: str
    outputs: str
    body: str
    arrays: tuple[View, ...]
    numbers: tuple[Any, ...]
    results: tuple[View, ...]
    last: str  # the name of the value that a reduction takes in
    last_type: str


def operands_of(instr: Instr) -> tuple[Any, ...]:
    """Return a call's operands, those of ``where`` with the condition last."""
    args = instr.args
    return (args[1], args[2], args[0]) if instr.name == "where" else args


def rule_of(instr: Instr) -> str | None:
    """Return the name of the rule for a call, None if there is none."""
    name = "copy" if instr.kind == "copy" else instr.name
    if instr.kind not in ("copy", "ufunc", "function") or name not in EXPRESSIONS:
        return None
    if not instr.pure or instr.kwargs or len(instr.outs) != 1:
        return None
    args = operands_of(instr)
    known = all(isinstance(a, View) or type(a) in _NUMBERS for a in args)
    if not known or any(str(v.dtype) not in _TYPES for v in (*instr.operands(), *instr.outs)):
        return None
    if name == "where" and len(args) != 3:
        return None
    kind = work_dtype(name, args, instr.outs[0].dtype).kind
    return name if kind in EXPRESSIONS[name].kinds else None


def work_dtype(name: str, args: tuple[Any, ...], out: Any) -> np.dtype[Any]:
    """Return the dtype in which CuPy computes a call: Python's numbers do not decide it."""
    values = args[:2] if name == "where" else args
    if not any(isinstance(a, View) for a in values):
        return np.dtype(out)
    return np.result_type(*(a.dtype if isinstance(a, View) else a for a in values))


def chain_of(parts: list[Instr], local: set[Any]) -> Chain:
    """Return the kernel's text for calls in their order; ``local`` results stay in registers."""
    reads: dict[Any, str] = {}
    arrays: list[View] = []
    numbers: list[Any] = []
    values: dict[Any, tuple[str, str]] = {}  # by place: the variable, and its type
    results: dict[Any, View] = {}
    lines: list[str] = []
    inputs: list[str] = []
    variable, kind = "", ""

    def operand(x: Any, wide: str) -> str:
        if not isinstance(x, View):
            numbers.append(x)
            inputs.append(f"{'float64' if type(x) is float else 'int64'} k{len(numbers) - 1}")
            return f"({wide})k{len(numbers) - 1}"
        if x.place in values:
            return f"({wide}){values[x.place][0]}"
        if x.place not in reads:
            reads[x.place] = f"x{len(arrays)}"
            arrays.append(x)
            inputs.append(f"{x.dtype} {reads[x.place]}")
        return f"({wide}){reads[x.place]}"

    for n, part in enumerate(parts):
        name, out = rule_of(part), part.outs[0]
        assert name is not None, f"no rule for {part.name}"
        args = operands_of(part)
        dtype = work_dtype(name, args, out.dtype)
        work = _TYPES[str(dtype)]
        wide = "float" if work == "float16" else work
        given = [operand(a, wide if k < 2 else "bool") for k, a in enumerate(args)]
        named = ", ".join(f"{v} = {g}" for v, g in zip("ab", given, strict=False))
        head = f"typedef {wide} W; const W {named};"
        if len(given) == 3:
            head += f" const bool c = {given[2]};"
        kind, variable = _TYPES[str(out.dtype)], f"t{n}"
        # rounded to the dtype computed in, then to that of the result
        back = kind if name in BOOLEAN else f"{kind})({work}"
        if work == kind:
            back = kind
        lines.append(
            f"{kind} {variable}; {{ {head} {variable} = ({back})({EXPRESSIONS[name].text}); }}"
        )
        values[out.place] = (variable, kind)
        if out.storage not in local:
            results[out.place] = out
    writes = [f"y{k} = {values[place][0]};" for k, place in enumerate(results)]
    outputs = [f"{v.dtype} y{k}" for k, v in enumerate(results.values())]
    order = sorted(range(len(inputs)), key=lambda k: inputs[k].split()[1].startswith("k"))
    return Chain(
        ", ".join(inputs[k] for k in order), ", ".join(outputs), "\n".join(lines + writes),
        tuple(arrays), tuple(numbers), tuple(results.values()), variable, kind,
    )  # fmt: skip


@cache
def elementwise(xp: Backend, inputs: str, outputs: str, body: str) -> Any:
    """Return the kernel of a chain; equal texts are one kernel."""
    return xp.module.ElementwiseKernel(
        inputs, outputs, body, "minigrad_chain", options=("--fmad=false",)
    )


@cache
def reduction(xp: Backend, inputs: str, body: str, last: str, kind: str, name: str) -> Any:
    """Return the kernel of a chain that a reduction ends."""
    wide = "double" if kind == "double" else "float"
    join, first = REDUCTIONS[name]
    parameters = ", ".join(f"{_TYPES[t]} {v}" for t, v in (p.split() for p in inputs.split(", ")))
    names = ", ".join(p.split()[1] for p in inputs.split(", "))
    preamble = f"__device__ {kind} minigrad_chain({parameters}) {{\n{body}\nreturn {last};\n}}"
    dtype = next(d for d, c in _TYPES.items() if c == kind)
    return xp.module.ReductionKernel(
        inputs, f"{dtype} y", f"({wide})minigrad_chain({names})", join, f"y = ({kind})a",
        first.replace("INFINITE", f"({wide}){_INFINITE}"), f"minigrad_chain_{name}",
        reduce_type=wide, preamble=preamble, options=("--fmad=false",),
    )  # fmt: skip


def chain_runner(group: Instr, xp: Backend) -> Callable[[], Any]:
    """Return a function that runs a fused group as one kernel."""
    *parts, last = group.parts
    if last.kind != "method":
        chain = chain_of(group.parts, group.local)
        kernel = elementwise(xp, chain.inputs, chain.outputs, chain.body)
        args = (*(v.array for v in chain.arrays), *chain.numbers, *(v.array for v in chain.results))
        return lambda: kernel(*args)
    chain = chain_of(parts, group.local)
    sums = reduction(xp, chain.inputs, chain.body, chain.last, chain.last_type, last.name)
    given = (*(v.array for v in chain.arrays), *chain.numbers, last.outs[0].array)
    options = reduction_options(last)
    return lambda: sums(*given, **options)


def reduction_options(instr: Instr) -> dict[str, Any]:
    """Return the axes of a reduction, and whether they stay."""
    axis = instr.args[1] if len(instr.args) > 1 else instr.kwargs.get("axis")
    return {"axis": axis, "keepdims": bool(instr.kwargs.get("keepdims", False))}
