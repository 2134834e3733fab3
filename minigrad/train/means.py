"""The mean loss and the metrics of an epoch, while it runs."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.train.metrics import Metric


class Means:
    """The loss, weighted by the batches' sizes, and metrics of their own.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.train.means import Means
    >>> means = Means([])
    >>> _ = means.add(mg.tensor(1.0), None, mg.zeros(3))
    >>> _ = means.add(mg.tensor(2.0), None, mg.zeros(1))
    >>> means.compute()
    {'loss': 1.25}
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.metrics = [copy.deepcopy(metric) for metric in metrics]
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.sum, self.n = 0.0, 0
        for metric in self.metrics:
            metric.reset()

    def add(self, loss: Any, output: Any, target: Any) -> float:
        """Take in a batch, and return its loss as a number."""
        value = float(loss.item())
        count = len(target) if getattr(target, "ndim", 0) else 1
        self.sum += value * count
        self.n += count
        for metric in self.metrics:
            metric(output, target)
        return value

    def compute(self) -> dict[str, Any]:
        """Return the values so far."""
        loss = self.sum / self.n if self.n else float("nan")
        return {"loss": loss} | {metric.name: metric.compute() for metric in self.metrics}

    def state_dict(self) -> dict[str, Any]:
        """Return the sums."""
        metrics = {metric.name: metric.state_dict() for metric in self.metrics}
        return {"sum": self.sum, "n": self.n, "metrics": metrics}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the sums over."""
        names = [metric.name for metric in self.metrics]
        if list(state["metrics"]) != names:
            raise ValueError(f"the run had the metrics {list(state['metrics'])}, this has {names}")
        self.sum, self.n = state["sum"], state["n"]
        for metric in self.metrics:
            metric.load_state_dict(state["metrics"][metric.name])
