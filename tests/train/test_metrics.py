"""Metrics: against scikit-learn, exact over batches, with a state that can be saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import train
from minigrad.train.metrics import metrics_of

skm = pytest.importorskip("sklearn.metrics")
RNG = np.random.default_rng(0)
SCORES = RNG.standard_normal((57, 4))
LABELS = RNG.integers(0, 4, 57)
SAID = SCORES.argmax(axis=1)
YES = RNG.random(40)
TRUE = (RNG.random(40) < 0.4).astype(np.int64)


def value(metric: Any, prediction: Any, target: Any, size: int = 9) -> Any:
    """Return a metric over batches; its state moves to a new one in the middle."""
    for i in range(0, len(target), size):
        metric(mg.tensor(prediction[i : i + size]), mg.tensor(target[i : i + size]))
        state = metric.state_dict()
        metric.reset()
        metric.load_state_dict(state)
    return metric.compute()


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize(
    ("metric", "reference"),
    [(train.Precision, "precision"), (train.Recall, "recall"), (train.F1, "f1")],
)
def test_classes_are_scikit_learns(metric: Any, reference: str, average: str) -> None:
    of = getattr(skm, f"{reference}_score")
    wanted = of(LABELS, SAID, average=average, zero_division=0)
    assert value(metric(average), SCORES, LABELS) == pytest.approx(wanted, rel=1e-14)
    few = LABELS % 2  # predictions of classes that no example is of
    wanted = of(few, SAID, average=average, zero_division=0)
    assert value(metric(average), SCORES, few) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize(
    ("metric", "reference"),
    [(train.Precision, "precision"), (train.Recall, "recall"), (train.F1, "f1")],
)
def test_yes_or_no_is_scikit_learns(metric: Any, reference: str) -> None:
    of = getattr(skm, f"{reference}_score")
    for threshold in (0.5, 0.2):
        wanted = of(TRUE, threshold < YES)
        assert value(metric("binary", threshold), YES, TRUE) == pytest.approx(wanted, rel=1e-14)
    assert value(metric("binary"), YES * 0, TRUE * 0) == 0.0
    with pytest.raises(ValueError, match="for two classes, there are 4"):
        value(metric("binary"), SCORES, LABELS)


def test_accuracies_are_scikit_learns() -> None:
    assert value(train.Accuracy(), SCORES, LABELS) == skm.accuracy_score(LABELS, SAID)
    assert value(train.Accuracy(), SCORES, np.eye(4)[LABELS]) == skm.accuracy_score(LABELS, SAID)
    assert value(train.Accuracy(), YES, TRUE) == skm.accuracy_score(TRUE, YES > 0.5)
    column = value(train.Accuracy(0.2), YES[:, None], TRUE[:, None])
    assert column == skm.accuracy_score(TRUE, YES > 0.2)
    assert value(train.TopKAccuracy(4), SCORES, LABELS) == 1.0
    for k in (1, 2, 3):
        wanted = skm.top_k_accuracy_score(LABELS, SCORES, k=k, labels=range(4))
        assert value(train.TopKAccuracy(k), SCORES, LABELS) == wanted
    wanted = skm.confusion_matrix(LABELS, SAID).tolist()
    assert value(train.ConfusionMatrix(), SCORES, LABELS) == wanted


def test_pixels_each_count() -> None:
    scores = RNG.standard_normal((5, 3, 2, 2))
    labels = RNG.integers(0, 3, (5, 2, 2))
    wanted = (scores.argmax(axis=1) == labels).mean()
    assert value(train.Accuracy(), scores, labels, 2) == pytest.approx(wanted, rel=1e-15)


def test_numbers_are_scikit_learns() -> None:
    x, t = RNG.standard_normal((2, 50, 3)) + 1e6  # the variance would be lost in sums of squares
    for name, of in (
        ("mse", skm.mean_squared_error),
        ("mae", skm.mean_absolute_error),
        ("r2", skm.r2_score),
    ):
        (metric,) = metrics_of([name])
        assert value(metric, x, t, 7) == pytest.approx(of(t, x), rel=1e-9)
    constant = np.ones((4, 1))
    assert value(train.R2Score(), constant, constant) == 1.0
    assert value(train.R2Score(), constant + 1, constant) == 0.0


def test_nothing_seen_is_nan() -> None:
    for name in ("accuracy", "precision", "mse", "r2", "top_2_accuracy"):
        (metric,) = metrics_of([name])
        assert np.isnan(metric.compute())


def test_ties_and_extremes() -> None:
    assert value(train.TopKAccuracy(1), np.zeros((3, 4)), np.array([0, 1, 0])) == 2 / 3
    assert value(train.ConfusionMatrix(), np.array([1, 0]), np.array([1, 1])) == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: metrics_of(["accurracy"]), ValueError, "called 'accurracy'; use one of accuracy"),
        (lambda: metrics_of("accuracy"), TypeError, "not one str: wrap it in"),
        (lambda: metrics_of(["acc", "accuracy"]), ValueError, "would be called 'accuracy'"),
        (lambda: train.F1("mean"), ValueError, "average='mean' is not known"),
        (lambda: train.TopKAccuracy(0), ValueError, "k=0 must be 1 or more"),
        (
            lambda: value(train.Accuracy(), np.zeros((3, 4)), np.zeros(4, int)),
            ValueError,
            r"predictions have shape \[3, 4\], targets \[4\]",
        ),
        (
            lambda: value(train.MeanSquaredError(), np.zeros((3, 1)), np.zeros(3)),
            ValueError,
            r"mse: predictions have shape \[3, 1\], targets \[3\]",
        ),
        (
            lambda: value(train.ConfusionMatrix(), np.zeros(2, int), np.array([-1, 0])),
            ValueError,
            "class numbers start at 0, and there is -1",
        ),
        (
            lambda: train.Accuracy().load_state_dict({"sum": 1}),
            ValueError,
            r"accuracy counts \['n', 'right'\], the state \['sum'\]",
        ),
    ],
)
def test_mistakes(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
