"""A run that is killed again and again ends with the same bits as one that is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.io import CheckpointError
from minigrad.train import EarlyStopping, ModelCheckpoint, Trainer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
PROGRAM = Path(__file__).with_name("killed_run.py")


def start(folder: Path, name: str, epochs: int) -> subprocess.Popen[str]:
    arguments = [str(folder / f"{name}.safetensors"), str(folder / f"{name}.json"), str(epochs)]
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *arguments], stdout=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=300)
    assert process.returncode == 0


def killed_and_resumed(tmp_path: Path, kills: int, epochs: int) -> None:
    finish(start(tmp_path, "whole", epochs))
    wanted = json.loads((tmp_path / "whole.json").read_text(encoding="utf-8"))
    checkpoint, result = tmp_path / "cut.safetensors", tmp_path / "cut.json"
    rng = np.random.default_rng(0)
    done, window, seen = 0, 0.2, [0]
    while done < kills:
        process = start(tmp_path, "cut", epochs)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, window))
        process.kill()
        process.communicate()
        if result.exists():  # it was faster than the kill: once more from the start
            assert json.loads(result.read_text(encoding="utf-8")) == wanted
            result.unlink()
            checkpoint.unlink()
            window /= 2
            continue
        done += 1
        # Never torn: it loads, and moves on. A busy machine needs longer for that.
        seen.append(mg.load(checkpoint)["trainer"]["steps"] if checkpoint.exists() else 0)
        window = window * 2 if seen[-1] == seen[-2] else max(0.05, window * 0.8)
    assert len(set(seen)) > kills / 8, f"the run hardly moved between the kills: {seen}"
    finish(start(tmp_path, "cut", epochs))
    found = json.loads(result.read_text(encoding="utf-8"))
    assert found == wanted
    tables = [(tmp_path / f"{n}.json.csv").read_bytes() for n in ("cut", "whole")]
    assert tables[0] == tables[1]
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []


@pytest.mark.slow
def test_killed_at_four_moments(tmp_path: Path) -> None:
    killed_and_resumed(tmp_path, kills=4, epochs=12)


@pytest.mark.slow
def test_killed_at_fifty_moments(tmp_path: Path) -> None:
    killed_and_resumed(tmp_path, kills=50, epochs=70)


# ---- in one process ------------------------------------------------------------------------------

X = np.random.default_rng(0).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(np.int64)


def make(callbacks: Any = (), size: int = 5) -> tuple[Trainer, DataLoader]:
    mg.manual_seed(3)
    model = nn.Sequential(nn.Linear(3, size), nn.Dropout(0.5), nn.Linear(size, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return Trainer(model, nn.CrossEntropyLoss(), optimizer, ["accuracy"]), DataLoader(
        (X, Y), 10, shuffle=True
    )


def bits(trainer: Trainer) -> bytes:
    return b"".join(p.detach().numpy().tobytes() for p in trainer.model.parameters())


@pytest.mark.parametrize("every", [1, 3, 4])
def test_resumed_after_every_step(every: int, tmp_path: Path) -> None:
    trainer, loader = make()
    path = tmp_path / "{epoch}"
    wanted = trainer.fit(loader, 3, callbacks=[ModelCheckpoint(path)], verbose=0), bits(trainer)
    for stop in range(1, 12):
        run = tmp_path / "run"
        run.unlink(missing_ok=True)
        trainer, loader = make()
        checkpoint = ModelCheckpoint(run, every_steps=every)
        trainer.fit(loader, 3, callbacks=[checkpoint, StopAt(stop)], verbose=0)
        trainer, loader = make()
        if run.exists():
            mg.manual_seed(99)  # what the checkpoint does not restore would show
        history = trainer.fit(
            loader, 3, callbacks=[ModelCheckpoint(run), StopAt(0)], verbose=0, resume=run
        )
        assert (history, bits(trainer)) == wanted, stop


class StopAt(mg.train.Callback):
    """Leave training after a step, as Ctrl-C does."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, batch: int, logs: Any) -> None:
        if self.trainer.steps == self.step:
            self.trainer._interrupt("left")


def test_finished_and_stopped_runs_stay_so(tmp_path: Path) -> None:
    def callbacks() -> Any:
        return [ModelCheckpoint(tmp_path / "run"), EarlyStopping("lr", patience=2)]

    trainer, loader = make()
    wanted = trainer.fit(loader, 9, callbacks=callbacks(), verbose=0), bits(trainer)
    assert wanted[0].epochs == 3  # the rate never falls
    trainer, loader = make()
    history = trainer.fit(loader, 9, callbacks=callbacks(), verbose=0, resume=tmp_path / "run")
    assert (history, bits(trainer)) == wanted


def test_what_does_not_fit_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    trainer, loader = make()
    trainer.fit(loader, 1, callbacks=[ModelCheckpoint(tmp_path / "run")], verbose=0)
    again = {"epochs": 2, "verbose": 0, "resume": tmp_path / "run"}
    for spoiled, text, callbacks in (
        (make(size=6), r"0.weight: the shape is \[6, 3\] here and \[5, 3\]", [ModelCheckpoint("")]),
        (make(), r"had the callbacks \['ModelCheckpoint'\], this one has \[\]", []),
    ):
        other, loader = spoiled
        before = bits(other)
        with pytest.raises(CheckpointError, match=f"(?s){text}"):
            other.fit(loader, callbacks=callbacks, **again)
        assert bits(other) == before
    other, _ = make()
    with pytest.raises(CheckpointError, match=r"samples=40.*samples=30"):
        other.fit((X[:30], Y[:30]), batch_size=10, callbacks=[ModelCheckpoint("")], **again)
