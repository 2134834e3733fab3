"""The errata as a page: one file that loads nothing, in English or in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from minigrad.check.claims import CONVENTION, FAILS, HOLDS, HOLDS_ROUNDED, NOT_COMPUTABLE
from minigrad.learn.documents import TITLES
from minigrad.learn.errata import Row, by_verdict
from minigrad.learn.wording import ENGLISH, Wording

FRAME = Path(__file__).with_name("errata.html")
SIGNS = {
    HOLDS: ("holds", "\u2713"),
    HOLDS_ROUNDED: ("holds", "\u2248"),
    FAILS: ("fails", "\u2717"),
    NOT_COMPUTABLE: ("none", "\u2205"),
    CONVENTION: ("convention", "\u2194"),
}
COLUMNS = ("place", "printed", "right", "check", "verdict", "lesson")


def page(found: Sequence[Row], wording: Wording = ENGLISH) -> str:
    """Return the page of these rows, which are sorted (see `minigrad.learn.errata.rows`)."""
    say = wording.fixed
    parts = {
        "LANG": wording.language,
        "TITLE": escape(say("Errata: every claim, computed")),
        "INTRODUCTION": escape(say(INTRODUCTION)),
        "COUNT": escape(f"{len(found)} {say('claims were judged')}"),
        "VERDICT": escape(say("verdict")),
        "BUTTONS": _buttons(found, say),
        "TABLES": "".join(
            _table(document, list(of_it), wording)
            for document, of_it in groupby(found, key=lambda row: row.document)
        ),
        "FOOTER": escape(say("The lessons of minigrad produced this page.")),
    }
    pieces = FRAME.read_text(encoding="utf-8").split("@@")  # text, name, text, name ...
    return "".join(parts[p] if i % 2 else p for i, p in enumerate(pieces))


INTRODUCTION = (
    "Each row is a number, a formula or a statement of the five documents. It was computed as "
    "printed, and a program decided: nobody's opinion is in the verdict. A printed decimal holds "
    "if the computed value rounds to it."
)


def _buttons(found: Sequence[Row], say: Callable[[str], str]) -> str:
    choices = [("", say("all"), len(found), "")]
    for verdict, count in by_verdict(found).items():
        choices.append((verdict, f"{SIGNS[verdict][1]} {say(verdict)}", count, SIGNS[verdict][0]))
    return "".join(
        f'<button type="button" class="{kind}" data-verdict="{escape(verdict)}" '
        f'aria-pressed="false">{escape(text)} {count}</button>'
        for verdict, text, count, kind in choices
    )


def _table(document: str, of_it: Sequence[Row], wording: Wording) -> str:
    title = wording.fixed(TITLES[document]) if document in TITLES else ""
    head = "".join(
        f'<th scope="col" class="{name}">{escape(wording.fixed(name))}</th>' for name in COLUMNS
    )
    body = "".join(_row(row, wording) for row in of_it)
    heading = escape(f"{document} {title}".strip())
    return (
        f'<section id="{escape(document)}"><h2>{heading}</h2><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></section>"
    )


def _row(row: Row, wording: Wording) -> str:
    claim = row.claim
    kind, sign = SIGNS[claim.verdict]
    cells = {
        "place": _code(wording.section(claim.where)),
        "printed": _code(wording.printed(row)),
        "right": _code(wording.right(row)),
        "check": f"{_code(wording.found(row))}"
        f'<span class="how">{_code(wording.text(claim.check, row.stem))}</span>',
        "verdict": f"{sign} {escape(wording.fixed(claim.verdict))}",
        "lesson": escape(row.stem.partition("_")[0]),
    }
    laid = "".join(
        f'<td class="{name}{" " + kind if name == "verdict" else ""}" '
        f'data-label="{escape(wording.fixed(name))}">{cell}</td>'
        for name, cell in cells.items()
    )
    return f'<tr data-verdict="{escape(claim.verdict)}">{laid}</tr>'


def _code(text: str) -> str:
    """Escape a text, and set what is between backquotes as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
