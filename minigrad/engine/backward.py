"""Backward: walk the graph from its end, each node once, when all its consumers are done.

A node may feed several others, and its rules are linear in its gradient, so they must run once,
on the complete sum. Hence two passes, each linear in the edges and without recursion: count each
node's consumers, then release a node when its count falls to zero.

NumPy's warnings are off meanwhile: the gradient of sqrt at 0 is infinite, without a word as in
torch, and `detect_anomaly` finds who made it.

The same loop serves two currencies. With raw arrays it is the fast first-order backward. With
``create_graph`` gradients and saved values are Tensors, so the rules are recorded like any op.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.backend import backend_of, is_array
from minigrad.backend.several import SEVERAL, follow, staying
from minigrad.engine.errors import GraphError, check_finite, show_line
from minigrad.engine.modes import MODE, backward_mode
from minigrad.engine.mutation import CLOCK, changed, check_saved, check_view
from minigrad.engine.op import TABLE, Node
from minigrad.engine.recording import recorder
from minigrad.engine.structural import alias, cast, sum_to
from minigrad.engine.tensor import Leaf, Tensor, wrap

_DELIVERY = threading.RLock()  # threads may share leaves, and no share of a gradient may be lost


def backward(
    outputs: Sequence[Tensor],
    grad_outputs: Sequence[Any],
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradient of the outputs to ``.grad`` of every leaf (see `Tensor.backward`)."""
    keep = create_graph if retain_graph is None else retain_graph
    with backward_mode(create_graph), np.errstate(all="ignore"), staying():
        seeds = _seeds(outputs, grad_outputs, create_graph)
        found = _walk(seeds, _count(seeds), keep, create_graph)
        with _DELIVERY:  # last, so that a failure above leaves nothing half-written
            for leaf in list(found):
                _deliver(leaf, [found.pop(leaf)])


def gradients(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    grad_outputs: Sequence[Any],
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    stop_at_inputs: bool = False,
) -> list[Tensor | None]:
    """Return the gradients with respect to ``inputs`` and touch no ``.grad``.

    ``stop_at_inputs`` promises that no input is computed from another, which spares looking at
    the graph behind them.
    """
    for i, x in enumerate(inputs):
        if x._node is None:
            raise GraphError(f"input {i} ({x.dtype}{list(x.shape)}) does not require grad")
        if x._base is not None and x._time < CLOCK.recorded:
            check_view(x)
    keep = create_graph if retain_graph is None else retain_graph
    targets = {x._node for x in inputs}
    with backward_mode(create_graph), np.errstate(all="ignore"), staying():
        seeds = _seeds(outputs, grad_outputs, create_graph)
        counts = _count(seeds, targets, stop_at_inputs)
        found = _walk(seeds, counts, keep, create_graph, targets)
    nodes = [x._node for x in inputs]
    last = {node: i for i, node in enumerate(nodes)}  # an input named twice gets two arrays
    result: list[Tensor | None] = []
    for i, node in enumerate(nodes):
        box = [found.pop(node, None) if last[node] == i else found.get(node)]
        if isinstance(box[0], Tensor):
            box = [_own_tensor(box[0], (*grad_outputs, *result))]
        elif box[0] is not None:
            box = [wrap(_own(box), None)]
        result.append(box[0])
    return result


