"""Metrics: exact over all examples of an epoch, whatever the batches were.

A metric sees batches (`Metric.update`) and says its value at the end (`Metric.compute`). Its state
is a handful of numbers that can be saved, so that an epoch can go on after an interruption.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.engine.tensor import Tensor

Counts = np.ndarray[Any, Any]


class Metric:
    """Base of metrics: a name, and counts in ``self.counts`` that only `update` changes.

    Examples
    --------
    A metric of one's own:

    >>> from minigrad.train.metrics import Metric
    >>> class MeanPrediction(Metric):
    ...     name = "mean_prediction"
    ...     def update(self, prediction, target):
    ...         self.counts["sum"] += float(prediction.sum())
    ...         self.counts["n"] += prediction.size
    ...     def compute(self):
    ...         return self.counts["sum"] / self.counts["n"]
    ...     def reset(self):
    ...         self.counts = {"sum": 0.0, "n": 0}
    >>> import minigrad as mg
    >>> metric = MeanPrediction()
    >>> metric(mg.tensor([1.0, 3.0]), mg.tensor([0.0, 0.0]))
    >>> metric.compute()
    2.0
    """

    name: str
    counts: dict[str, Any]

    def __init__(self) -> None:
        self.reset()

    def __call__(self, prediction: Any, target: Any) -> None:
        """Take in a batch of Tensors or arrays."""
        self.update(_host(prediction), _host(target))

    def update(self, prediction: Counts, target: Counts) -> None:
        """Take in a batch of arrays."""
        raise NotImplementedError(f"{type(self).__name__} needs update(prediction, target)")

    def compute(self) -> Any:
        """Return the value over all that was taken in."""
        raise NotImplementedError(f"{type(self).__name__} needs compute()")

    def reset(self) -> None:
        """Forget all that was taken in."""
        raise NotImplementedError(f"{type(self).__name__} needs reset()")

    def state_dict(self) -> dict[str, Any]:
        """Return the counts."""
        return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in self.counts.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take counts over."""
        if set(state) != set(self.counts):
            raise ValueError(f"{self.name} counts {sorted(self.counts)}, the state {sorted(state)}")
        self.counts = dict(state)


# ---- classes -------------------------------------------------------------------------------------


def classes_of(prediction: Counts, target: Counts, threshold: float) -> tuple[Counts, Counts]:
    """Return predicted and true class numbers.

    Scores ``(N, C, ...)`` go with class numbers ``(N, ...)``, or one-hot or probability rows
    ``(N, C, ...)``; one score for yes or no goes with 0 and 1, and is yes above ``threshold``.
    """
    if prediction.ndim == target.ndim + 1 and prediction.shape[1] > 1:
        if (prediction.shape[0], *prediction.shape[2:]) == target.shape:
            return prediction.argmax(axis=1), target.astype(np.int64)
    elif prediction.shape == target.shape:
        if prediction.ndim > 1 and prediction.shape[1] > 1 and target.dtype.kind == "f":
            return prediction.argmax(axis=1), target.argmax(axis=1)
        said = prediction if prediction.dtype.kind in "iub" else prediction > threshold
        return said.astype(np.int64), target.astype(np.int64)
    raise ValueError(
        f"predictions have shape {list(prediction.shape)}, targets {list(target.shape)}: scores "
        "(N, C) go with class numbers (N,) or rows (N, C), one score each with targets of its shape"
    )


class Accuracy(Metric):
    """Share of examples whose predicted class is the true one.

    Parameters
    ----------
    threshold : float
        For one score an example: yes above it. 0.5 suits probabilities, 0 suits raw scores.

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.Accuracy()
    >>> metric(mg.tensor([[0.1, 0.9], [0.8, 0.2]]), mg.tensor([1, 1]))
    >>> metric.compute()
    0.5
    """

    name = "accuracy"

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__()
        self.threshold = threshold

    def update(self, prediction: Counts, target: Counts) -> None:
        """Count the right ones."""
        said, true = classes_of(prediction, target, self.threshold)
        self.counts["right"] += int((said == true).sum())
        self.counts["n"] += true.size

    def compute(self) -> float:
        """Return right / all."""
        return _ratio(self.counts["right"], self.counts["n"])

    def reset(self) -> None:
        """Forget all that was taken in."""
        self.counts = {"right": 0, "n": 0}


class TopKAccuracy(Metric):
    """Share of examples whose true class is among the ``k`` highest scores.

    Of equal scores the one of the lower class number counts as higher.

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.TopKAccuracy(k=2)
    >>> metric(mg.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), mg.tensor([1, 2]))
    >>> metric.name, metric.compute()
    ('top_2_accuracy', 0.5)
    """

    def __init__(self, k: int = 5) -> None:
        if k < 1:
            raise ValueError(f"k={k} must be 1 or more")
        self.k, self.name = k, f"top_{k}_accuracy"
        super().__init__()

    def update(self, prediction: Counts, target: Counts) -> None:
        """Count those whose class has fewer than k classes above it."""
        if prediction.ndim != 2 or target.shape != prediction.shape[:1]:
            raise ValueError(
                f"{self.name} takes scores (N, C) and class numbers (N,), not "
                f"{list(prediction.shape)} and {list(target.shape)}"
            )
        true = target.astype(np.int64)[:, None]
        own = np.take_along_axis(prediction, true, axis=1)
        before = np.arange(prediction.shape[1]) < true
        rank = ((prediction > own) | ((prediction == own) & before)).sum(axis=1)
        self.counts["right"] += int((rank < self.k).sum())
        self.counts["n"] += len(target)

    def compute(self) -> float:
        """Return right / all."""
        return _ratio(self.counts["right"], self.counts["n"])

    def reset(self) -> None:
        """Forget all that was taken in."""
        self.counts = {"right": 0, "n": 0}


