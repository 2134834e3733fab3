"""Where data files are looked for on this machine, and in which order."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from minigrad.data.manifest import ImageSet

DATA_VARIABLE = "MINIGRAD_DATA"
CACHE_VARIABLE = "MINIGRAD_CACHE"

# Debian's packages named dataset-* put their files in folders of their own under this one.
SYSTEM_FOLDER = Path("/usr/share/datasets")


@dataclass(frozen=True)
class Place:
    """A folder that may hold data sets; `folder` is None when nobody named one."""

    label: str
    folder: Path | None


def cache_folder() -> Path:
    """Return the folder for downloads: ``MINIGRAD_CACHE``, else the platform's own.

    It equals ``pooch.os_cache("minigrad")``, computed here so that it is the same folder whether
    pooch is installed or not, and so that looking into it need not import pooch.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
        return local / "minigrad" / "minigrad" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "minigrad"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "minigrad"


def places(root: str | os.PathLike[str] | None) -> tuple[Place, ...]:
    """Return the places in the order in which they are searched."""
    named = os.environ.get(DATA_VARIABLE)
    return (
        Place("argument root", None if root is None else Path(root).expanduser()),
        Place(f"environment variable {DATA_VARIABLE}", Path(named).expanduser() if named else None),
        Place("cache", cache_folder()),
        Place("system", SYSTEM_FOLDER),
    )


def find(place: Place, wanted: ImageSet) -> tuple[list[Path] | None, str]:
    """Look for all four files of a set in one folder of a place.

    Returns
    -------
    paths : list of pathlib.Path or None
        The files in the order of ``wanted.files``; None when no folder has all of them.
    note : str
        What was seen, for the message that says where everything was looked for.
    """
    if place.folder is None:
        return None, f"{place.label}: not given"
    if not place.folder.is_dir():
        what = "not a folder" if place.folder.exists() else "no such folder"
        return None, f"{place.label}: {place.folder} ({what})"
    incomplete = []
    for subfolder in wanted.subfolders:
        folder = place.folder / subfolder
        hits = [_first_file(folder, file.spellings) for file in wanted.files]
        paths = [path for path in hits if path is not None]
        if len(paths) == len(hits):
            return paths, f"{place.label}: {folder}"
        if paths:
            pairs = zip(wanted.files, hits, strict=True)
            lacking = ", ".join(file.name for file, hit in pairs if hit is None)
            incomplete.append(f"{folder} lacks {lacking}")
    tried = ", ".join(subfolder for subfolder in wanted.subfolders if subfolder != ".")
    seen = "; ".join(incomplete) or f"none of the files there or in its {tried}"
    return None, f"{place.label}: {place.folder} ({seen})"


def _first_file(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
