"""The table at the end of a run of lessons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from minigrad.check.claims import FAILS, HOLDS, HOLDS_ROUNDED
from minigrad.cli.console import console
from minigrad.cli.runner import Outcome
from minigrad.learn.records import ClaimRecord


def print_summary(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each lesson: the result, claims, assertions, pictures, time."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.ASCII, show_footer=len(outcomes) > 1)
    failed = sum(outcome.status != 0 for outcome in outcomes)
    total = sum(outcome.seconds for outcome in outcomes)
    table.add_column("lesson", footer=f"{len(outcomes)} lessons", no_wrap=True)
    table.add_column("result", footer=f"{failed} failed" if failed else "all ok", overflow="fold")
    every = [claim for outcome in outcomes for claim in _claims(outcome)]
    table.add_column("claims", footer=_one_a_line(every))
    assertions = [outcome.lesson.assertions for outcome in outcomes]
    pictures = [len(outcome.pictures) for outcome in outcomes]
    table.add_column("assertions", footer=str(sum(assertions)), justify="right")
    table.add_column("pictures", footer=str(sum(pictures)), justify="right")
    table.add_column("seconds", footer=f"{total:.1f}", justify="right")
    for outcome, asserted, drawn in zip(outcomes, assertions, pictures, strict=True):
        table.add_row(
            outcome.lesson.stem,
            outcome.result,
            _one_a_line(_claims(outcome)),
            str(asserted),
            str(drawn),
            f"{outcome.seconds:.1f}",
        )
    console().print(table)


def in_words(claims: Sequence[ClaimRecord]) -> str:
    """Return how many of the claims hold, fail, and neither; and how many nobody expected so.

    Examples
    --------
    >>> from minigrad.cli.summary import in_words
    >>> from minigrad.learn import ClaimRecord
    >>> in_words([ClaimRecord("D9", "a", found, "", "", "fails") for found in ("fails", "holds")])
    '1 hold, 1 fail, 1 NOT AS EXPECTED'
    """
    counts = Counter(claim.verdict for claim in claims)
    holding = counts[HOLDS] + counts[HOLDS_ROUNDED]
    other = len(claims) - holding - counts[FAILS]
    unexpected = sum(not claim.as_expected for claim in claims)
    parts = (
        (holding, "hold"),
        (counts[FAILS], "fail"),
        (other, "neither"),
        (unexpected, "NOT AS EXPECTED"),
    )
    return ", ".join(f"{count} {word}" for count, word in parts if count) or "none"


def _one_a_line(claims: Sequence[ClaimRecord]) -> str:
    return in_words(claims).replace(", ", "\n")


def _claims(outcome: Outcome) -> tuple[ClaimRecord, ...]:
    return outcome.record.claims if outcome.record else ()
