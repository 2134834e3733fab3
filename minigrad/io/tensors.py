"""A safetensors file of ours: named arrays and text, with a checksum over all of it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.io.atomic import write_atomic
from minigrad.io.errors import CheckpointError
from minigrad.io.tree import Arrays

FORMAT = 1  # raised when a file can no longer be read by what was released before
KEYS = ("minigrad.format", "minigrad.version", "minigrad.tree", "minigrad.digest")
INSTALL = 'python -m pip install "minigrad-engine[train]"'

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip


def write(path: str | os.PathLike[str], arrays: Arrays, tree: str) -> None:
    """Write arrays and the text that says how they belong together, atomically."""
    numpy_side = _library("safetensors.numpy")
    # The front door states the version; a floor does not go through it, it only reads the sign.
    version = getattr(sys.modules.get("minigrad"), "__version__", "unknown")
    text = dict(zip(KEYS, (str(FORMAT), version, tree), strict=False))
    text["minigrad.digest"] = digest(text, arrays)
    # To bytes and not to a file: so a full disk is an OSError of Python's, and nothing is torn.
    write_atomic(path, numpy_side.save(arrays, text))


def read(path: str | os.PathLike[str]) -> tuple[Arrays, str | None]:
    """Return the arrays of a file, checked, and its text; None for a file that is not ours.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    CheckpointError
        The file is not in safetensors format, was altered, or comes from a newer minigrad.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    library = _library("safetensors")
    data = path.read_bytes()  # once: the file may be replaced at any time
    try:
        found = library.deserialize(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (library.SafetensorError, ValueError) as error:
        raise CheckpointError(_not_safetensors(path, data, error)) from error
    text = header.get("__metadata__") or {}
    arrays = {name: _array(path, name, info) for name, info in found}
    if not any(key in text for key in KEYS):
        return arrays, None
    _check(path, text, arrays)
    return arrays, text["minigrad.tree"]


def digest(text: dict[str, str], arrays: Arrays) -> str:
    """Return the checksum of all text but itself, and of every array with its name and type."""
    total = hashlib.blake2b(digest_size=16)
    total.update(json.dumps([[k, text[k]] for k in sorted(text) if k != KEYS[-1]]).encode())
    for name in sorted(arrays):
        array = arrays[name]
        total.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def _check(path: Path, text: dict[str, str], arrays: Arrays) -> None:
    """Raise unless a file of ours is whole and of a format that is known."""
    number = text.get("minigrad.format", "")
    if number.isdecimal() and int(number) > FORMAT:
        raise CheckpointError(
            f"{path} has format {number}, written by minigrad {text.get('minigrad.version')}; this "
            f"one reads formats up to {FORMAT}: install a newer minigrad"
        )
    missing = [key for key in KEYS if key not in text]
    if missing or digest(text, arrays) != text["minigrad.digest"]:
        raise CheckpointError(
            f"{path} was altered after it was saved: its checksum does not agree; none of it was "
            "loaded, take an earlier copy"
        )


def _array(path: Path, name: str, info: dict[str, Any]) -> np.ndarray[Any, Any]:
    if info["dtype"] == "BF16":  # the upper half of a float32
        bits = np.frombuffer(info["data"], "<u2").astype("<u4") << 16
        return bits.view("<f4").reshape(info["shape"])
    if info["dtype"] not in _DTYPES:
        known = ", ".join(sorted([*_DTYPES, "BF16"]))
        raise CheckpointError(
            f"{path}: {name} has dtype {info['dtype']}, which NumPy has not; known are {known}"
        )
    # A copy: it owns its memory and can be written to.
    values = np.frombuffer(info["data"], _DTYPES[info["dtype"]]).reshape(info["shape"])
    return values.astype(values.dtype.newbyteorder("="))


def _not_safetensors(path: Path, data: bytes, error: Exception) -> str:
    text = f"{path} is not a whole safetensors file ({len(data):,} bytes): {error}"
    if data[:2] == b"PK" or data[:1] == b"\x80":
        text += (
            "; it looks like torch.save's pickle, which can run any code and is never read here: "
            "in torch, safetensors.torch.save_file(model.state_dict(), path) makes a file that is"
        )
    elif not data:
        text += "; it is empty"
    return text


def _library(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"saving and loading need safetensors: {INSTALL}") from error
