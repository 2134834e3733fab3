"""Training on each backend goes as on the CPU in float64, with all that a run has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.parity_optimizers import EVERY

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.train import ClipGradients, ModelCheckpoint, Trainer

RNG = np.random.default_rng(0)
X = RNG.standard_normal((48, 1, 6, 6))
Y = (X[:, 0, :3].sum((1, 2)) > X[:, 0, 3:].sum((1, 2))).astype(np.int64)


def network() -> Any:
    mg.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 2),
    ).double()  # fmt: skip


def fit(name: str, options: dict[str, Any], device: str, dtype: Any, **more: Any) -> Any:
    model = network().to(device, dtype)
    optimizer = getattr(optim, name)(model.parameters(), **options)
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimizer, ["accuracy"])
    loader = DataLoader((X, Y), 16, shuffle=True, seed=5)
    validation = (X[:20], Y[:20])
    trainer.fit(loader, epochs=2, validation_data=validation, verbose=0, **more)
    return trainer


@pytest.mark.parametrize(("name", "options"), [*EVERY, ("LBFGS", {"max_iter": 3})])
def test_fit(name: str, options: dict[str, Any], backend: str) -> None:
    """Losses, accuracies and predictions of every optimiser, with gradients clipped."""
    if name in ("GD", "SGD"):
        options = {"lr": 0.05, **options}
    if name == "RMSprop":  # centered: it divides by nearly 0 where a gradient hardly changes
        options = {"eps": 1e-3, **options}
    clip = [] if name == "LBFGS" else [ClipGradients(1.0)]
    wanted = fit(name, options, "cpu", mg.float64, callbacks=clip)
    found = fit(name, options, backend, mg.float32, callbacks=clip)
    assert {p.device.type for p in found.model.parameters()} == {backend}
    assert list(found.history) == list(wanted.history)
    for key, values in wanted.history.items():
        np.testing.assert_allclose(found.history[key], values, rtol=2e-3, atol=2e-4, err_msg=key)
    predicted = found.predict(X)
    assert predicted.device.type == backend
    expected = wanted.predict(X).numpy()
    np.testing.assert_allclose(predicted.cpu().numpy(), expected, rtol=5e-3, atol=5e-3)
    assert found.evaluate((X, Y)) == pytest.approx(wanted.evaluate((X, Y)), rel=2e-3, abs=1e-3)


def test_a_run_goes_on_on_another_device(tmp_path: Path, backend: str) -> None:
    """A checkpoint written on one device resumes on the other, and back."""

    def run(device: str, epochs: int, resume: Path | None = None) -> Any:
        model = network().to(device)
        trainer = Trainer(model, nn.CrossEntropyLoss(), optim.Adam(model.parameters(), lr=0.02))
        loader = DataLoader((X, Y), 16, shuffle=True, seed=5)
        saving = ModelCheckpoint(tmp_path / f"{device}{epochs}")
        trainer.fit(loader, epochs, verbose=0, resume=resume, callbacks=[saving])
        return trainer

    whole = run("cpu", 4)
    run(backend, 1)
    run("cpu", 2, tmp_path / f"{backend}1")
    run(backend, 3, tmp_path / "cpu2")
    last = run("cpu", 4, tmp_path / f"{backend}3")
    np.testing.assert_allclose(last.history["loss"], whole.history["loss"], rtol=1e-7)
    for a, b in zip(last.model.parameters(), whole.model.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-6, atol=1e-8)
