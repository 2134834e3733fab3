"""Each callback does what its text says, with the numbers of the history."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim, train
from minigrad.optim import lr_scheduler
from minigrad.train import Callback, EarlyStopping, ModelCheckpoint, Trainer

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(np.int64)


def make(lr: float = 0.1) -> Trainer:
    mg.manual_seed(0)
    model = nn.Linear(3, 2)
    return Trainer(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=lr), ["accuracy"])


class Script(Callback):
    """Let the history hold given numbers, and the weight the epoch's number."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def add_logs(self, logs: dict[str, Any]) -> None:
        epoch = self.trainer.epoch
        logs["val_loss"] = self.values[epoch]
        with mg.no_grad():
            self.trainer.model.bias.fill_(float(epoch))


STOPPING: list[tuple[dict[str, Any], list[float], int, float]] = [
    # options, values, epochs made, epoch whose weights remain
    ({"patience": 2}, [5, 4, 3, 3, 3, 9, 9], 5, 4),
    ({"patience": 2, "restore_best_weights": True}, [5, 4, 3, 3, 3, 9, 9], 5, 2),
    ({"patience": 0}, [5, 4, 4, 3], 3, 2),
    ({"patience": 1, "min_delta": 0.5}, [5, 4.6, 4, 3], 2, 1),
    ({"patience": 2, "min_delta": 0.5}, [5, 4.6, 4, 3], 4, 3),
    ({"patience": 2, "mode": "max"}, [1, 2, 1, 1.5, 3], 4, 3),
    ({"patience": 2, "baseline": 2.0}, [5, 4, 1], 2, 1),
    ({"patience": 1, "start_from_epoch": 3}, [1, 2, 3, 4, 5, 6], 5, 4),
    ({"patience": 3}, [4, 3, 2, 1], 4, 3),
]


@pytest.mark.parametrize(("options", "values", "epochs", "kept"), STOPPING)
def test_early_stopping(
    options: dict[str, Any], values: list[float], epochs: int, kept: float
) -> None:
    trainer = make()
    stopping = EarlyStopping("val_loss", **options)
    history = trainer.fit((X, Y), len(values), callbacks=[Script(values), stopping], verbose=0)
    assert history.epochs == epochs
    assert trainer.model.bias.tolist() == [kept, kept]
    assert (trainer.stop_reason is not None) == (epochs < len(values))


def test_stopping_with_a_patience_of_ten_needs_ten_epochs_without_progress() -> None:
    """D1's run stops at epoch 91 of 100 while its loss still falls: with these rules it cannot."""
    falling = [1.0 / (epoch + 1) for epoch in range(100)]
    trainer = make()
    history = trainer.fit(
        (X, Y), 100, callbacks=[Script(falling), EarlyStopping(patience=10)], verbose=0
    )
    assert history.epochs == 100


def test_what_is_not_recorded_cannot_be_monitored() -> None:
    with pytest.raises(KeyError, match=r"nothing called 'val_loss' .* there is loss, accuracy, lr"):
        make().fit((X, Y), callbacks=[EarlyStopping()], verbose=0)


def test_nan_ends_training(capsys: pytest.CaptureFixture[str]) -> None:
    trainer, x = make(), X.copy()
    x[33, 1] = np.nan
    history = trainer.fit(
        (x, Y), 5, batch_size=10, shuffle=False, callbacks=[train.TerminateOnNaN()], verbose=2
    )
    assert (history.epochs, trainer.steps) == (0, 4)
    shown = capsys.readouterr().out
    assert "the loss of batch 3 of epoch 1 is nan: lower the learning rate" in shown


@pytest.mark.parametrize("options", [{}, {"save_weights_only": True}])
def test_checkpoints_of_every_epoch(options: dict[str, Any], tmp_path: Path) -> None:
    trainer = make()
    path = tmp_path / "{epoch:02d}-{loss:.3f}.safetensors"
    history = trainer.fit((X, Y), 3, callbacks=[ModelCheckpoint(path, **options)], verbose=0)
    names = [f"{i + 1:02d}-{loss:.3f}.safetensors" for i, loss in enumerate(history["loss"])]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    found = mg.load(tmp_path / names[-1])
    weights = found if options else found["model"]
    assert np.array_equal(weights["weight"].numpy(), trainer.model.weight.detach().numpy())
    if not options:
        assert found["trainer"]["history"] == history


def test_only_the_best_is_saved(tmp_path: Path) -> None:
    values = [3.0, 1.0, 2.0, 0.5, 0.7]
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}", save_best_only=True, save_weights_only=True)
    make().fit((X, Y), 5, callbacks=[checkpoint, Script(values)], verbose=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "2", "4"]
    assert mg.load(tmp_path / "4")["bias"].tolist() == [3.0, 3.0]


def test_checkpoints_between(tmp_path: Path) -> None:
    checkpoint = ModelCheckpoint(tmp_path / "run", every_steps=3)
    seen = []

    class Look(Callback):
        saves = True  # after the checkpoint

        def on_train_batch_end(self, batch: int, logs: Any) -> None:
            if (tmp_path / "run").exists():
                seen.append(mg.load(tmp_path / "run")["trainer"]["steps"])

    make().fit((X, Y), 2, batch_size=10, callbacks=[checkpoint, Look()], verbose=0)
    assert seen == [3, 3, 4, 6, 6, 6]  # after step 3, the epoch's end, step 6
    with pytest.raises(KeyError, match="asks for 'accurracy'; there is epoch, loss, accuracy, lr"):
        make().fit((X, Y), callbacks=[ModelCheckpoint(tmp_path / "{accurracy}")], verbose=0)


