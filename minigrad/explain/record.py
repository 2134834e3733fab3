"""What a walk tells of each tensor: its row, and what each use gave to its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minigrad.explain.numbers import show


@dataclass(frozen=True)
class Operand:
    """What an op worked on.

    Attributes
    ----------
    name : str
        What the op calls it: ``a``, ``x``, ``tensors[0]``.
    of : str
        The name of its row; "" for a number that was given as such.
    value : array, number or None
        Its value; None if the engine did not keep it.
    """

    name: str
    of: str
    value: Any


@dataclass(frozen=True)
class Contribution:
    """What one use of a tensor gave to its gradient: one run of one derivative rule.

    Attributes
    ----------
    by, operand : str
        The row of the op that used it, and what that op calls it.
    to : str
        The row of the tensor.
    rule, latex : str
        The derivative rule with g for the incoming gradient, in plain text and in LaTeX.
    incoming : array
        The gradient of the op's result.
    local : array or None
        The local derivative: of an elementwise op that of each element; of another one the whole
        matrix, a row for each element of the result, if it is small.
    elementwise : bool
        Which of the two.
    raw : array
        What the rule returned.
    summed_axes : tuple of int
        The axes of ``raw`` that were summed because the operand had been broadcast along them.
    value : array
        The contribution: ``raw`` in the tensor's shape and dtype.
    running : array
        The sum of the contributions so far, this one included.
    number, total : int
        It is the number-th of so many.
    """

    by: str
    operand: str
    to: str
    rule: str
    latex: str
    incoming: Any
    local: Any
    elementwise: bool
    raw: Any
    summed_axes: tuple[int, ...]
    value: Any
    running: Any
    number: int
    total: int


@dataclass(frozen=True)
class Row:
    """A tensor of the graph.

    Attributes
    ----------
    name : str
        What the user calls it, or v1, v2, ... (results), p1, ... (leaves), c1, ... (constants).
    kind : {"op", "leaf", "constant"}
        An op's result; a leaf, which wants a gradient; a constant.
    op, formula, latex : str
        The op's name, and its value in plain text and in LaTeX ("" if there is no op).
    operands : tuple of Operand
        What it worked on.
    options : mapping
        The options that are not the defaults, as text.
    line : str
        The user's line, ``file:line: source``; "" if it was not watched.
    module : str
        The path of the module that ran it.
    dtype, shape
        Of the tensor.
    value : array or None
        Its value; None if the engine did not keep it.
    gradient : array or None
        The complete gradient; None if none came.
    difference : array or None
        The same by central differences; None where that was left out.
    agrees : bool
        Whether the two agree; True where there is nothing to compare.
    contributions : tuple of Contribution
        What made up the gradient, in the order in which it came.
    hooked : bool
        A hook put another gradient in the place of the sum of the contributions.
    """

    name: str
    kind: str
    dtype: str
    shape: tuple[int, ...]
    value: Any
    op: str = ""
    formula: str = ""
    latex: str = ""
    operands: tuple[Operand, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    line: str = ""
    module: str = ""
    gradient: Any = None
    difference: Any = None
    agrees: bool = True
    contributions: tuple[Contribution, ...] = ()
    hooked: bool = False

    @property
    def type_text(self) -> str:
        """As in ``float32[2, 3]``."""
        return f"{self.dtype}{list(self.shape)}"

    @property
    def call_text(self) -> str:
        """As in ``mean(x=v2, dim=0)``; what was left out of the call is left out here."""
        operands = [x for x in self.operands if x.of or x.value is not None]
        words = [f"{x.name}={x.of or show(x.value)}" for x in operands]
        words += [f"{name}={value}" for name, value in self.options.items()]
        return f"{self.op}({', '.join(words)})"
