"""Checksum-verified download into the cache, from the first mirror that serves the right bytes."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from minigrad.data.manifest import IdxFile

OFFLINE_VARIABLE = "MINIGRAD_OFFLINE"
INSTALL_POOCH = 'python -m pip install "minigrad-engine[data]"'


class DownloadError(OSError):
    """No mirror served a file; the message has one line for each of them."""


def why_offline(offline: bool | None) -> str:
    """Say why downloads are forbidden; an empty string when they are allowed.

    An argument that is not None decides; else the environment variable ``MINIGRAD_OFFLINE`` does,
    where empty, ``0``, ``false``, ``no`` and ``off`` mean that downloads are allowed.
    """
    if offline is not None:
        return "offline=True" if offline else ""
    value = os.environ.get(OFFLINE_VARIABLE, "")
    if value.strip().lower() in ("", "0", "false", "no", "off"):
        return ""
    return f"{OFFLINE_VARIABLE}={value}"


def has_pooch() -> bool:
    """Say whether pooch could be imported, without importing it."""
    return importlib.util.find_spec("pooch") is not None


def fetch(files: Sequence[IdxFile], folder: Path, mirrors: Sequence[str]) -> None:
    """Download the compressed files into a folder; those that are there and right are kept.

    A file is written under a temporary name and moved to its own only when its SHA-256 is right.

    Raises
    ------
    ImportError
        pooch is not installed: the message has the line that installs it.
    DownloadError
        No mirror served the right bytes of a file. Files that came before it stay in the folder,
        so that the next call goes on from there.
    """
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            f"needs pooch, which cannot be imported ({error}): {INSTALL_POOCH}"
        ) from error

    order = list(mirrors)
    for file in files:
        name = f"{file.name}.gz"
        failures = []
        for mirror in order:
            url = f"{mirror.rstrip('/')}/{name}"
            try:
                pooch.retrieve(url, f"sha256:{file.gz_sha256}", fname=name, path=folder)
            except (OSError, ValueError) as error:  # requests' errors are OSErrors
                failures.append(f"{url}: {error}")
                continue
            # A mirror that works is asked first for the next file: a dead one costs one timeout.
            order.remove(mirror)
            order.insert(0, mirror)
            break
        else:
            raise DownloadError("\n".join(failures) or f"{name}: no mirror was given")
