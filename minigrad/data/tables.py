"""CSV files into arrays: every value checked, every fault named by line and column."""

from __future__ import annotations

import csv
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.data.errors import DataFileError
from minigrad.data.lines import text_lines
from minigrad.data.records import _Record

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CsvData(_Record):
    """What a CSV file holds.

    Attributes
    ----------
    x : ndarray, shape (rows, features)
        The columns of numbers.
    y : ndarray of int64 or float64, shape (rows,), or None
        The target: of classes the index into `class_names`, else the number.
    feature_names : tuple of str
        The columns of `x`.
    target_name : str or None
        The column of `y`.
    class_names : tuple of str or None
        The classes; None if the target is a number.
    dropped : int
        Rows that were left out because a value was missing.
    path : pathlib.Path
        The file.
    """

    x: np.ndarray
    y: np.ndarray | None
    feature_names: tuple[str, ...]
    target_name: str | None
    class_names: tuple[str, ...] | None
    dropped: int
    path: Path


def read_csv(
    path: str | os.PathLike[str],
    target: str | int | None = None,
    *,
    target_kind: str = "class",
    classes: Sequence[str] | None = None,
    columns: Sequence[str | int] | None = None,
    dtype: Any = np.float64,
    delimiter: str = ",",
    header: bool = True,
    names: Sequence[str] | None = None,
    missing: str = "error",
    missing_values: Sequence[str] = MISSING,
    encoding: str = "utf-8",
    max_line: int = 1 << 24,
) -> CsvData:
    r"""Read a table of numbers, and one target column of classes or numbers.

    The file is read line by line and only the numbers are kept; a file is used as a whole or not
    at all.

    Parameters
    ----------
    path : str or path
        The file. A UTF-8 byte order mark, CR LF line ends and quoted fields are understood.
    target : str or int, optional
        The column to predict, by name or number (-1 is the last). Without it all columns are
        features and `y` is None.
    target_kind : {"class", "number"}
        Whether the target's values are names of classes (text or whole numbers) or numbers.
    classes : sequence of str, optional
        The classes, in order; any other label is refused. Without it they are the labels that
        come up, in the order of the alphabet, or of their size if all are whole numbers.
    columns : sequence of str or int, optional
        The features; all columns but the target if not given.
    dtype : numpy dtype
        Of `x`: a floating or an integer type. A value that does not fit it is refused.
    delimiter : str
        One character.
    header : bool
        Whether the first line names the columns.
    names : sequence of str, optional
        Names of the columns, in place of those of the header or where there is none.
    missing : {"error", "nan", "drop"}
        What a missing feature does: raise, become NaN, or leave its row out (`dropped` counts
        them). A row with a missing target is refused, or left out with "drop".
    missing_values : sequence of str
        What a missing value looks like.
    encoding : str
        Of the text.
    max_line : int
        The longest line, in bytes, that is taken for one.

    Raises
    ------
    DataFileError
        The file is empty or no such table; the message begins with ``path:line`` and, where it
        is about one value, the column.
    ValueError
        An argument that cannot be.
    FileNotFoundError
        There is no such file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from minigrad.data import read_csv
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pets.csv"
    >>> n = path.write_text("kg,legs,kind\n4.1,4,cat\n0.3,2,bird\n3.9,4,cat\n", encoding="utf-8")
    >>> pets = read_csv(path, target="kind")
    >>> pets.x[0], pets.y, pets.class_names
    (array([4.1, 4. ]), array([1, 0, 1]), ('bird', 'cat'))
    >>> n = path.write_text("kg,legs,kind\n4.1,4,cat\n0.3,two,bird\n", encoding="utf-8")
    >>> try:
    ...     read_csv(path, target="kind")
    ... except ValueError as error:
    ...     print(str(error).replace(str(path), "pets.csv"))
    pets.csv:3: column 2 ('legs'): 'two' is not a number: mend it, or leave it out of columns
    """
    dtype = np.dtype(dtype)
    _check_arguments(dtype, target_kind, missing, delimiter, max_line, classes, target)
    reader = _Reader(Path(path), delimiter, encoding, max_line)
    table = _Table(reader, header, names)
    chosen = _choose(table, target, columns)
    values: Any = array("d" if dtype.kind == "f" else "q")
    labels: list[str] = []
    numbers = array("d")
    absent = frozenset(missing_values)
    dropped = 0
    for row in table:
        row_missing = [i for i in chosen.all if row[i].strip() in absent]
        if row_missing and missing == "drop":
            dropped += 1
            continue
        if row_missing and (missing == "error" or chosen.target in row_missing):
            raise table.fault(
                row_missing[0],
                f"a value is missing ({row[row_missing[0]]!r}): fill it in, or pass "
                + ('missing="drop"' if dtype.kind != "f" else 'missing="drop" or missing="nan"'),
            )
        for i in chosen.features:
            values.append(np.nan if i in row_missing else _number(row[i], dtype, table, i))
        if chosen.target is not None:
            if target_kind == "class":
                labels.append(row[chosen.target].strip())
                if classes is not None and labels[-1] not in classes:
                    raise table.fault(
                        chosen.target,
                        f"{labels[-1]!r} is none of the {len(classes)} classes "
                        f"{_shown(list(classes))}: mend the label, or add the class",
                    )
            else:
                kind = np.dtype(np.float64)
                numbers.append(_number(row[chosen.target], kind, table, chosen.target))
    rows = len(values) // max(1, len(chosen.features))
    if rows == 0:
        raise DataFileError(
            f"{path}: there is no row of data"
            + (f" without a missing value ({dropped} were dropped)" if dropped else " in it")
        )
    y: np.ndarray | None = None
    class_names = None
    if chosen.target is not None and target_kind == "class":
        class_names = tuple(_in_order(labels) if classes is None else classes)
        index = {name: i for i, name in enumerate(class_names)}
        y = np.fromiter((index[label] for label in labels), np.int64, rows)
    elif chosen.target is not None:
        y = np.array(numbers)
    return CsvData(
        x=np.frombuffer(values, "f8" if dtype.kind == "f" else "i8")
        .astype(dtype)
        .reshape(rows, len(chosen.features)),
        y=y,
        feature_names=tuple(table.names[i] for i in chosen.features),
        target_name=None if chosen.target is None else table.names[chosen.target],
        class_names=class_names,
        dropped=dropped,
        path=Path(path),
    )


