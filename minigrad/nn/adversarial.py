"""Losses of generative adversarial networks: two players, so two losses.

D(x) are the discriminator's (or critic's) raw scores, without a sigmoid: of real examples
``real``, of the generator's ``fake``. In the discriminator's step pass ``fake`` made from
detached examples, ``D(G(z).detach())``, so that the generator is not trained by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.autograd import grad
from minigrad.backend import Generator
from minigrad.engine.modes import enable_grad
from minigrad.engine.tensor import Tensor
from minigrad.ops.activation import softplus
from minigrad.ops.create import ones_like
from minigrad.ops.random import rand
from minigrad.ops.reduce import mean, norm


class NonSaturatingGANLoss:
    """The original losses, the generator's in the form that does not saturate.

    ::

        discriminator   -mean log sigmoid(real) - mean log(1 - sigmoid(fake))
        generator       -mean log sigmoid(fake)

    References
    ----------
    I. Goodfellow et al., "Generative Adversarial Nets", NIPS 2014, section 3.

    Examples
    --------
    >>> import minigrad as mg
    >>> loss = mg.nn.NonSaturatingGANLoss()
    >>> round(loss.discriminator(mg.zeros(4, 1), mg.zeros(4, 1)).item(), 4)  # 2 log 2
    1.3863
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss of the player who tells real from fake."""
        return mean(softplus(-real)) + mean(softplus(fake))

    def generator(self, fake: Tensor) -> Tensor:
        """Return the loss of the player who makes the fake ones."""
        return mean(softplus(-fake))


class LeastSquaresGANLoss:
    """Squared distances of the scores from 1 for real and 0 for fake, halved.

    ::

        discriminator   mean (real - 1)^2 / 2 + mean fake^2 / 2
        generator       mean (fake - 1)^2 / 2

    References
    ----------
    X. Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, equation 9.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LeastSquaresGANLoss().discriminator(mg.zeros(4, 1), mg.ones(4, 1))
    tensor(1.)
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss of the player who tells real from fake."""
        return (mean((real - 1) ** 2) + mean(fake**2)) / 2

    def generator(self, fake: Tensor) -> Tensor:
        """Return the loss of the player who makes the fake ones."""
        return mean((fake - 1) ** 2) / 2


class WassersteinGANLoss:
    """Difference of the mean scores; the critic needs a `gradient_penalty` added.

    ::

        discriminator   mean fake - mean real
        generator       -mean fake

    References
    ----------
    M. Arjovsky et al., "Wasserstein Generative Adversarial Networks", ICML 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.WassersteinGANLoss().discriminator(mg.ones(4, 1), mg.zeros(4, 1))
    tensor(-1.)
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss of the critic."""
        return mean(fake) - mean(real)

    def generator(self, fake: Tensor) -> Tensor:
        """Return the loss of the player who makes the fake ones."""
        return -mean(fake)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    generator: Generator | None = None,
) -> Tensor:
    """Return how far the critic's slope is from 1: ``mean (|grad critic(u)| - 1)^2``.

    Each u is a random point between a real and a fake example, ``e real + (1 - e) fake`` with e
    from U(0, 1). Backward of it takes second derivatives of the critic. The paper adds 10 times
    this to the critic's loss.

    Parameters
    ----------
    critic : callable
        Scores ``(N, ...)`` of examples ``(N, ...)``; each example's score may depend on that
        example alone (no batch norm in the critic).
    real, fake : Tensor
        Examples, of one shape.
    generator : Generator, optional
        Draws e.

    Raises
    ------
    ValueError
        The shapes of real and fake differ.

    References
    ----------
    I. Gulrajani et al., "Improved Training of Wasserstein GANs", NIPS 2017, algorithm 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> critic = lambda x: 3 * x.sum(1)  # of slope 3 sqrt(4) = 6
    >>> mg.nn.gradient_penalty(critic, mg.ones(5, 4), mg.zeros(5, 4))
    tensor(25.)
    """
    if tuple(real.shape) != tuple(fake.shape):
        raise ValueError(
            f"gradient_penalty: real has shape {list(real.shape)}, fake {list(fake.shape)}; "
            "they must be equal, so that there is a way from each real example to a fake one"
        )
    share = rand(
        real.shape[0], *(1,) * (real.ndim - 1), generator=generator, dtype=real.dtype,
        device=real.device,
    )  # fmt: skip
    between = (share * real + (1 - share) * fake).detach().requires_grad_()
    with enable_grad():
        scores = critic(between)
        slopes: Any = grad(scores, between, ones_like(scores), create_graph=True)[0]
        lengths = norm(slopes.reshape(slopes.shape[0], -1), 2, 1)
        return mean((lengths - 1) ** 2)
