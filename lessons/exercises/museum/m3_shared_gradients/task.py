"""Museum: two parameters, one gradient.

A small engine of arrays. Its backward visits in the right order and its rules are right: the sum
hands g to both operands. Handed on is the *array*, though, and not its numbers, so that two
variables end up with one gradient between them. Whoever changes it in place, as an accumulation
does or weight decay, changes both. Three engines that we looked at did so; this is ours.

Mend it. `gradients` must be right for every formula, and `step` must take the step that weight
decay asks for: data - rate * (gradient + decay * data).
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
                parent.grad = share
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
