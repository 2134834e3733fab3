"""Interpolation as a module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.nn.module import Module
from minigrad.ops.resample import interpolate
from minigrad.ops.windows import Spatial


class Upsample(Module):
    """Bring images ``(N, C, H, W)`` or sequences ``(N, C, L)`` to another size.

    Parameters
    ----------
    size : int or ints, optional
        The size to reach.
    scale_factor : float or floats, optional
        Or the factor; the size is rounded down.
    mode : str
        "nearest", "linear" (sequences) or "bilinear" (images), and what else
        `minigrad.interpolate` knows.
    align_corners : bool, optional
        For the linear modes: match the centres of the corner elements instead of the outer edges.

    Raises
    ------
    ValueError
        Both or none of size and scale_factor are given. (At the call: mode and shape do not go
        together.)

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    >>> layer
    Upsample(scale_factor=2.0, mode='bilinear')
    >>> layer(mg.ones(1, 3, 4, 5)).shape
    (1, 3, 8, 10)
    """

    def __init__(
        self,
        size: Spatial | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
    ) -> None:
        super().__init__()
        if (size is None) == (scale_factor is None):
            raise ValueError(
                f"Upsample takes either a size or a scale_factor, not size={size} and "
                f"scale_factor={scale_factor}"
            )
        self.size, self.mode, self.align_corners = size, mode, align_corners
        several = isinstance(scale_factor, Sequence)
        self.scale_factor: Any = scale_factor
        if scale_factor is not None:
            self.scale_factor = (
                tuple(map(float, scale_factor)) if several else float(scale_factor)  # type: ignore[arg-type]
            )

    def forward(self, x: Any) -> Any:
        """Return x in the other size."""
        return interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners)

    def extra_repr(self) -> str:
        """Return the size or the factor, and the mode."""
        given = f"size={self.size}" if self.scale_factor is None else ""
        return f"{given or f'scale_factor={self.scale_factor}'}, mode={self.mode!r}"
