r"""L2 and L1 decay, coupled to the gradient or decoupled from it: options of every optimiser.

A group's options ``weight_decay`` (a), ``l1_decay`` (b) and ``decoupled_weight_decay`` mean, at
its learning rate lr::

    coupled      g <- g + a * p + b * sign(p)          before all else that is done with g

    decoupled    p <- (1 - lr * a) * p                 before the optimiser's update of p
                 p <- sign(p) * max(|p| - lr * b, 0)   after it: the soft threshold

Coupled decay is the gradient of the penalty a/2 ||p||^2 + b ||p||_1 in the loss
(`minigrad.optim.penalty` has it as a term to add). Under plain gradient descent it does not
matter which of the two has the a: p - lr * (g + a * p) = (1 - lr * a) * p - lr * g. An optimiser
that divides by the gradient's size divides coupled decay as well, so the same a shrinks a weight
with large gradients less; decoupled, all shrink alike: that is AdamW against Adam with an L2 term.

Decoupled L1 is the soft threshold, not a step of lr * b * sign(p): the step would jump over 0 and
back, the threshold stops there, so weights become exactly 0. With plain gradient descent it is
the proximal gradient method (ISTA) for the loss with b ||p||_1. It comes last, because an update
after it would move the zeros away again.

References
----------
I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; I. Daubechies,
M. Defrise, C. De Mol, "An iterative thresholding algorithm for linear inverse problems with a
sparsity constraint", Comm. Pure Appl. Math. 57, 2004.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minigrad.backend import Array, Backend
from minigrad.optim.flat import Scalars


class Decays(NamedTuple):
    """What a group's decay does to a stretch of the buffers; None where it does nothing."""

    add_to_gradient: Callable[[Array, Array, Array, Array], Array] | None  # (p, g, work, out)
    shrink: Callable[[Array], None] | None  # (p), before the update
    threshold: Callable[[Array, Array], None] | None  # (p, work), after it


NONE = Decays(None, None, None)


def decays(group: Mapping[str, Any], xp: Backend, number: Scalars) -> Decays:
    """Return what a group's options for decay ask for."""
    l2, l1 = float(group.get("weight_decay", 0.0)), float(group.get("l1_decay", 0.0))
    if not (l2 or l1):
        return NONE
    add, subtract, multiply = xp.add, xp.subtract, xp.multiply
    if not group.get("decoupled_weight_decay"):
        by_l2, by_l1 = number[l2], number[l1]

        def add_to_gradient(p: Array, g: Array, work: Array, out: Array) -> Array:
            if l2:
                g = add(g, multiply(p, by_l2, work), out)
            if l1:
                g = add(g, multiply(xp.sign(p, work), by_l1, work), out)
            return g

        return Decays(add_to_gradient, None, None)
    lr = float(group["lr"])
    kept, high, low = number[1 - lr * l2], number[lr * l1], number[-lr * l1]

    def shrink(p: Array) -> None:
        multiply(p, kept, p)

    def threshold(p: Array, work: Array) -> None:
        xp.minimum(p, high, out=work)
        subtract(p, xp.maximum(work, low, out=work), p)

    return Decays(None, shrink if l2 else None, threshold if l1 else None)


def as_numbers(group: Mapping[str, Any]) -> tuple[float, ...]:
    """Return a group's decay and sign as a kernel for a GPU takes them.

    They are the gradient's sign, the L2 and L1 decay coupled to it, the factor that shrinks p, and
    the soft threshold.
    """
    sign = -1.0 if group.get("maximize", False) else 1.0
    l2, l1 = float(group.get("weight_decay", 0.0)), float(group.get("l1_decay", 0.0))
    if not group.get("decoupled_weight_decay"):
        return sign, l2, l1, 1.0, 0.0
    lr = float(group["lr"])
    return sign, 0.0, 0.0, 1 - lr * l2, lr * l1
