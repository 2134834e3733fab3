"""Schedules: torch's numbers, their state, and what they say when used wrongly."""

from __future__ import annotations

import copy
import json
import warnings
from typing import Any

import pytest
from support.parity_optimizers import (
    SCHEDULE_ROWS,
    SCHEDULE_STEPS,
    advance,
    grouped,
    schedule,
    schedule_deviation,
    schedule_text,
)

import minigrad as mg
from minigrad.optim.lr_scheduler import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
    warmup,
)

each_row = pytest.mark.parametrize(
    ("name", "options"),
    SCHEDULE_ROWS,
    ids=[f"{name}-{i}" for i, (name, _) in enumerate(SCHEDULE_ROWS)],
)


def lrs(optimizer: Any, made: Any, count: int) -> list[float]:
    """Return the first group's learning rate before each of ``count`` steps."""
    seen = []
    for _ in range(count):
        seen.append(round(optimizer.param_groups[0]["lr"], 12))
        optimizer.step()
        made.step()
    return seen


@each_row
def test_torch_numbers(name: str, options: dict[str, Any]) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    assert schedule_deviation(name, options) < 1e-13, schedule_text(options)


def test_one_cycle_moves_beta1_of_adam_as_torch_does() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    assert schedule_deviation("OneCycleLR", {"max_lr": 0.5, "total_steps": 100}, "Adam") < 1e-13
    optimizer = grouped(mg, "Adam")
    made = OneCycleLR(optimizer, 0.5, 100)
    betas = {optimizer.param_groups[0]["betas"]}
    for step in range(50):
        advance(optimizer, made, step)
        betas.add(optimizer.param_groups[0]["betas"])
    assert len(betas) > 40
    assert {b for _, b in betas} == {0.999}


def test_fractions_of_an_epoch_as_torch_has_them() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    runs = []
    for lib in (mg, torch):
        optimizer = grouped(lib)
        made = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3, 2)
        seen = []
        for i in range(120):
            made.step(i / 5)
            seen.append(optimizer.param_groups[0]["lr"])
        made.step()  # goes on from the last whole epoch
        runs.append([*seen, made.last_epoch])
    assert runs[0] == pytest.approx(runs[1], rel=1e-12)


def test_two_schedules_on_one_optimizer_multiply() -> None:
    optimizer = grouped(mg)
    first, second = ExponentialLR(optimizer, 0.5), StepLR(optimizer, 2, 0.1)
    for _ in range(4):
        optimizer.step()
        first.step()
        second.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * 0.5**4 * 0.1**2)


