"""Calls of an op: each sample of its facts with drawn values, on tensors, arrays or its reference.

Nothing here knows an op by name. A row of the table brings its samples, domain, kinks, reference
and tolerances; a new row is tested because it is in the table.
"""

from __future__ import annotations

import importlib
import inspect
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.backend import to_device
from minigrad.engine.facts import ELEMENTWISE_1, ELEMENTWISE_2, Sample
from minigrad.engine.op import Op
from minigrad.engine.tensor import Tensor

# Floating operands that are taken as constants, with the reason
CONSTANT = {
    ("view_as", "other"): "only its shape is used",
    ("reshape_as", "other"): "only its shape is used",
    ("expand_as", "other"): "only its shape is used",
    ("nll_loss", "weight"): "as in torch, weights of classes are not differentiated by",
    ("cross_entropy", "weight"): "as in torch, weights of classes are not differentiated by",
}

CLEARANCE = 0.05  # how far values stay from kinks


@dataclass(frozen=True)
class Case:
    """One sample of one row."""

    row: Op
    sample: Sample
    number: int = 1  # tells samples apart that read the same

    @property
    def id(self) -> str:
        """Return a name as ``sum-2x3x4-dim=1``."""
        parts = [self.row.name, *(_show_operand(x) for x in self.sample.operands)]
        parts += [f"{k}={_show_option(v)}" for k, v in self.sample.options.items()]
        return "-".join(parts if self.number == 1 else [*parts, f"no.{self.number}"])

    def draw(self, dtype: Any = np.float64, seed: int = 0) -> Call:
        """Return the call with drawn operands, floating ones in ``dtype``; same seed, same call."""
        rng = np.random.default_rng([zlib.crc32(self.id.encode()), seed])
        flat, listed = [], False
        for i, x in enumerate(self.sample.operands):
            if isinstance(x, list):
                listed = True
                flat += [draw_operand(self.row, 0, y, rng) for y in x]
            else:
                flat.append(draw_operand(self.row, i, x, rng))
        values = [_as_dtype(x, dtype) for x in flat]
        return Call(self.row, values, dict(self.sample.options), listed)


