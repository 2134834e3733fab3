"""Where the lessons lie, and which of them teaches what a finding is about."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]
# Inside the package in a wheel, beside it in a checkout.
FOLDERS = (_PACKAGE / "lessons", _PACKAGE.parent / "lessons")


def lesson_named(number: str) -> str | None:
    """Return the stem of the lesson of a number such as ``"09"``; None if it is not there.

    Examples
    --------
    >>> from minigrad.check.lints.lessons import lesson_named
    >>> lesson_named("09"), lesson_named("00")
    ('09_digits', None)
    """
    stems = [path.stem for folder in FOLDERS for path in sorted(folder.glob(f"{number}_*.py"))]
    return stems[0] if stems else None