class _Reader:
    """The rows of a CSV file; `line` is the one at which the last row ended."""

    def __init__(self, path: Path, delimiter: str, encoding: str, max_line: int) -> None:
        self.path = path
        self._csv = csv.reader(
            text_lines(path, encoding, max_line), delimiter=delimiter, strict=True
        )

    @property
    def line(self) -> int:
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


class _Table:
    """Rows of one length under a header; blank lines are understood only at the end."""

    def __init__(self, reader: _Reader, header: bool, names: Sequence[str] | None) -> None:
        self._reader = reader
        self._rows = iter(reader)
        self._held: list[str] | None = None
        first = next((row for row in self._rows if row), None)
        if first is None:
            raise DataFileError(f"{reader.path}: the file is empty: there is no header and no row")
        if header and names is None and all(_is_number(cell) for cell in first):
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
        return DataFileError(
            f"{self._reader.path}:{self._reader.line}: column {column + 1} ({name!r}): {what}"
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


@dataclass(frozen=True)
class _Chosen:
    features: list[int]
    target: int | None

    @property
    def all(self) -> list[int]:
        return self.features if self.target is None else [*self.features, self.target]


def _choose(
    table: _Table, target: str | int | None, columns: Sequence[str | int] | None
) -> _Chosen:
    at = None if target is None else _column(table.names, target, "target")
    if columns is None:
        features = [i for i in range(len(table.names)) if i != at]
    else:
        features = [_column(table.names, name, "columns") for name in columns]
    if not features or len(set(features)) != len(features) or at in features:
        raise ValueError(
            f"the features are the columns {[table.names[i] for i in features]} and the target is "
            f"{target!r}: there must be a feature, no column twice, and the target none of them"
        )
    return _Chosen(features, at)


def _column(names: list[str], wanted: str | int, argument: str) -> int:
    if isinstance(wanted, str):
        if wanted not in names:
            raise ValueError(f"{argument}: there is no column {wanted!r}; there are {names}")
        return names.index(wanted)
    if not -len(names) <= wanted < len(names):
        raise ValueError(f"{argument}: there is no column number {wanted}; there are {len(names)}")
    return wanted % len(names)


def _number(cell: str, dtype: np.dtype, table: _Table, column: int) -> float:
    text = cell.strip()
    if not _is_number(text):
        raise table.fault(
            column, f"{text[:40]!r} is not a number: mend it, or leave it out of columns"
        )
    if dtype.kind == "f":
        value = float(text)
        if not abs(value) <= np.finfo(dtype).max:
            raise table.fault(column, f"{text} is not a finite {dtype.name}: mend it")
        return value
    try:
        whole = int(text)
    except ValueError:
        raise table.fault(
            column, f"{text} is not a whole number, and dtype is {dtype.name}: pass dtype=float"
        ) from None
    limits = np.iinfo(dtype)
    if not limits.min <= whole <= limits.max:
        raise table.fault(
            column, f"{whole} does not fit {dtype.name} ({limits.min} to {limits.max})"
        )
    return whole


def _is_number(cell: str) -> bool:
    if "_" in cell:  # Python reads 1_000 as a number; a table means something else by it
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _in_order(labels: list[str]) -> list[str]:
    unlike = sorted(set(labels))
    try:
        return sorted(unlike, key=int)
    except ValueError:
        return unlike


def _shown(items: list[str]) -> str:
    return ", ".join(map(repr, items[:10])) + (", ..." if len(items) > 10 else "")


def _check_arguments(
    dtype: np.dtype,
    target_kind: str,
    missing: str,
    delimiter: str,
    max_line: int,
    classes: Sequence[str] | None,
    target: str | int | None,
) -> None:
    if dtype.kind not in "fi" and dtype not in (np.uint8, np.uint16, np.uint32):
        raise ValueError(f"dtype must be a floating or an integer type, not {dtype}")
    if target_kind not in ("class", "number"):
        raise ValueError(f"target_kind must be 'class' or 'number', not {target_kind!r}")
    if classes is not None and (target is None or target_kind != "class"):
        raise ValueError(
            "classes names the labels of a target: pass target, and target_kind='class'"
        )
    if missing not in ("error", "nan", "drop"):
        raise ValueError(f"missing must be 'error', 'nan' or 'drop', not {missing!r}")
    if missing == "nan" and dtype.kind != "f":
        raise ValueError(f"missing='nan' needs a floating dtype: {dtype} has no NaN")
    if len(delimiter) != 1:
        raise ValueError(f"delimiter must be one character, not {delimiter!r}")
    if max_line < 1:
        raise ValueError(f"max_line must be positive, not {max_line}")
