"""What part of an image is kept, and at which size: resize, crop, pad, flip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.data.images import import_pillow
from minigrad.data.seeding import Draws
from minigrad.data.transforms.base import Transform

_PADDING_MODES = ("constant", "edge", "reflect", "symmetric")
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")


def _pair(size: int | Sequence[int], name: str) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, (int, np.integer)) else tuple(size)
    if len(pair) != 2 or not all(isinstance(s, (int, np.integer)) and s > 0 for s in pair):
        raise ValueError(f"{name} must be a positive int or (height, width), not {size!r}")
    return int(pair[0]), int(pair[1])


class Resize(Transform):
    """Bring images to a size, as Pillow does: what shrinks is smoothed first.

    Parameters
    ----------
    size : int or (int, int)
        An int is the length of the shorter side, the other follows; else height and width.
    interpolation : {"bilinear", "bicubic", "lanczos", "nearest"}
        Pillow's filter.

    Raises
    ------
    ValueError
        Another size or filter.
    ImportError
        Pillow is not installed; the message has the line that installs it.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import Resize
    >>> Resize(4)(np.zeros((3, 8, 12), np.uint8)).shape
    (3, 4, 6)
    """

    def __init__(self, size: int | Sequence[int], interpolation: str = "bilinear") -> None:
        if interpolation not in _INTERPOLATIONS:
            raise ValueError(
                f"interpolation must be one of {_INTERPOLATIONS}, not {interpolation!r}"
            )
        self._shorter = isinstance(size, (int, np.integer))
        self.size = _pair(size, "size")
        self.interpolation = interpolation

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return the batch in its new size."""
        pillow = import_pillow()
        height, width = images.shape[2:]
        new_height, new_width = self.size
        if self._shorter and height <= width:
            new_width = int(self.size[1] * width / height)
        elif self._shorter:
            new_height = int(self.size[0] * height / width)
        if (new_height, new_width) == (height, width):
            return images.copy()
        kept = images.dtype if images.dtype == np.uint8 else np.dtype(np.float32)  # Pillow's two
        out = np.empty((*images.shape[:2], new_height, new_width), kept)
        method = getattr(pillow.Resampling, self.interpolation.upper())
        for image, resized in zip(images.astype(kept, copy=False), out, strict=True):
            for c in range(len(image)):
                plane = pillow.fromarray(np.ascontiguousarray(image[c]))
                resized[c] = np.asarray(plane.resize((new_width, new_height), method))
        return out.astype(images.dtype, copy=False)


class Pad(Transform):
    """Add a border.

    Parameters
    ----------
    padding : int, (int, int) or (int, int, int, int)
        On all sides; or left and right, top and bottom; or left, top, right, bottom.
    fill : float
        Value of a constant border.
    padding_mode : {"constant", "edge", "reflect", "symmetric"}
        For pixels ``a b c d``: ``0 0|a b c d``, ``a a|a b c d``, ``c b|a b c d``,
        ``b a|a b c d``.

    Raises
    ------
    ValueError
        Another mode or padding, or a mirror image larger than the image.

    Notes
    -----
    Arguments and modes are torchvision's.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import Pad
    >>> Pad((2, 0), padding_mode="reflect")(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[3., 2., 1., 2., 3., 2., 1.]]])
    """

    def __init__(
        self, padding: int | Sequence[int], fill: float = 0, padding_mode: str = "constant"
    ) -> None:
        sides = (padding,) if isinstance(padding, (int, np.integer)) else tuple(padding)
        if len(sides) not in (1, 2, 4) or any(s < 0 for s in sides):
            raise ValueError(
                "padding must be one, two or four ints that are not negative (left, top, right, "
                f"bottom), not {padding!r}"
            )
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {_PADDING_MODES}, not {padding_mode!r}")
        self.sides = tuple(int(s) for s in (sides * 4)[:4])  # a pair repeats: left = right
        self.fill = fill
        self.padding_mode = padding_mode

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return the batch with its border."""
        left, top, right, bottom = self.sides
        height, width = images.shape[2:]
        least = 1 if self.padding_mode == "reflect" else 0
        if self.padding_mode in ("reflect", "symmetric") and (
            max(top, bottom) > height - least or max(left, right) > width - least
        ):
            raise ValueError(
                f"a border of {self.sides} in mode {self.padding_mode!r} is larger than the image, "
                f"{height} x {width}: there is nothing to mirror"
            )
        border = ((0, 0), (0, 0), (top, bottom), (left, right))
        if self.padding_mode == "constant":
            return np.pad(images, border, constant_values=self.fill)
        return np.pad(images, border, mode=self.padding_mode)  # type: ignore[call-overload]


class CenterCrop(Transform):
    """Keep the middle.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of what is kept.

    Raises
    ------
    ValueError
        The image is smaller.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import CenterCrop
    >>> CenterCrop((1, 2))(np.arange(12.0).reshape(1, 3, 4))
    array([[[5., 6.]]])
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = _pair(size, "size")

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return the middle of each image."""
        rows, columns = _room(images, self.size, "CenterCrop")
        top, left = round(rows / 2), round(columns / 2)
        return images[:, :, top : top + self.size[0], left : left + self.size[1]].copy()


def _room(images: np.ndarray, size: tuple[int, int], name: str) -> tuple[int, int]:
    rows, columns = images.shape[2] - size[0], images.shape[3] - size[1]
    if rows < 0 or columns < 0:
        raise ValueError(
            f"{name} of {size[0]} x {size[1]} does not fit into an image of {images.shape[2]} x "
            f"{images.shape[3]}: put Resize before it, or Pad"
        )
    return rows, columns


class RandomCrop(Transform):
    """Keep a window at a random place.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the window.
    padding, fill, padding_mode
        A border that is added before, as by `Pad`; none if `padding` is None.

    Raises
    ------
    ValueError
        The image with its border is smaller than the window.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import RandomCrop
    >>> RandomCrop(2, padding=1)(np.ones((1, 2, 2))).shape
    (1, 2, 2)
    """

    random = True

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        fill: float = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size = _pair(size, "size")
        self._pad = Pad(0 if padding is None else padding, fill, padding_mode)

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return a window of each image."""
        assert draws is not None
        images = self._pad.apply(images, None)
        rows, columns = _room(images, self.size, "RandomCrop")
        tops, lefts = draws.integers(rows + 1), draws.integers(columns + 1)
        height, width = self.size
        return np.stack(
            [
                image[:, top : top + height, left : left + width]
                for image, top, left in zip(images, tops, lefts, strict=True)
            ]
        )


class _RandomFlip(Transform):
    random = True
    _axis = -1

    def __init__(self, p: float = 0.5) -> None:
        if isinstance(p, str) or not 0 <= p <= 1:
            raise ValueError(f"p is the probability of a flip, from 0 to 1, not {p!r}")
        self.p = p

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return the batch with some of its images mirrored."""
        assert draws is not None
        flipped = draws.uniform() < self.p
        out = images.copy()
        out[flipped] = np.flip(images[flipped], self._axis)
        return out


class RandomHorizontalFlip(_RandomFlip):
    """Mirror left and right with probability p.

    Raises
    ------
    ValueError
        p is not from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import RandomHorizontalFlip
    >>> RandomHorizontalFlip(p=1)(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[3., 2., 1.]]])
    """


class RandomVerticalFlip(_RandomFlip):
    """Mirror top and bottom with probability p.

    Raises
    ------
    ValueError
        p is not from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import RandomVerticalFlip
    >>> RandomVerticalFlip(p=1)(np.array([[[1.0], [2.0]]]))
    array([[[2.],
            [1.]]])
    """

    _axis = -2
