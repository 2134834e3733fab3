"""Random changes of brightness, contrast, saturation and hue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from minigrad.data.seeding import Draws
from minigrad.data.transforms.base import Transform, like

# Luma of ITU-R BT.601. (torchvision has 0.2989 for tensors, which makes white 0.9999.)
_LUMA = np.array([0.299, 0.587, 0.114])


class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue by random amounts, in random order.

    Parameters
    ----------
    brightness, contrast, saturation : float or (float, float)
        A number v stands for factors in (max(0, 1 - v), 1 + v); 1 changes nothing.
    hue : float or (float, float)
        A number v, at most 0.5, stands for (-v, v); 1 is the whole circle of colours.

    Raises
    ------
    ValueError
        A factor below 0, a hue outside of -0.5..0.5; or a grey image whose saturation or hue
        should change, or one with neither one nor three channels.

    Notes
    -----
    With factor f, and cut to 0..1 (0..255 for bytes) after each: brightness ``f x``; contrast
    ``f x + (1 - f) mean(grey(x))``; saturation ``f x + (1 - f) grey(x)``, with ``grey = 0.299 R +
    0.587 G + 0.114 B``; hue: h + f on the circle, in HSV. These, and the arguments, are
    torchvision's. Float images must lie in 0..1.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data.transforms import ColorJitter
    >>> ColorJitter(brightness=(0.5, 0.5))(np.array([[[0.25, 1.0]]]))
    array([[[0.125, 0.5 ]]])
    """

    random = True

    def __init__(
        self,
        brightness: float | Sequence[float] = 0.0,
        contrast: float | Sequence[float] = 0.0,
        saturation: float | Sequence[float] = 0.0,
        hue: float | Sequence[float] = 0.0,
    ) -> None:
        self.brightness = _factors(brightness, "brightness")
        self.contrast = _factors(contrast, "contrast")
        self.saturation = _factors(saturation, "saturation")
        low, high = (-abs(hue), abs(hue)) if isinstance(hue, (int, float)) else tuple(hue)
        if not -0.5 <= low <= high <= 0.5:
            raise ValueError(f"hue must be at most 0.5, or (low, high) in -0.5..0.5, not {hue!r}")
        self.hue = (float(low), float(high))

    def apply(self, images: np.ndarray, draws: Draws | None) -> np.ndarray:
        """Return the batch with its colours changed, each image by its own amounts."""
        assert draws is not None
        channels = images.shape[1]
        coloured = self.saturation != (1.0, 1.0) or self.hue != (0.0, 0.0)
        if channels not in (1, 3) or (channels == 1 and coloured):
            raise ValueError(
                f"the images have {channels} channels: ColorJitter needs red, green and blue, or "
                "one channel and only brightness and contrast"
            )
        steps: list[tuple[Callable[..., np.ndarray], tuple[float, float], float]] = [
            (_brightness, self.brightness, 1.0),
            (_contrast, self.contrast, 1.0),
            (_saturation, self.saturation, 1.0),
            (_hue, self.hue, 0.0),
        ]
        top = 255.0 if images.dtype == np.uint8 else 1.0
        wide = np.dtype(np.float64 if images.dtype == np.float64 else np.float32)
        out = images.astype(wide) / top
        amounts = [draws.uniform(*limits).astype(wide) for _, limits, _ in steps]
        order = np.argsort(np.stack([draws.words() for _ in steps]), axis=0, kind="stable")
        for place in order:
            for k, (change, limits, neutral) in enumerate(steps):
                chosen = np.flatnonzero(place == k)
                if limits == (neutral, neutral) or chosen.size == 0:
                    continue
                amount = amounts[k][chosen][:, None, None, None]
                out[chosen] = np.clip(change(out[chosen], amount), 0, 1)
        return like(out * top, images)


def _factors(value: float | Sequence[float], name: str) -> tuple[float, float]:
    if isinstance(value, (int, float)):
        low, high = (max(0.0, 1.0 - value), 1.0 + value) if value >= 0 else (-1.0, -1.0)
    else:
        low, high = value
    if not 0 <= low <= high < np.inf:
        raise ValueError(f"{name} must not be negative, or (low, high) from 0 on, not {value!r}")
    return float(low), float(high)


def _grey(images: np.ndarray) -> np.ndarray:
    if images.shape[1] == 1:
        return images
    luma = _LUMA.astype(images.dtype)
    return (
        images[:, :1] * luma[0] + images[:, 1:2] * luma[1] + images[:, 2:] * luma[2]
    )  # not a matrix product, whose rounding depends on the size of the batch


def _brightness(images: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return images * factor


def _contrast(images: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return images * factor + (1 - factor) * _grey(images).mean((1, 2, 3), keepdims=True)


def _saturation(images: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return images * factor + (1 - factor) * _grey(images)


def _hue(images: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turn the hue, in HSV, with saturation and value kept."""
    largest = images.max(1, keepdims=True)
    chroma = largest - images.min(1, keepdims=True)
    red, green, blue = images[:, :1], images[:, 1:2], images[:, 2:]
    safe = np.where(chroma > 0, chroma, 1)
    sixth = np.where(
        largest == red,
        (green - blue) / safe,
        np.where(largest == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    sixth = (sixth + 6 * turn) % 6
    # A channel is the value, less the chroma times how far its own colour is on the circle.
    shifted = [(shift + sixth) % 6 for shift in (5, 3, 1)]
    distance = np.concatenate([np.clip(np.minimum(s, 4 - s), 0, 1) for s in shifted], 1)
    return largest - chroma * distance
