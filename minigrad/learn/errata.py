"""All claims of all lessons as rows, sorted by document and section."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from minigrad.check.claims import VERDICTS
from minigrad.learn.documents import place
from minigrad.learn.records import ENDING, ClaimRecord, LessonRecord, read_record


@dataclass(frozen=True)
class Row:
    """A claim, and the lesson that judges it.

    Attributes
    ----------
    claim : ClaimRecord
        What was judged.
    stem, title : str
        The lesson.
    """

    claim: ClaimRecord
    stem: str
    title: str

    @property
    def document(self) -> str:
        """``"D0"`` to ``"D4"``."""
        return place(self.claim.where).document


def read_folder(folder: Path) -> tuple[LessonRecord, ...]:
    """Read the records that lessons left in a folder, by the lesson's name.

    Raises
    ------
    FileNotFoundError
        There is none.
    ValueError
        A file is no record.
    """
    paths = sorted(folder.glob(f"*{ENDING}"))
    if not paths:
        raise FileNotFoundError(
            f"{folder} has no claims (files *{ENDING}): run lessons with --out {folder} first"
        )
    return tuple(map(read_record, paths))


def rows(records: Iterable[LessonRecord]) -> list[Row]:
    """Return all claims, sorted by document, section, and the order in which lessons judge them."""
    every = [Row(claim, kept.stem, kept.title) for kept in records for claim in kept.claims]
    return sorted(every, key=lambda row: place(row.claim.where))


def by_verdict(found: Sequence[Row]) -> dict[str, int]:
    """Return how many rows there are of each verdict, in the order of the verdicts."""
    counts = Counter(row.claim.verdict for row in found)
    return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}


def value_text(value: float) -> str:
    """Return a computed number as it is shown.

    Examples
    --------
    >>> from minigrad.learn.errata import value_text
    >>> value_text(0.8292822812), value_text(60000.0)
    ('0.8292823', '60000')
    """
    return f"{value:.7g}"
