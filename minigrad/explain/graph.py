"""The graph behind a tensor, in the order of computation, with whatever is known of each part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minigrad.backend import is_array
from minigrad.engine.errors import GraphError, Line
from minigrad.engine.modes import MODE, Mode
from minigrad.engine.op import Node, Op, apply
from minigrad.engine.tensor import Leaf, Tensor, wrap
from minigrad.explain.numbers import number
from minigrad.explain.watch import Argument, Call, ModuleCall, noted


class _Unknown:
    """An operand that the engine did not need to keep."""

    def __repr__(self) -> str:
        return "?"


UNKNOWN = _Unknown()


@dataclass(eq=False)
class Entry:
    """A tensor of the graph: an op's result, a leaf (wants a gradient) or a constant.

    ``operands`` are other entries, or numbers that were given as such. ``options`` and ``value``
    are None where they are not known.
    """

    kind: str
    op: Op | None = None
    node: Node | Leaf | None = None
    call: Call | None = None
    operands: list[Any] = field(default_factory=list)
    options: tuple[Any, ...] | None = None
    value: Any = None
    name: str = ""
    hint: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, which is always known."""
        source = self.node if self.value is None else self.value
        return source.shape  # type: ignore[union-attr]

    @property
    def dtype(self) -> Any:
        """The dtype, which is always known."""
        source = self.node if self.value is None else self.value
        return source.dtype  # type: ignore[union-attr]

    @property
    def line(self) -> Line | None:
        """The user's line."""
        if self.call is not None:
            return self.call.line
        return self.node.line if isinstance(self.node, Node) else None

    @property
    def module(self) -> ModuleCall | None:
        """The call of a module that it belongs to."""
        return None if self.call is None else self.call.module

    @property
    def type_text(self) -> str:
        """As in ``float32[2, 3]``."""
        return f"{self.dtype}{list(self.shape)}"

    def sources(self) -> list[Entry]:
        """Return the operands that are entries."""
        return [x for x in self.operands if isinstance(x, Entry)]

    def option_texts(self) -> dict[str, str]:
        """Return the options that are not the defaults."""
        if self.op is None or (self.options is None and not self.op.attrs):
            return {}
        if self.options is None:
            return dict.fromkeys(self.op.attrs, "?")
        shown = {}
        for name, value in zip(self.op.attrs, self.options, strict=True):
            default = self.op.empty.get(name, UNKNOWN)
            same = type(value) is type(default) and repr(value) == repr(default)
            if not same and not (name == "generator" and value is None):
                text = repr(value)
                shown[name] = text if len(text) <= 60 else text[:57] + "..."
        return shown


class TooLargeError(ValueError):
    """The graph has more parts than a person would read."""


@dataclass
class Graph:
    """The entries behind a tensor, each after its operands; the last is the tensor's own."""

    entries: list[Entry]

    @property
    def root(self) -> Entry:
        """The tensor that was asked about."""
        return self.entries[-1]

    def consumers(self) -> dict[Entry, list[Entry]]:
        """Return who uses each entry, once for each use."""
        found: dict[Entry, list[Entry]] = {entry: [] for entry in self.entries}
        for entry in self.entries:
            for source in entry.sources():
                found[source].append(entry)
        return found


def graph_of(t: Tensor, names: Mapping[int, str], max_nodes: int, what: str) -> Graph:
    """Return the graph behind a tensor.

    Parameters
    ----------
    t : Tensor
        Its end.
    names : mapping
        What the user calls tensors, by their ids.
    max_nodes : int
        More ops, leaves and constants than these are refused.
    what : str
        The name of the function that was called, for the error.

    Raises
    ------
    TooLargeError
        There are more.
    """
    if not isinstance(t, Tensor):
        raise TypeError(f"{what} needs a Tensor, not {type(t).__name__}")
    call = noted(t) if t._node is None else noted(t._node)
    hint = t.name or names.get(id(t), "")
    end = Argument(t._array, t._node, call, id(t), hint)
    entries: dict[Any, Entry] = {}
    order: list[Entry] = []
    stack: list[tuple[Argument, bool]] = [(end, False)]
    while stack:
        argument, opened = stack.pop()
        key = _key(argument)
        if opened:
            order.append(_closed(entries[key], entries, names))
            continue
        if key in entries:
            _learn(entries[key], argument)
            continue
        if len(entries) >= max_nodes:
            raise TooLargeError(
                f"the graph behind this {t.dtype}{list(t.shape)} tensor has more than {max_nodes} "
                f"ops, leaves and constants, too many to read; explain a smaller case (one example "
                "of the batch, fewer layers, a few steps of the sequence), or one part of it, or "
                f"allow more: {what}(..., max_nodes={10 * max_nodes})"
            )
        entries[key] = _opened(argument, names)
        stack.append((argument, True))
        stack.extend((a, False) for a in reversed(_arguments(entries[key])) if _is_entry(a))
    _fill(order)
    order = _by_use(order)
    _give_names(order)
    return Graph(order)


def _is_entry(a: Argument) -> bool:
    return a.key is not None or a.node is not None


def _key(a: Argument) -> Any:
    if a.node is not None:
        return a.node
    if a.made is not None:
        return a.made
    return a.key, a.value.shape, a.value.tobytes()


