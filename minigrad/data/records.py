"""What the loaders return: plain frozen records of NumPy arrays with their provenance."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np


class _Record:
    """Show arrays by dtype and shape: a record on the screen is a summary, not a dump."""

    def __repr__(self) -> str:
        parts = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value = f"{value.dtype}{list(value.shape)}"
            else:
                value = repr(value)
            parts.append(f"  {field.name}: {value}")
        return "\n".join([type(self).__name__, *parts])


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Table(_Record):
    """Rows of measurements, each with its class.

    Attributes
    ----------
    x : ndarray of float64, shape (rows, features)
        The measurements.
    y : ndarray of int64, shape (rows,)
        The class of each row, an index into `class_names`.
    feature_names, class_names : tuple of str
        The columns of `x`, with their unit, and the classes.
    description, source, licence : str
        What it is, who made it, and what may be done with it.
    """

    x: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    description: str
    source: str
    licence: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Images(_Record):
    """Images, each with its class.

    Attributes
    ----------
    x : ndarray of uint8, shape (images, height, width), or (images, 3, height, width) in colour
        The pixels, from 0 to `pixel_max`.
    y : ndarray of int64, shape (images,)
        The class of each image, an index into `class_names`.
    pixel_max : int
        The largest value that a pixel can have: ``x / pixel_max`` lies in 0..1.
    class_names : tuple of str
        The classes.
    description, source, licence : str
        What it is, who made it, and what may be done with it.
    """

    x: np.ndarray
    y: np.ndarray
    pixel_max: int
    class_names: tuple[str, ...]
    description: str
    source: str
    licence: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ImageSplits(_Record):
    """Grey images that their makers split into a training and a test part.

    Attributes
    ----------
    train_x, test_x : ndarray of uint8, shape (images, height, width)
        The pixels, from 0 (background) to `pixel_max`.
    train_y, test_y : ndarray of int64, shape (images,)
        The class of each image, an index into `class_names`.
    pixel_max : int
        The largest value that a pixel can have: ``train_x / pixel_max`` lies in 0..1.
    class_names : tuple of str
        The classes.
    folder : pathlib.Path
        Where the files were found.
    description, source, licence : str
        What it is, who made it, and what may be done with it.
    """

    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    pixel_max: int
    class_names: tuple[str, ...]
    folder: Path
    description: str
    source: str
    licence: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Crops(_Record):
    """Crops of photos, each with its photo as class, and with the cell that it was cut from.

    Attributes
    ----------
    x : ndarray of uint8, shape (crops, 3, height, width)
        The pixels, from 0 to `pixel_max`.
    y : ndarray of int64, shape (crops,)
        The photo of each crop, an index into `class_names`.
    cell : ndarray of int64, shape (crops,)
        The part of the photo that a crop lies in: crops of one cell overlap, others do not.
    pixel_max : int
        The largest value that a pixel can have: ``x / pixel_max`` lies in 0..1.
    class_names : tuple of str
        The photos.
    description, source, licence : str
        What it is, who made it, and what may be done with it.
    """

    x: np.ndarray
    y: np.ndarray
    cell: np.ndarray
    pixel_max: int
    class_names: tuple[str, ...]
    description: str
    source: str
    licence: str
