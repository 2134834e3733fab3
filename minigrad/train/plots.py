"""Pictures of a history."""

from __future__ import annotations

import io
import math
import os
from typing import TYPE_CHECKING, Any

from minigrad.io.atomic import write_atomic
from minigrad.train.callback import Callback, Logs

if TYPE_CHECKING:
    from minigrad.train.history import History

INSTALL = 'python -m pip install "minigrad-engine[train]"'


def draw(history: History, path: str | os.PathLike[str]) -> None:
    """Draw one panel a quantity over the epochs, with training and validation together."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError(f"curves need matplotlib: {INSTALL}") from error
    names = [name for name, values in history.items() if _scalars(values)]
    panels = list(dict.fromkeys(name.removeprefix("val_") for name in names))
    if not panels:
        raise ValueError("the history has no numbers to draw; train for an epoch first")
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.0 * rows), layout="constrained")
    for i, panel in enumerate(panels):
        axes = figure.add_subplot(rows, columns, i + 1)
        for name, label in ((panel, "training"), (f"val_{panel}", "validation")):
            if name in names:
                axes.plot(range(1, len(history[name]) + 1), history[name], ".-", label=label)
        axes.set(xlabel="epoch", ylabel=panel)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if f"val_{panel}" in names:
            axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format=os.path.splitext(path)[1].lstrip(".") or "png")
    write_atomic(path, picture.getvalue())


def _scalars(values: list[Any]) -> bool:
    return all(isinstance(v, (int, float)) for v in values)


class CurvePlot(Callback):
    """Draw the history into a picture file after each epoch.

    Examples
    --------
    >>> import minigrad as mg
    >>> callbacks = [mg.train.CurvePlot("curves.png")]
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Draw."""
        self.trainer.history.plot(self.path)
