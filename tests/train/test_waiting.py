"""What a training step, once warm, brings from device to host and back: its batch and its loss.

On CuPy it is shown as well that a step never waits for the device: the host goes on while it works.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from support.parity_optimizers import EVERY

import minigrad as mg
from minigrad import nn, optim
from minigrad.backend import get_backend
from minigrad.train import Trainer

RNG = np.random.default_rng(0)


def network(device: str) -> nn.Module:
    mg.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(),
        nn.Linear(48, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(0.3), nn.Linear(8, 3),
    ).to(device)  # fmt: skip


@contextmanager
def unwaited(device: str) -> Iterator[None]:
    """Let CuPy raise where it would wait for the device, as far as it notices."""
    if device == "cpu":
        yield
        return
    with (
        pytest.warns(UserWarning, match="allow_synchronize will be removed"),
        importlib.import_module("cupyx").allow_synchronize(False),
    ):
        yield


@contextmanager
def counted(device: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Give a list of the sizes that are moved between host and device inside the block."""
    moved: list[int] = []

    def counting(move: Callable[..., Any]) -> Callable[..., Any]:
        def call(array: Any, *rest: Any) -> Any:
            moved.append(array.nbytes)
            return move(array, *rest)

        return call

    with monkeypatch.context() as patch:
        xp = get_backend(device)
        for name in ("to_host", "from_host"):
            patch.setattr(xp, name, counting(getattr(xp, name)))
        yield moved


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_a_step_waits_for_nothing(
    name: str, options: dict[str, Any], backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(backend)
    optimizer = getattr(optim, name)(net.parameters(), **options)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    average = optim.swa_utils.AveragedModel(net)
    x = mg.tensor(RNG.standard_normal((5, 1, 4, 4)), dtype=mg.float32, device=backend)
    y = mg.tensor(RNG.standard_normal((5, 3)), dtype=mg.float32, device=backend)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(net)
        return loss

    for _ in range(2):
        step()
    with counted(backend, monkeypatch) as moved, unwaited(backend):
        loss = step()
        if backend != "cpu":  # so that it is seen to be noticed
            with pytest.raises(RuntimeError):
                loss.item()
    assert moved == []
    assert np.isfinite(loss.item())


def test_the_trainer_moves_batches_and_losses(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(backend)
    trainer = Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    x = RNG.standard_normal((20, 1, 4, 4)).astype("f4")
    y = RNG.integers(0, 3, 20)
    with counted(backend, monkeypatch) as moved:
        trainer.fit((x, y), epochs=3, batch_size=5, verbose=0)
    batch = [5 * 16 * 4, 5 * 8]  # of images and labels
    assert moved == ([] if backend == "cpu" else batch * 12)
