"""Tape: the recorded ops between a model's output and its loss, and what each op kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad.engine.op import Node
from minigrad.engine.tensor import Tensor

SAME_VALUES = ("alias", "cast", "reshape", "view", "flatten", "squeeze", "unsqueeze", "contiguous")


class Tape:
    """All recorded ops behind a tensor, the last one first.

    Parameters
    ----------
    end : Tensor
        Where to start, usually the loss.
    makers : dict
        For a node, the path of the module whose output it made.
    """

    def __init__(self, end: Tensor, makers: dict[Any, str]) -> None:
        self._makers = makers
        self.nodes: list[Node] = []
        stack, seen = [end._node], {end._node}
        while stack:
            node = stack.pop()
            if not isinstance(node, Node):  # a leaf, or an operand without a gradient
                continue
            self.nodes.append(node)
            new = [p for p in node.parents if p not in seen]
            seen.update(new)
            stack += new

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def named(self, *names: str) -> list[Node]:
        """Return the nodes of some ops."""
        return [node for node in self.nodes if node.op.name in names]

    def where(self, node: Node) -> str:
        """Say where an op ran: in which module, or after which."""
        if node in self._makers:
            return self._makers[node]
        before = next((self._makers[p] for p in node.parents if p in self._makers), None)
        after = f" after {before}" if before else f" of shape {list(node.shape)}"
        return f"{node.op.name}{after}"


def source(node: Node, operand: int = 0) -> Node | None:
    """Return the op that made an operand's values, past those that only move or cast them."""
    parent = node.parents[operand] if len(node.parents) > operand else None
    while isinstance(parent, Node) and parent.op.name in SAME_VALUES:
        parent = parent.parents[0]
    return parent if isinstance(parent, Node) else None


def output_of(node: Node) -> Any:
    """Return the array that an op made, if its derivative keeps it; else None."""
    return _saved(node, 0)


def option_of(node: Node, name: str) -> Any:
    """Return an option of the call, if the derivative keeps it; else None."""
    return _saved(node, 1 + len(node.parents) + node.op.attrs.index(name))


def _saved(node: Node, place: int) -> Any:
    if node.saved is None or place not in node.plan.sources:
        return None
    return node.saved[node.plan.sources.index(place)]
