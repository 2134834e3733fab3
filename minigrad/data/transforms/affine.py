"""Random turns, shifts, shears and zooms, alone or all at once, with Keras' ranges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.data.seeding import Draws
from minigrad.data.transforms.base import Transform
from minigrad.data.transforms.geometry import (
    Filling,
    rotation_matrix,
    shear_matrix,
    warp,
    zoom_matrix,
)

Range = float | Sequence[float]


def _range(value: Range, name: str, middle: float = 0.0) -> tuple[float, float]:
    if isinstance(value, (int, float, np.number)):
        low, high = middle - abs(float(value)), middle + abs(float(value))
    else:
        pair = tuple(float(v) for v in value)
        if len(pair) != 2:
            raise ValueError(f"{name} must be a number or (low, high), not {value!r}")
        low, high = pair
    if not (np.isfinite([low, high]).all() and low <= high):
        raise ValueError(f"{name} must be a number or (low, high) that rise, not {value!r}")
    return low, high


class RandomAffine(Transform):
    """Turn, shift, shear and zoom at once: one map of the plane, so pixels are read only once.

    The ranges are those of Keras' ``ImageDataGenerator``, and so is the order: the point of the
    result is zoomed, then sheared, then shifted, then turned, and there the source is read.

    Parameters
    ----------
    rotation_range : float or (float, float)
        Degrees, counter-clockwise: a number d stands for (-d, d).
    width_shift_range, height_shift_range : float or (float, float)
        To the right and downwards: below 1 in parts of the width or height, from 1 on in pixels.
    shear_range : float or (float, float)
        Degrees of `minigrad.data.transforms.shear`; 0.2 is a fifth of a degree.
    zoom_range : float or (float, float)
        A number z stands for (1 - z, 1 + z); rows and columns are drawn apart. Below 1 enlarges.
    fill_mode, cval, order
        See `minigrad.data.transforms.geometry.Filling`.

    Raises
    ------
    ValueError
        A range that falls or is not finite, a zoom that is not positive, another mode or order.
    ImportError
        SciPy is not installed; the message has the line that installs it.

    Examples
    --------
    >>> import minigrad as mg
    >>> import numpy as np
    >>> from minigrad.data.transforms import RandomAffine
    >>> augment = RandomAffine(
    ...     rotation_range=40, width_shift_range=0.2, height_shift_range=0.2,
    ...     shear_range=0.2, zoom_range=0.2,
    ... )
    >>> images = np.random.default_rng(0).random((2, 3, 8, 8))
    >>> batch = augment(images, mg.Generator(1))
    >>> batch.shape, bool((batch == augment(images, mg.Generator(1))).all())
    ((2, 3, 8, 8), True)
    """

    random = True

    def __init__(
        self,
        rotation_range: Range = 0.0,
        width_shift_range: Range = 0.0,
        height_shift_range: Range = 0.0,
        shear_range: Range = 0.0,
        zoom_range: Range = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        order: int = 1,
    ) -> None:
        self.rotation = _range(rotation_range, "rotation_range")
        self.width_shift = _range(width_shift_range, "width_shift_range")
        self.height_shift = _range(height_shift_range, "height_shift_range")
        self.shear = _range(shear_range, "shear_range")
        self.zoom = _range(zoom_range, "zoom_range", middle=1.0)
        if self.zoom[0] <= 0:
            raise ValueError(
                f"zoom_range {zoom_range!r} reaches a factor of {self.zoom[0]:g}: factors must be "
                "positive, so a number must be below 1"
            )
        self.filling = Filling(fill_mode, cval, order)

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return the batch, each image by a map of its own."""
        assert draws is not None
        height, width = images.shape[2:]
        turn = rotation_matrix(draws.uniform(*self.rotation))
        right = _pixels(draws.uniform(*self.width_shift), self.width_shift, width)
        down = _pixels(draws.uniform(*self.height_shift), self.height_shift, height)
        slide = shear_matrix(draws.uniform(*self.shear))
        scale = zoom_matrix(draws.uniform(*self.zoom), draws.uniform(*self.zoom))
        moved = -np.stack([down, right], -1)[:, :, None]
        return warp(images, turn @ slide @ scale, (turn @ moved)[:, :, 0], self.filling)


def _pixels(amount: np.ndarray, limits: tuple[float, float], size: int) -> np.ndarray:
    return amount * size if max(abs(limits[0]), abs(limits[1])) < 1 else amount


class RandomRotation(RandomAffine):
    """Turn counter-clockwise by a random angle: `degrees`, or between (low, high).

    The other parameters and the errors are those of `RandomAffine`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import RandomRotation
    >>> RandomRotation((90, 90))(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[[2., 4.],
            [1., 3.]]])
    """

    def __init__(
        self, degrees: Range, fill_mode: str = "nearest", cval: float = 0.0, order: int = 1
    ) -> None:
        super().__init__(rotation_range=degrees, fill_mode=fill_mode, cval=cval, order=order)


class RandomShift(RandomAffine):
    """Move by random amounts: below 1 in parts of width and height, from 1 on in pixels.

    The other parameters and the errors are those of `RandomAffine`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import RandomShift
    >>> RandomShift((1, 1), 0, fill_mode="wrap")(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[3., 1., 2.]]])
    """

    def __init__(
        self,
        width: Range,
        height: Range,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        order: int = 1,
    ) -> None:
        super().__init__(
            width_shift_range=width,
            height_shift_range=height,
            fill_mode=fill_mode,
            cval=cval,
            order=order,
        )


class RandomShear(RandomAffine):
    """Shear by a random angle in degrees, as `minigrad.data.transforms.shear` does.

    The other parameters and the errors are those of `RandomAffine`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import RandomShear
    >>> RandomShear(20)(np.ones((1, 2, 2)))
    array([[[1., 1.],
            [1., 1.]]])
    """

    def __init__(
        self, degrees: Range, fill_mode: str = "nearest", cval: float = 0.0, order: int = 1
    ) -> None:
        super().__init__(shear_range=degrees, fill_mode=fill_mode, cval=cval, order=order)


class RandomZoom(RandomAffine):
    """Zoom rows and columns by random factors: z stands for (1 - z, 1 + z); below 1 enlarges.

    The other parameters and the errors are those of `RandomAffine`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import RandomZoom
    >>> RandomZoom((0.5, 0.5))(np.array([[[0.0, 1.0, 2.0]]]))
    array([[[0.5, 1. , 1.5]]])
    """

    def __init__(
        self, factor: Range, fill_mode: str = "nearest", cval: float = 0.0, order: int = 1
    ) -> None:
        super().__init__(zoom_range=factor, fill_mode=fill_mode, cval=cval, order=order)
