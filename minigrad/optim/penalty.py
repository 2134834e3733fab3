"""L1 and L2 penalties: terms to add to a loss.

For weights w that are part of the tape, ``loss + l2_penalty(w, a)`` has the gradient of the loss
plus a * w: what ``weight_decay=a`` adds in the optimiser (coupled, see `minigrad.optim.decay`), so
that `SGD` makes the same steps either way. The penalty is part of the loss that is printed, costs
a forward and a backward, and can be on some tensors only; decay is none of that.
"""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.engine.tensor import Tensor


def l1_penalty(parameters: Tensor | Iterable[Tensor], weight: float) -> Tensor:
    """Return ``weight * ||w||_1``, the sum of all magnitudes; its gradient is weight * sign(w).

    It draws weights to 0 with the same force however small they are, and so finds sparse ones;
    exact zeros need the soft threshold of a decoupled ``l1_decay``.

    Parameters
    ----------
    parameters : iterable of Tensor, or Tensor
        The weights; biases are usually left out.
    weight : float
        What the sum is multiplied by.

    Returns
    -------
    Tensor
        The penalty, recorded.

    Raises
    ------
    ValueError
        There are no parameters.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([3.0, -4.0], requires_grad=True)
    >>> penalty = mg.optim.l1_penalty(w, 0.5)
    >>> penalty.backward()
    >>> penalty.item(), w.grad
    (3.5, tensor([ 0.5, -0.5]))
    """
    return weight * _total([p.abs().sum() for p in _listed(parameters, "l1_penalty")])


def l2_penalty(parameters: Tensor | Iterable[Tensor], weight: float) -> Tensor:
    """Return ``weight / 2 * ||w||^2``, half the sum of squares; its gradient is weight * w.

    The half makes ``weight`` the same number as an optimiser's ``weight_decay``. (Some texts and
    libraries leave it out; their lambda is half of this one.)

    Parameters
    ----------
    parameters : iterable of Tensor, or Tensor
        The weights; biases are usually left out.
    weight : float
        What half the sum is multiplied by.

    Returns
    -------
    Tensor
        The penalty, recorded.

    Raises
    ------
    ValueError
        There are no parameters.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([3.0, -4.0], requires_grad=True)
    >>> penalty = mg.optim.l2_penalty(w, 0.1)
    >>> penalty.backward()
    >>> [round(penalty.item(), 4), w.grad]
    [1.25, tensor([ 0.3, -0.4])]
    """
    return (weight / 2) * _total([p.square().sum() for p in _listed(parameters, "l2_penalty")])


def _listed(parameters: Tensor | Iterable[Tensor], name: str) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not listed:
        raise ValueError(f"{name} got no parameters; model.parameters() can be read only once")
    return listed


def _total(terms: list[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
