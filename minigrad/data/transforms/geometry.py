"""Turn, shift, shear and zoom: maps of the plane, and the warp that applies one to an image.

A map says, for each pixel p of the result, where in the source it is read, ``centre +
M (p - centre) + t``, in rows (downwards) and columns. Pixels are points at whole numbers, and the
centre is that of the image, ((H - 1) / 2, (W - 1) / 2).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.data.images import INSTALL_IMAGES
from minigrad.data.transforms.base import as_batch, like

# SciPy's names; its own "constant" and "wrap" do not read between the last pixel and its filling.
_MODES = {"nearest": "nearest", "reflect": "reflect", "constant": "grid-constant",
          "wrap": "grid-wrap"}  # fmt: skip


class Filling:
    """How a warp fills what lies outside of the source, and reads between its pixels.

    Parameters
    ----------
    fill_mode : {"nearest", "reflect", "constant", "wrap"}
        The source goes on without end; for pixels ``a b c d`` it is ``a a|a b c d|d d``,
        ``b a|a b c d|d c``, ``v v|a b c d|v v`` with `cval` for v, or ``c d|a b c d|a b``.
        (Keras' names and meaning; `Pad` has torchvision's, where "reflect" is another thing.)
    cval : float
        The value for "constant".
    order : {0, 1, 3}
        Nearest pixel, bilinear, or cubic spline.

    Raises
    ------
    ValueError
        Another mode or order.
    """

    def __init__(self, fill_mode: str, cval: float, order: int) -> None:
        if fill_mode not in _MODES:
            raise ValueError(f"fill_mode must be one of {list(_MODES)}, not {fill_mode!r}")
        if order not in (0, 1, 3):
            raise ValueError(f"order must be 0 (nearest), 1 (bilinear) or 3 (cubic), not {order!r}")
        self.mode, self.cval, self.order = _MODES[fill_mode], float(cval), int(order)


def warp(
    images: np.ndarray, matrices: np.ndarray, offsets: np.ndarray, filling: Filling
) -> np.ndarray:
    """Apply one map of the plane to each image of a batch (N, C, H, W).

    Parameters
    ----------
    images : ndarray of uint8 or floats, shape (N, C, H, W)
        Computed in double precision; the result has the same dtype (bytes are rounded).
    matrices, offsets : ndarray of float64, shapes (N, 2, 2) and (N, 2)
        M and t of the map.
    filling : Filling
        What is read outside of the source and between pixels.

    Raises
    ------
    ImportError
        SciPy is not installed; the message has the line that installs it.

    Notes
    -----
    The loop over images and channels is not slower than gathering a whole batch in NumPy (measured
    on 1 to 3 channels of 28 to 224 pixels), and SciPy lets other threads run meanwhile.
    """
    try:
        from scipy import ndimage
    except ImportError as error:
        raise ImportError(
            f"this transform needs SciPy, which cannot be imported ({error}): {INSTALL_IMAGES}"
        ) from error
    centre = (np.array(images.shape[2:]) - 1) / 2
    start = centre - matrices @ centre + offsets
    source = images if images.dtype == np.float64 else images.astype(np.float32, copy=False)
    out = np.empty(source.shape, source.dtype)
    for i, (matrix, offset) in enumerate(zip(matrices, start, strict=True)):
        if not offset.any() and (matrix == np.eye(2)).all():
            out[i] = source[i]
            continue
        for c in range(source.shape[1]):
            ndimage.affine_transform(
                source[i, c],
                matrix,
                offset,
                output=out[i, c],
                order=filling.order,
                mode=filling.mode,
                cval=filling.cval,
            )
    return like(out, images)


def rotation_matrix(degrees: np.ndarray) -> np.ndarray:
    """Return the maps that turn a picture counter-clockwise; multiples of 90 degrees are exact."""
    cos = np.array([_cosine(a) for a in degrees])
    sin = np.array([_cosine(a - 90) for a in degrees])
    return _matrices(cos, sin, -sin, cos)


def _cosine(degrees: float) -> float:
    quarter = degrees % 360 / 90
    if quarter == int(quarter):
        return (1.0, 0.0, -1.0, 0.0)[int(quarter) % 4]
    return math.cos(math.radians(degrees))


def shear_matrix(degrees: np.ndarray) -> np.ndarray:
    """Return Keras' shear: columns slide by the sine, and are drawn apart by the cosine."""
    angle = np.deg2rad(degrees)
    one = np.ones_like(angle)
    return _matrices(one, -np.sin(angle), 0 * one, np.cos(angle))


