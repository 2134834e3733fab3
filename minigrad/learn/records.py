"""What a lesson leaves behind for the run's summary and the errata: its claims, in a file."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from minigrad.check.claims import Claim, FormulaClaim
from minigrad.io.atomic import write_atomic

ENDING = "-claims.json"


@dataclass(frozen=True)
class ClaimRecord:
    """A claim as it is kept.

    Attributes
    ----------
    where, what, verdict, note, check : str
        As in `minigrad.check.claims.FormulaClaim`.
    expect : str
        The verdict that the lesson states.
    found : str
        What the check of a formula found; empty for a number.
    printed : str
        The digits of a number; empty for a formula.
    computed : float or None
        The number's value; None where it has none.
    rounded : float or None
        The value that follows from rounded numbers, where that was asked.
    """

    where: str
    what: str
    verdict: str
    note: str
    check: str
    expect: str
    found: str = ""
    printed: str = ""
    computed: float | None = None
    rounded: float | None = None

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the lesson states."""
        return self.verdict == self.expect


@dataclass(frozen=True)
class LessonRecord:
    """What a run of a lesson leaves behind.

    Attributes
    ----------
    stem, title : str
        The lesson.
    claims : tuple of ClaimRecord
        In the order in which they were judged.
    pictures : dict
        The caption of each picture, by its name.
    """

    stem: str
    title: str
    claims: tuple[ClaimRecord, ...]
    pictures: dict[str, str]


def record(claim: Claim | FormulaClaim, expect: str) -> ClaimRecord:
    """Return what is kept of a claim."""
    kept = (claim.where, claim.what, claim.verdict, claim.note, claim.check, expect)
    if isinstance(claim, FormulaClaim):
        return ClaimRecord(*kept, found=claim.found)
    computed = claim.computed if math.isfinite(claim.computed) else None
    return ClaimRecord(*kept, printed=claim.printed, computed=computed, rounded=claim.rounded)


def record_path(folder: Path, stem: str) -> Path:
    """Return where the record of a lesson is kept."""
    return folder / f"{stem}{ENDING}"


def write_record(kept: LessonRecord, folder: Path) -> None:
    """Write a record into a folder, whole or not at all."""
    text = json.dumps(asdict(kept), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomic(record_path(folder, kept.stem), (text + "\n").encode("utf-8"))


def read_record(path: str | os.PathLike[str]) -> LessonRecord:
    """Read a record.

    Raises
    ------
    ValueError
        The file is no record; the message names it.
    """
    try:
        kept = json.loads(Path(path).read_text(encoding="utf-8"))
        claims = tuple(ClaimRecord(**claim) for claim in kept.pop("claims"))
        return LessonRecord(claims=claims, **kept)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no record of a lesson ({type(error).__name__}: {error}); remove it, and "
            "run the lesson again"
        ) from error
