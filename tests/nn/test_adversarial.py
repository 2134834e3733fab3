"""The losses of adversarial networks: their formulas, second derivatives, and a game."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.check import gradcheck

REAL = np.array([[0.3], [-1.2], [2.0]])
FAKE = np.array([[0.1], [0.8], [-0.4]])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


FORMULAS: list[tuple[type, Any, Any]] = [
    (
        nn.NonSaturatingGANLoss,
        lambda r, f: -np.log(sigmoid(r)).mean() - np.log(1 - sigmoid(f)).mean(),
        lambda f: -np.log(sigmoid(f)).mean(),
    ),
    (
        nn.LeastSquaresGANLoss,
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda f: ((f - 1) ** 2).mean() / 2,
    ),
    (nn.WassersteinGANLoss, lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
]


@pytest.mark.parametrize(("loss", "first", "second"), FORMULAS, ids=lambda x: x.__name__)
def test_losses_are_their_formulas(loss: type, first: Any, second: Any) -> None:
    real, fake = mg.tensor(REAL), mg.tensor(FAKE)
    players = loss()
    assert players.discriminator(real, fake).item() == pytest.approx(first(REAL, FAKE), rel=1e-14)
    assert players.generator(fake).item() == pytest.approx(second(FAKE), rel=1e-14)
    assert gradcheck(players.discriminator, [real, fake])
    assert gradcheck(players.generator, fake)


def test_losses_are_right_at_extreme_scores() -> None:
    loss = nn.NonSaturatingGANLoss()
    sure = mg.tensor([1e4], requires_grad=True)
    value = loss.discriminator(-sure, sure)  # wrong on both
    assert value.item() == 2e4
    value.backward()
    assert sure.grad is not None
    assert sure.grad.item() == 2.0


def critics() -> tuple[Any, Any, Any]:
    """Return a critic in both libraries with equal weights."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mine = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    layers = torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    other = torch.nn.Sequential(*layers).double()
    other.load_state_dict({k: torch.tensor(v.numpy()) for k, v in mine.state_dict().items()})
    return torch, mine, other


def test_gradient_penalty_and_its_gradients_are_torchs() -> None:
    torch, mine, other = critics()
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((2, 6, 4))
    penalty = nn.gradient_penalty(mine, mg.tensor(real), mg.tensor(fake), mg.Generator(3))
    share = mg.rand(6, 1, generator=mg.Generator(3), dtype=mg.float64).numpy()
    u = torch.tensor(share * real + (1 - share) * fake, requires_grad=True)
    (slopes,) = torch.autograd.grad(other(u).sum(), u, create_graph=True)
    wanted = ((slopes.norm(2, 1) - 1) ** 2).mean()
    assert penalty.item() == pytest.approx(wanted.item(), rel=1e-12)
    penalty.backward()
    wanted.backward()
    for p, q in zip(mine.parameters(), other.parameters(), strict=True):
        if q.grad is None:  # the last bias moves no slope
            assert p.grad is None or not p.grad.numpy().any()
        else:
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-9, atol=1e-13)


def test_gradient_penalty_needs_one_shape_and_leaves_the_examples_alone() -> None:
    critic = nn.Linear(2, 1)
    real = mg.ones(3, 2).requires_grad_()
    nn.gradient_penalty(critic, real, mg.zeros(3, 2)).backward()
    assert real.grad is None
    with mg.no_grad():  # the slopes are needed all the same
        assert nn.gradient_penalty(critic, real, mg.zeros(3, 2)).item() > 0
    with pytest.raises(ValueError, match=r"real has shape \[3, 2\], fake \[4, 2\]"):
        nn.gradient_penalty(critic, real, mg.zeros(4, 2))


@pytest.mark.slow
@pytest.mark.parametrize("loss", [row[0] for row in FORMULAS], ids=lambda x: x.__name__)
def test_generator_learns_where_the_real_ones_are(loss: type) -> None:
    """A generator that only shifts noise finds the mean of the real examples, (2, -1)."""
    mg.manual_seed(1)
    players = loss()
    shift = nn.Parameter(mg.zeros(2))
    critic = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    one = optim.Adam(critic.parameters(), lr=0.02, betas=(0.5, 0.9))
    two = optim.SGD([shift], lr=0.1)
    trail = []
    for k in range(900):
        real = mg.randn(64, 2) + mg.tensor([2.0, -1.0])
        fake = mg.randn(64, 2) + shift
        if k % 3:  # two steps of the critic for each of the generator
            one.zero_grad()
            cost = players.discriminator(critic(real), critic(fake.detach()))
            (cost + nn.gradient_penalty(critic, real, fake.detach())).backward()
            one.step()
        else:
            two.zero_grad()
            players.generator(critic(fake)).backward()
            two.step()
            trail.append(shift.detach().numpy().copy())
    found = np.mean(trail[-100:], axis=0)
    assert np.abs(found - [2.0, -1.0]).max() < 0.3, found
