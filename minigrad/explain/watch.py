"""Watching: while it is on, each op notes its operands, its options and the user's line.

The engine keeps of a call only what the derivatives need. To tell the whole story, `watching`
stands where the profiler stands, as the mode's scope, so that an op costs nothing more when nobody
watches. What was noted lives as long as the node or tensor that it is about.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from minigrad.backend import is_array
from minigrad.engine.errors import Line, user_frame
from minigrad.engine.modes import MODE, PROFILES
from minigrad.engine.op import Node, Op
from minigrad.engine.tensor import Leaf, Tensor
from minigrad.nn.module import Module


@dataclass(frozen=True)
class Argument:
    """An operand as a call got it.

    Attributes
    ----------
    value : array, number or None
        What it held then (of a tensor a copy).
    node : Node, Leaf or None
        Its place in the graph.
    made : Call or None
        The call that made it, if that was noted too.
    key : object
        Equal for the same constant given twice.
    hint : str
        What the user calls it; "" if that is not known.
    """

    value: Any
    node: Node | Leaf | None = None
    made: Call | None = None
    key: Any = None
    hint: str = ""


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module: its path in the outermost one, and whether it called others."""

    path: str
    kind: str
    inner: list[ModuleCall] = field(default_factory=list, compare=False)


@dataclass(frozen=True, eq=False)
class Call:
    """One call of an op, as it was noted."""

    op: Op
    arguments: tuple[Argument, ...]
    options: tuple[Any, ...]
    value: Any
    saved: tuple[Any, ...] | None  # of its node, which backward frees
    parents: tuple[Any, ...]
    line: Line | None
    module: ModuleCall | None


# By id, since tensors compare element by element: a reference that drops the entry, and the call.
_notes: dict[int, tuple[weakref.ref[Any], Call]] = {}


def noted(made: Any) -> Call | None:
    """Return the call that made a node or tensor, if it was watched."""
    entry = _notes.get(id(made))
    return entry[1] if entry is not None and entry[0]() is made else None


def _note(made: Any, call: Call) -> None:
    key = id(made)
    _notes[key] = (weakref.ref(made, lambda _: _notes.pop(key, None)), call)


class Watcher:
    """The mode's scope while `watching` is on (see `minigrad.engine.modes.Scope`)."""

    def __init__(self, lines: bool) -> None:
        self.lines = lines
        self.modules: list[ModuleCall] = []
        self.paths: dict[int, str] = {}  # of the outermost module's parts and parameters

    def run_op(
        self, op: Op, inputs: Sequence[Any], attrs: tuple[Any, ...], run: Callable[..., Any]
    ) -> Any:
        """Run an op and note it."""
        places = user_frame() if self.lines else None
        names = {} if places is None else _names(places.f_locals)
        arguments = tuple(self._argument(x, names) for x in inputs)
        y = run(op, inputs, attrs)
        node = y._node
        call = Call(
            op,
            arguments,
            attrs,
            y._array.copy(),
            node.saved if isinstance(node, Node) else None,
            tuple(node.parents) if isinstance(node, Node) else (),
            None if places is None else (places.f_code.co_filename, places.f_lineno),
            self.modules[-1] if self.modules else None,
        )
        _note(y if node is None else node, call)
        return y

    def call_module(self, module: Module, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a module; its ops belong to it."""
        if not self.modules:
            frame = user_frame() if self.lines else None
            own = "" if frame is None else _names(frame.f_locals).get(id(module), "")
            self.paths = _paths(module, "" if own == "self" else own)
        kind = type(module).__name__
        call = ModuleCall(self.paths.get(id(module)) or kind, kind)
        if self.modules:
            self.modules[-1].inner.append(call)
        self.modules.append(call)
        try:
            return run(*args, **kwargs)
        finally:
            self.modules.pop()
            if not self.modules:
                self.paths = {}

    def backward(self) -> AbstractContextManager[Any]:
        """Return the context of a backward: nothing is noted of it."""
        return nullcontext()

    def node(self, node: Any) -> None:
        """Note nothing: a walk runs the rules again."""

    def replay(self, name: str) -> AbstractContextManager[Callable[[str, int], None]]:
        """Return the context of a replay: it runs no ops, and nothing is noted of it."""
        return nullcontext(lambda name, moved: None)

    def _argument(self, x: Any, names: dict[int, str]) -> Argument:
        if not isinstance(x, Tensor):
            return Argument(x.copy() if is_array(x) else x, key=id(x) if is_array(x) else None)
        made = noted(x) if x._node is None else noted(x._node)
        hint = x.name or self.paths.get(id(x)) or names.get(id(x), "")
        return Argument(x._array.copy(), x._node, made, id(x), hint)


def _names(variables: dict[str, Any]) -> dict[int, str]:
    """Return what a frame's variables call each tensor and module, one level into containers."""
    found: dict[int, str] = {}
    inner: dict[int, str] = {}
    for name, value in list(variables.items()):
        if name.startswith("_"):
            continue
        if isinstance(value, (Tensor, Module)):
            found.setdefault(id(value), name)
        if isinstance(value, Module):
            for path, parameter in value.named_parameters():
                inner.setdefault(id(parameter), path if name == "self" else f"{name}.{path}")
        elif isinstance(value, dict):
            for key, x in list(value.items())[:_LOOKED_AT]:
                if isinstance(x, Tensor) and isinstance(key, str):
                    inner.setdefault(id(x), key if key.isidentifier() else f"{name}[{key!r}]")
        elif isinstance(value, (list, tuple)):
            for i, x in enumerate(value[:_LOOKED_AT]):
                if isinstance(x, Tensor):
                    inner.setdefault(id(x), f"{name}[{i}]")
    return inner | found


_LOOKED_AT = 100  # of a container's entries


def _paths(module: Module, own: str) -> dict[int, str]:
    """Return the path of each part and parameter of a module, below the module's own name."""
    parts = itertools.chain(module.named_modules(), module.named_parameters())
    return {id(part): ".".join(filter(None, (own, path))) for path, part in parts}


@contextmanager
def watching(*, lines: bool = True) -> Iterator[None]:
    """Note all that `walk`, `tape` and `draw` can tell of the ops inside the ``with`` block.

    Outside it the engine keeps only what its derivatives need, and a walk shows only that. The
    values of all operands are copied while this is on: it is for small graphs.

    Parameters
    ----------
    lines : bool
        Note the user's line of each call, and what the variables there are called.

    Raises
    ------
    RuntimeError
        A profile is being taken, or `watching` is on already.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> with mg.explain.watching():
    ...     loss = 3 * x + 1
    >>> print(mg.explain.tape(loss))
    in  x:float32[]
        v1:float32[] = mul 3 x
        loss:float32[] = add v1 1
    out loss
    """
    mode = MODE.get()
    if mode.scope is not None:
        raise RuntimeError(
            "mg.explain.watching() cannot begin inside another one or inside a profile; end that "
            "first"
        )
    watcher = Watcher(lines)
    token = MODE.set(mode._replace(scope=watcher, watched=True))
    PROFILES.append(watcher)
    try:
        yield
    finally:
        PROFILES.remove(watcher)
        MODE.reset(token)


def names_here() -> dict[int, str]:
    """Return what the variables at the user's line call each tensor."""
    frame = user_frame()
    return {} if frame is None else _names(frame.f_locals)
