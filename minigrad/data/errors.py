"""What can go wrong with data files: one is not what it should be, or none is found."""

from __future__ import annotations


class DataFileError(ValueError):
    """A data file is truncated, altered, or another file; none of it was used."""


class DataNotFoundError(FileNotFoundError):
    """No place holds the data set, and it was not downloaded; the message lists the places."""
