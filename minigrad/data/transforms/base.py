"""What all transforms share: images alone or in batches, their random numbers, and chains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.data.seeding import Draws, current_draws

if TYPE_CHECKING:
    from minigrad.backend import Generator

DTYPES = (np.uint8, np.float16, np.float32, np.float64)


class Transform:
    """Base of the transforms of images of shape (C, H, W), or of batches (N, C, H, W).

    A subclass gives `apply`, for a batch; each image of a batch gets random numbers of its own,
    and comes out as it would alone, bit for bit.

    Notes
    -----
    In a `DataLoader` the random numbers depend on the loader's seed, the epoch and the sample's
    place in it; elsewhere on the generator that is passed, or on ``mg.manual_seed``.
    """

    random = False  # a transform that draws nothing leaves the generators alone

    def __call__(self, image: Any, generator: Generator | None = None) -> np.ndarray:
        """Transform one image or a batch; the argument is not written to.

        Raises
        ------
        TypeError
            Not an array of uint8 or of floats.
        ValueError
            Not of three or four axes, or without a pixel.
        """
        batch = as_batch(image, type(self).__name__)
        draws = current_draws(len(batch), generator) if self.random else None
        out = self.apply(batch, draws)
        return out if image.ndim == 4 else out[0]

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Transform a batch (N, C, H, W); `draws` has numbers for each image if `random`."""
        raise NotImplementedError(f"{type(self).__name__} needs a method apply")


def as_batch(image: Any, name: str) -> np.ndarray:
    """Return an image as a batch of one, and a batch as it is."""
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"{name} needs a NumPy array (channels, height, width), not {type(image).__name__}: "
            "ToTensor makes one out of a Pillow image, and .numpy() out of a Tensor"
        )
    if image.dtype not in DTYPES:
        raise TypeError(f"{name} needs uint8 or floats, not {image.dtype}: image.astype('float32')")
    if image.ndim not in (3, 4) or 0 in image.shape:
        raise ValueError(
            f"{name} needs an image (channels, height, width) or a batch (N, channels, height, "
            f"width), and the shape is {list(image.shape)}"
            + ("; image[None] adds the channel axis" if image.ndim == 2 else "")
        )
    return image if image.ndim == 4 else image[None]


def like(values: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return computed floats in the dtype of the images; bytes are rounded and cut to 0..255."""
    if images.dtype == np.uint8:
        values = np.clip(np.rint(values), 0, 255)
    return values.astype(images.dtype, copy=False)


class Compose:
    """Several transforms, one after the other.

    Parameters
    ----------
    transforms : sequence of callable
        Of this package, or any functions of an image.

    Raises
    ------
    TypeError
        One cannot be called.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import CenterCrop, Compose, Rescale
    >>> prepare = Compose([CenterCrop(2), Rescale(1 / 255)])
    >>> prepare(np.full((1, 4, 4), 255, np.uint8))
    array([[[1., 1.],
            [1., 1.]]], dtype=float32)
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)
        for transform in self.transforms:
            if not callable(transform):
                raise TypeError(f"Compose needs transforms that can be called, not {transform!r}")

    def __call__(self, image: Any, generator: Generator | None = None) -> Any:
        """Apply all; a given generator is handed to those of this package."""
        for transform in self.transforms:
            if isinstance(transform, (Transform, Compose)):
                image = transform(image, generator)
            else:
                image = transform(image)
        return image
