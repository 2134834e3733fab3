"""From instructions to one Python function: a line each, every name bound beforehand."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from minigrad.backend import is_array
from minigrad.engine.recording import CaptureError
from minigrad.engine.tensor import Tensor
from minigrad.replay.bind import derived
from minigrad.replay.ir import Instr, View, map_views, views_in
from minigrad.replay.recorder import NOTHING

_NAMED_OUT = (np.maximum, np.minimum)  # NumPy deprecates a third operand of these
_TAKES_OUT = {np.concatenate, np.stack, np.take, np.dot, np.einsum, np.cumsum, np.cumprod}
_LINES = 2000  # of one function: Python's compiler needs more than linear time for long ones
_PLAIN = (bool, int, float, str, type(None))


class Emitter:
    """Collects lines and the objects that their names stand for."""

    def __init__(self, inputs: Mapping[str, View] = MappingProxyType({})) -> None:
        self.space: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._inputs = {view.storage: (name, view) for name, view in inputs.items()}
        self._taken: dict[Any, tuple[str, str]] = {}  # views of inputs: a name, how to get it

    def name(self, thing: Any, hint: str) -> str:
        """Return a name for an object."""
        if id(thing) not in self._names:
            base = "".join(c if c.isalnum() else "_" for c in hint) or "f"
            name, n = base, 1
            while name in self.space:
                n += 1
                name = f"{base}_{n}"
            self.space[name] = thing
            self._names[id(thing)] = name
        return self._names[id(thing)]

    def value(self, nest: Any) -> str:
        """Return a name for an argument, with arrays in the place of views."""
        if isinstance(nest, View):
            if nest.storage in self._inputs:
                return self._input(nest)
            return self.name(nest.array, str(nest))
        if self._inputs and any(v.storage in self._inputs for v in views_in(nest)):
            return self._written_out(nest)
        return self.name(map_views(nest, lambda v: v.array), "c")

    def _input(self, view: View) -> str:
        """Return the name of an argument, or of a view that is taken of it at each call."""
        name, base = self._inputs[view.storage]
        if view.place == base.place:
            return name
        if view.place not in self._taken:
            text = derived(view, base, name)
            assert text is not None, "a bound argument has a view that cannot be taken"
            self._taken[view.place] = (f"{name}_{len(self._taken)}", text)
        return self._taken[view.place][0]

    def _written_out(self, nest: Any) -> str:
        """Return the text of nested arguments with inputs among them."""
        if isinstance(nest, tuple):
            return f"({', '.join(self.value(x) for x in nest)}{',' * (len(nest) == 1)})"
        if isinstance(nest, list):
            return f"[{', '.join(self.value(x) for x in nest)}]"
        if isinstance(nest, dict):
            return f"{{{', '.join(f'{k!r}: {self.value(x)}' for k, x in nest.items())}}}"
        if isinstance(nest, slice):
            parts = (nest.start, nest.stop, nest.step)
            return f"slice({', '.join(self.value(x) for x in parts)})"
        return self.value(nest)

    def line(self, instr: Instr) -> str:
        """Return the statement that runs an instruction."""
        if instr.kind in ("fused", "lanes"):
            return f"{self.name(instr.run, instr.kind)}()"
        if instr.kind == "copy":
            return f"{self.value(instr.outs[0])}[...] = {self.value(instr.args[0])}"
        args = [self.value(a) for a in instr.arguments()]
        options = [f"{k}={self.value(v)}" for k, v in instr.kwargs.items()]
        outs = [self.value(v) for v in instr.outs]
        if instr.run is operator.setitem:
            return f"{args[0]}[{args[1]}] = {args[2]}"
        if instr.run is np.ndarray.__getitem__ and _fixed(instr):
            return f"{outs[0]}[...] = {args[0]}[{args[1]}]"
        if instr.run is np.matmul and not options and _one_product(instr):
            return f"{self.name(np.dot, 'dot')}({', '.join(args + outs)})"
        if instr.kind == "opaque" and hasattr(instr.run, "filled_by") and outs:
            return f"{self.name(instr.run.filled_by, instr.name)}({', '.join(outs + args)})"
        run = self.name(instr.run, instr.name)
        if instr.kind == "kernel":
            options.append(f"out=({', '.join(outs)},)")
            return f"{run}({', '.join(args + options)})"
        if instr.kind == "ufunc":
            if instr.run in _NAMED_OUT:
                return f"{run}({', '.join(args + options)}, out={outs[0]})"
            return f"{run}({', '.join(args + outs + options)})"
        if instr.kind == "method" or (instr.kind == "function" and instr.run in _TAKES_OUT):
            return f"{run}({', '.join([*args, *options, f'out={outs[0]}'])})"
        call = f"{run}({', '.join(args + options)})"
        if instr.kind == "write" or (not outs and instr.kind == "python"):
            return call
        if len(instr.outs) == 1 and instr.template is instr.outs[0] and _fixed(instr):
            return f"{outs[0]}[...] = {call}"
        store = self.name(_storer(instr), f"store_{instr.name}")
        places = map_views(instr.template, lambda v: v.array)
        return f"{store}({self.name(places, 'places')}, {call})"

    def function(
        self,
        name: str,
        instrs: Sequence[Instr],
        returns: str = "",
        told: Callable[[Instr], tuple[str, int]] | None = None,
    ) -> tuple[Callable[..., Any], str]:
        """Return a function that runs instructions, and its text.

        If it is to tell of its instructions, its first argument is called before each, with what
        ``told`` says of it.
        """
        inputs = ", ".join([*["tell"] * (told is not None), *(n for n, _ in self._inputs.values())])
        lines = [self.line(instr) for instr in instrs]
        if told is not None:
            pairs = zip(map(told, instrs), lines, strict=True)
            lines = [f"tell{words!r}\n    {line}" for words, line in pairs]
        parts = [lines[i : i + _LINES] for i in range(0, len(lines), _LINES)] or [[]]
        for k, part in enumerate(parts):
            end = [f"return {returns}"] if returns and k == len(parts) - 1 else []
            text = "\n    ".join(part + end or ["pass"])
            used = set(re.findall(r"\w+", text))
            takes = [f"{n} = {how}\n    " for n, how in self._taken.values() if n in used]
            parts[k] = [f"def {name}_{k}({inputs}):\n    {''.join(takes)}{text}"]
        text = "\n\n\n".join(p[0] for p in parts)
        if len(parts) == 1:
            text = text.replace(f"def {name}_0(", f"def {name}(")
        space = dict(self.space)
        exec(compile(text, "<captured program>", "exec"), space)
        if len(parts) == 1:
            return space.pop(name), text  # no cycle: memory goes when the program does
        functions = [space.pop(f"{name}_{k}") for k in range(len(parts))]

        def run(*arrays: Any) -> Any:
            for f in functions[:-1]:
                f(*arrays)
            return functions[-1](*arrays)

        return run, text


def _fixed(instr: Instr) -> bool:
    """Say whether a call's result surely has the shape that it had while recorded."""
    if instr.kind == "opaque":
        return not instr.pure  # random draws; others were recorded whole for what they look at
    return instr.kind == "function" and not any(v.dtype == bool for v in instr.operands())