def _seeds(outputs: Sequence[Tensor], given: Sequence[Any], as_tensors: bool) -> dict[Any, Any]:
    """Return the starting gradient of each output's node."""
    seeds: dict[Any, Any] = {}
    for y, g in zip(outputs, given, strict=True):
        if not isinstance(y, Tensor):
            raise TypeError(f"backward starts from a Tensor, not {type(y).__name__}")
        if y._node is None:
            raise GraphError(
                f"this {y.dtype}{list(y.shape)} tensor has no graph: nothing that it was computed "
                "from requires grad, or it was computed under no_grad or detached"
            )
        if y._base is not None and y._time < CLOCK.recorded:
            check_view(y)
        if SEVERAL:
            follow(y)
        xp = backend_of(y._array)
        if g is None:
            if y._array.size != 1:
                raise GraphError(
                    f"backward() without a gradient needs one element, this tensor has shape "
                    f"{list(y.shape)}; reduce it (y.sum(), y.mean()) or pass gradient="
                )
            g = xp.ones_like(y._array)
        elif isinstance(g, Tensor):
            g = g if as_tensors else g._array
        elif not is_array(g):
            g = xp.asarray(g, dtype=y.dtype)
        if (recording := recorder()) is not None and is_array(g):
            g = recording.lift(g)
        if g.shape != y.shape:
            raise ValueError(f"gradient has shape {list(g.shape)}, the tensor has {list(y.shape)}")
        if as_tensors and not isinstance(g, Tensor):
            g = wrap(xp.asarray(g), None)
        if g.dtype != y.dtype:
            g = cast(g, y.dtype)
        seeds[y._node] = seeds[y._node] + g if y._node in seeds else g
    return seeds


def _count(
    seeds: Iterable[Any], targets: set[Any] | None = None, stop_at_targets: bool = False
) -> dict[Any, int]:
    """Count the consumers of each node behind the seeds; with targets, only on a way to one."""
    counts: dict[Any, int] = dict.fromkeys(seeds, 0)
    stack = list(counts)
    consumers: dict[Any, list[Any]] = {}
    freed: list[Node] = []
    while stack:
        node = stack.pop()
        if type(node) is Leaf or (stop_at_targets and node in targets):  # type: ignore[operator]
            continue
        if node.saved is None:
            freed.append(node)
        for parent in node.parents:
            if parent is None:
                continue
            if parent in counts:
                counts[parent] += 1
            else:
                counts[parent] = 1
                stack.append(parent)
            if targets is not None:
                consumers.setdefault(parent, []).append(node)
    if targets is None:
        return counts
    if freed:
        _check_freed(freed, targets)
    useful: set[Any] = set()
    stack = [t for t in targets if t in counts]
    while stack:
        node = stack.pop()
        if node not in useful:
            useful.add(node)
            stack.extend(consumers.get(node, ()))
    return {n: sum(c in useful for c in consumers.get(n, ())) for n in counts if n in useful}


def _check_freed(freed: Sequence[Node], targets: Iterable[Any]) -> None:
    """Refuse a graph where a freed node may have led to a target: its ways on are forgotten.

    It cannot have led to a target that it is itself behind, there are no cycles.
    """
    behind = [_count([target]) for target in targets]
    for node in freed:
        if not all(node in nodes for nodes in behind):
            raise _second_time(node)


def _second_time(node: Node) -> GraphError:
    return GraphError(
        f"backward through {node!r} a second time: what its derivative needs was freed by "
        "the first backward; compute the loss again, detach() what is carried over from an "
        "earlier step, or give the first backward retain_graph=True"
    )


