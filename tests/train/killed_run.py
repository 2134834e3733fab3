"""A training run that may be killed at any moment and started again; see test_resume.py.

Usage: python killed_run.py CHECKPOINT RESULT EPOCHS

Everything that could make a resumed run differ is on: shuffling, workers, augmentation, dropout,
batch norm, momentum, a schedule by the step, accumulated gradients, early stopping's memory.
"""

from __future__ import annotations

import hashlib
import json
import sys

import minigrad as mg
from minigrad import nn, optim, train
from minigrad.data import DataLoader, TensorDataset, load_digits, transforms
from minigrad.io.atomic import write_atomic


def main(checkpoint: str, result: str, epochs: int) -> None:
    mg.manual_seed(7)
    digits = load_digits()
    x = digits.x.reshape(-1, 1, 8, 8)[:200]
    augment = transforms.Compose([transforms.RandomRotation(15), transforms.RandomShift(0.1, 0.1)])
    loader = DataLoader(
        TensorDataset(x, digits.y[:200], transform=augment), 10, shuffle=True, num_workers=2
    )
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(24, 10),
    )  # fmt: skip
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    steps = epochs * 10
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    trainer = train.Trainer(model, nn.CrossEntropyLoss(), optimizer, ["accuracy"], accumulate=2)
    callbacks = [
        train.ModelCheckpoint(checkpoint, every_steps=2),
        train.LRScheduler(schedule, "step"),
        train.GradientNorm(),
        train.EarlyStopping("loss", patience=1000, restore_best_weights=True),
        train.CSVLogger(f"{result}.csv"),
    ]
    print("ready", flush=True)
    history = trainer.fit(loader, epochs, callbacks=callbacks, verbose=0, resume=checkpoint)
    digest = hashlib.sha256()
    for key, value in model.state_dict().items():
        digest.update(key.encode() + value.numpy().tobytes())
    text = json.dumps({"digest": digest.hexdigest(), "history": history, "steps": trainer.steps})
    write_atomic(result, text.encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
