"""Cells of a table into numbers of one dtype."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def is_number(cell: str) -> bool:
    """Say whether a cell holds a number."""
    if "_" in cell:  # Python reads 1_000 as a number; a table means something else by it
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


class Cells:
    """What a cell may hold: a value of a dtype, or one of the marks of a missing value.

    Parameters
    ----------
    dtype : numpy dtype
        A floating or an integer type.
    missing : sequence of str
        The marks.
    """

    def __init__(self, dtype: np.dtype, missing: Sequence[str]) -> None:
        self.dtype = dtype
        self.missing = frozenset(missing)
        self._read: Any = float if dtype.kind == "f" else int
        limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
        self._low, self._high = self._read(limits.min), self._read(limits.max)
        # A mark that is a number, such as -1 or 1e9, is not seen by reading numbers.
        self._marks_are_text = not any(
            is_number(mark) and math.isfinite(float(mark)) for mark in self.missing
        )

    def is_missing(self, cell: str) -> bool:
        """Say whether a cell holds a mark of a missing value."""
        return cell.strip() in self.missing

    def row(self, cells: Sequence[str]) -> list[Any] | None:
        """Return a row's numbers; None if a cell must be looked at by itself."""
        if not self._marks_are_text or "_" in "".join(cells):
            return None
        try:
            numbers = list(map(self._read, cells))
        except ValueError:
            return None
        # A NaN would slip through min and max, but not through a sum. Ints have none.
        whole = self._read is int or math.isfinite(sum(numbers))
        return (
            numbers if whole and self._low <= min(numbers) and max(numbers) <= self._high else None
        )

    def number(self, cell: str) -> Any:
        """Return a cell's number.

        Raises
        ------
        ValueError
            It holds none, or one that the dtype does not; the message says which.
        """
        text = cell.strip()
        if not is_number(text):
            raise ValueError(f"{text[:40]!r} is not a number: mend it, or leave it out of columns")
        if self.dtype.kind == "f":
            if not self._low <= float(text) <= self._high:
                raise ValueError(f"{text} is not a finite {self.dtype.name}: mend it")
            return float(text)
        try:
            whole = int(text)
        except ValueError:
            raise ValueError(
                f"{text} is not a whole number, and dtype is {self.dtype.name}: pass dtype=float"
            ) from None
        if not self._low <= whole <= self._high:
            raise ValueError(
                f"{whole} does not fit {self.dtype.name} ({self._low} to {self._high})"
            )
        return whole
