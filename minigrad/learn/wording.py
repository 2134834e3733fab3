"""In which words a row of the errata is said: English as the lessons have it, or Chinese."""

from __future__ import annotations

from minigrad.check.claims import HOLDS
from minigrad.learn import chinese
from minigrad.learn.errata import Row, value_text


class Wording:
    """English, which is what the lessons' claims are written in."""

    language = "en"
    between = "; "
    colon = ": "

    def fixed(self, text: str) -> str:
        """Return a fixed text of the page."""
        return text

    def text(self, text: str, stem: str) -> str:
        """Return a text of a lesson's claim."""
        return text

    def section(self, where: str) -> str:
        """Return a place."""
        return where

    def printed(self, row: Row) -> str:
        """Return what is printed: the claim's words, and a number's digits."""
        what = self.text(row.claim.what, row.stem)
        return f"{what} = {row.claim.printed}" if row.claim.printed else what

    def found(self, row: Row) -> str:
        """Return what the check found."""
        claim = row.claim
        if not claim.printed:
            return self.text(claim.found, row.stem)
        if claim.computed is None:
            return self.fixed("no value")
        parts = [f"{self.fixed('computed')} {value_text(claim.computed)}"]
        if claim.rounded is not None:
            parts.append(f"{self.fixed('from rounded numbers')} {value_text(claim.rounded)}")
        return self.between.join(parts)

    def right(self, row: Row) -> str:
        """Return what is right, and why."""
        claim = row.claim
        parts = []
        if claim.printed and claim.computed is not None and claim.verdict != HOLDS:
            parts.append(value_text(claim.computed))
        if claim.note:
            parts.append(self.text(claim.note, row.stem))
        if not parts:
            return self.fixed("as printed")
        return self.between.join(part.removeprefix(self.fixed("right: ")) for part in parts)


class Chinese(Wording):
    """Chinese, from the tables; what these lack is kept in English, and counted.

    Attributes
    ----------
    missing : list of tuple
        The lesson and the text of what no table has.
    """

    language = "zh-Hans"
    between = "\uff1b"
    colon = "\uff1a"

    def __init__(self) -> None:
        self.missing: list[tuple[str, str]] = []

    def fixed(self, text: str) -> str:
        """Return a fixed text of the page."""
        return chinese.fixed(text)

    def text(self, text: str, stem: str) -> str:
        """Return a text of a lesson's claim."""
        said = chinese.chinese(text, stem)
        if said is None:
            self.missing.append((stem, text))
            return text
        return said

    def section(self, where: str) -> str:
        """Return a place."""
        return chinese.section(where)


ENGLISH = Wording()