@pytest.mark.parametrize("at", [0, 1, 37])
@each_row
def test_resumed_schedule_goes_on_with_the_same_numbers(
    name: str, options: dict[str, Any], at: int
) -> None:
    optimizer = grouped(mg)
    made = schedule(mg, optimizer, name, options)
    for step in range(at):
        advance(optimizer, made, step)
    state, of_optimizer = made.state_dict(), copy.deepcopy(optimizer.state_dict())
    state = json.loads(json.dumps(state))  # it is plain data
    rest = [advance(optimizer, made, step) for step in range(at, SCHEDULE_STEPS)]

    again = grouped(mg)
    other = schedule(mg, again, name, options)
    other.load_state_dict(state)
    again.load_state_dict(of_optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [advance(again, other, step) for step in range(at, SCHEDULE_STEPS)] == rest


def as_torch_has_it(state: dict[str, Any], theirs: Any) -> None:
    """Put into our state what torch wants in it."""
    if "milestones" in state:  # torch counts them
        state["milestones"] = theirs.milestones
    if hasattr(theirs, "lr_lambdas"):
        state["lr_lambdas"] = [None] * 2
    for part, other in zip(
        state.get("_schedulers", []), getattr(theirs, "_schedulers", []), strict=True
    ):
        as_torch_has_it(part, other)


@each_row
def test_goes_on_from_torch_state_and_torch_from_ours(name: str, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    made = {}
    for lib in (mg, torch):
        optimizer = grouped(lib)
        made[lib] = optimizer, schedule(lib, optimizer, name, options)
        for step in range(37):
            advance(*made[lib], step)
    fresh = {}
    for lib, source in ((mg, torch), (torch, mg)):
        optimizer = grouped(lib)
        fresh[lib] = optimizer, schedule(lib, optimizer, name, options)
        state = made[source][1].state_dict()
        if lib is torch:
            as_torch_has_it(state, made[torch][1])
        fresh[lib][1].load_state_dict(state)
        for group, other in zip(optimizer.param_groups, made[source][0].param_groups, strict=True):
            group["lr"] = other["lr"]
    for step in range(37, 60):
        want = advance(*made[torch], step)
        for lib in (mg, torch):
            assert advance(*fresh[lib], step) == pytest.approx(want, rel=1e-12, abs=1e-18)


def test_groups_keep_the_first_learning_rate() -> None:
    optimizer = grouped(mg)
    made = ExponentialLR(optimizer, 0.5)
    optimizer.step()
    made.step()
    assert [g["initial_lr"] for g in optimizer.param_groups] == made.base_lrs == [0.1, 0.3]
    assert made.get_last_lr() == [0.05, 0.15]
    again = grouped(mg)
    again.load_state_dict(optimizer.state_dict())
    assert [g["initial_lr"] for g in again.param_groups] == [0.1, 0.3]
    assert ExponentialLR(again, 0.5, last_epoch=1).base_lrs == [0.1, 0.3]


def test_a_group_may_say_the_first_learning_rate() -> None:
    groups = [{"params": [mg.ones(1, requires_grad=True)], "lr": 0.1, "initial_lr": 0.4}]
    made = StepLR(mg.optim.SGD(groups), 10, last_epoch=3)
    assert (made.base_lrs, made.get_last_lr(), made.last_epoch) == ([0.4], [0.1], 4)


def test_copies_of_optimizer_and_schedule_go_their_own_way() -> None:
    optimizer = grouped(mg)
    made = LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    twin, other = copy.deepcopy((optimizer, made))
    assert lrs(twin, other, 3) == [0.1, 0.05, 0.025]
    assert made.get_last_lr() == [0.1, 0.3]


def test_what_get_last_lr_returns_is_a_copy() -> None:
    optimizer = grouped(mg)
    made = ExponentialLR(optimizer, 0.5)
    made.get_last_lr()[0] = 7.0
    made.state_dict()["base_lrs"][0] = 7.0
    assert made.get_last_lr() == [0.1, 0.3]
    assert made.base_lrs == [0.1, 0.3]


def test_warmup() -> None:
    optimizer = grouped(mg)
    made = warmup(StepLR(optimizer, 2, 0.5), 4, 0.2)
    assert lrs(optimizer, made, 9) == [0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.05, 0.05, 0.025]


def test_a_sequence_within_a_sequence_begins_at_its_turn() -> None:
    optimizer = grouped(mg)
    inner = warmup(ExponentialLR(optimizer, 0.5), 2, 0.5)
    made = SequentialLR(optimizer, [StepLR(optimizer, 1, 0.1), inner], [3])
    assert lrs(optimizer, made, 8) == [0.1, 0.01, 0.001, 0.05, 0.075, 0.1, 0.05, 0.025]
    state = made.state_dict()
    again = grouped(mg)
    nested = warmup(ExponentialLR(again, 0.5), 2, 0.5)
    other = SequentialLR(again, [StepLR(again, 1, 0.1), nested], [3])
    other.load_state_dict(state)
    again.load_state_dict(optimizer.state_dict())
    assert lrs(again, other, 3) == lrs(optimizer, made, 3)


def test_a_schedule_before_the_optimizer_is_warned_of() -> None:
    optimizer = grouped(mg)
    made = ExponentialLR(optimizer, 0.5)
    with pytest.warns(UserWarning, match=r"ExponentialLR.step\(\) before optimizer.step\(\)"):
        made.step()
    made.step()  # once is enough


def test_a_group_added_later_is_named() -> None:
    optimizer = grouped(mg)
    made = LambdaLR(optimizer, lambda epoch: 1.0)
    optimizer.add_param_group({"params": mg.ones(1, requires_grad=True)})
    optimizer.step()
    with pytest.raises(RuntimeError, match="made for 2 groups and the optimizer has 3"):
        made.step()


def test_one_cycle_ends() -> None:
    optimizer = grouped(mg)
    made = OneCycleLR(optimizer, 0.5, 3)
    lrs(optimizer, made, 3)
    with pytest.raises(ValueError, match="made for 3 steps, and this is step 4"):
        made.step()


def test_one_cycle_of_a_rise_of_no_length() -> None:
    optimizer = grouped(mg)
    made = OneCycleLR(optimizer, 0.5, 10, pct_start=0.1)
    assert lrs(optimizer, made, 2)[0] == 0.5


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda o: StepLR("adam", 3), TypeError, "takes an optimizer, not a str"),
        (lambda o: StepLR(o, 0), ValueError, "step_size must be a whole number >= 1, not 0"),
        (lambda o: StepLR(o, 2.5), ValueError, "not 2.5"),
        (lambda o: StepLR(o, 2, last_epoch=3), ValueError, "group 0 has no 'initial_lr'"),
        (lambda o: MultiStepLR(o, [3, "5"]), ValueError, "a milestone must be .* not '5'"),
        (lambda o: LinearLR(o, 0.0), ValueError, "start_factor must be above 0 to 1, not 0.0"),
        (lambda o: LinearLR(o, 0.1, 2.0), ValueError, "end_factor must be from 0 to 1, not 2.0"),
        (lambda o: CosineAnnealingLR(o, 0), ValueError, "T_max must be"),
        (lambda o: CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0 must be"),
        (lambda o: CosineAnnealingWarmRestarts(o, 2).step(-1), ValueError, "epoch must be >= 0"),
        (lambda o: LambdaLR(o, 0.1), TypeError, "a function of the epoch, not 0.1"),
        (lambda o: LambdaLR(o, [abs]), ValueError, "1 values, and the optimizer has 2 groups"),
        (lambda o: OneCycleLR(o, 0.1), ValueError, "needs total_steps, or epochs"),
        (lambda o: OneCycleLR(o, 0.1, 10, pct_start=3), ValueError, "pct_start must be from 0"),
        (lambda o: OneCycleLR(o, 0.1, 10, anneal_strategy="x"), ValueError, "not 'x'"),
        (lambda o: ReduceLROnPlateau(o, "low"), ValueError, "mode must be 'min' or 'max'"),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), ValueError, "factor must be below 1"),
        (lambda o: ReduceLROnPlateau(o).step(), TypeError, r"step\(val_loss\)"),
        (lambda o: SequentialLR(o, [], []), ValueError, "between 0 schedules"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)], [3]), ValueError, "0 milestones, not 1"),
        (
            lambda o: SequentialLR(o, [StepLR(o, 1)] * 3, [3, 3]),
            ValueError,
            r"milestones must rise, not \[3, 3\]",
        ),
        (
            lambda o: SequentialLR(o, [ReduceLROnPlateau(o)], []),
            TypeError,
            "schedule 0 is a ReduceLROnPlateau",
        ),
        (
            lambda o: SequentialLR(o, [StepLR(grouped(mg), 1)], []),
            ValueError,
            "schedule 0 was made for another optimizer",
        ),
        (lambda o: LRScheduler(o), NotImplementedError, r"LRScheduler has no get_lr\(\)"),
    ],
)
def test_wrong_use(make: Any, error: type, text: str) -> None:
    optimizer = grouped(mg)
    with pytest.raises(error, match=text):
        make(optimizer)


