"""Image files into arrays, through Pillow; what cannot be decoded is named."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from minigrad.data.errors import DataFileError

INSTALL_IMAGES = 'python -m pip install "minigrad-engine[images]"'
# Modes of eight bits or one: a conversion to RGB or L keeps what is seen.
_EIGHT_BITS = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")


def import_pillow() -> Any:
    """Return Pillow's module ``Image``.

    Raises
    ------
    ImportError
        Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            f"images need Pillow, which cannot be imported ({error}): {INSTALL_IMAGES}"
        ) from error
    return Image


def read_image(path: str | os.PathLike[str], mode: str, max_pixels: int) -> np.ndarray:
    """Return an image file's pixels as uint8 of shape (channels, height, width).

    Raises
    ------
    DataFileError
        The file is no image, is damaged or cut short, holds more pixels than `max_pixels`, or has
        more than eight bits a channel.
    FileNotFoundError, PermissionError
        The file cannot be opened.
    """
    pillow = import_pillow()
    cure = "put a whole copy in its place, or remove it (ImageFolder.verify() lists all such files)"
    with open(path, "rb") as file:
        try:
            with pillow.open(file) as image:
                width, height = image.size
                if width * height <= max_pixels and image.mode in _EIGHT_BITS:
                    return channels_first(image.convert(mode))
                found = image.mode
        except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
            raise DataFileError(f"{path}: {error}; it was not decoded: {cure}") from error
        except MemoryError:
            raise
        except Exception as error:  # decoders of damaged data raise whatever comes up in them
            raise DataFileError(
                f"{path}: the image cannot be decoded ({type(error).__name__}: {error}): {cure}"
            ) from error
    if width * height > max_pixels:
        raise DataFileError(
            f"{path}: the image has {width} x {height} pixels, more than max_pixels="
            f"{max_pixels:,}; it was not decoded: raise max_pixels if that is right, else remove "
            "the file"
        )
    raise DataFileError(
        f"{path}: the image's mode is {found}, more than eight bits a channel: scale it to 0..255 "
        "and save it again"
    )


def channels_first(image: Any) -> np.ndarray:
    """Return a Pillow image of mode RGB or L as (channels, height, width)."""
    pixels = np.asarray(image)
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
