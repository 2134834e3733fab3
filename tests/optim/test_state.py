"""Saving an optimiser's state and going on from it."""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np
import pytest
from support.parity_optimizers import EVERY

import minigrad as mg

KINDS = [
    functools.partial(getattr(mg.optim, name), lr=0.05, **options)
    for name, options in [*EVERY, ("SGD", {}), ("Adam", {"weight_decay": 0.01, "l1_decay": 0.01})]
]
NAMES = [kind.func.__name__ + "-".join(["", *kind.keywords]) for kind in KINDS]


def model() -> Any:
    mg.manual_seed(3)
    return mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.Tanh(), mg.nn.Linear(8, 2))


def train(net: Any, optimizer: Any, first: int, last: int, dtype: Any = None) -> None:
    for step in range(first, last):
        x = mg.tensor(
            np.random.default_rng(step).standard_normal((16, 4)), dtype=dtype or mg.float32
        )
        optimizer.zero_grad()
        (net(x) - 1.0).square().mean().backward()
        optimizer.step()


def bits(net: Any) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in net.parameters()]


@pytest.mark.parametrize("make", KINDS, ids=NAMES)
def test_resumed_training_has_the_same_bits(make: Any) -> None:
    net = model()
    optimizer = make(net.parameters())
    train(net, optimizer, 0, 7)
    weights, state = copy.deepcopy((net.state_dict(), optimizer.state_dict()))
    train(net, optimizer, 7, 20)

    again = mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.Tanh(), mg.nn.Linear(8, 2))
    other = make(again.parameters())
    again.load_state_dict(weights)
    other.load_state_dict(state)
    train(again, other, 7, 20)
    assert bits(again) == bits(net)


def test_loading_replaces_what_was_there() -> None:
    net = model()
    optimizer = mg.optim.Adam(net.parameters(), lr=0.1)
    fresh = copy.deepcopy(optimizer.state_dict())
    start = copy.deepcopy(net.state_dict())
    train(net, optimizer, 0, 5)
    after = bits(net)
    train(net, optimizer, 5, 9)
    net.load_state_dict(start)
    optimizer.load_state_dict(fresh)
    assert optimizer.state == {}
    train(net, optimizer, 0, 5)
    assert bits(net) == after


def test_groups_keep_their_options_and_only_updated_parameters_have_state() -> None:
    net = model()
    optimizer = mg.optim.SGD(
        [{"params": net[0].parameters(), "lr": 0.5}, {"params": net[2].parameters()}],
        lr=0.1,
        momentum=0.9,
    )
    net[0].requires_grad_(False)
    train(net, optimizer, 0, 1)
    state = optimizer.state_dict()
    assert [g["params"] for g in state["param_groups"]] == [[0, 1], [2, 3]]
    assert [g["lr"] for g in state["param_groups"]] == [0.5, 0.1]
    assert list(state["state"]) == [2, 3]
    twin = mg.optim.SGD([{"params": net[0].parameters()}, {"params": net[2].parameters()}], lr=7)
    twin.load_state_dict(state)
    assert [g["lr"] for g in twin.param_groups] == [0.5, 0.1]
    assert twin.param_groups[0]["momentum"] == 0.9


def test_state_is_cast_to_the_parameters_dtype() -> None:
    net = model()
    optimizer = mg.optim.Adam(net.parameters())
    train(net, optimizer, 0, 3)
    state = copy.deepcopy(optimizer.state_dict())
    net.double()
    optimizer = mg.optim.Adam(net.parameters())
    optimizer.load_state_dict(state)
    kept = optimizer.state[net[0].weight]["exp_avg"]
    assert kept.dtype == mg.float64
    assert np.array_equal(kept.numpy(), state["state"][0]["exp_avg"].numpy())


def damaged(change: Any) -> tuple[Any, dict[str, Any]]:
    net = model()
    optimizer = mg.optim.Adam(net.parameters())
    train(net, optimizer, 0, 2)
    state = copy.deepcopy(optimizer.state_dict())
    change(state)
    return optimizer, state


def drop_group(s: Any) -> None:
    s["param_groups"][0]["params"] = [0, 1]


def drop_option(s: Any) -> None:
    del s["param_groups"][0]["betas"]


def bad_option(s: Any) -> None:
    s["param_groups"][0]["lr"] = -1.0


def drop_moment(s: Any) -> None:
    del s["state"][3]["exp_avg_sq"]


def drop_step(s: Any) -> None:
    del s["state"][3]["step"]


def foreign_moment(s: Any) -> None:
    s["state"][3]["square_avg"] = s["state"][3]["exp_avg"]


def bad_shape(s: Any) -> None:
    s["state"][3]["exp_avg"] = mg.zeros(5)


def bad_dtype(s: Any) -> None:
    s["state"][3]["exp_avg"] = mg.zeros(2, dtype=mg.int64)