def test_one_cycle_needs_a_momentum() -> None:
    optimizer = mg.optim.Adagrad([mg.ones(1, requires_grad=True)])
    with pytest.raises(ValueError, match="Adagrad has neither momentum nor betas"):
        OneCycleLR(optimizer, 0.1, 10)
    assert OneCycleLR(optimizer, 0.1, 10, cycle_momentum=False).total_steps == 10


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (lambda o: ExponentialLR(o, 0.5).state_dict(), "lacks 'step_size': it is not of StepLR"),
        (lambda o: StepLR(o, 3).state_dict() | {"T_max": 3}, "has 'T_max'"),
        (lambda o: StepLR(o, 3).state_dict() | {"_last_lr": [0.1]}, "of 1 groups"),
    ],
)
def test_states_that_do_not_fit_change_nothing(state: Any, text: str) -> None:
    made = StepLR(grouped(mg), 7)
    before = made.state_dict()
    with pytest.raises(ValueError, match=text):
        made.load_state_dict(state(grouped(mg)))
    assert made.state_dict() == before


def test_a_sequences_state_that_does_not_fit_changes_nothing() -> None:
    optimizer = grouped(mg)
    made = warmup(StepLR(optimizer, 7), 5)
    other = grouped(mg)
    saved = warmup(ExponentialLR(other, 0.5), 5)
    lrs(other, saved, 3)
    before = made.state_dict()
    with pytest.raises(ValueError, match="not of StepLR"):
        made.load_state_dict(saved.state_dict())
    with pytest.raises(ValueError, match="not of 2 schedules"):
        made.load_state_dict(StepLR(other, 7).state_dict())
    assert made.state_dict() == before