def test_learning_rates_by_epoch_by_step_and_by_plateau() -> None:
    trainer = make()
    schedule = lr_scheduler.StepLR(trainer.optimizer, 2, 0.5)
    history = trainer.fit((X, Y), 5, callbacks=[train.LRScheduler(schedule)], verbose=0)
    assert history["lr"] == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025])
    trainer = make()
    schedule = lr_scheduler.ExponentialLR(trainer.optimizer, 0.9)
    history = trainer.fit(
        (X, Y), 3, batch_size=10, callbacks=[train.LRScheduler(schedule, "step")], verbose=0
    )
    assert history["lr"] == pytest.approx([0.1 * 0.9**k for k in (4, 8, 12)])
    trainer = make()
    plateau = lr_scheduler.ReduceLROnPlateau(trainer.optimizer, patience=1)
    history = trainer.fit(
        (X, Y), 6, verbose=0,
        callbacks=[Script([1, 1, 1, 1, 1, 1]), train.LRScheduler(plateau)],
    )  # fmt: skip
    assert history["lr"] == pytest.approx([0.1, 0.1, 0.1, 0.01, 0.01, 0.001])
    with pytest.raises(ValueError, match="another optimiser than the trainer's"):
        make().fit((X, Y), callbacks=[train.LRScheduler(schedule)], verbose=0)
    with pytest.raises(ValueError, match="use interval='epoch'"):
        train.LRScheduler(plateau, "step")


def test_logs_hold_the_history(tmp_path: Path) -> None:
    trainer = make()
    trainer.metrics.append(train.ConfusionMatrix())
    loggers = [train.CSVLogger(tmp_path / "run.csv"), train.JSONLLogger(tmp_path / "run.jsonl")]
    history = trainer.fit((X, Y), 3, callbacks=loggers, verbose=0)
    with open(tmp_path / "run.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    for name, values in history.items():
        assert [json.loads(line)[name] for line in lines] == values
        assert [json.loads(row[name]) for row in rows] == values


def test_gradient_norm_and_clipping() -> None:
    trainer = make()
    before = train.GradientNorm()
    trainer.fit((X, Y), 1, batch_size=40, callbacks=[before], verbose=0)
    grads = [p.grad.numpy() for p in trainer.model.parameters() if p.grad is not None]
    wanted = np.sqrt(sum(float((g * g).sum()) for g in grads))
    assert trainer.history["grad_norm"] == pytest.approx([wanted], rel=1e-6)
    for options, size in (({"max_norm": 0.01}, None), ({"clip_value": 0.003}, 0.003)):
        trainer = make()
        clipped = [train.ClipGradients(**options), train.GradientNorm()]
        trainer.fit((X, Y), 2, batch_size=10, callbacks=clipped, verbose=0)
        if size is None:
            assert trainer.history["grad_norm"] == pytest.approx([0.01, 0.01], rel=1e-4)
        grads = [p.grad.numpy() for p in trainer.model.parameters() if p.grad is not None]
        assert size is None or max(np.abs(g).max() for g in grads) <= np.float32(size)
    with pytest.raises(ValueError, match="give max_norm or clip_value, and not both"):
        train.ClipGradients()


@pytest.mark.slow
def test_curves_are_drawn(tmp_path: Path) -> None:
    trainer = make()
    trainer.metrics.append(train.ConfusionMatrix())  # no curve
    trainer.fit(
        (X, Y), 4, validation_split=0.25, verbose=0,
        callbacks=[train.CurvePlot(tmp_path / "curves.png")],
    )  # fmt: skip
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    trainer.history.plot(tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    for label in ("epoch", "loss", "accuracy", "validation", "lr"):
        assert f"<!-- {label} -->" in text
    with pytest.raises(ValueError, match="no numbers to draw"):
        train.History().plot(tmp_path / "none.png")


@pytest.mark.slow
def test_tensorboard_events_hold_the_history(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    trainer = make()
    history = trainer.fit((X, Y), 3, callbacks=[train.TensorBoard(tmp_path)], verbose=0)
    found = events(next(tmp_path.iterdir()).read_bytes())
    assert found["loss"] == pytest.approx(dict(enumerate(history["loss"], 1)), rel=1e-6)
    assert set(found) == set(history)


def events(data: bytes) -> dict[str, dict[int, float]]:
    """Return the scalars of an event file, by tag and step."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, dict[int, float]] = {}
    while data:
        size = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + size])
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = value.simple_value
        data = data[12 + size + 4 :]
    return found


def test_history_knows_its_best_epoch() -> None:
    history = train.History(val_loss=[3.0, 1.0, 2.0], accuracy=[0.1, 0.5, 0.9])
    assert history.best() == (1, 1.0)
    assert history.best("accuracy") == (2, 0.9)
    assert history.best("accuracy", "min") == (0, 0.1)
    assert history.history is history
    with pytest.raises(KeyError, match="nothing called 'loss' is recorded, there is val_loss"):
        history.best("loss")
