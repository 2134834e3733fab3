"""The backward of a walk: the engine's own rules, node by node, with all that goes in and out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.backend import backend_of
from minigrad.engine.backward import _run_hooks, _seeds
from minigrad.engine.mutation import CLOCK, check_saved
from minigrad.engine.op import Node, Op
from minigrad.engine.structural import cast, sum_to
from minigrad.engine.tensor import Leaf, Tensor
from minigrad.explain.formulas import rule_latex, rule_text
from minigrad.explain.graph import Entry, Graph, operand_names
from minigrad.explain.record import Contribution

# Every element of the result depends on one element of each operand (up to broadcasting).
ELEMENTWISE_FILES = {"activation", "arithmetic", "compare", "exponential", "rounding",
                     "trigonometric"}  # fmt: skip

MATRIX = 16  # numbers of a matrix of local derivatives that are still read


def is_elementwise(op: Op) -> bool:
    """Say whether each element of the result depends on one element of each operand."""
    return op.declared.__module__.rpartition(".")[2] in ELEMENTWISE_FILES


@dataclass
class Backward:
    """What a backward pass did.

    ``order`` has the entries as their gradients were complete.
    """

    seed: Any
    order: list[Entry] = field(default_factory=list)
    gradients: dict[Entry, Any] = field(default_factory=dict)
    contributions: dict[Entry, list[Contribution]] = field(default_factory=dict)
    hooked: set[Entry] = field(default_factory=set)


def run_backward(graph: Graph, t: Tensor, gradient: Any, many: int) -> Backward:
    """Run the rules behind a tensor; local derivatives of up to ``many`` numbers are told.

    As the engine does, a node waits until all who use it have given their part.
    """
    seeds = _seeds([t], [gradient], False)
    result = Backward(seeds[t._node])
    entries = {e.node: e for e in graph.entries if e.node is not None}
    left, running = _uses(graph), dict(seeds)
    totals = dict(left)
    ready: list[Any] = [t._node]
    with np.errstate(all="ignore"):
        while ready:
            node = ready.pop()
            entry = entries[node]
            g = running.pop(node, None)
            if g is not None and node.hooks:
                before = g
                g = _run_hooks(node.hooks, g, False)
                if g is not before and not np.array_equal(g, before):
                    result.hooked.add(entry)
            result.order.append(entry)
            if g is not None:
                result.gradients[entry] = g
            if isinstance(node, Leaf):
                continue
            saved, parents = _kept(entry)
            runs = _rules(node, saved, parents)
            names = operand_names(entry)
            for place, rule in runs:
                parent = parents[place]
                if g is not None:
                    raw = rule(g)
                    value = raw if raw.shape == parent.shape else sum_to(raw, parent.shape)
                    value = value if value.dtype == parent.dtype else cast(value, parent.dtype)
                    earlier = running.get(parent)
                    running[parent] = value if earlier is None else earlier + value
                    operand = entry.op.operand_names(len(parents))[place]  # type: ignore[union-attr]
                    options = _options(entry)
                    elementwise = is_elementwise(node.op) and raw.shape == g.shape
                    local = _local(rule, g, parent.shape, elementwise, min(many, MATRIX))
                    result.contributions.setdefault(entries[parent], []).append(
                        Contribution(
                            entry.name,
                            names[place],
                            entries[parent].name,
                            rule_text(node.op, operand, options),
                            rule_latex(node.op, operand, options),
                            g,
                            local,
                            elementwise,
                            raw,
                            _summed_axes(raw.shape, parent.shape),
                            value,
                            running[parent].copy(),
                            totals[parent] - left[parent] + 1,
                            totals[parent],
                        )
                    )
                left[parent] -= 1
                if left[parent] == 0:
                    ready.append(parent)
    return result


def _uses(graph: Graph) -> dict[Any, int]:
    """Return how many rules give something to each node."""
    counts: dict[Any, int] = {}
    for entry in graph.entries:
        if isinstance(entry.node, Node):
            parents = _kept(entry)[1]
            for step in entry.node.plan.steps:
                parent = parents[step.operand]
                counts[parent] = counts.get(parent, 0) + 1
    return counts


def _kept(entry: Entry) -> tuple[tuple[Any, ...], Sequence[Any]]:
    """Return what a node saved and its parents; from the note where a backward freed them."""
    node = entry.node
    assert isinstance(node, Node)
    if node.saved is not None:
        saved, parents = node.saved, node.parents
    else:
        assert entry.call is not None
        saved, parents = entry.call.saved or (), entry.call.parents
    if node.time < CLOCK.time:
        check_saved(node, saved)
    return saved, parents


def _rules(
    node: Node, saved: tuple[Any, ...], parents: Sequence[Any]
) -> list[tuple[int, Callable[[Any], Any]]]:
    """Return each of a node's rules as a function of the incoming gradient alone."""

    def bound(step: Any) -> Callable[[Any], Any]:
        def run(g: Any) -> Any:
            values = saved
            if node.plan.shared is not None:
                values = (*saved, node.op.shared(g, *node.plan.shared(saved)))  # type: ignore[misc]
            picked = () if step.pick is None else step.pick(values)
            own = (parents[step.operand].shape,) if step.own_shape else ()
            return backend_of(g).asarray(step.rule(g, *picked, *own))

        return run

    return [(step.operand, bound(step)) for step in node.plan.steps]


def _options(entry: Entry) -> dict[str, Any]:
    attrs = entry.op.attrs if entry.op is not None else ()
    return dict(zip(attrs, entry.options or (), strict=False))


def _local(
    rule: Callable[[Any], Any], g: Any, shape: tuple[int, ...], elementwise: bool, many: int
) -> Any:
    """Return the local derivative: the rule's answer to gradients of 1."""
    xp = backend_of(g)
    if elementwise:
        return rule(xp.ones_like(g))
    size = 1
    for length in shape:
        size *= length
    if not 0 < g.size * size <= many:
        return None
    rows = []
    for place in np.ndindex(g.shape):
        unit = xp.zeros_like(g)
        unit[place] = 1
        rows.append(rule(unit).reshape(-1))
    return xp.stack(rows)


def _summed_axes(given: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes along which a shape is summed to become another."""
    lead = len(given) - len(wanted)
    pairs = zip(wanted, given[lead:], strict=True)
    return (*range(lead), *(lead + i for i, (w, h) in enumerate(pairs) if w != h))