def _one_product(instr: Instr) -> bool:
    """Say whether BLAS does a product in one call: ``dot`` then is 0.4 us quicker than ``matmul``.

    The bits are the same. Rows and columns of one element go other ways in the two.
    """
    a, b = instr.args
    out = instr.outs[0]
    return (
        isinstance(a, View)
        and isinstance(b, View)
        and (len(a.shape), len(b.shape)) in ((1, 2), (2, 1), (2, 2))
        and min(*a.shape, *b.shape) > 1
        and a.dtype == b.dtype == out.dtype
        and out.dtype in (np.float32, np.float64)
        and out.in_rows
        and all(v.in_rows or v.turned.in_rows for v in (a, b))
    )


def _storer(instr: Instr) -> Callable[[Any, Any], None]:
    """Return what puts a call's results where the program expects them: into the arrays given."""

    def store(template: Any, result: Any) -> None:
        if is_array(template) and not isinstance(template, np.generic):
            array = result._array if isinstance(result, Tensor) else result
            if array.shape != template.shape:
                raise CaptureError(
                    f"{instr.name} gave shape {list(array.shape)} and had given "
                    f"{list(template.shape)} while it was recorded: its shape depends on values. "
                    "Call it outside of the captured function"
                )
            template[...] = array
        elif template is NOTHING:
            return
        elif isinstance(template, (tuple, list)):
            for t, r in zip(template, result, strict=True):
                store(t, r)
        elif isinstance(template, dict):
            for k, t in template.items():
                store(t, result[k])
        elif type(template) in _PLAIN and instr.kind == "opaque" and template != result:
            raise CaptureError(
                f"{instr.name} looked at values and came out with {result!r}; while it was "
                f"recorded with {template!r}, and the program goes by that. Call it outside of the "
                "captured function"
            )

    return store
