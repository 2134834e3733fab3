"""Pooling as modules: the largest element or the mean of each window."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.nn.module import Module
from minigrad.ops.pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from minigrad.ops.windows import Spatial, spatial


class _Pool(Module):
    """What poolings share: the windows."""

    rank: ClassVar[int]

    def _set_windows(self, kernel_size: Any, stride: Any, padding: Any) -> None:
        self.kernel_size: Any = kernel_size
        self.stride: Any = kernel_size if stride is None else stride
        self.padding: Any = padding
        for name, least in (("kernel_size", 1), ("stride", 1), ("padding", 0)):
            spatial(name, getattr(self, name), self.rank, least)

    def extra_repr(self) -> str:
        """Return the windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _MaxPool(_Pool):
    """Pooling by the largest element."""

    def __init__(
        self,
        kernel_size: Spatial,
        stride: Spatial | None = None,
        padding: Spatial = 0,
        dilation: Spatial = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self._set_windows(kernel_size, stride, padding)
        spatial("dilation", dilation, self.rank, 1)
        self.dilation, self.return_indices, self.ceil_mode = dilation, return_indices, ceil_mode

    def forward(self, x: Any) -> Any:
        """Return the largest elements, with their places if they were asked for."""
        pool = max_pool1d if self.rank == 1 else max_pool2d
        return pool(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        """Return the windows and the mode."""
        return f"{super().extra_repr()}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"


class MaxPool1d(_MaxPool):
    """Largest element of every window: ``(N, C, L) -> (N, C, L')``, or without N.

    See `MaxPool2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MaxPool1d(2)(mg.tensor([[1.0, 2.0, 5.0, 4.0]]))
    tensor([[2., 5.]])
    """

    rank = 1


class MaxPool2d(_MaxPool):
    """Largest element of every window: ``(N, C, H, W) -> (N, C, H', W')``, or without N.

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or two ints
        Size of a window, steps between windows (default: the kernel size), border that is never
        the largest (at most half a window), steps within a window.
    return_indices : bool
        Return the places of the largest elements in the flattened image as well.
    ceil_mode : bool
        Round H' up: a last window may reach over the border, if it starts before it.

    Raises
    ------
    ValueError
        An option is out of range. (At the call: a window is larger than the padded image.)

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MaxPool2d(2)(mg.tensor([[[1.0, 2.0, 5.0, 6.0], [4.0, 3.0, 8.0, 7.0]]]))
    tensor([[[4., 8.]]])
    """

    rank = 2


class AvgPool1d(_Pool):
    """Mean of every window: ``(N, C, L) -> (N, C, L')``, or without N; see `AvgPool2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AvgPool1d(2)(mg.tensor([[1.0, 2.0, 5.0, 4.0]]))
    tensor([[1.5, 4.5]])
    """

    rank = 1

    def __init__(
        self,
        kernel_size: Spatial,
        stride: Spatial | None = None,
        padding: Spatial = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self._set_windows(kernel_size, stride, padding)
        for name, least in (("kernel_size", 1), ("stride", 1), ("padding", 0)):
            setattr(self, name, spatial(name, getattr(self, name), 1, least))  # as torch keeps it
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, x: Any) -> Any:
        """Return the means."""
        options = self.kernel_size, self.stride, self.padding, self.ceil_mode
        return avg_pool1d(x, *options, self.count_include_pad)


class AvgPool2d(_Pool):
    """Mean of every window: ``(N, C, H, W) -> (N, C, H', W')``, or without N.

    Parameters
    ----------
    kernel_size, stride, padding : int or two ints
        As in `MaxPool2d`; the padding is zeros.
    ceil_mode : bool
        Round H' up; what a last window reaches beyond the padding never counts.
    count_include_pad : bool
        Count the padding's zeros in the mean.
    divisor_override : int, optional
        Divide the sum by this instead of by the number of elements.

    Raises
    ------
    ValueError
        An option is out of range. (At the call: a window is larger than the padded image.)

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AvgPool2d(2)(mg.tensor([[[1.0, 2.0, 5.0, 6.0], [4.0, 3.0, 8.0, 7.0]]]))
    tensor([[[2.5, 6.5]]])
    """

    rank = 2

    def __init__(
        self,
        kernel_size: Spatial,
        stride: Spatial | None = None,
        padding: Spatial = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self._set_windows(kernel_size, stride, padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Any:
        """Return the means."""
        options = self.kernel_size, self.stride, self.padding, self.ceil_mode
        return avg_pool2d(x, *options, self.count_include_pad, self.divisor_override)


class AdaptiveAvgPool1d(Module):
    """Mean over as many windows as asked for: ``(N, C, L) -> (N, C, output_size)``.

    See `AdaptiveAvgPool2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AdaptiveAvgPool1d(2)(mg.tensor([[1.0, 2.0, 6.0, 8.0]]))
    tensor([[1.5, 7. ]])
    """

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        """Return the means."""
        return adaptive_avg_pool1d(x, self.output_size)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(AdaptiveAvgPool1d):
    """Mean over as many windows as asked for: ``(N, C, H, W) -> (N, C, *output_size)``.

    Along an axis of n elements window o of s reaches from ``floor(o n / s)`` to
    ``ceil((o + 1) n / s)``.

    Parameters
    ----------
    output_size : int or two of them, or None
        The size to reach; None keeps an axis. With 1, each channel's mean over the image.

    Raises
    ------
    ValueError
        At the call: x has no image axes, or the output size is no number of at least 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AdaptiveAvgPool2d(1)(mg.randn(2, 16, 7, 5)).shape
    (2, 16, 1, 1)
    """

    def forward(self, x: Any) -> Any:
        """Return the means."""
        return adaptive_avg_pool2d(x, self.output_size)
