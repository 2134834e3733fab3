"""1. a and b may be the smaller ones as well. The gradient by *each* operand has to be summed back;
c was only the one for which it had been noticed.

2. Broadcasting puts new axes in front, so that the axes to sum away are the first ones, not the
last but one: the two are the same for two axes, and no others were tested. And an axis of size 1
is stretched in its place, so that it has to be summed there, and kept.

A check is as good as the inputs that it is given. A fixed shape is one more habit by which a check
fools itself: draw the shapes as well, with axes of size 1, fewer axes, none, and no elements. With
(4, 4) for all three operands, nothing at all would have shown.
"""


def scaled(a, b, c):
    """Return y."""
    return a * b + c


def summed_to(gradient, shape):
    """Return a gradient summed over the axes along which its operand was broadcast."""
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


def scaled_backward(g, a, b, c):
    """Return the gradients by a, b and c."""
    return summed_to(g * b, a.shape), summed_to(g * a, b.shape), summed_to(1.0 * g, c.shape)