def _opened(a: Argument, names: Mapping[int, str]) -> Entry:
    call = a.made if a.node is None else noted(a.node)
    if isinstance(a.node, Leaf):
        tensor = a.node.tensor()
        hint = a.hint or ("" if tensor is None else tensor.name or names.get(id(tensor), ""))
        value = tensor._array if a.value is None and tensor is not None else a.value
        return Entry("leaf", None, a.node, None, value=value, hint=hint)
    if a.node is None and call is None:
        return Entry("constant", value=a.value, hint=a.hint)
    if call is not None:
        return Entry("op", call.op, a.node, call, [], call.options, call.value, hint=a.hint)
    node: Node = a.node  # type: ignore[assignment]
    if node.saved is None:
        raise GraphError(
            f"{node!r} was freed by a backward, so there is nothing left to explain; explain "
            "before backward, or give it retain_graph=True, or compute under "
            "mg.explain.watching()"
        )
    entry = Entry("op", node.op, node, hint=a.hint, value=a.value)
    saved = dict(zip(node.plan.sources, node.saved, strict=True))
    if entry.value is None:
        entry.value = saved.get(0)
    places = range(1 + len(node.parents), 1 + len(node.parents) + len(node.op.attrs))
    if all(place in saved for place in places):
        entry.options = tuple(saved[place] for place in places)
    return entry


def _arguments(entry: Entry) -> list[Argument]:
    """Return an entry's operands: as they were noted, or as far as the node kept them."""
    if entry.call is not None:
        return list(entry.call.arguments)
    if not isinstance(entry.node, Node):
        return []
    saved = dict(zip(entry.node.plan.sources, entry.node.saved or (), strict=True))
    found = []
    for i, parent in enumerate(entry.node.parents):
        value = saved.get(1 + i, UNKNOWN)
        if parent is not None:
            found.append(Argument(value if is_array(value) else None, parent, noted(parent)))
        else:
            found.append(Argument(value, key=id(value) if is_array(value) else None))
    return found


def _learn(entry: Entry, a: Argument) -> None:
    """Take from another use what was not known of an entry."""
    if entry.value is None and a.value is not None:
        entry.value = a.value
    entry.hint = entry.hint or a.hint


def _closed(entry: Entry, entries: Mapping[Any, Entry], names: Mapping[int, str]) -> Entry:
    """Tie an entry to its operands, which are all there now."""
    for a in _arguments(entry):
        if not _is_entry(a):
            entry.operands.append(a.value)
            continue
        source = entries[_key(a)]
        _learn(source, a)
        plain = source.kind == "constant" and not source.hint and source.value.shape == ()
        entry.operands.append(source.value.item() if plain else source)
    return entry


def _fill(order: list[Entry]) -> None:
    """Compute the values that were not kept, where all that they come from is known.

    What the engine kept is copied: the story stays when the user's arrays change.
    """
    for entry in order:
        if entry.call is None and entry.value is not None:
            entry.value = entry.value.copy()
        if entry.value is None and (value := evaluate(entry, lambda e: e.value)) is not None:
            entry.value = value


def _by_use(order: list[Entry]) -> list[Entry]:
    """Put leaves and constants just before their first use, and drop those shown as numbers."""
    result: dict[Entry, None] = {}
    for entry in order:
        if entry.op is not None or entry is order[-1]:
            result |= dict.fromkeys([*entry.sources(), entry])
    return list(result)


def is_random(op: Op) -> bool:
    """Say whether an op draws random numbers."""
    return "generator" in op.attrs


def evaluate(entry: Entry, value_of: Callable[[Entry], Any]) -> Any:
    """Run an entry's op again on the values of its operands; None if something is not known.

    Nor is a random op run again: it would draw something else, and from the user's generator.
    """
    if entry.op is None or (entry.options is None and entry.op.attrs) or is_random(entry.op):
        return None
    inputs: list[Any] = []
    for x in entry.operands:
        value = value_of(x) if isinstance(x, Entry) else x
        if value is UNKNOWN or (value is None and isinstance(x, Entry)):
            return None
        inputs.append(wrap(value, None) if is_array(value) else value)
    if not any(isinstance(x, Tensor) for x in inputs):
        return None
    token = MODE.set(Mode(grad=False))
    try:
        return apply(entry.op, inputs, entry.options or ())._array
    finally:
        MODE.reset(token)


def _give_names(order: Iterable[Entry]) -> None:
    """Name each entry: as the user does, else v1, v2, ... (results) and c1, ... (constants)."""
    entries = list(order)
    taken: set[str] = set()
    for entry in [entries[-1], *entries[:-1]]:
        if entry.hint:
            entry.name = _free(entry.hint, taken)
    letters = {"op": "v", "leaf": "p", "constant": "c"}
    counts = dict.fromkeys(letters, 0)
    for entry in entries:
        while not entry.name:
            counts[entry.kind] += 1
            name = f"{letters[entry.kind]}{counts[entry.kind]}"
            if name not in taken:
                entry.name = _free(name, taken)


def _free(name: str, taken: set[str]) -> str:
    """Return the name, or with a number where another value has it (``z``, ``z.2``)."""
    wanted, count = name, 1
    while name in taken:
        count += 1
        name = f"{wanted}.{count}"
    taken.add(name)
    return name


def operand_text(x: Any) -> str:
    """Return an operand as a line of the tape shows it."""
    if isinstance(x, Entry):
        return x.name
    return number(x) if isinstance(x, (bool, int, float)) else repr(x)


def operand_names(entry: Entry) -> list[str]:
    """Return what the op calls each of its operands."""
    op: Op = entry.op  # type: ignore[assignment]
    names = op.operand_names(len(entry.operands))
    return [f"{n}[{i}]" for i, n in enumerate(names)] if op.variadic else names
