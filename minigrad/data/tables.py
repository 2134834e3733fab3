"""CSV files into arrays: every value checked, every fault named by line and column."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.data.csv_cells import Cells
from minigrad.data.csv_rows import Reader, Rows
from minigrad.data.errors import DataFileError
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
    table = Rows(Reader(Path(path), delimiter, encoding, max_line), header, names)
    chosen = _choose(table.names, target, columns)
    cells = Cells(dtype, missing_values)
    targets = Cells(np.dtype(np.float64), missing_values)
    values: Any = array("d" if dtype.kind == "f" else "q")
    labels: list[str] = []
    numbers = array("d")
    dropped = 0
    for row in table:
        found = cells.row([row[i] for i in chosen.features])
        absent = [i for i in chosen.features if cells.is_missing(row[i])] if found is None else []
        if chosen.target is not None and cells.is_missing(row[chosen.target]):
            absent.append(chosen.target)
        if absent and missing == "drop":
            dropped += 1
            continue
        if absent and (missing == "error" or chosen.target in absent):
            at = chosen.target if missing == "nan" and chosen.target is not None else absent[0]
            raise table.fault(at, _cure_missing(row[at], dtype, at == chosen.target))
        if found is None:
            found = [
                np.nan if i in absent else _number(cells, row, i, table) for i in chosen.features
            ]
        values.extend(found)
        if chosen.target is not None and target_kind == "number":
            numbers.append(_number(targets, row, chosen.target, table))
        elif chosen.target is not None:
            labels.append(row[chosen.target].strip())
            if classes is not None and labels[-1] not in classes:
                raise table.fault(
                    chosen.target,
                    f"{labels[-1]!r} is none of the {len(classes)} classes "
                    f"{_shown(list(classes))}: mend the label, or add the class",
                )
    rows = len(values) // len(chosen.features)
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


@dataclass(frozen=True)
class _Chosen:
    features: list[int]
    target: int | None


def _choose(
    names: list[str], target: str | int | None, columns: Sequence[str | int] | None
) -> _Chosen:
    at = None if target is None else _column(names, target, "target")
    if columns is None:
        features = [i for i in range(len(names)) if i != at]
    else:
        features = [_column(names, name, "columns") for name in columns]
    if not features or len(set(features)) != len(features) or at in features:
        raise ValueError(
            f"the features are the columns {[names[i] for i in features]} and the target is "
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


def _number(cells: Cells, row: Sequence[str], column: int, table: Rows) -> Any:
    try:
        return cells.number(row[column])
    except ValueError as error:
        raise table.fault(column, str(error)) from None


def _cure_missing(cell: str, dtype: np.dtype, is_target: bool) -> str:
    cures = 'missing="drop"'
    if dtype.kind == "f" and not is_target:
        cures += ' or missing="nan"'
    return f"a value is missing ({cell!r}): fill it in, or pass {cures}"


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