class ConfusionMatrix(Metric):
    """How many examples of each true class (row) were taken for each class (column).

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.ConfusionMatrix()
    >>> metric(mg.tensor([[0.1, 0.9], [0.8, 0.2]]), mg.tensor([1, 1]))
    >>> metric.compute()
    [[0, 0], [1, 1]]
    """

    name = "confusion_matrix"

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__()
        self.threshold = threshold

    def update(self, prediction: Counts, target: Counts) -> None:
        """Count pairs of true and predicted class; the matrix grows as classes turn up."""
        said, true = classes_of(prediction, target, self.threshold)
        lowest = min(said.min(initial=0), true.min(initial=0))
        if lowest < 0:
            raise ValueError(f"{self.name}: class numbers start at 0, and there is {lowest}")
        rows = prediction.shape[1] if prediction.ndim > 1 else 2
        have = len(self.counts["matrix"])
        size = int(max(rows, 2, have, said.max(initial=0) + 1, true.max(initial=0) + 1))
        grown = np.zeros((size, size), np.int64)
        grown[:have, :have] = self.counts["matrix"]
        np.add.at(grown, (true.ravel(), said.ravel()), 1)
        self.counts["matrix"] = grown

    def compute(self) -> Any:
        """Return the matrix as lists."""
        return self.counts["matrix"].tolist()

    def reset(self) -> None:
        """Forget all that was taken in."""
        self.counts = {"matrix": np.zeros((0, 0), np.int64)}


