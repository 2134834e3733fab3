"""Whether a recorded function is made of analytic ops alone, so that the complex step holds."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.engine.op import Node
from minigrad.engine.tensor import Tensor


def not_analytic(outputs: Sequence[Tensor]) -> list[str]:
    """Return the names of the ops behind some outputs that take no complex numbers.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.check.analytic import not_analytic
    >>> x = mg.ones(2, requires_grad=True)
    >>> not_analytic([mg.exp(x) * x]), not_analytic([mg.abs(mg.exp(x))])
    ([], ['abs'])
    """
    stack = [y.grad_fn for y in outputs]
    seen: set[Node] = set()
    names = set()
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node not in seen:
            seen.add(node)
            stack += node.parents
            if node.op.facts is None or not node.op.facts.analytic:
                names.add(node.op.name)
    return sorted(names)