def zoom_matrix(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the maps that step through the source by these factors: 2 halves the picture."""
    return _matrices(rows, 0 * rows, 0 * rows, columns)


def _matrices(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    return np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], -2).astype(np.float64)


def _one(image: Any, name: str, matrix: np.ndarray, offset: Any, filling: Filling) -> np.ndarray:
    batch = as_batch(image, name)
    n = len(batch)
    out = warp(batch, np.repeat(matrix, n, 0), np.tile(np.asarray(offset), (n, 1)), filling)
    return out if image.ndim == 4 else out[0]


def rotate(
    image: np.ndarray,
    degrees: float,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Turn an image (C, H, W), or each of a batch, counter-clockwise about its centre.

    ``out(r, c) = in(r cos a + c sin a, c cos a - r sin a)`` with rows and columns counted from the
    centre. A quarter turn of a square image is ``np.rot90``, exactly.

    Parameters
    ----------
    image : ndarray
        The image or batch.
    degrees : float
        The angle a.
    fill_mode, cval, order
        See `minigrad.data.transforms.geometry.Filling`.

    Raises
    ------
    ValueError
        Another fill mode or order, or no image.
    ImportError
        SciPy is not installed; the message has the line that installs it.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import rotate
    >>> rotate(np.array([[[1.0, 2.0], [3.0, 4.0]]]), 90)
    array([[[2., 4.],
            [1., 3.]]])
    """
    filling = Filling(fill_mode, cval, order)
    return _one(image, "rotate", rotation_matrix(np.array([degrees])), (0.0, 0.0), filling)


def shift(
    image: np.ndarray,
    down: float,
    right: float,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Move an image, or each of a batch, by pixels: ``out(r, c) = in(r - down, c - right)``.

    Parameters and errors are those of `rotate`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import shift
    >>> shift(np.array([[[1.0, 2.0, 3.0]]]), 0, 1, fill_mode="constant")
    array([[[0., 1., 2.]]])
    """
    filling = Filling(fill_mode, cval, order)
    return _one(image, "shift", np.eye(2)[None], (-float(down), -float(right)), filling)


def shear(
    image: np.ndarray,
    degrees: float,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Shear an image, or each of a batch: ``out(r, c) = in(r - c sin a, c cos a)``.

    Rows and columns are counted from the centre. This is Keras' shear, an angle in degrees: the
    0.2 that is often seen there is a fifth of a degree, and does next to nothing.
    Parameters and errors are those of `rotate`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import shear
    >>> image = np.arange(9.0).reshape(1, 3, 3)
    >>> bool((shear(image, 0) == image).all())
    True
    """
    filling = Filling(fill_mode, cval, order)
    return _one(image, "shear", shear_matrix(np.array([degrees])), (0.0, 0.0), filling)


def zoom(
    image: np.ndarray,
    rows: float,
    columns: float,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Zoom an image, or each of a batch, about its centre: ``out(r, c) = in(rows r, columns c)``.

    Rows and columns are counted from the centre. As in Keras, a factor below 1 enlarges the
    picture, and one above 1 makes it smaller. Parameters and errors are those of `rotate`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import zoom
    >>> zoom(np.array([[[0.0, 1.0, 2.0]]]), 1, 0.5)
    array([[[0.5, 1. , 1.5]]])
    """
    filling = Filling(fill_mode, cval, order)
    matrix = zoom_matrix(np.array([float(rows)]), np.array([float(columns)]))
    return _one(image, "zoom", matrix, (0.0, 0.0), filling)
