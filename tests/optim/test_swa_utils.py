"""Averages of weights: torch's numbers, batch normalisation, state."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)

WAYS: list[dict[str, Any]] = [
    {},
    {"avg_fn": "get_swa_avg_fn"},
    {"multi_avg_fn": "get_swa_multi_avg_fn"},
    {"avg_fn": "get_ema_avg_fn", "decay": 0.8},
    {"multi_avg_fn": "get_ema_multi_avg_fn", "decay": 0.8},
    {"multi_avg_fn": "get_ema_multi_avg_fn", "decay": 0.8, "use_buffers": True},
    {"avg_fn": "get_swa_avg_fn", "use_buffers": True},
]


def net(lib: Any, seed: int) -> Any:
    """Return a network with batch normalisation whose values are drawn from a seed."""
    if lib is mg:
        dtype = {"dtype": mg.float64}
    else:
        dtype = {"dtype": lib.float64}
    model = lib.nn.Sequential(
        lib.nn.Linear(3, 4, **dtype), lib.nn.BatchNorm1d(4, **dtype), lib.nn.Linear(4, 2, **dtype)
    )
    set_values(lib, model, seed)
    return model


def set_values(lib: Any, model: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with lib.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.copy_(lib.tensor(rng.uniform(0.5, 2, tuple(value.shape))))
            else:
                value.copy_(lib.tensor(seed))


def averaged(lib: Any, way: dict[str, Any], model: Any) -> Any:
    kind = lib.optim.swa_utils
    options = {k: v for k, v in way.items() if k == "use_buffers"}
    for name in ("avg_fn", "multi_avg_fn"):
        if name in way:
            decay = [way["decay"]] if "decay" in way else []
            options[name] = getattr(kind, way[name])(*decay)
    return kind.AveragedModel(model, **options)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way.values())) or "default")
def test_averages_as_torch(way: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    found = {}
    for lib in (mg, torch):
        model = net(lib, 0)
        mean = averaged(lib, way, model)
        for seed in range(1, 7):
            if way.get("use_buffers") and lib is torch:  # an average of a count: not made here
                model[1].num_batches_tracked.fill_(0)
            set_values(lib, model, seed)
            mean.update_parameters(model)
        found[lib] = {k: v.numpy() for k, v in mean.state_dict().items()}
    assert found[mg].keys() == found[torch].keys()
    assert found[mg]["n_averaged"] == 6
    # torch's in-place mean divides by a float32
    rtol = 1e-7 if way.get("multi_avg_fn") == "get_swa_multi_avg_fn" else 1e-12
    for key, want in found[torch].items():
        if not (way.get("use_buffers") and key.endswith("num_batches_tracked")):
            np.testing.assert_allclose(found[mg][key], want, rtol=rtol, err_msg=key)


@pytest.mark.parametrize("make", [get_swa_avg_fn, get_swa_multi_avg_fn])
def test_the_mean_of_all(make: Any) -> None:
    model = net(mg, 0)
    name = "avg_fn" if make is get_swa_avg_fn else "multi_avg_fn"
    mean = AveragedModel(model, **{name: make()})
    seen = []
    for seed in range(5):
        set_values(mg, model, seed)
        seen.append(model[0].weight.detach().numpy().copy())
        mean.update_parameters(model)
    np.testing.assert_allclose(mean.module[0].weight.detach().numpy(), np.mean(seen, 0), rtol=1e-12)
    assert np.array_equal(model[0].weight.detach().numpy(), seen[-1])  # the model is only read
    assert np.array_equal(mean.module[1].running_mean.numpy(), model[1].running_mean.numpy())


@pytest.mark.parametrize("make", [get_ema_avg_fn, get_ema_multi_avg_fn])
def test_the_moving_average(make: Any) -> None:
    model = net(mg, 0)
    name = "avg_fn" if make is get_ema_avg_fn else "multi_avg_fn"
    mean = AveragedModel(model, **{name: make(0.9)})
    want = None
    for seed in range(5):
        set_values(mg, model, seed)
        now = model[2].bias.detach().numpy().copy()
        want = now if want is None else 0.9 * want + 0.1 * now
        mean.update_parameters(model)
    np.testing.assert_allclose(mean.module[2].bias.detach().numpy(), want, rtol=1e-12)


def test_averages_are_kept_where_asked(backend: str) -> None:
    model = net(mg, 0)
    mean = AveragedModel(model, device=backend)
    for seed in range(2):
        set_values(mg, model, seed)
        mean.update_parameters(model)
    assert {str(v.device).split(":")[0] for v in mean.state_dict().values()} == {backend}
    assert model[0].weight.device.type == "cpu"
    assert mean.n_averaged.item() == 2


def test_buffers_are_averaged_where_asked_and_counts_are_copied() -> None:
    model = net(mg, 0)
    mean = AveragedModel(model, use_buffers=True)
    seen = []
    for seed in range(1, 4):
        set_values(mg, model, seed)
        seen.append(model[1].running_var.numpy().copy())
        mean.update_parameters(model)
    np.testing.assert_allclose(mean.module[1].running_var.numpy(), np.mean(seen, 0), rtol=1e-12)
    assert mean.module[1].num_batches_tracked.item() == 3


def test_state_goes_on_where_it_was() -> None:
    model = net(mg, 0)
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5))
    mean.update_parameters(model)
    saved = copy.deepcopy(mean.state_dict())
    assert next(iter(saved)) == "n_averaged"
    other = AveragedModel(net(mg, 9), multi_avg_fn=get_ema_multi_avg_fn(0.5))
    other.load_state_dict(saved)
    set_values(mg, model, 1)
    for m in (mean, other):
        m.update_parameters(model)
    for a, b in zip(mean.state_dict().values(), other.state_dict().values(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_averages_of_a_model_in_training() -> None:
    """The parameters lie in the optimiser's flat buffer; the averages do not."""
    mg.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    mean = AveragedModel(model)
    x, y = mg.randn(64, 3), mg.randn(64, 1)
    seen = []
    for step in range(30):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.step()
        if step >= 20:
            mean.update_parameters(model)
            seen.append(model.weight.detach().numpy().copy())
    assert mean.module.weight._array.base is not model.weight._array.base
    np.testing.assert_allclose(mean.module.weight.detach().numpy(), np.mean(seen, 0), rtol=1e-5)
    assert mean(x).shape == (64, 1)


