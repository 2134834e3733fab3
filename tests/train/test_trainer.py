"""The loop: its numbers are those of a loop written out, and its edges are clear."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, TensorDataset
from minigrad.train import Callback, Trainer

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)


def make(seed: int = 0, **options: Any) -> tuple[nn.Sequential, Trainer]:
    mg.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    options = {"metrics": ["accuracy"], **options}
    return model, Trainer(model, nn.CrossEntropyLoss(), optimizer, **options)


def parameters(model: nn.Module) -> bytes:
    return b"".join(p.detach().numpy().tobytes() for p in model.parameters())


def test_fit_is_the_loop_written_out() -> None:
    model, trainer = make()
    history = trainer.fit((X, Y), epochs=3, batch_size=16, verbose=0)
    seen = parameters(model)

    model, other = make()
    optimizer, loss_fn = other.optimizer, other.loss
    assert optimizer is not None
    loader = DataLoader((X, Y), 16, shuffle=True)
    losses, accuracies = [], []
    for _ in range(3):
        total, right = 0.0, 0
        for x, y in loader:
            optimizer.zero_grad()
            output = model(mg.tensor(x).float())
            loss = loss_fn(output, mg.tensor(y))
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
            right += int((output.argmax(1).numpy() == y).sum())
        losses.append(total / 50)
        accuracies.append(right / 50)
    assert parameters(model) == seen
    assert history == {"loss": losses, "accuracy": accuracies, "lr": [0.02] * 3}


def test_evaluate_and_predict_use_evaluation_mode_and_leave_the_mode() -> None:
    model, trainer = make()
    model[2].eval()
    before = parameters(model), mg.default_generator.get_state()
    result = trainer.evaluate((X, Y), batch_size=7)
    predicted = trainer.predict(X, batch_size=7)
    assert [m.training for m in model.modules()] == [True, True, True, False, True]
    assert (parameters(model), mg.default_generator.get_state()) == before
    model.eval()
    whole = model(mg.tensor(X).float())
    assert not predicted.requires_grad
    np.testing.assert_allclose(predicted.numpy(), whole.detach().numpy(), rtol=1e-6)
    loss = nn.CrossEntropyLoss()(whole, mg.tensor(Y)).item()
    assert result["loss"] == pytest.approx(loss, rel=1e-6)
    assert result["accuracy"] == (whole.argmax(1).numpy() == Y).mean()
    with_targets = trainer.predict(DataLoader((X, Y), 10))
    np.testing.assert_allclose(with_targets.numpy(), predicted.numpy(), rtol=1e-6)


def test_validation_data_and_split_are_the_same_and_untouched_by_training() -> None:
    _, trainer = make()
    split = trainer.fit((X, Y), epochs=2, validation_split=0.2, verbose=0)
    _, trainer = make()
    given = trainer.fit(
        (X[:40], Y[:40]), epochs=2, validation_data=TensorDataset(X[40:], Y[40:]), verbose=0
    )
    assert split == given
    assert list(split) == ["loss", "accuracy", "val_loss", "val_accuracy", "lr"]
    _, trainer = make()
    plain = trainer.fit((X[:40], Y[:40]), epochs=2, verbose=0)
    assert plain["loss"] == split["loss"]  # validation draws nothing


def test_accumulated_gradients_are_those_of_the_large_batch() -> None:
    def run(size: int, accumulate: int) -> tuple[Any, int]:
        model, trainer = make(accumulate=accumulate)
        model[2].p = 0.0
        model.double()
        trainer.fit((X[:48], Y[:48]), 2, batch_size=size, shuffle=False, verbose=0)
        return np.concatenate([p.detach().numpy().ravel() for p in model.parameters()]), (
            trainer.steps
        )

    large, steps = run(24, 1)
    small, others = run(6, 4)
    assert steps == others == 4
    np.testing.assert_allclose(small, large, rtol=1e-10, atol=1e-14)
    _, trainer = make(accumulate=4)  # 50 samples: batches 8, 8, 8, 8 | 8, 8, 2
    trainer.fit((X, Y), 1, batch_size=8, verbose=0)
    assert trainer.steps == 2


def test_lbfgs_gets_its_closure() -> None:
    mg.manual_seed(0)
    model = nn.Linear(3, 1).double()
    t = X @ np.array([[1.0], [-2.0], [0.5]]) + 3
    trainer = Trainer(model, nn.MSELoss(), optim.LBFGS(model.parameters(), max_iter=30))
    trainer.fit((X, t), 3, batch_size=50, verbose=0)
    np.testing.assert_allclose(model.weight.detach().numpy(), [[1.0, -2.0, 0.5]], atol=1e-5)
    with pytest.raises(ValueError, match="LBFGS evaluates each batch several times"):
        Trainer(model, nn.MSELoss(), optim.LBFGS(model.parameters()), accumulate=2)


def test_several_inputs_and_dtypes() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(5, 4)
            self.out = nn.Linear(4, 1)

        def forward(self, ids: Any, scale: Any) -> Any:
            assert ids.dtype == np.int64
            assert scale.dtype == np.float32
            return self.out(self.words(ids) * scale)

    model = Two()
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1))
    ids = RNG.integers(0, 5, 20)
    history = trainer.fit((ids, RNG.random((20, 1)), RNG.random((20, 1))), 5, verbose=0)
    assert history["loss"][-1] < history["loss"][0]


def test_events_come_in_order() -> None:
    events: list[str] = []

    class Record(Callback):
        def __getattribute__(self, name: str) -> Any:
            if name.startswith("on_") or name == "add_logs":
                events.append(name)
            return super().__getattribute__(name)

    _, trainer = make()
    trainer.fit((X[:4], Y[:4]), epochs=2, batch_size=2, callbacks=[Record()], verbose=0)
    batch = ["on_train_batch_begin", "on_before_optimizer_step", "on_train_batch_end"]
    epoch = ["on_epoch_begin", *batch, *batch, "add_logs", "on_epoch_end"]
    assert events == ["on_train_begin", *epoch, *epoch, "on_train_end"]


def test_callbacks_end_also_when_training_fails() -> None:
    ended = []

    class Fail(Callback):
        def on_train_batch_end(self, batch: int, logs: Any) -> None:
            raise RuntimeError("broken")

        def on_train_end(self) -> None:
            ended.append(self.trainer.model.training)

    model, trainer = make()
    model.eval()
    with pytest.raises(RuntimeError, match="broken"):
        trainer.fit((X, Y), callbacks=[Fail()], verbose=0)
    assert ended == [True]
    assert not model.training


def test_lines_show_the_numbers_that_are_stored(capsys: pytest.CaptureFixture[str]) -> None:
    _, trainer = make()
    history = trainer.fit(
        (X, Y), epochs=2, validation_split=0.2
    )  # the tests' output is no terminal
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert len(lines) == 2
    assert shown.err == ""
    for i, line in enumerate(lines):
        assert line.startswith(f"epoch {i + 1}/2  loss {history['loss'][i]:.4f}  accuracy ")
        assert f"val_loss {history['val_loss'][i]:.4f}" in line
        assert line.endswith(" ms/step")
        assert line.isascii()


def test_bars_show_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    _, trainer = make()
    history = trainer.fit((X, Y), epochs=2, verbose=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "epoch 2/2" in shown.err
    assert f"loss {history['loss'][1]:.4f}" in shown.err
    assert shown.err.isascii()


MISTAKES: list[tuple[Any, type[Exception], str]] = [
    (lambda t: t.fit([X, Y], verbose=0), TypeError, r"data is a list; pass a DataLoader"),
    (lambda t: t.fit((X, Y), validation_split=1.5, verbose=0), ValueError, "leaves a part empty"),
    (
        lambda t: t.fit((X, Y), validation_split=0.1, validation_data=(X, Y)),
        ValueError,
        "or validation_split, not both",
    ),
    (
        lambda t: t.fit(DataLoader((X, Y)), validation_split=0.1),
        TypeError,
        "split the loader's data set with mg.data.random_split",
    ),
    (lambda t: t.fit((X, Y), verbose=3), ValueError, "verbose is 'auto', 0, 1 or 2, not 3"),
    (lambda t: t.fit((X, Y[:9]), verbose=0), ValueError, "one length along it"),
    (lambda t: t.fit((X, Y + 5), verbose=0), IndexError, "labels go from 5 to 6, .* 2 classes"),
    (
        lambda t: Trainer(t.model, nn.CrossEntropyLoss(reduction="none")).evaluate((X, Y)),
        ValueError,
        r"the loss has shape \[32\], it must be one number",
    ),
    (
        lambda t: t.fit(DataLoader((X, Y), 64, drop_last=True)),
        ValueError,
        "the loader has no batch: 50 samples, batch_size=64, drop_last=True",
    ),
    (lambda t: Trainer(t.model, t.loss).fit((X, Y)), ValueError, "fit needs an optimizer"),
    (lambda t: Trainer(t.model, t.loss, accumulate=0), ValueError, "accumulate=0 must be 1 or"),
    (
        lambda t: Trainer(t.model, t.loss, optim.SGD(t.model[0].parameters(), lr=0.1)),
        ValueError,
        "2 parameters of the model are not in the optimizer .*: 3.weight, 3.bias; pass",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), MISTAKES, ids=[m[2][:25] for m in MISTAKES])
def test_mistakes(call: Any, error: type[Exception], text: str) -> None:
    _, trainer = make()
    with pytest.raises(error, match=text):
        call(trainer)


# ---- Ctrl-C --------------------------------------------------------------------------------------


@pytest.fixture
def heard() -> Iterator[None]:
    """Let Ctrl-C be heard, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no SIGINT to a process")