def _walk(
    seeds: dict[Any, Any],
    counts: dict[Any, int],
    keep: bool,
    as_tensors: bool,
    targets: set[Any] | None = None,
) -> dict[Any, Any]:
    """Run the rules; return the complete gradients of the leaves, or of the targets."""
    grads: dict[Any, Any] = {n: g for n, g in seeds.items() if n in counts}
    ready = [n for n in grads if counts[n] == 0]
    found: dict[Any, Any] = {}
    own: set[Any] = set()  # nodes whose sum so far is an array that nothing else can see
    mode = MODE.get()
    anomaly, scope = mode.anomaly, mode.scope
    in_place = not (as_tensors or anomaly)
    recording = recorder()
    while ready:
        node = ready.pop()
        g = grads.pop(node, None)  # None: no consumer had anything to give
        if SEVERAL and g is not None:
            follow(g)
        if not node.shape and isinstance(g, np.generic):  # what NumPy makes of 0-d arrays
            g = np.asarray(g)
        if node.hooks and g is not None:
            g = _run_hooks(node.hooks, g, as_tensors)
        if type(node) is Leaf or (targets is not None and node in targets):
            if g is not None and (targets is None or node in targets):
                found[node] = g
            if type(node) is Leaf or not any(p in counts for p in node.parents):
                continue
        if scope is not None and g is not None:
            scope.node(node)
        saved = node.saved
        if saved is None:
            raise _second_time(node)
        if node.time < CLOCK.time:
            check_saved(node, saved)
        if node.watcher is not None and g is not None:
            _watch(node, g)
        parents = node.parents
        contributions = _tensor_rules(node, g, counts) if as_tensors and g is not None else None
        if node.plan.shared is not None and g is not None and not as_tensors:
            shared = node.op.shared
            if recording is not None:
                shared = recording.rule(node.op, shared)
            saved = (*saved, shared(g, *node.plan.shared(saved)))
        for operand, rule, pick, own_shape in node.plan.steps:
            parent = parents[operand]
            if parent not in counts:  # not on a way to a target
                continue
            if recording is not None and not as_tensors:
                rule = recording.rule(node.op, rule)
            if g is None:
                c = None
            elif in_place and node.op.add_at is not None and parent.shape:
                if parent in grads:
                    if parent not in own:
                        grads[parent] = grads[parent].copy(order="K")
                    node.op.add_at(grads[parent], g, *pick(saved))
                    c = None
                else:
                    c = rule(g, *pick(saved), parent.shape)
                own.add(parent)
            elif contributions is not None:
                c = contributions[operand]
            elif own_shape:
                c = rule(g, parent.shape) if pick is None else rule(g, *pick(saved), parent.shape)
            else:
                c = rule(g) if pick is None else rule(g, *pick(saved))
            if c is not None:
                if c.shape != parent.shape or c.dtype is not parent.dtype:
                    c = _fit(c, parent)
                if anomaly:
                    _check_contribution(node, c, g)
                earlier = grads.get(parent)
                if SEVERAL and earlier is not None:
                    follow(c)
                grads[parent] = c if earlier is None else earlier + c
            counts[parent] = left = counts[parent] - 1
            if left == 0:
                ready.append(parent)
        if not keep:
            node.saved = None
            node.parents = ()
    return found


def _fit(c: Any, parent: Any) -> Any:
    """Sum a gradient back to its operand's shape and cast it to its dtype, or refuse it."""
    if c.shape != parent.shape:
        lead = len(c.shape) - len(parent.shape)
        if lead < 0 or any(
            p not in (1, s) for p, s in zip(parent.shape, c.shape[lead:], strict=True)
        ):
            raise ValueError(
                f"a derivative rule gave {parent!r} a gradient of shape {list(c.shape)}, "
                f"its shape is {list(parent.shape)}"
            )
        c = sum_to(c, parent.shape)
    return c if c.dtype == parent.dtype else cast(c, parent.dtype)


def _tensor_rules(node: Node, g: Tensor, counts: dict[Any, int]) -> dict[int, Any]:
    """Run a node's rules on Tensors, tied to the graph, so that they are recorded."""
    steps = [s for s in node.plan.steps if node.parents[s.operand] in counts]
    if node.op.meaning is not None:
        return _through_meaning(node, g, steps)
    saved = []
    for value, source in zip(node.saved or (), node.plan.sources, strict=True):
        if source == 0:
            value = wrap(value, node)
        elif source <= len(node.parents) and is_array(value):
            value = wrap(value, node.parents[source - 1])
        saved.append(value)
    result = {}
    for operand, rule, pick, own_shape in steps:
        values = () if pick is None else pick(tuple(saved))
        shape = (node.parents[operand].shape,) if own_shape else ()
        result[operand] = rule(g, *values, *shape)
    return result


def _through_meaning(node: Node, g: Tensor, steps: Sequence[Any]) -> dict[int, Any]:
    """Differentiate a fused op by what it means: run that on the saved operands and go back."""
    saved = dict(zip(node.plan.sources, node.saved or (), strict=True))
    operands = [
        wrap(saved[1 + i], parent) if is_array(saved[1 + i]) else saved[1 + i]
        for i, parent in enumerate(node.parents)
    ]
    inner = list(operands)
    for step in steps:  # an alias ends the inner walk and ties its result to the outer graph
        inner[step.operand] = alias(operands[step.operand])
    options = [saved[1 + len(inner) + i] for i in range(len(node.op.attrs))]
    y = node.op.meaning(*inner, *options)  # type: ignore[misc]
    wanted = [inner[s.operand] for s in steps]
    grads = gradients([y], wanted, [g], create_graph=True, stop_at_inputs=True)
    return {s.operand: grad for s, grad in zip(steps, grads, strict=True)}


