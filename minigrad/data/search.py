"""Search for a set of images, verify what is found, download what is not, and parse it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from minigrad.data.errors import DataNotFoundError
from minigrad.data.fetch import INSTALL_POOCH, DownloadError, fetch, has_pooch, why_offline
from minigrad.data.idx import parse_idx
from minigrad.data.manifest import ImageSet
from minigrad.data.places import DATA_VARIABLE, Place, cache_folder, find, places
from minigrad.data.records import ImageSplits
from minigrad.data.verify import read_verified


def load_image_set(
    wanted: ImageSet,
    known: Mapping[str, str],
    root: str | os.PathLike[str] | None,
    offline: bool | None,
    mirrors: Sequence[str] | None,
) -> ImageSplits:
    """Load a set from the first place that has all of its files; `load_mnist` tells the rest."""
    if isinstance(mirrors, str):
        raise TypeError(f"mirrors must be a list of addresses, not the string {mirrors!r}")
    looked = []
    for place in places(root):
        paths, note = find(place, wanted)
        if paths is not None:
            return _read(wanted, paths, known)
        looked.append(note)

    forbidden = why_offline(offline)
    if forbidden:
        looked.append(f"download: forbidden by {forbidden}")
    else:
        cache = cache_folder()
        try:
            fetch(
                wanted.files,
                cache / wanted.subfolders[0],
                wanted.mirrors if mirrors is None else mirrors,
            )
        except ImportError as error:
            looked.append(f"download: {error}")
        except DownloadError as error:
            looked.append("download: " + str(error).replace("\n", "\n     "))
        else:
            paths, note = find(Place("cache", cache), wanted)
            if paths is not None:
                return _read(wanted, paths, known)
            looked.append(f"{note}, although the download reported success")
    raise DataNotFoundError(_not_found(wanted, looked, forbidden))


def _read(wanted: ImageSet, paths: Sequence[Path], known: Mapping[str, str]) -> ImageSplits:
    arrays = [
        parse_idx(read_verified(path, file, known), str(path))
        for path, file in zip(paths, wanted.files, strict=True)
    ]
    return ImageSplits(
        train_x=arrays[0],
        train_y=arrays[1].astype(np.int64),
        test_x=arrays[2],
        test_y=arrays[3].astype(np.int64),
        pixel_max=255,
        class_names=wanted.class_names,
        folder=paths[0].parent,
        description=wanted.description,
        source=wanted.source,
        licence=wanted.licence,
    )


def _not_found(wanted: ImageSet, looked: Sequence[str], forbidden: str) -> str:
    cures = []
    if forbidden:
        cures.append(f"let it download: {wanted.loader}(offline=False)")
    if not has_pooch():
        cures.append(f"{INSTALL_POOCH}   (brings pooch, which downloads; then load again)")
    cures.extend(wanted.cures)
    cures.append(
        f"fetch the four by hand, the first from {wanted.mirrors[0]}{wanted.files[0].name}.gz , "
        f'into a folder DIR; then {wanted.loader}("DIR")'
    )
    cures.append(
        f"for good: put them into DIR/{wanted.subfolders[0]}, and set the environment variable "
        f"{DATA_VARIABLE}=DIR"
    )
    return "\n".join(
        [
            f"{wanted.title} was not found. It is these four files, each as it is or as .gz:",
            *(f"  {file.name}" for file in wanted.files),
            "Looked, in this order, in",
            *(f"  {i}. {line}" for i, line in enumerate(looked, 1)),
            "Any of these cures it:",
            *(f"  - {line}" for line in cures),
        ]
    )
