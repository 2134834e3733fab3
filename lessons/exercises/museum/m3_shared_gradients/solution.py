"""The first share of a gradient is copied, so that every variable owns its gradient. Then adding to
it in place is safe, in the engine and in anybody's weight decay.

Three things went wrong without the copy, in one place each:

- `add` gives both parents the same array. The next share of one of them, added in place, is added
  to the other one as well, and to the gradient of the sum itself, which is being handed on.
- Weight decay in place decays both parameters, by the data of both.
- `total` hands on a view of one number (`broadcast_to`), which may not be written at all.

Copying only in `add` is no cure: `mul`'s shares are new, but the next op that hands on g as it is
brings the bug back. Adding out of place (`parent.grad + share`) mends the sums and leaves the
decay wrong. minigrad adds in place too, into arrays that it knows nobody else has.

Found in DeZero 0.0.13, whose own WeightDecay gives [3, 3] where [2, 2] is right, and in two others.
"""

import numpy as np


class Variable:
    """An array, and how it was computed."""

    def __init__(self, data, parents=(), rule=None):
        self.data, self.parents, self.rule, self.grad = data, parents, rule, None


def add(a, b):
    """Return a + b, for equal shapes."""
    return Variable(a.data + b.data, (a, b), lambda g: (g, g))


def mul(a, b):
    """Return a * b, elementwise, for equal shapes."""
    return Variable(a.data * b.data, (a, b), lambda g: (g * b.data, g * a.data))


def total(a):
    """Return the sum of all numbers."""
    return Variable(np.sum(a.data), (a,), lambda g: (np.broadcast_to(g, a.data.shape),))


def operands_first(end):
    """Return the variables behind the end, each after all its parents."""
    order, seen, stack = [], set(), [(end, False)]
    while stack:
        variable, parents_done = stack.pop()
        if parents_done:
            order.append(variable)
        elif variable not in seen:
            seen.add(variable)
            stack.append((variable, True))
            stack += [(parent, False) for parent in variable.parents]
    return order


def backward(end):
    """Set the gradient of every variable behind the end."""
    end.grad = np.ones_like(end.data)
    for variable in reversed(operands_first(end)):
        if variable.rule is None:
            continue
        for parent, share in zip(variable.parents, variable.rule(variable.grad), strict=True):
            if parent.grad is None:
                parent.grad = np.array(share)  # its own
            else:
                parent.grad += share


def gradients(formula, arrays):
    """Return the gradients of formula(add, mul, total, *variables) by each array."""
    variables = [Variable(array) for array in arrays]
    backward(formula(add, mul, total, *variables))
    return [variable.grad for variable in variables]


def step(formula, arrays, rate, decay):
    """Return the arrays after a step of gradient descent with weight decay."""
    variables = [Variable(array) for array in arrays]
    backward(formula(add, mul, total, *variables))
    for variable in variables:
        variable.grad += decay * variable.data
    return [variable.data - rate * variable.grad for variable in variables]
