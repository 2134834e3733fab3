"""Callbacks that write the history to files, epoch by epoch."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import Any

from minigrad.io.atomic import write_atomic
from minigrad.train.callback import Callback, Logs


class _Logger(Callback):
    """Write the whole history after each epoch: so a resumed run repeats no line."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write."""
        history = self.trainer.history
        rows = [
            {"epoch": i + 1, **{k: v[i] for k, v in history.items() if i < len(v)}}
            for i in range(history.epochs)
        ]
        write_atomic(self.path, self._text(rows).encode("utf-8"))

    def _text(self, rows: list[dict[str, Any]]) -> str:
        raise NotImplementedError


class CSVLogger(_Logger):
    """Write the history as a table: a header, then a line for each epoch.

    Examples
    --------
    >>> import minigrad as mg
    >>> callbacks = [mg.train.CSVLogger("run.csv")]
    """

    def _text(self, rows: list[dict[str, Any]]) -> str:
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, list(dict.fromkeys(k for row in rows for k in row)))
        writer.writeheader()
        writer.writerows(rows)
        return table.getvalue()


class JSONLLogger(_Logger):
    """Write the history as a JSON object a line, one for each epoch.

    Examples
    --------
    >>> import minigrad as mg
    >>> callbacks = [mg.train.JSONLLogger("run.jsonl")]
    """

    def _text(self, rows: list[dict[str, Any]]) -> str:
        return "".join(json.dumps(row) + "\n" for row in rows)