def test_ignored_interrupts_stay_ignored(heard: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, trainer = make()
    history = trainer.fit((X, Y), 5, batch_size=10, callbacks=[Interrupt(12)], verbose=0)
    assert history.epochs == 5


class Interrupt(Callback):
    """Press Ctrl-C in the middle of a batch."""

    def __init__(self, at: int) -> None:
        self.at = at

    def on_before_optimizer_step(self) -> None:
        if self.trainer.steps == self.at:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no SIGINT to a process")
def test_interrupt_finishes_the_batch_and_keeps_everything(
    capsys: pytest.CaptureFixture[str], heard: Any
) -> None:
    _, trainer = make()
    before = signal.getsignal(signal.SIGINT)
    history = trainer.fit((X, Y), 50, batch_size=10, callbacks=[Interrupt(12)], verbose=2)
    assert signal.getsignal(signal.SIGINT) is before
    assert trainer.steps == 13  # the batch at hand was finished
    assert trainer.epoch == history.epochs == 2
    assert "stopped after epoch 2: interrupted by Ctrl-C" in capsys.readouterr().out
    trainer.evaluate((X, Y))


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no SIGINT to a process")
def test_second_interrupt_breaks_off() -> None:
    code = """
        import os, signal
        signal.signal(signal.SIGINT, signal.default_int_handler)  # CI may run in the background
        import minigrad as mg
        from minigrad import nn, optim
        class Slow(nn.Linear):
            def forward(self, x):
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
                return super().forward(x)
        model = Slow(1, 1)
        trainer = mg.train.Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()))
        try:
            trainer.fit((mg.ones(4, 1), mg.ones(4, 1)), verbose=0)
        except KeyboardInterrupt:
            print("broken off at step", trainer.steps)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.stdout == "broken off at step 0\n", done.stderr


def test_training_in_another_thread_works() -> None:
    _, trainer = make()
    found = []
    thread = threading.Thread(target=lambda: found.append(trainer.fit((X, Y), epochs=1, verbose=0)))
    thread.start()
    thread.join()
    assert found[0].epochs == 1
