"""Rows of a CSV file under its header: of one length, and each fault named by its line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from minigrad.data.csv_cells import is_number
from minigrad.data.errors import DataFileError
from minigrad.data.lines import text_lines


class Reader:
    """The rows of a CSV file; `line` is the one at which the last row ended."""

    def __init__(self, path: Path, delimiter: str, encoding: str, max_line: int) -> None:
        self.path = path
        self._csv = csv.reader(
            text_lines(path, encoding, max_line), delimiter=delimiter, strict=True
        )

    @property
    def line(self) -> int:
        """The line, from 1 on."""
        return self._csv.line_num

    def __iter__(self) -> Iterator[list[str]]:
        begun = 1
        while True:
            begun = self.line + 1
            try:
                row = next(self._csv)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataFileError(f"{self.path}:{begun}: {_csv_fault(error)}") from error
            yield row


def _csv_fault(error: csv.Error) -> str:
    text = str(error)
    if "new-line character" in text:
        return "a carriage return stands inside the line: save the file with LF or CR LF line ends"
    if "field larger" in text:
        return (
            f"a field is larger than {csv.field_size_limit():,} characters: most likely a quote "
            "that opens there is never closed; csv.field_size_limit raises the limit"
        )
    if "unexpected end" in text:
        return "a quote that opens there is never closed"
    return f"the quotes are wrong ({text}): a quote inside a quoted field is written twice"


class Rows:
    """Rows of one length under a header; blank lines are understood only at the end."""

    def __init__(self, reader: Reader, header: bool, names: Sequence[str] | None) -> None:
        self._reader = reader
        self._rows = iter(reader)
        self._held: list[str] | None = None
        first = next((row for row in self._rows if row), None)
        if first is None:
            raise DataFileError(f"{reader.path}: the file is empty: there is no header and no row")
        if header and names is None and all(is_number(cell) for cell in first):
            raise DataFileError(
                f"{reader.path}:{reader.line}: the first line holds only numbers, so it seems to "
                "be data and not a header: pass header=False, or names=[...] to name the columns"
            )
        if not header:
            self._held = first
        shown = [cell.strip() for cell in first] if header else list(map(str, range(len(first))))
        self.names = shown if names is None else list(names)
        if len(self.names) != len(first):
            raise ValueError(
                f"names has {len(self.names)} names, and line {reader.line} of {reader.path} has "
                f"{len(first)} columns"
            )
        for i, name in enumerate(self.names):
            if not name or name in self.names[:i]:
                what = f"the name {name!r} stands there twice" if name else "the name is empty"
                raise self.fault(i, f"{what}: give every column a name of its own, or pass names")

    def fault(self, column: int, what: str) -> DataFileError:
        """Return an error about one column of the present row."""
        name = self.names[column]
        hint = (
            " (the table has one column: is the delimiter right?)" if len(self.names) == 1 else ""
        )
        return DataFileError(
            f"{self._reader.path}:{self._reader.line}: column {column + 1} ({name!r}): {what}{hint}"
        )

    def __iter__(self) -> Iterator[list[str]]:
        if self._held is not None:
            yield self._held
        blank = 0
        for row in self._rows:
            where = f"{self._reader.path}:{self._reader.line}"
            if not row:
                blank = blank or self._reader.line
                continue
            if blank:
                raise DataFileError(
                    f"{self._reader.path}:{blank}: a blank line among the rows: remove it, or fill "
                    "the row in"
                )
            if len(row) != len(self.names):
                raise DataFileError(
                    f"{where}: the row has {len(row)} fields, and the table has "
                    f"{len(self.names)} columns: {_cure_ragged(row, self.names)}"
                )
            yield row


def _cure_ragged(row: list[str], names: list[str]) -> str:
    if len(row) == 1 or len(names) == 1:
        return "is the delimiter right?"
    if len(row) < len(names):
        return f"values are missing from column {len(row) + 1} ({names[len(row)]!r}) on"
    return "put quotes around a field that holds the delimiter"
