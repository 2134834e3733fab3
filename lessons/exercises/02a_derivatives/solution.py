"""A node may hand its sum on when all that was computed from it has handed on its own. Two ways to
arrange that are in the lesson: a sorted list of all nodes (below), or a counter of uses in each
node, as in minigrad.

The list comes from a walk that goes down to the operands and notes a node on the way *back*, when
all its operands are noted. A stack of one's own in place of calls makes depth no matter.

The sum is += and not =: a node gets a share through each of its edges.
"""


class Node:
    """A number, and what it was computed from."""

    def __init__(self, value, edges=()):
        self.value = value
        self.edges = tuple(edges)


def operands_first(end):
    """Return the nodes behind the end, each after all its operands."""
    order, seen, stack = [], set(), [(end, False)]
    while stack:
        node, operands_done = stack.pop()
        if operands_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(operand, False) for operand, _ in node.edges]
    return order


def derivatives(end, nodes):
    """Return the derivative of the end by each of the nodes.

    The diamond of the lesson, with x = 2, a = 3 x, b = a + 1, y = a b:

    >>> x = Node(2.0)
    >>> a = Node(6.0, [(x, 3.0)])
    >>> b = Node(7.0, [(a, 1.0)])
    >>> y = Node(42.0, [(a, 7.0), (b, 6.0)])
    >>> derivatives(y, [x, a, b, y])
    [39.0, 13.0, 6.0, 1.0]
    """
    order = operands_first(end)
    sums = dict.fromkeys(order, 0.0)
    sums[end] = 1.0
    for node in reversed(order):
        for operand, slope in node.edges:
            sums[operand] += sums[node] * slope
    return [sums.get(node, 0.0) for node in nodes]
