"""Find the bug: right at the shapes that were tested.

y = a * b + c, elementwise, where a, b and c broadcast as in NumPy. `scaled_backward` passed its
test, a gradient check with a random cotangent: for a of the shape (4, 3), b of (4, 3) and c, a
bias, of (3,). Everybody uses it with those shapes, until somebody does not.

Two mistakes are in it, and neither shows at those shapes. Mend it for all that broadcast, numbers
without an axis and arrays without a number included. Each gradient has the shape of its operand.
"""


def scaled(a, b, c):
    """Return y."""
    return a * b + c


def summed_to(gradient, shape):
    """Return a gradient summed over the axes along which its operand was broadcast."""
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=-2)
    return gradient


def scaled_backward(g, a, b, c):
    """Return the gradients by a, b and c."""
    return g * b, g * a, summed_to(g, c.shape)
