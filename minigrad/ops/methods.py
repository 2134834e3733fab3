"""Tensor's operators and methods: the one place where they are taken from the op table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.op import TABLE, UFUNCS
from minigrad.engine.tensor import Tensor
from minigrad.ops import convert, inplace
from minigrad.ops.index import read

BINARY = {
    "__add__": "add",
    "__sub__": "sub",
    "__mul__": "mul",
    "__truediv__": "div",
    "__floordiv__": "floor_divide",
    "__mod__": "remainder",
    "__pow__": "pow",
    "__matmul__": "matmul",
    "__and__": "bitwise_and",
    "__or__": "bitwise_or",
    "__xor__": "bitwise_xor",
}
COMPARISONS = {
    "__eq__": "eq",
    "__ne__": "ne",
    "__lt__": "lt",
    "__le__": "le",
    "__gt__": "gt",
    "__ge__": "ge",
}
UNARY = {"__neg__": "neg", "__abs__": "abs", "__invert__": "bitwise_not"}

# NumPy's ufuncs whose op has another name
UFUNC_NAMES = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
    "floor_divide": "floor_divide", "power": "pow", "float_power": "pow", "negative": "neg",
    "absolute": "abs", "fabs": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge", "mod": "remainder", "rint": "round", "invert": "bitwise_not",
}  # fmt: skip

# Modules whose ops are functions only: layers, losses, new tensors
FUNCTION_MODULES = {"create", "random", "conv", "pool", "resample", "dense", "losses",
                    "classification", "norm", "channel_norm", "attention", "dropout",
                    "einsum"}  # fmt: skip
FUNCTIONS = {"where", "embedding", "one_hot", "getitem", "index", "index_put", "alias", "pad",
             "broadcast_tensors", "meshgrid"}  # fmt: skip


def _reversed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: function(other, self)


def _reversed_axes(self: Tensor) -> Tensor:
    """Return the tensor with its axes in reverse order (of a matrix, the transpose)."""
    return TABLE["permute"].function(self, tuple(range(self.ndim))[::-1])


def install() -> None:
    """Give `Tensor` its operators, its methods, and its answers to NumPy's ufuncs."""
    for dunder, name in (BINARY | COMPARISONS | UNARY).items():
        setattr(Tensor, dunder, TABLE[name].function)
    for dunder, name in BINARY.items():
        setattr(Tensor, dunder.replace("__", "__r", 1), _reversed(TABLE[name].function))
    for name, row in TABLE.items():
        module = row.function.__module__.rpartition(".")[2]
        function_only = module in FUNCTION_MODULES or name in FUNCTIONS or name.startswith("_")
        if not (function_only or row.variadic or hasattr(Tensor, name)):
            setattr(Tensor, name, row.function)
    swapaxes = TABLE["swapaxes"].function
    Tensor.__getitem__ = read  # type: ignore[method-assign]
    Tensor.__pos__ = TABLE["alias"].function  # type: ignore[method-assign]
    Tensor.T = property(_reversed_axes)  # type: ignore[assignment]
    Tensor.mT = property(lambda self: swapaxes(self, -1, -2))  # type: ignore[assignment]
    convert.install()
    inplace.install()
    UFUNCS.update({name: row.function for name, row in TABLE.items() if row.cast is not None})
    UFUNCS.update({ufunc: TABLE[name].function for ufunc, name in UFUNC_NAMES.items()})
