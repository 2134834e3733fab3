"""Museum: an engine that frees a node at its first visit.

A small engine of single numbers, with + , * and tanh. Its backward calls itself for each operand,
and to save memory a node forgets its operands as soon as it has been visited. A real engine did
so (in our words), and its language model trained: 26 of the 37 gradients of its parameters were
wrong, and the loss fell all the same.

Mend `backward`. It adds the derivative of the end by every number behind it to that number's
`grad`, for graphs in which numbers are used several times, and for deep ones (2,000 nodes in a
chain). And memory is still to be saved: afterwards no node of the graph has operands.

`check` shows a walk through your formula by `mg.explain`: compare the sums.
"""

import math


class Value:
    """A number; `edges` are pairs of an operand and the slope by it."""

    def __init__(self, data, edges=()):
        self.data, self.edges, self.grad = data, tuple(edges), 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def tanh(self):
        """Return the hyperbolic tangent."""
        t = math.tanh(self.data)
        return Value(t, [(self, 1 - t * t)])


def backward(end, share=1.0):
    """Add the derivative of the end by every number behind it to that number's grad."""
    end.grad += share
    edges, end.edges = end.edges, ()
    for operand, slope in edges:
        backward(operand, share * slope)


def gradients(formula, numbers):
    """Return the value of a formula of Values, and the derivatives by its numbers."""
    values = [Value(number) for number in numbers]
    end = formula(*values)
    backward(end)
    return end.data, [value.grad for value in values]