def _run_hooks(hooks: dict[int, Any], g: Any, as_tensors: bool) -> Any:
    """Show a complete gradient to the hooks; one that returns something replaces it."""
    shown = g if as_tensors else wrap(g.copy(), None)
    for hook in list(hooks.values()):
        answer = hook(shown)
        if answer is None:
            continue
        if not isinstance(answer, Tensor) or answer.shape != g.shape:
            what = f"shape {list(answer.shape)}" if isinstance(answer, Tensor) else repr(answer)
            raise ValueError(
                f"a hook must return None or a Tensor of shape {list(g.shape)}, not {what}"
            )
        shown = answer
    return shown if as_tensors else shown._array


def _watch(node: Node, g: Any) -> None:
    """Put a computed tensor's gradient where `Tensor.retain_grad` asked for it."""
    tensor = node.watcher() if node.watcher is not None else None
    if tensor is not None:
        g = TABLE["clone"].function(g) if isinstance(g, Tensor) else wrap(g.copy(), None)
        tensor.grad = g if tensor.grad is None else tensor.grad + g


def _check_contribution(node: Node, c: Any, g: Any) -> None:
    arrays = [t._array if isinstance(t, Tensor) else t for t in (c, g)]
    line = "(run the forward under detect_anomaly as well to see the line)"
    if node.line is not None:
        line = show_line(node.line)
    check_finite(f"backward of {node.op.name}", arrays[0], [arrays[1], *(node.saved or ())], line)


def _deliver(leaf: Leaf, box: list[Any]) -> None:
    """Add the gradient in the box to a leaf's ``.grad``."""
    tensor = leaf.tensor()
    if tensor is None:  # nobody can ask for it any more
        return
    if SEVERAL:
        follow(box[0])
    if (recording := recorder()) is not None:
        recording.deliver(tensor)
    if isinstance(box[0], Tensor):  # a copy, on the tape: it may be the cotangent itself
        g = box[0]
        tensor.grad = TABLE["clone"].function(g) if tensor.grad is None else tensor.grad + g
    elif tensor.grad is None:
        tensor.grad = wrap(_own(box), None)
    elif tensor.grad._node is not None:
        tensor.grad = tensor.grad.detach() + wrap(box[0], None)
    else:
        tensor.grad._array += box[0]
        changed(tensor.grad._array, "accumulation into .grad")


def _own(box: list[Any]) -> Any:
    """Return the array in the box if nothing else holds its memory, else a copy of it.

    So a gradient never shares memory with another one, with the cotangent, with an operand or
    with a read-only view, whatever the rules returned. Reference counts decide (hence the box,
    which is the only holder that the caller adds); they can only be too high, and cost a copy.
    """
    return box[0] if _references(box) in (_ALONE, _ALONE_VIEW) else box[0].copy(order="K")


def _own_tensor(g: Tensor, others: Iterable[Any]) -> Tensor:
    """Return ``g``, or a recorded copy of it if it lies in the memory of one of the others."""
    xp = backend_of(g._array)
    arrays = [getattr(other, "_array", other) for other in others]
    if any(is_array(a) and xp.owner(a) is xp.owner(g._array) for a in arrays):
        return TABLE["clone"].function(g)
    return g


def _references(box: list[Any]) -> tuple[int, int, bool]:
    base = box[0].base is not None and box[0].base.size == box[0].size
    base = base and getattr(box[0].flags, "writeable", True)  # CuPy has no read-only arrays
    return sys.getrefcount(box[0]), sys.getrefcount(box[0].base) if base else 0, box[0].base is None


_ALONE = _references([np.empty(2)])
_ALONE_VIEW = _references([np.empty(2).reshape(1, 2)])
