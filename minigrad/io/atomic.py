"""Writing a file so that its readers see the old one or the new one, and never a part."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Write bytes under a temporary name in the same folder, and rename.

    The data are on the disk before the new name is, so that not even a power cut leaves a torn
    file. If anything fails, what stood there before is unchanged.

    Raises
    ------
    FileNotFoundError
        The folder does not exist.
    OSError
        The system refuses: no space, no permission; the text says that nothing was changed.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; make it first")
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        _remove(temporary)
        kept = "the file that was there is unchanged" if path.exists() else "no file was made"
        raise OSError(
            error.errno,
            f"{path} was not written ({len(data):,} bytes): {error.strerror}; {kept}",
        ) from error
    except BaseException:  # Ctrl-C too leaves nothing behind
        _remove(temporary)
        raise
    _sync_folder(path.parent)
    _remove_orphans(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # of what did not even come to be
        path.unlink()


def _sync_folder(folder: Path) -> None:
    """Put the rename itself on the disk, where the system can open a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_orphans(path: Path) -> None:
    """Remove temporary files of this file that killed processes left behind."""
    pattern = re.compile(re.escape(f".{path.name}.") + r"(\d+)-[0-9a-f]{8}\.tmp")
    for found in path.parent.iterdir():
        match = pattern.fullmatch(found.name)
        if match and not _lives(int(match[1])):
            _remove(found)


def _lives(process: int) -> bool:
    """Say whether a process may be running (where that cannot be asked, it may)."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