def test_update_bn_is_the_mean_over_the_batches() -> None:
    rng = np.random.default_rng(0)
    batches = [mg.tensor(rng.standard_normal((8, 3))) for _ in range(5)]
    model = nn.Sequential(nn.Linear(3, 4, dtype=mg.float64), nn.BatchNorm1d(4, dtype=mg.float64))
    model.eval()
    model[0].train()
    weight = model[0].weight.detach().numpy().copy()
    outputs = [model[0](b).detach().numpy() for b in batches]
    update_bn([(b, None) for b in batches], model)
    layer = model[1]
    np.testing.assert_allclose(
        layer.running_mean.numpy(), np.mean([o.mean(0) for o in outputs], 0), rtol=1e-12
    )
    np.testing.assert_allclose(
        layer.running_var.numpy(), np.mean([o.var(0, ddof=1) for o in outputs], 0), rtol=1e-12
    )
    assert [m.training for m in (model, model[0], layer)] == [False, True, False]
    assert layer.momentum == 0.1
    assert np.array_equal(model[0].weight.detach().numpy(), weight)
    update_bn(batches, nn.Linear(3, 4))  # nothing to do


def test_update_bn_puts_all_back_when_a_batch_fails() -> None:
    model = nn.Sequential(nn.BatchNorm1d(4)).eval()
    with pytest.raises((ValueError, TypeError)):
        update_bn([mg.ones(2, 5)], model)
    assert model[0].momentum == 0.1
    assert not model[0].training


@pytest.mark.parametrize(
    "options",
    [
        {"swa_lr": 0.05},
        {"swa_lr": [0.05, 0.5], "anneal_epochs": 20, "anneal_strategy": "linear"},
        {"swa_lr": 0.05, "anneal_epochs": 0},
    ],
    ids=["defaults", "linear", "at-once"],
)
def test_swalr_as_torch(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from support.parity_optimizers import advance, grouped

    runs = []
    for lib in (mg, torch):
        optimizer = grouped(lib)
        schedule = lib.optim.swa_utils.SWALR(optimizer, **options)
        runs.append([advance(optimizer, schedule, step) for step in range(40)])
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-12)


def test_swalr_resumes_and_ends_at_its_rate() -> None:
    from support.parity_optimizers import advance, grouped

    optimizer = grouped(mg)
    schedule = SWALR(optimizer, 0.05, 10)
    for step in range(4):
        advance(optimizer, schedule, step)
    again = grouped(mg)
    other = SWALR(again, 0.7, 3, "linear")
    again.load_state_dict(optimizer.state_dict())
    other.load_state_dict(schedule.state_dict())
    for step in range(4, 15):
        assert advance(again, other, step) == advance(optimizer, schedule, step)
    assert schedule.get_last_lr() == pytest.approx([0.05, 0.05])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: get_ema_avg_fn(1.5), ValueError, "decay must be a number from 0 to 1, not 1.5"),
        (lambda m: get_ema_multi_avg_fn(-1), ValueError, "decay must be"),
        (lambda m: AveragedModel(m, avg_fn=max, multi_avg_fn=max), ValueError, "not both"),
        (
            lambda m: AveragedModel(m).update_parameters(nn.Linear(2, 2)),
            ValueError,
            "parameters are not those of the model that is averaged",
        ),
    ],
)
def test_wrong_use(call: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call(nn.Linear(3, 2))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"anneal_strategy": "x"}, "anneal_strategy must be 'cos' or 'linear', not 'x'"),
        ({"anneal_epochs": -1}, "anneal_epochs must be a whole number >= 0"),
        ({"swa_lr": [0.1]}, "swa_lr has 1 values, and the optimizer has 2 groups"),
    ],
)
def test_wrong_options_of_swalr(options: dict[str, Any], text: str) -> None:
    from support.parity_optimizers import grouped

    with pytest.raises(ValueError, match=text):
        SWALR(grouped(mg), **{"swa_lr": 0.1} | options)
