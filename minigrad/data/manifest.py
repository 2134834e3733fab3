"""What is known of a data set before any file is seen: names, sizes, checksums, mirrors."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class IdxFile:
    """One IDX file of unsigned bytes.

    Attributes
    ----------
    name : str
        Its name, not compressed; the compressed file has ``.gz`` after it.
    shape : tuple of int
        The sizes that it holds.
    sha256 : str
        Of the content, not compressed: the same for a raw file and for every compression of it.
    gz_sha256 : str
        Of the ``.gz`` file that the mirrors serve.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str
    gz_sha256: str

    @property
    def nbytes(self) -> int:
        """The length of the content, not compressed."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)

    @property
    def spellings(self) -> tuple[str, ...]:
        """The names under which it is accepted; some archives write a dot for the dash."""
        dotted = self.name.replace("-idx", ".idx")
        return (self.name, f"{self.name}.gz", dotted, f"{dotted}.gz")


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """A data set of images in four IDX files.

    Attributes
    ----------
    title, loader : str
        Its name, and the name of the function that loads it.
    files : tuple of IdxFile
        Training images, training labels, test images, test labels.
    subfolders : tuple of str
        Where in a data folder its files may lie, in the order in which they are tried. The first
        is also its folder in the cache.
    mirrors : tuple of str
        Addresses to which a file's name with ``.gz`` is appended, in the order of trial.
    cures : tuple of str
        Other ways to get it, each a line that can be typed.
    class_names, description, source, licence
        As in `minigrad.data.ImageSplits`.
    """

    title: str
    loader: str
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]
    subfolders: tuple[str, ...]
    mirrors: tuple[str, ...]
    cures: tuple[str, ...]
    class_names: tuple[str, ...]
    description: str
    source: str
    licence: str
