"""Lines of a text file, one at a time, in bounded memory, with what is wrong told by line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from minigrad.data.errors import DataFileError

# The longer marks first: that of UTF-32 (little-endian) begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_lines(path: Path, encoding: str, max_line: int) -> Iterator[str]:
    r"""Yield the lines of a file with their ``\n`` or ``\r\n``; a UTF-8 byte order mark is dropped.

    Never more than one line is held, and of a line never more than `max_line` bytes.

    Raises
    ------
    DataFileError
        A line longer than that, a NUL byte, bytes that are not of the encoding, or an encoding
        that has no lines of bytes (UTF-16, UTF-32); the message names the line and the cure.
    """
    number = 0
    with open(path, "rb") as file:
        while line := file.readline(max_line + 1):
            number += 1
            where = f"{path}:{number}"
            if number == 1:
                for mark, name in _MARKS:
                    if line.startswith(mark):
                        raise DataFileError(
                            f"{where}: the file is in {name.upper()}, which spreadsheets call "
                            "Unicode text: save it as CSV UTF-8"
                        )
                line = line.removeprefix(codecs.BOM_UTF8)
            if len(line) > max_line:
                raise DataFileError(
                    f"{where}: the line is longer than {max_line:,} bytes and was not read: this "
                    "is no table, or a line end is missing; raise max_line if it is right"
                )
            if b"\0" in line:
                raise DataFileError(
                    f"{where}: byte {line.index(0) + 1} of the line is NUL: the file is binary, "
                    "damaged, or in UTF-16; save it as CSV UTF-8"
                )
            try:
                yield line.decode(encoding)
            except UnicodeDecodeError as error:
                raise DataFileError(
                    f"{where}: byte {error.start + 1} of the line, "
                    f"0x{line[error.start]:02x}, is not {encoding}: save the file as UTF-8, or "
                    'pass its encoding, such as encoding="latin-1" or "gbk"'
                ) from error