class _FromMatrix(ConfusionMatrix):
    """What precision, recall and F1 share: a value for each class, averaged.

    Parameters
    ----------
    average : {"macro", "micro", "weighted", "binary"}
        The plain mean over the classes; over all examples at once; weighted by the number of
        true examples; or that of class 1 alone.
    threshold : float
        For one score an example: yes above it.
    """

    def __init__(self, average: str = "macro", threshold: float = 0.5) -> None:
        if average not in ("macro", "micro", "weighted", "binary"):
            raise ValueError(
                f"average={average!r} is not known; use 'macro', 'micro', 'weighted' or 'binary'"
            )
        super().__init__(threshold)
        self.average = average

    def compute(self) -> float:
        """Return the average; a class without examples and predictions counts as 0."""
        matrix = self.counts["matrix"]
        if not matrix.sum():
            return float("nan")
        hits, said, true = np.diagonal(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
        if self.average == "binary":
            if len(matrix) > 2:
                raise ValueError(f"average='binary' is for two classes, there are {len(matrix)}")
            return self._value(hits[1:], said[1:], true[1:]).item()
        if self.average == "micro":
            return self._value(hits.sum(), said.sum(), true.sum()).item()
        values = self._value(hits, said, true)
        if self.average == "weighted":
            return float((values * true).sum() / true.sum())
        return float(values[(said + true) > 0].mean())

    def _value(self, hits: Any, said: Any, true: Any) -> Any:
        raise NotImplementedError


class Precision(_FromMatrix):
    """Of the examples taken for a class, the share that is of it.

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.Precision("binary")
    >>> metric(mg.tensor([0.9, 0.8, 0.1]), mg.tensor([1, 0, 1]))
    >>> metric.compute()
    0.5
    """

    name = "precision"

    def _value(self, hits: Any, said: Any, true: Any) -> Any:
        return hits / np.maximum(said, 1)


class Recall(_FromMatrix):
    """Of the examples of a class, the share that was taken for it.

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.Recall("binary")
    >>> metric(mg.tensor([0.9, 0.8, 0.1]), mg.tensor([1, 0, 1]))
    >>> metric.compute()
    0.5
    """

    name = "recall"

    def _value(self, hits: Any, said: Any, true: Any) -> Any:
        return hits / np.maximum(true, 1)


class F1(_FromMatrix):
    """Harmonic mean of precision and recall.

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.F1("binary")
    >>> metric(mg.tensor([0.9, 0.8, 0.1, 0.2]), mg.tensor([1, 0, 0, 0]))
    >>> round(metric.compute(), 4)  # precision 1/2, recall 1
    0.6667
    """

    name = "f1"

    def _value(self, hits: Any, said: Any, true: Any) -> Any:
        return 2 * hits / np.maximum(said + true, 1)


# ---- numbers -------------------------------------------------------------------------------------


def _pair(name: str, prediction: Counts, target: Counts) -> tuple[Counts, Counts]:
    """Return both in float64; shapes that broadcast are no excuse."""
    if prediction.shape != target.shape:
        raise ValueError(
            f"{name}: predictions have shape {list(prediction.shape)}, targets "
            f"{list(target.shape)}; they must be equal"
        )
    return prediction.astype(np.float64), target.astype(np.float64)


class MeanSquaredError(Metric):
    """Mean of the squared differences.

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.MeanSquaredError()
    >>> metric(mg.tensor([1.0, 2.0]), mg.tensor([0.0, 4.0]))
    >>> metric.compute()
    2.5
    """

    name = "mse"

    def update(self, prediction: Counts, target: Counts) -> None:
        """Add the errors up."""
        x, t = _pair(self.name, prediction, target)
        self.counts["sum"] += float(self._error(x - t).sum())
        self.counts["n"] += x.size

    @staticmethod
    def _error(difference: Counts) -> Counts:
        return difference * difference

    def compute(self) -> float:
        """Return the mean."""
        return _ratio(self.counts["sum"], self.counts["n"])

    def reset(self) -> None:
        """Forget all that was taken in."""
        self.counts = {"sum": 0.0, "n": 0}


class MeanAbsoluteError(MeanSquaredError):
    """Mean of the absolute differences.

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.MeanAbsoluteError()
    >>> metric(mg.tensor([1.0, 2.0]), mg.tensor([0.0, 4.0]))
    >>> metric.compute()
    1.5
    """

    name = "mae"

    @staticmethod
    def _error(difference: Counts) -> Counts:
        return np.abs(difference)


class R2Score(Metric):
    """Share of the targets' variance that is explained: ``1 - sum (t - x)^2 / sum (t - mean t)^2``.

    Of several outputs it is the mean over them. 1 is perfect, 0 is as good as the mean.

    References
    ----------
    T. Chan, G. Golub and R. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
    Sample Variances", 1979: batches are merged without cancellation.

    Examples
    --------
    >>> import minigrad as mg
    >>> metric = mg.train.R2Score()
    >>> metric(mg.tensor([1.0, 2.0, 3.0]), mg.tensor([1.0, 2.0, 4.0]))
    >>> round(metric.compute(), 4)
    0.7857
    """

    name = "r2"

    def update(self, prediction: Counts, target: Counts) -> None:
        """Merge the batch's mean and spread into those before."""
        x, t = _pair(self.name, prediction, target)
        x, t = x.reshape(len(x), -1), t.reshape(len(t), -1)
        if not len(t):
            return
        n, mean = self.counts["n"], t.mean(axis=0)
        shift = mean - (self.counts["mean"] if n else mean)
        total = n + len(t)
        self.counts = {
            "n": total,
            "mean": mean - shift * (n / total),
            "spread": self.counts["spread"]
            + ((t - mean) ** 2).sum(axis=0)
            + shift * shift * (n * len(t) / total),
            "error": self.counts["error"] + ((t - x) ** 2).sum(axis=0),
        }

    def compute(self) -> float:
        """Return the mean over the outputs; a constant target that is met counts as 1, else 0."""
        if not self.counts["n"]:
            return float("nan")
        error, spread = np.asarray(self.counts["error"]), np.asarray(self.counts["spread"])
        flat = spread == 0
        values = np.where(flat, error == 0, 1 - error / np.where(flat, 1, spread))
        return float(values.mean())

    def reset(self) -> None:
        """Forget all that was taken in."""
        zero = np.zeros(1)
        self.counts = {"n": 0, "mean": zero, "spread": zero, "error": zero}


# ---- by name -------------------------------------------------------------------------------------

NAMES: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "acc": Accuracy,
    "precision": Precision,
    "recall": Recall,
    "f1": F1,
    "confusion_matrix": ConfusionMatrix,
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "r2": R2Score,
}


def metrics_of(given: Iterable[str | Metric]) -> list[Metric]:
    """Return metrics by their names, or as they were given.

    Raises
    ------
    ValueError
        A name is unknown, or occurs twice.
    """
    if isinstance(given, (str, Metric)):
        raise TypeError(f"metrics is a list, not one {type(given).__name__}: wrap it in [ ]")
    found = []
    for entry in given:
        top = re.fullmatch(r"top_(\d+)_accuracy", entry) if isinstance(entry, str) else None
        if isinstance(entry, Metric):
            found.append(entry)
        elif top:
            found.append(TopKAccuracy(int(top[1])))
        elif entry in NAMES:
            found.append(NAMES[entry]())
        else:
            known = ", ".join([*NAMES, "top_K_accuracy"])
            raise ValueError(f"no metric is called {entry!r}; use one of {known}, or a Metric")
    names = [metric.name for metric in found]
    for name in names:
        if names.count(name) > 1 or name == "loss":
            raise ValueError(f"two entries of the history would be called {name!r}: rename one")
    return found


def _host(x: Any) -> Counts:
    """Return a Tensor's or an array's values on the host."""
    return np.asarray(x.detach().cpu().numpy() if isinstance(x, Tensor) else x)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
