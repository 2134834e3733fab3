"""Callbacks about the gradients, between backward and the optimiser's step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm
from minigrad.train.callback import Callback, Logs


class GradientNorm(Callback):
    """Record the mean over the steps of the gradients' length, as "grad_norm" in the history.

    Put it before `ClipGradients` to see the length before clipping.

    Examples
    --------
    >>> import minigrad as mg
    >>> callbacks = [mg.train.GradientNorm()]
    """

    def __init__(self) -> None:
        self.sum, self.steps = 0.0, 0

    def on_before_optimizer_step(self) -> None:
        """Measure."""
        grads = [p.grad for p in self.trainer.model.parameters() if p.grad is not None]
        self.sum += float(get_total_norm(grads))
        self.steps += 1

    def add_logs(self, logs: Logs) -> None:
        """Record the mean, and begin anew."""
        logs["grad_norm"] = self.sum / self.steps if self.steps else float("nan")
        self.sum, self.steps = 0.0, 0

    def state_dict(self) -> dict[str, Any]:
        """Return what was measured in this epoch."""
        return {"sum": self.sum, "steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the epoch."""
        self.sum, self.steps = state["sum"], state["steps"]


class ClipGradients(Callback):
    """Bound the gradients before each step: their common length, or each element.

    Parameters
    ----------
    max_norm : float, optional
        Scale all gradients down together if their length is greater.
    clip_value : float, optional
        Cut each element to this size.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013 (the norm).

    Examples
    --------
    >>> import minigrad as mg
    >>> callbacks = [mg.train.ClipGradients(max_norm=1.0)]
    """

    def __init__(self, max_norm: float | None = None, clip_value: float | None = None) -> None:
        if (max_norm is None) == (clip_value is None):
            raise ValueError("give max_norm or clip_value, and not both")
        self.max_norm, self.clip_value = max_norm, clip_value

    def on_before_optimizer_step(self) -> None:
        """Clip."""
        parameters = list(self.trainer.model.parameters())
        if self.max_norm is not None:
            clip_grad_norm_(parameters, self.max_norm)
        elif self.clip_value is not None:
            clip_grad_value_(parameters, self.clip_value)
