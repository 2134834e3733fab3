"""Read a file, and hand its content out only if its SHA-256 is the expected one."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Mapping
from pathlib import Path

from minigrad.data.errors import DataFileError
from minigrad.data.manifest import IdxFile

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20


def read_verified(path: Path, expected: IdxFile, known: Mapping[str, str]) -> bytes:
    """Return the decompressed content of a raw or gzipped file, after its checksum was checked.

    Parameters
    ----------
    path : pathlib.Path
        The file. Whether it is compressed is read from its first bytes, not from its name: some
        browsers unpack a ``.gz`` and keep the name.
    expected : IdxFile
        What it should hold.
    known : mapping of str to str
        SHA-256 to name, of files it may have been confused with.

    Raises
    ------
    DataFileError
        The content is not the expected one: both checksums, what seems wrong, and the cure.
    """
    digest = hashlib.sha256()
    parts: list[bytes] = []
    size = 0
    broken = ""
    with open(path, "rb") as raw:
        zipped = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        stream: io.BufferedIOBase = gzip.GzipFile(fileobj=raw) if zipped else raw
        try:
            while chunk := stream.read1(_CHUNK):  # read would lose what precedes an error
                digest.update(chunk)
                size += len(chunk)
                if size <= expected.nbytes:  # what is longer is wrong: hash it, do not keep it
                    parts.append(chunk)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            broken = str(error)
    found = digest.hexdigest()
    if found == expected.sha256 and not broken:
        return b"".join(parts)

    stored = "decompressed " if zipped else ""
    if broken:
        wrong = f"its gzip data is broken after {size:,} decompressed bytes ({broken})"
    elif found in known:
        wrong = f"it is a whole copy of {known[found]}"
    elif size == 0:
        wrong = "it is empty"
    elif parts and parts[0].lstrip()[:1] == b"<":
        wrong = "it looks like a web page, as a failed download leaves"
    elif size < expected.nbytes:
        wrong = f"it is truncated, {size:,} of {expected.nbytes:,} {stored}bytes"
    elif size > expected.nbytes:
        wrong = f"it is too long, {size:,} {stored}bytes where {expected.nbytes:,} belong"
    else:
        wrong = "it was altered: the size is right, the content is not"
    if found in known:
        cure = "give each data set a folder of its own, and each file its own name"
    else:
        cure = "delete that file, or put a whole copy in its place; then load again"
    raise DataFileError(
        f"{path} is not the right {expected.name}: {wrong}. It was not used.\n"
        f"  expected SHA-256 (decompressed): {expected.sha256}\n"
        f"  found    SHA-256 (decompressed): {found}{' (of the part read)' if broken else ''}\n"
        f"  cure: {cure}"
    )
