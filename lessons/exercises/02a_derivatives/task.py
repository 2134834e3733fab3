"""The derivatives of a graph.

Lesson 2: the derivative of an end by a number behind it is the sum over all ways, and a backward
pass gets it by visiting each node once, in an order in which a node's sum is complete when it is
handed on. Write that pass.

A node has `edges`: pairs of an operand that it was computed from, and the slope, how much faster
than that operand it grows. The same operand may be there twice (x * x). `derivatives` gets the
end and a list of nodes, and returns the list of the derivatives of the end by each of them: 1 for
the end itself, 0 for a node that is not behind it.

Graphs may be deep: a chain of 3,000 nodes is graded too, which is more than Python recurses, and
a row of 40 diamonds, in which there are two to the power of 40 ways.
"""


class Node:
    """A number, and what it was computed from."""

    def __init__(self, value, edges=()):
        self.value = value
        self.edges = tuple(edges)


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
    raise NotImplementedError
