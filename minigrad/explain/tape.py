"""The tape: one line an op."""

from __future__ import annotations

from minigrad.engine.tensor import Tensor
from minigrad.explain.graph import graph_of, operand_text
from minigrad.explain.watch import names_here


def tape(t: Tensor, *, max_nodes: int = 2000) -> str:
    """Return the graph behind a tensor, one line an op: ``name:dtype[shape] = op args {options}``.

    Parameters
    ----------
    t : Tensor
        The end of the graph.
    max_nodes : int
        More ops, leaves and constants than these are refused.

    Raises
    ------
    TooLargeError
        There are more.

    Examples
    --------
    >>> import minigrad as mg
    >>> W = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> with mg.explain.watching():
    ...     loss = (W @ mg.tensor([1.0, -1.0])).tanh().sum()
    >>> print(mg.explain.tape(loss))
    in  W:float32[2, 2]
    in  c1:float32[2] constant
        v1:float32[2] = matmul W c1
        v2:float32[2] = tanh v1
        loss:float32[] = sum v2
    out loss
    """
    graph = graph_of(t, names_here(), max_nodes, "mg.explain.tape")
    lines = []
    for entry in sorted(graph.entries, key=lambda e: e.kind == "op"):  # stable: sources first
        if entry.op is None:
            constant = " constant" if entry.kind == "constant" else ""
            lines.append(f"in  {entry.name}:{entry.type_text}{constant}")
            continue
        words = [entry.op.name, *map(operand_text, entry.operands)]
        options = [f"{name}={value}" for name, value in entry.option_texts().items()]
        words += [f"{{{', '.join(options)}}}"] if options else []
        lines.append(f"    {entry.name}:{entry.type_text} = {' '.join(words)}")
    return "\n".join([*lines, f"out {graph.root.name}"])
