"""The book: the lessons as executed pages, the op table, the reference and the errata, in HTML."""

from minigrad.book.build import BookError, build

__all__ = ["BookError", "build"]