def bad_kind(s: Any) -> None:
    s["state"][3]["exp_avg"] = [0.0, 0.0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (drop_group, r"groups have \[2\] parameters, those of this Adam \[4\]"),
        (drop_option, "not of Adam: its options lack betas"),
        (bad_option, "lr must be a number >= 0, not -1.0"),
        (drop_moment, "parameter 3 lacks 'exp_avg_sq'"),
        (drop_step, "parameter 3 lacks 'step'"),
        (foreign_moment, "parameter 3 has 'square_avg'"),
        (bad_shape, r"exp_avg has shape \[5\], the parameter \[2\]"),
        (bad_dtype, "exp_avg must be a floating"),
        (bad_kind, "not list"),
    ],
)
def test_states_that_do_not_fit_change_nothing(change: Any, text: str) -> None:
    optimizer, state = damaged(change)
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises((ValueError, TypeError), match=text):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for number, entry in before["state"].items():
        for key, value in entry.items():
            assert np.array_equal(after["state"][number][key].numpy(), value.numpy())


def test_options_that_torch_has_not_may_be_missing() -> None:
    net = model()
    optimizer = mg.optim.Adam(net.parameters(), l1_decay=0.5)
    state = optimizer.state_dict()
    for name in ("l1_decay", "decoupled_weight_decay"):
        del state["param_groups"][0][name]
    state["param_groups"][0]["fused"] = True  # how torch computes: left out
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["l1_decay"] == 0.5
    assert "fused" not in optimizer.param_groups[0]


def test_a_decoupled_adams_state_stays_so() -> None:
    net = model()
    adamw = mg.optim.AdamW(net.parameters(), lr=0.1, weight_decay=0.3)
    train(net, adamw, 0, 2)
    adam = mg.optim.Adam(net.parameters())
    adam.load_state_dict(adamw.state_dict())
    assert adam.param_groups[0]["decoupled_weight_decay"] is True
    with pytest.raises(ValueError, match="use Adam"):
        adamw.load_state_dict(mg.optim.Adam(net.parameters()).state_dict())


def test_the_last_groups_bad_option_changes_nothing() -> None:
    net = model()
    groups = [{"params": layer.parameters()} for layer in (net[0], net[2])]
    optimizer = mg.optim.NAdam(groups, lr=0.1)
    train(net, optimizer, 0, 2)
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][0]["lr"] = 0.7
    state["param_groups"][1]["momentum_decay"] = -1.0
    with pytest.raises(ValueError, match="momentum_decay must be"):
        optimizer.load_state_dict(state)
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.1]


def test_state_of_another_optimizer_is_refused() -> None:
    net = model()
    sgd = mg.optim.SGD(net.parameters(), momentum=0.9)
    train(net, sgd, 0, 1)
    with pytest.raises(ValueError, match="not of Adam: its options lack betas, eps, amsgrad"):
        mg.optim.Adam(net.parameters()).load_state_dict(sgd.state_dict())


def parts(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return a network, its optimiser, schedules and averages, as a checkpoint takes them."""
    net = model()
    optimizer = getattr(mg.optim, name)(net.parameters(), **options)
    schedules = mg.optim.lr_scheduler
    return {
        "model": net,
        "optimizer": optimizer,
        "warmup": schedules.warmup(schedules.CosineAnnealingLR(optimizer, 9), 3),
        "stairs": schedules.MultiStepLR(optimizer, [1, 5]),
        "averaged": mg.optim.swa_utils.AveragedModel(net),
    }


def go_on(made: dict[str, Any], first: int, last: int) -> None:
    net, optimizer = made["model"], made["optimizer"]
    for step in range(first, last):
        x = mg.tensor(np.random.default_rng(step).standard_normal((16, 4)), dtype=mg.float32)

        def closure(x: Any = x) -> Any:
            optimizer.zero_grad()
            loss = (net(x) - 1.0).square().mean()
            loss.backward()
            return loss

        optimizer.step(closure)
        made["warmup"].step()
        made["stairs"].step()
        made["averaged"].update_parameters(net)


@pytest.mark.parametrize(("name", "options"), [*EVERY, ("LBFGS", {"max_iter": 3})])
def test_a_checkpoint_in_a_file_resumes_with_the_same_bits(
    tmp_path: Any, name: str, options: dict[str, Any]
) -> None:
    made = parts(name, options)
    go_on(made, 0, 4)
    mg.io.save_checkpoint(tmp_path / "all.safetensors", **made)
    go_on(made, 4, 10)
    again = parts(name, options)
    mg.io.load_checkpoint(tmp_path / "all.safetensors", **again)
    go_on(again, 4, 10)
    for kind in ("model", "averaged"):
        assert bits(again[kind]) == bits(made[kind])
    assert again["averaged"].n_averaged.item() == 10
    assert again["optimizer"].param_groups[0]["lr"] == made["optimizer"].param_groups[0]["lr"]
