"""Pixels into numbers that a network likes: floats, in a range, with mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.data.images import channels_first
from minigrad.data.seeding import Draws
from minigrad.data.transforms.base import Transform


class ToTensor:
    """Turn a Pillow image, or an array with channels last, into float32 of shape (C, H, W).

    Bytes are divided by 255, so that they lie in 0..1; floats stay as they are. This is
    torchvision's ``ToTensor``, with a NumPy array for the tensor.

    Raises
    ------
    TypeError
        Neither of the two, or a Pillow image of another mode than RGB or L.
    ValueError
        The array has not one, three or four channels in its last axis.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import ToTensor
    >>> ToTensor()(np.full((2, 4, 3), 255, np.uint8)).shape
    (3, 2, 4)
    """

    def __call__(self, image: Any) -> np.ndarray:
        """Return the image as float32, channels first."""
        if hasattr(image, "getbands"):
            if image.mode not in ("RGB", "L"):
                raise TypeError(
                    f"ToTensor needs a Pillow image of mode RGB or L, not {image.mode}: "
                    'image.convert("RGB")'
                )
        elif not isinstance(image, np.ndarray) or image.dtype.kind not in "uf":
            raise TypeError(
                "ToTensor needs a Pillow image or an array of uint8 or floats, not "
                f"{getattr(image, 'dtype', type(image).__name__)}"
            )
        elif image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
            raise ValueError(
                "ToTensor needs (height, width) or (height, width, channels), and the shape is "
                f"{list(image.shape)}; where channels come first, Rescale(1 / 255) is right"
            )
        pixels = channels_first(image)
        scale = 255 if pixels.dtype == np.uint8 else 1
        return pixels.astype(np.float32) / np.float32(scale)


class Rescale(Transform):
    """``image * scale + offset``: ``Rescale(1 / 255)`` brings bytes to 0..1.

    Bytes become float32; floats keep their dtype. Keras' layer of this name.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import Rescale
    >>> Rescale(1 / 127.5, offset=-1)(np.array([[[0, 255]]], np.uint8))
    array([[[-1.,  1.]]], dtype=float32)
    """

    def __init__(self, scale: float, offset: float = 0.0) -> None:
        self.scale = float(scale)
        self.offset = float(offset)

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return the scaled batch."""
        floats = images.astype(np.float32) if images.dtype == np.uint8 else images
        return floats * floats.dtype.type(self.scale) + floats.dtype.type(self.offset)


class Normalize(Transform):
    """``(image - mean) / std``, channel by channel.

    Parameters
    ----------
    mean, std : float or sequence of float
        One number for each channel, or one for all.

    Raises
    ------
    ValueError
        A deviation is not positive, or their number is not that of the channels.
    TypeError
        The image holds bytes: scale them first.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import Normalize
    >>> Normalize(0.5, 0.5)(np.array([[[0.0, 0.5, 1.0]]]))
    array([[[-1.,  0.,  1.]]])
    """

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        self.mean = np.atleast_1d(np.asarray(mean, np.float64))
        self.std = np.atleast_1d(np.asarray(std, np.float64))
        if not (self.std > 0).all():
            raise ValueError(f"std must be positive, not {std}")

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return the normalised batch."""
        if images.dtype == np.uint8:
            raise TypeError("Normalize needs floats, not uint8: put Rescale(1 / 255) before it")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if values.shape not in ((1,), (images.shape[1],)):
                raise ValueError(
                    f"{name} has {values.size} numbers, and the images have {images.shape[1]} "
                    "channels: give one number for each, or one for all"
                )
        mean, std = (v.astype(images.dtype)[:, None, None] for v in (self.mean, self.std))
        return (images - mean) / std
