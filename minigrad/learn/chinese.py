"""The errata's words in Chinese: fixed texts from one table, each claim's from its lesson's."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from minigrad.check.lints.lessons import FOLDERS

COMMON = Path(__file__).with_name("chinese.toml")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")
_WORD = re.compile("[A-Za-z]{3,}")
_SYMBOLS = {
    "Delta", "MSE", "NaN", "ReLU", "SGD", "alpha", "beta", "delta", "eps", "lambda", "max",
    "sigma", "sigmoid", "sign", "sqrt", "tanh", "theta",
}  # fmt: skip
_CONVENTION, _RIGHT = "right for ", "right: "
_ERROR = re.compile(r"(\w+(?:Error|Exception): .+)")


@cache
def _table(path: Path) -> dict[str, str]:
    with open(path, "rb") as file:
        return tomllib.load(file)


@cache
def _words(stem: str) -> dict[str, str]:
    """Return the table of a lesson, over the common one."""
    paths = [folder / "zh" / f"{stem}.toml" for folder in FOLDERS]
    own = next((_table(path) for path in paths if path.is_file()), {})
    return {**_table(COMMON), **own}


def fixed(text: str) -> str:
    """Return a fixed text of the page in Chinese.

    Raises
    ------
    KeyError
        The table lacks it.
    """
    return _table(COMMON)[text]


def chinese(text: str, stem: str) -> str | None:
    """Return a text of a lesson's claim in Chinese; None if the tables lack it.

    A table has the text as it is, or with ``#`` for each number; then ``{1}`` in the Chinese is the
    first number. A text of several parts is looked up part by part. A formula without words is
    kept, and so is what Python says of an error, between backquotes.

    Examples
    --------
    >>> from minigrad.learn.chinese import chinese
    >>> len(chinese("off by 43 %", "05_losses"))
    6
    >>> chinese("a sentence that no table has", "05_losses")
    """
    if not text:
        return ""
    words = _words(stem)
    if text in words:
        return words[text]
    if template := words.get(without_numbers(text)):
        return template.format(None, *_NUMBER.findall(text))
    if not set(_WORD.findall(text)) - _SYMBOLS:  # a formula is the same in both
        return text
    if _ERROR.fullmatch(text):
        return f"`{text}`"
    if text.startswith(_RIGHT):
        said = chinese(text.removeprefix(_RIGHT), stem)
        return said and fixed(_RIGHT) + said
    if text.startswith(_CONVENTION):
        name = chinese(text.removeprefix(_CONVENTION), stem)
        return name and fixed(_CONVENTION).format(name)
    for sign in re.finditer("; ", text):
        parts = chinese(text[: sign.start()], stem), chinese(text[sign.end() :], stem)
        if parts[0] and parts[1]:
            return "\uff1b".join((parts[0], parts[1]))
    return None


def without_numbers(text: str) -> str:
    """Return a text with ``#`` for each number.

    Examples
    --------
    >>> from minigrad.learn.chinese import without_numbers
    >>> without_numbers("2,000 images of 8x8, agrees to 1e-16")
    '# images of #x#, agrees to #'
    """
    return _NUMBER.sub("#", text)


def section(where: str) -> str:
    """Return a place such as ``"D2 math 4"`` in Chinese.

    Examples
    --------
    >>> from minigrad.learn.chinese import section
    >>> section("D0 4.3")
    'D0 4.3'
    """
    table = _table(COMMON)
    names = sorted((k for k in table if k.startswith("section ")), key=len, reverse=True)
    for key in names:
        where = re.sub(rf"\b{re.escape(key.removeprefix('section '))}\b", table[key], where)
    return where.replace(", ", "\u3001")
