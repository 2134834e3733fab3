"""Whole training steps: after each of 100 replays all is what it is after an eager step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.engine.tensor import Tensor
from minigrad.replay import PASSES

STEPS = 100


class Rnn(nn.Module):
    """The last state of a small recurrent network, as scores."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.RNN(3, 8, batch_first=True), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


def _mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(16, 12), nn.LayerNorm(12), nn.GELU(), nn.Dropout(0.3), nn.Linear(12, 4),
    )  # fmt: skip


def _cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.1), nn.Linear(4 * 3 * 3, 4),
    )  # fmt: skip


Make = Callable[[Any], optim.Optimizer]
NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], Make, dict[str, Any]]] = {
    "adam": (_mlp, (8, 6), lambda p: optim.Adam(p, lr=1e-2), {}),
    "momentum": (_mlp, (8, 6), lambda p: optim.SGD(p, lr=0.05, momentum=0.9), {"clip": 1.0}),
    "adamw-schedule": (_mlp, (8, 6), lambda p: optim.AdamW(p, lr=1e-2), {"schedule": True}),
    "rnn": (Rnn, (5, 7, 3), lambda p: optim.Adam(p, lr=1e-2), {"clip": 1.0}),
    "cnn": (_cnn, (5, 2, 6, 6), lambda p: optim.SGD(p, lr=0.05), {"schedule": True}),
    "zeros": (_mlp, (8, 6), lambda p: optim.RMSprop(p, lr=1e-3), {"to_none": False}),
}


def build(
    kind: str,
) -> tuple[nn.Module, optim.Optimizer, Callable[[Tensor, Tensor], Tensor], tuple[int, ...]]:
    """Return a network, its optimiser, a training step, and the shape of a batch."""
    net, shape, make, options = NETS[kind]
    mg.manual_seed(3)
    model, loss_of = net(), nn.CrossEntropyLoss()
    updates = make(model.parameters())
    schedule = optim.lr_scheduler.StepLR(updates, 7, 0.8) if options.get("schedule") else None

    def step(x: Tensor, target: Tensor) -> Tensor:
        updates.zero_grad(set_to_none=options.get("to_none", True))
        loss = loss_of(model(x), target)
        loss.backward()
        if "clip" in options:
            nn.utils.clip_grad_norm_(model.parameters(), options["clip"])
        updates.step()
        if schedule is not None:
            schedule.step()
        return loss

    return model, updates, step, shape


def expect_same(a: nn.Module, b: nn.Module) -> None:
    """Compare parameters, buffers and gradients, bit for bit."""
    for (name, p), q in zip(a.state_dict().items(), b.state_dict().values(), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy(), err_msg=name)
    for (name, v), w in zip(a.named_parameters(), b.parameters(), strict=True):
        assert v.grad is not None
        assert w.grad is not None
        np.testing.assert_array_equal(v.grad.numpy(), w.grad.numpy(), err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("passes", [None, []], ids=["passes", "none"])
@pytest.mark.parametrize("kind", NETS)
def test_a_hundred_steps(kind: str, passes: Any) -> None:
    rng = np.random.default_rng(0)
    model, updates, step, shape = build(kind)
    twin, twins_updates, twins_step, _ = build(kind)
    replay = mg.capture(twins_step, passes=passes)
    batches = [
        (mg.tensor(rng.standard_normal(shape), dtype=mg.float32), mg.tensor(rng.integers(0, 4, n)))
        for n in [shape[0]] * STEPS
    ]
    losses = []
    for run in (step, replay):
        mg.manual_seed(11)
        losses.append([run(*batch).item() for batch in batches])
    assert losses[0] == losses[1]
    expect_same(model, twin)
    assert len(replay.programs) == 1
    assert [g["lr"] for g in updates.param_groups] == [g["lr"] for g in twins_updates.param_groups]
    for (name, s), t in zip(
        updates.state_dict()["state"].items(),
        twins_updates.state_dict()["state"].values(),
        strict=True,
    ):
        for key in s:
            np.testing.assert_array_equal(s[key].numpy(), t[key].numpy(), err_msg=f"{name} {key}")
    model.eval(), twin.eval()
    x = batches[0][0]
    np.testing.assert_array_equal(model(x).detach().numpy(), twin(x).detach().numpy())


def test_each_pass_alone_gives_the_same_bits() -> None:
    def losses(passes: Any) -> list[float]:
        _, _, step, shape = build("adam")
        replay = mg.capture(step, passes=passes)
        mg.manual_seed(1)
        x = mg.randn(*shape)
        target = mg.randint(0, 4, (shape[0],))
        return [replay(x, target).item() for _ in range(6)]

    wanted = losses([])
    for name in PASSES:
        assert losses([name]) == wanted, name


def test_a_last_batch_of_another_size_has_a_program_of_its_own() -> None:
    model, _, step, shape = build("adam")
    twin, _, twins_step, _ = build("adam")
    replay = mg.capture(twins_step)
    rng = np.random.default_rng(2)
    sizes = [8, 8, 8, 5] * 4
    batches = [
        (mg.tensor(rng.standard_normal((n, *shape[1:]))).float(), mg.tensor(rng.integers(0, 4, n)))
        for n in sizes
    ]
    for run in (step, replay):
        mg.manual_seed(4)
        for batch in batches:
            run(*batch)
    expect_same(model, twin)
    assert len(replay.programs) == 2


def test_gradients_are_accumulated_as_eagerly() -> None:
    model, twin = build("adam")[0].eval(), build("adam")[0].eval()
    target = mg.tensor([0, 1, 2, 3])

    def backward_of(net: nn.Module) -> Callable[[Tensor], None]:
        return lambda x: nn.functional.cross_entropy(net(x), target).backward()

    eager, replay = backward_of(model), mg.capture(backward_of(twin))
    xs = [mg.randn(4, 6, generator=mg.Generator(i)) for i in range(12)]
    for i, x in enumerate(xs):
        if i % 4 == 0:
            model.zero_grad()
            twin.zero_grad()
        eager(x)
        replay(x)
        expect_same(model, twin)


def test_second_derivatives_are_recorded() -> None:
    def penalty(x: Tensor, w: Tensor) -> list[Any]:
        y = (x @ w).tanh().sum()
        (g,) = mg.autograd.grad([y], [x], create_graph=True)
        return mg.autograd.grad([(g * g).sum()], [x, w])

    replay = mg.capture(penalty)
    for seed in range(4):
        draw = mg.Generator(seed)
        x = mg.randn(3, 4, generator=draw).requires_grad_()
        w = mg.randn(4, 2, generator=draw).requires_grad_()
        for a, b in zip(penalty(x, w), replay(x, w), strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_large_work_is_fused_and_shared_between_threads() -> None:
    def chain(x: Tensor, a: Tensor) -> tuple[Tensor, Any]:
        y = (x * a + 0.5).tanh() * x.sigmoid()
        return y.sum(), mg.autograd.grad([y.sum()], [x, a])

    rng = np.random.default_rng(5)
    replays = [mg.capture(chain, threads=n) for n in (1, 2)]
    for _ in range(3):
        x = mg.tensor(rng.standard_normal(600_001).astype("f4"), requires_grad=True)
        a = mg.tensor(np.float32(rng.random()), requires_grad=True)
        y, grads = chain(x, a)
        for replay in replays:
            z, others = replay(x, a)
            assert z.item() == y.item()
            for g, h in zip(grads, others, strict=True):
                np.testing.assert_array_equal(g.numpy(), h.numpy())
    assert any(i.kind == "fused" for i in replays[0].programs[-1].instrs)
