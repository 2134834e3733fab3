"""Lesson 9 as a module: its functions, and the accuracy that it states, over seeds."""

from __future__ import annotations

import importlib.util
import math
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import DataNotFoundError

LESSON = Path(__file__).resolve().parents[2] / "lessons" / "09_digits.py"


@pytest.fixture(scope="module")
def digits():
    """Return the lesson, imported from its file: nothing is run, printed or written by that."""
    spec = importlib.util.spec_from_file_location("lesson_09_digits", LESSON)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    before = set(os.listdir())
    spec.loader.exec_module(module)
    assert set(os.listdir()) == before
    return module


@pytest.fixture(scope="module")
def task(digits):
    return digits.load("digits")


def test_the_documents_network_and_settings(digits) -> None:
    model = digits.build(784)
    assert sum(p.numel() for p in model.parameters()) == 109_386
    assert [type(layer).__name__ for layer in model] == [
        "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip
    assert [layer.p for layer in model if hasattr(layer, "p")] == [0.2, 0.2]
    document = digits.DOCUMENT
    assert (document.lr, document.momentum, document.batch, document.epochs) == (
        0.001,
        0.9,
        100,
        10,
    )


def test_the_split_is_stratified_and_has_no_image_twice(task) -> None:
    assert (len(task.train_y), len(task.test_y)) == (1348, 449)
    for k in range(10):
        share = (task.test_y == k).sum() / ((task.train_y == k).sum() + (task.test_y == k).sum())
        assert abs(share - 0.25) < 0.01
    together = np.concatenate([task.train_x, task.test_x]).reshape(1797, -1)
    whole = mg.data.load_digits().x.reshape(1797, -1)
    assert np.array_equal(np.sort(together, axis=0), np.sort(whole, axis=0))


def test_normalise_is_the_documents(digits) -> None:
    images = np.array([[[0, 255], [51, 204]]], np.uint8)
    found = digits.normalise(images, 255)
    assert found.dtype == np.float32
    assert np.abs(found - [[-1.0, 1.0, -0.6, 0.6]]).max() < 1e-6


def test_training_is_repeatable_and_a_seed_matters(digits, task) -> None:
    settings = replace(digits.SHIPPED, epochs=2)
    losses = []
    for seed in (3, 3, 4):
        mg.manual_seed(seed)
        losses.append(digits.train(digits.build(64), task, settings, show=False).losses)
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
    assert losses[0][1] < losses[0][0] < math.log(10)


def test_training_on_every_device(digits, task, backend) -> None:
    """Of dropout's masks only the distribution is the same."""
    settings, found = replace(digits.SHIPPED, epochs=3), []
    for device in ("cpu", backend):
        mg.manual_seed(1)
        model = digits.build(64).to(device)
        history = digits.train(model, task, settings, device=device, show=False)
        assert {p.device.type for p in model.parameters()} == {device}
        found.append((history.losses[-1], history.accuracies[-1]))
    assert found[1] == pytest.approx(found[0], abs=0.08)


def test_eval_answers_the_same_and_training_mode_does_not(digits, task) -> None:
    model = digits.build(64)
    once, twice = (digits.scores(model, task.test_x, 16) for _ in range(2))
    assert np.array_equal(once, twice)
    once, twice = (digits.scores(model, task.test_x, 16, training=True) for _ in range(2))
    assert not np.array_equal(once, twice)


def test_scores_do_not_depend_on_the_batches(digits, task) -> None:
    model = digits.build(64)
    images = np.concatenate([task.train_x, task.test_x])
    assert len(images) > 1000  # more than one batch
    one_by_one = np.concatenate(
        [digits.scores(model, images[i : i + 7], 16) for i in range(0, 1797, 7)]
    )
    assert np.abs(digits.scores(model, images, 16) - one_by_one).max() < 1e-5


def test_confusions(digits, task, capsys) -> None:
    predicted = task.test_y.copy()
    wrong = np.flatnonzero(task.test_y == 3)[:4]
    predicted[wrong] = 8
    table = digits.print_confusions(predicted, task)
    assert table[3, 8] == 4
    assert (table - np.diag(np.diag(table))).sum() == 4
    printed = capsys.readouterr().out
    assert "  4 x 3 taken for 8\n" in printed
    assert printed.count(" x ") == 1
    assert "\n  3 " in printed


@pytest.mark.slow
def test_picture_of_wrong_answers_only(digits, task) -> None:
    found = np.zeros((len(task.test_y), 10), np.float32)
    found[:, 0] = 1
    figure = digits.draw_predictions(found, task)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == 50
    assert sum("\nis " in title for title in titles) >= 25  # a wrong one says what is true
    digits.plt.close(figure)


@pytest.mark.slow
def test_accuracy_on_shipped_digits_over_five_seeds(digits, task) -> None:
    accuracies = []
    for seed in range(5):
        mg.manual_seed(seed)
        model = digits.build(64)
        accuracies.append(digits.train(model, task, digits.SHIPPED, show=False).accuracies[-1])
    assert min(accuracies) >= 0.96, accuracies


@pytest.mark.slow
def test_one_epoch_of_mnist(digits) -> None:
    try:
        task = digits.load("mnist", offline=True)
    except DataNotFoundError:
        named = os.environ.get("MINIGRAD_DATA")
        where = f"MINIGRAD_DATA={named} has none" if named else "MINIGRAD_DATA is not set"
        pytest.skip(f"MNIST is not on this machine ({where}): .ci/fetch-data DIR fetches it")
    mg.manual_seed(0)
    model = digits.build(task.pixels)
    history = digits.train(model, task, replace(digits.DOCUMENT, epochs=1), show=False)
    assert history.accuracies[0] > 0.75
    assert history.losses[0] < 1.6