@dataclass
class Call:
    """An op with the values of its operands (one flat list) and its options."""

    row: Op
    values: list[Any]
    options: dict[str, Any]
    listed: bool = False

    @property
    def floating(self) -> list[int]:
        """Return the places of the floating arrays to differentiate by."""
        return [
            i
            for i, x in enumerate(self.values)
            if is_floating(x) and (self.row.name, self.name_of(i)) not in CONSTANT
        ]

    def name_of(self, place: int) -> str:
        """Return the name of an operand (an op that takes a list has one for all)."""
        return self.row.operands[min(place, len(self.row.operands) - 1)]

    def arguments(self, values: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments to call with; by name where an option stands between operands."""
        if self.listed:
            return [list(values)], self.options
        names = self.row.operands[: len(values)]
        if self.row.names[: len(names)] == names:  # also def f(*tensors)
            return list(values), self.options
        return [], dict(zip(names, values, strict=True)) | self.options

    def on(self, values: Sequence[Any], function: Callable[..., Any] | None = None) -> list[Any]:
        """Call the op (or another function that takes the same) and return its outputs."""
        args, kwargs = self.arguments(values)
        result = (function or self.row.function)(*args, **kwargs)
        return list(result) if isinstance(result, (tuple, list)) else [result]

    def in_float64(self) -> Call:
        """Return the call with the very same numbers in float64."""
        values = [_as_dtype(x, np.float64) for x in self.values]
        return Call(self.row, values, self.options, self.listed)

    def tensors(self, device: str, values: Sequence[Any] | None = None) -> list[Any]:
        """Return the operands as tensors that require grad where they are floating."""
        at = self.floating
        return [
            Tensor(x, device=device, requires_grad=i in at and is_floating(x))
            if _is_array(x)
            else x
            for i, x in enumerate(self.values if values is None else values)
        ]

    def arrays(self, device: str) -> list[Any]:
        """Return the operands as raw arrays on a device."""
        return [to_device(x.copy(), device) if _is_array(x) else x for x in self.values]

    def reference(self) -> list[np.ndarray[Any, Any]]:
        """Return the outputs of the reference, computed in float64."""
        assert self.row.facts is not None
        function = self.row.facts.reference
        if isinstance(function, str):
            module, _, name = function.rpartition(".")
            function = getattr(importlib.import_module(module), name)
        values = [_as_dtype(x, np.float64) for x in self.values]
        names = self.row.operands[: len(values)]
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except ValueError:  # a ufunc before NumPy 2.4
            parameters = []
        known = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            known |= {*names, *self.options}
        with np.errstate(all="ignore"):
            if self.listed:
                result = function(values, **self.options)
            elif known >= {*names, *self.options}:
                result = function(**dict(zip(names, values, strict=True)), **self.options)
            else:
                result = function(*values, **self.options)
        return [np.asarray(y) for y in (result if isinstance(result, (tuple, list)) else [result])]


def cases(rows: Iterable[Op]) -> list[Case]:
    """Return every sample of every row that has facts."""
    found = []
    seen: Counter[str] = Counter()
    for row in rows:
        for sample in row.facts.samples if row.facts is not None else ():
            name = Case(row, sample).id
            seen[name] += 1
            found.append(Case(row, sample, seen[name]))
    return found


def is_elementwise(row: Op) -> bool:
    """Say whether a row is declared with the usual samples of elementwise ops."""
    samples = list(row.facts.samples) if row.facts is not None else []
    return any(all(s in samples for s in usual) for usual in (ELEMENTWISE_1, ELEMENTWISE_2))


def domain_of(row: Op, operand: int) -> tuple[float, float]:
    """Return where an operand's values are drawn."""
    assert row.facts is not None
    domain = row.facts.domain
    low, high = domain if np.ndim(domain[0]) == 0 else domain[min(operand, len(domain) - 1)]
    return float(low), float(high)


def fill(row: Op, operand: int, unit: Any) -> Any:
    """Return values of the op's domain for numbers in [0, 1], away from its kinks."""
    assert row.facts is not None
    low, high = domain_of(row, operand)
    x = np.asarray(low + (high - low) * unit)
    for kink in row.facts.kinks:
        side = np.where(x < kink, -1.0, 1.0)
        x = np.where(np.abs(x - kink) < CLEARANCE, kink + side * (CLEARANCE + np.abs(x - kink)), x)
    return x


def draw_operand(row: Op, operand: int, spec: Any, rng: np.random.Generator) -> Any:
    """Return an operand of a sample: drawn from the domain, made by its maker, or as it stands."""
    if callable(spec):
        return np.asarray(spec(rng))
    if isinstance(spec, tuple):
        return fill(row, operand, rng.random(spec))
    return spec


def is_floating(x: Any) -> bool:
    """Say whether x is an array of floats."""
    return _is_array(x) and x.dtype.kind == "f"


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray)


def _as_dtype(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if is_floating(x) else x


def _show_operand(x: Any) -> str:
    if isinstance(x, list):
        return "[" + ",".join(_show_operand(y) for y in x) + "]"
    if isinstance(x, tuple):
        return "x".join(map(str, x)) or "0d"
    return "made" if callable(x) else str(x)


def _show_option(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"{x.dtype}{list(x.shape)}".replace(" ", "")
    if isinstance(x, (tuple, list)):
        return "(" + ",".join(map(_show_option, x)) + ")"
    if isinstance(x, slice):
        return ":".join("" if v is None else str(v) for v in (x.start, x.stop, x.step))
    if callable(x):
        return getattr(x, "__name__", type(x).__name__)
    return str(x).replace(" ", "")
