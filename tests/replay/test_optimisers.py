"""An optimiser's step inside a captured one: its calls stand in the program, its numbers go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.engine.tensor import Tensor

Make = Callable[[Any], optim.Optimizer]
DECAY = {"weight_decay": 0.1, "l1_decay": 0.01}
MAKERS: dict[str, Make] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "gd-l1": lambda p: optim.GD(p, lr=0.1, **DECAY),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, maximize=True),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, **DECAY),
    "adam": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, **DECAY),
    "adamax": lambda p: optim.Adamax(p, lr=0.01),
    "nadam": lambda p: optim.NAdam(p, lr=0.01),
    "radam": lambda p: optim.RAdam(p, lr=0.01),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.1),
    "adadelta": lambda p: optim.Adadelta(p, lr=1.0),
    "lion": lambda p: optim.Lion(p, lr=0.01, decoupled_weight_decay=True, **DECAY),
    "groups": lambda p: optim.Adam([{"params": p[:2], "lr": 0.1}, {"params": p[2:]}], lr=0.01),
}


def build(make: Make) -> tuple[list[Tensor], optim.Optimizer, Callable[[Tensor], Tensor]]:
    """Return the parameters of a small network, its optimiser, and a training step."""
    mg.manual_seed(5)
    net = nn.Sequential(nn.Linear(3, 7), nn.Tanh(), nn.Linear(7, 2))
    params = list(net.parameters())
    updates = make(params)

    def step(x: Tensor) -> Tensor:
        updates.zero_grad()
        loss = (net(x) ** 2).mean()
        loss.backward()
        updates.step()
        return loss

    return params, updates, step


def batch(k: int) -> Tensor:
    return mg.randn(4, 3, generator=mg.Generator(k))


def expect_same(one: Any, other: Any) -> None:
    """Compare parameters, gradients and what the optimisers keep, bit for bit."""
    for p, q in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
        np.testing.assert_array_equal(p.grad.numpy(), q.grad.numpy())
    states = [updates.state_dict()["state"] for _, updates, _ in (one, other)]
    for k, entry in states[0].items():
        assert set(entry) == set(states[1][k])
        for name, value in entry.items():
            np.testing.assert_array_equal(value.numpy(), states[1][k][name].numpy(), err_msg=name)


@pytest.mark.parametrize("name", MAKERS)
def test_the_update_stands_in_the_program(name: str) -> None:
    one, other = build(MAKERS[name]), build(MAKERS[name])
    replay = mg.capture(other[2])
    for k in range(9):  # RAdam begins to rectify at the sixth
        assert one[2](batch(k)).item() == replay(batch(k)).item()
        expect_same(one, other)
    (program,) = replay.programs
    assert [i.name for i in program.instrs if i.kind == "python"] == [
        ".grad", f"{type(other[1]).__name__}.advance",
    ]  # fmt: skip
    gathers = [i for i in program.instrs if i.name == "gather"]
    assert not gathers  # each gradient is computed where the update reads it


def test_options_may_change_between_replays() -> None:
    make = MAKERS["momentum"]
    one, other = build(make), build(make)
    replay = mg.capture(other[2])
    for k in range(12):
        for _, updates, _ in (one, other):
            (group,) = updates.param_groups
            group["lr"] = 0.1 / (k + 1)
            group["momentum"] = 0.9 - 0.01 * k
            group["weight_decay"] = 0.0 if k < 6 else 0.5
        one[2](batch(k)), replay(batch(k))
        expect_same(one, other)
    assert len(replay.programs) == 1


def test_a_state_that_was_loaded_is_used() -> None:
    one, other = build(MAKERS["adam"]), build(MAKERS["adam"])
    replay = mg.capture(other[2])
    saved: Any = None
    for k in range(8):
        if k == 3:
            saved = {
                "state": {
                    n: {key: v.clone() for key, v in entry.items()}
                    for n, entry in one[1].state_dict()["state"].items()
                },
                "param_groups": one[1].state_dict()["param_groups"],
            }
        if k == 6:
            one[1].load_state_dict(saved), other[1].load_state_dict(saved)
        one[2](batch(k)), replay(batch(k))
        expect_same(one, other)


def test_eager_steps_in_between() -> None:
    one, other = build(MAKERS["nadam"]), build(MAKERS["nadam"])
    replay = mg.capture(other[2])
    for k in range(8):
        one[2](batch(k)), (other[2] if k % 3 == 2 else replay)(batch(k))
        expect_same(one, other)


def test_two_steps_in_one_call() -> None:
    def twice(step: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def both(x: Tensor) -> Tensor:
            step(x)
            return step(x + 1)

        return both

    one, other = build(MAKERS["radam"]), build(MAKERS["radam"])
    eager, replay = twice(one[2]), mg.capture(twice(other[2]))
    for k in range(7):
        eager(batch(k)), replay(batch(k))
        expect_same(one, other)


def test_a_schedule_inside_and_clipping() -> None:
    def scheduled(built: Any) -> Callable[[Tensor], None]:
        params, updates, step = built
        schedule = optim.lr_scheduler.OneCycleLR(updates, 0.1, total_steps=12)

        def run(x: Tensor) -> None:
            step(x)
            nn.utils.clip_grad_norm_(params, 0.1)
            updates.step()
            schedule.step()

        return run

    one, other = build(MAKERS["adamw"]), build(MAKERS["adamw"])
    eager, replay = scheduled(one), mg.capture(scheduled(other))
    for k in range(9):
        eager(batch(k)), replay(batch(k))
        expect_same(one, other)


def test_an_update_with_numbers_of_its_own_is_called_whole() -> None:
    class SignDescent(optim.SGD):
        def _update(self, group: Any, steps: int, xp: Any, number: Any) -> Any:
            def update(p: Any, g: Any, work: Any) -> None:
                xp.multiply(xp.sign(g, work), group["lr"] / (1 + steps), work)
                xp.subtract(p, work, p)

            return update

    one, other = build(lambda p: SignDescent(p, lr=0.1)), build(lambda p: SignDescent(p, lr=0.1))
    replay = mg.capture(other[2])
    for k in range(5):
        for _, updates, _ in (one, other):
            updates.param_groups[0]["lr"] = 0.1 * (k + 1)
        one[2](batch(k)), replay(batch(k))
        expect_same(one, other)
