"""What a lint reports: one finding, and all findings of a run as a table."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload

from minigrad.check.lints.lessons import lesson_named

SEVERITIES = ("error", "warning")


@dataclass(frozen=True)
class Finding:
    """One mistake that was seen; any check may make its own.

    Parameters
    ----------
    id : str
        The mistake's short name, such as ``"double-softmax"``.
    severity : {"error", "warning"}
        An error makes the result wrong or stops learning; a warning slows it, or may be meant.
    where : str
        The place: a module's path, a parameter, the batch, the optimiser.
    seen : str
        What was seen, with its numbers.
    cure : str
        What to change.
    lesson : str
        The number of the lesson that explains it, such as ``"05"``; empty for none.

    Raises
    ------
    ValueError
        The severity is another word.

    Examples
    --------
    >>> from minigrad.check import Finding
    >>> print(Finding("leak", "error", "the scaler", "it was fitted on all rows", "split first"))
    error    leak: the scaler
      seen   it was fitted on all rows
      cure   split first
    """

    id: str
    severity: str
    where: str
    seen: str
    cure: str
    lesson: str = ""

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity must be 'error' or 'warning', not {self.severity!r}")

    def __str__(self) -> str:
        return _text(self)


def _text(found: Any) -> str:
    """Return a finding's lines of the table."""
    stem = lesson_named(found.lesson) if found.lesson else None
    rows = [("seen", found.seen), ("cure", found.cure)]
    rows += [("read", f"lesson {stem}")] if stem else []
    lines = [f"{found.severity:<9}{found.id}: {found.where}"]
    for name, text in rows:
        lines += textwrap.wrap(
            text, 96, initial_indent=f"  {name}   ", subsequent_indent=" " * 9,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return "\n".join(lines)


class Findings(Sequence[Finding]):
    """The findings of a run, errors first; false when there are none.

    Parameters
    ----------
    found : iterable of Finding
        What was found; anything with a Finding's attributes will do, such as what a scaler's
        ``check_leak`` returns.
    what : str
        What was looked at, for the heading.

    Examples
    --------
    >>> from minigrad.check import Finding, Findings
    >>> leak = Finding("leak", "error", "the scaler", "it was fitted on all rows", "split first")
    >>> found = Findings([leak], "the data")
    >>> [f.id for f in found], bool(found), bool(Findings([], "the data"))
    (['leak'], True, False)
    """

    def __init__(self, found: Iterable[Any], what: str) -> None:
        self._found: list[Any] = sorted(found, key=lambda f: SEVERITIES.index(f.severity))
        self.what = what

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | Sequence[Finding]:
        """Return a finding by its place."""
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    @property
    def ids(self) -> list[str]:
        """The short names of what was found."""
        return [f.id for f in self._found]

    def __str__(self) -> str:
        count = len(self._found) or "no"
        head = f"{count} finding{'' if count == 1 else 's'}: {self.what}"
        return "\n".join([head, *map(_text, self._found)])

    __repr__ = __str__
