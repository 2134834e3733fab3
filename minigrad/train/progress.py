"""What training shows: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.train.means import Means

INSTALL = 'python -m pip install "minigrad-engine[train]"'


def progress_of(verbose: int | str) -> Progress:
    """Return what shows an amount: 0 nothing, 1 bars, 2 a line an epoch; "auto" looks where to."""
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose is 'auto', 0, 1 or 2, not {verbose!r}")
    if verbose == "auto":
        verbose = 1 if sys.stderr.isatty() else 2
    return (Progress, Bars, Lines)[int(verbose)]()


def text_of(logs: dict[str, Any]) -> str:
    """Return the numbers of an epoch in a line; what is no number is in the history only."""
    return "  ".join(
        f"{k} {v:.4g}" if k == "lr" else f"{k} {v:.4f}"
        for k, v in logs.items()
        if isinstance(v, (int, float))
    )


class Progress:
    """Shows nothing."""

    def begin_epoch(self, epoch: int, epochs: int, batches: int, done: int) -> None:
        """Begin to show an epoch (from 0), of which ``done`` batches were made before."""
        self.title = f"epoch {epoch + 1}/{epochs}"
        self.batches, self.done = batches, done
        self.start = time.perf_counter()

    def batch(self, means: Means) -> None:
        """Show that a batch is done, and the means so far."""

    def end_epoch(self, logs: dict[str, Any]) -> None:
        """Show the epoch's numbers."""

    def note(self, text: str) -> None:
        """Show a sentence."""

    def close(self) -> None:
        """Stop to show."""

    def _line(self, logs: dict[str, Any]) -> str:
        seconds = time.perf_counter() - self.start
        steps = self.batches - self.done
        each = f"  {1000 * seconds / steps:.1f} ms/step" if steps else ""
        return f"{self.title}  {text_of(logs)}  {seconds:.1f} s{each}"


class Lines(Progress):
    """Shows a line for each epoch, on standard output."""

    def end_epoch(self, logs: dict[str, Any]) -> None:
        """Print the line."""
        self.note(self._line(logs))

    def note(self, text: str) -> None:
        """Print a sentence."""
        print(text, flush=True)


class Bars(Progress):
    """Shows a bar for each epoch, on standard error, through tqdm."""

    def __init__(self) -> None:
        try:
            from tqdm import tqdm
        except ImportError as error:
            raise ImportError(f"bars need tqdm: {INSTALL}; or pass verbose=2") from error
        self._tqdm = tqdm
        self._bar: Any = None
        self._shown = 0.0

    def begin_epoch(self, epoch: int, epochs: int, batches: int, done: int) -> None:
        """Open a bar."""
        super().begin_epoch(epoch, epochs, batches, done)
        self._bar = self._tqdm(
            total=batches, initial=done, desc=self.title, unit="step", ascii=True, leave=False
        )

    def batch(self, means: Means) -> None:
        """Move the bar; the numbers follow ten times a second."""
        if time.perf_counter() - self._shown > 0.1:
            self._shown = time.perf_counter()
            self._bar.set_postfix_str(text_of(means.compute()), refresh=False)
        self._bar.update()

    def end_epoch(self, logs: dict[str, Any]) -> None:
        """Put the epoch's line in the place of the bar."""
        self.close()
        self.note(self._line(logs))

    def note(self, text: str) -> None:
        """Print a sentence."""
        self._tqdm.write(text, file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
