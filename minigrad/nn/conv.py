"""Convolutions, and their transposes, as modules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from minigrad.backend import Device
from minigrad.engine.dtypes import DType
from minigrad.nn import init
from minigrad.nn.blank import blank, check_count
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.conv import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from minigrad.ops.dims import check_int
from minigrad.ops.pad import MODES, pad
from minigrad.ops.windows import Spatial, spatial

PADDING_MODES = ("zeros", *MODES[1:])


class _Convolution(Module):
    """What all convolutions share: their sizes, weight and bias."""

    rank: ClassVar[int]  # spatial axes
    function: ClassVar[Callable[..., Any]]
    output_padding: tuple[int, ...] = ()
    padding_mode: str = "zeros"
    weight: Parameter
    bias: Parameter | None

    def _set_options(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Spatial,
        stride: Spatial,
        padding: Spatial | str,
        dilation: Spatial,
        groups: int,
    ) -> None:
        """Keep the options, as torch does: one number for each axis."""
        self.in_channels = check_count("in_channels", in_channels)
        self.out_channels = check_count("out_channels", out_channels)
        self.kernel_size = spatial("kernel_size", kernel_size, self.rank, 1)
        self.stride = spatial("stride", stride, self.rank, 1)
        self.padding: tuple[int, ...] | str = self._read_padding(padding)
        self.dilation = spatial("dilation", dilation, self.rank, 1)
        self.groups = check_int(groups, "groups")
        channels = {"in_channels": self.in_channels, "out_channels": self.out_channels}
        for name, count in channels.items():
            if self.groups < 1 or count % self.groups:
                raise ValueError(f"groups={groups} must divide {name}={count}")

    def _read_padding(self, padding: Spatial | str) -> tuple[int, ...] | str:
        return spatial("padding", padding, self.rank, 0)  # type: ignore[arg-type]

    def _make(self, shape: tuple[int, ...], bias: bool, device: Any, dtype: Any) -> None:
        """Make weight and bias."""
        self.weight = Parameter(blank(shape, device, dtype, self._memory))
        vector = Parameter(blank((self.out_channels,), device, dtype)) if bias else None
        self.register_parameter("bias", vector)
        self.reset_parameters()

    @property
    def _memory(self) -> tuple[int, ...]:
        """How a weight (out, in, kernel) lies in memory, so that the kernels need no copy of it."""
        return (*range(2, 2 + self.rank), 1, 0)

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        fan_in = math.prod(self.weight.shape[1:])
        if self.bias is not None and fan_in:
            bound = 1 / math.sqrt(fan_in)
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not the default."""
        nothing, one = (0,) * self.rank, (1,) * self.rank
        parts = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}, stride={self.stride}",
            "" if self.padding == nothing else f"padding={self.padding}",
            "" if self.dilation == one else f"dilation={self.dilation}",
            f"output_padding={self.output_padding}" if any(self.output_padding) else "",
            "" if self.groups == 1 else f"groups={self.groups}",
            "" if self.bias is not None else "bias=False",
            "" if self.padding_mode == "zeros" else f"padding_mode={self.padding_mode}",
        ]
        return ", ".join(filter(None, parts))


class _Conv(_Convolution):
    """A convolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Spatial,
        stride: Spatial = 1,
        padding: Spatial | str = 0,
        dilation: Spatial = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self._set_options(in_channels, out_channels, kernel_size, stride, padding, dilation, groups)
        if padding_mode not in PADDING_MODES:
            known = ", ".join(PADDING_MODES)
            raise ValueError(f"padding_mode must be one of {known}, not {padding_mode!r}")
        self.padding_mode = padding_mode
        shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        self._make(shape, bias, device, dtype)

    def _read_padding(self, padding: Spatial | str) -> tuple[int, ...] | str:
        if not isinstance(padding, str):
            return super()._read_padding(padding)
        if padding not in ("same", "valid"):
            raise ValueError(f"padding must be numbers, 'same' or 'valid', not {padding!r}")
        if padding == "same" and self.stride != (1,) * self.rank:
            raise ValueError(
                f"padding='same' goes with stride 1 only, not {self.stride}: give the padding as "
                "a number (half the kernel) to have a stride"
            )
        return padding

    @property
    def _borders(self) -> list[int]:
        """The padding before and after each axis, the last axis first, as `pad` takes it."""
        if self.padding == "same":
            reach = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)]
            ends = [(n // 2, n - n // 2) for n in reach]
        else:
            low = (0,) * self.rank if isinstance(self.padding, str) else self.padding
            ends = [(n, n) for n in low]
        return [n for pair in reversed(ends) for n in pair]

    def forward(self, x: Any) -> Any:
        """Return the convolution of x with the weight, and the bias."""
        padding: Any = self.padding
        if self.padding_mode != "zeros" and any(self._borders):
            x, padding = pad(x, self._borders, self.padding_mode), 0
        convolve = type(self).function
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """Convolution of sequences, ``(N, C, L) -> (N, O, L')``, or without N; see `Conv2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Conv1d(16, 33, 3, stride=2)(mg.ones(20, 16, 50)).shape
    (20, 33, 24)
    """

    rank = 1
    function = staticmethod(conv1d)


class Conv2d(_Conv):
    """Convolution of images with learned kernels, ``(N, C, H, W) -> (N, O, H', W')``.

    ``H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1``, and W' likewise; one
    image may come without its N axis. The formula is in `minigrad.conv2d`.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size, stride, dilation : int or two ints
        Size of a kernel, steps between windows, steps within a window.
    padding : int, two ints, "valid" or "same"
        Rows and columns added at each end; "same" keeps H and W (stride 1 only), an odd number of
        rows has its greater half below.
    groups : int
        Parts that channels and outputs are cut into, each convolved by itself.
    bias : bool
        Whether a number is added to each output channel.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What is added: see `minigrad.pad`.
    device, dtype : optional
        Where the parameters live, and their type.

    Attributes
    ----------
    weight : Parameter
        Shape ``(out_channels, in_channels / groups, *kernel_size)``, drawn from U(-k, k) with
        ``k = 1 / sqrt(in_channels / groups * prod(kernel_size))``. Its memory lies as
        ``(*kernel_size, in, out)``, which the convolution uses without a copy.
    bias : Parameter or None
        Shape ``(out_channels,)``, drawn like the weight.

    Raises
    ------
    TypeError, ValueError
        An option is out of range, or groups do not divide the channels.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.Conv2d(3, 8, 5, padding="same")
    >>> layer
    Conv2d(3, 8, kernel_size=(5, 5), stride=(1, 1), padding=same)  # 608 parameters
    >>> layer(mg.ones(2, 3, 28, 28)).shape
    (2, 8, 28, 28)
    """

    rank = 2
    function = staticmethod(conv2d)


class _ConvTranspose(_Convolution):
    """The transpose of a convolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Spatial,
        stride: Spatial = 1,
        padding: Spatial = 0,
        output_padding: Spatial = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Spatial = 1,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self._set_options(in_channels, out_channels, kernel_size, stride, padding, dilation, groups)
        self.output_padding = spatial("output_padding", output_padding, self.rank, 0)
        shape = (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        self._make(shape, bias, device, dtype)

    def forward(self, x: Any, output_size: Sequence[int] | None = None) -> Any:
        """Return the transposed convolution; ``output_size`` overrides the output padding."""
        extra = self.output_padding
        if output_size is not None:
            extra = self._padding_for(x, output_size)
        transposed = type(self).function
        return transposed(
            x, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _padding_for(self, x: Any, output_size: Sequence[int]) -> tuple[int, ...]:
        """Return the output padding that gives the output this size."""
        sizes = tuple(output_size)[-self.rank :]
        if len(output_size) not in (self.rank, len(x.shape)):
            raise ValueError(
                f"output_size {list(output_size)} must have {self.rank} numbers, or those of all "
                f"{len(x.shape)} axes"
            )
        padding: Any = self.padding
        options = zip(
            x.shape[-self.rank :], self.stride, padding, self.dilation, self.kernel_size,
            strict=True,
        )  # fmt: skip
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in options]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if any(not a <= n <= b for a, n, b in zip(least, sizes, most, strict=True)):
            raise ValueError(
                f"output_size {list(sizes)} cannot be reached from {list(x.shape[-self.rank :])}: "
                f"the least is {least}, the most {most}"
            )
        return tuple(n - a for n, a in zip(sizes, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution of sequences, ``(N, C, L) -> (N, O, L')``; see `ConvTranspose2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ConvTranspose1d(16, 33, 4, stride=2, padding=1)(mg.ones(20, 16, 25)).shape
    (20, 33, 50)
    """

    rank = 1
    function = staticmethod(conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution of images, ``(N, C, H, W) -> (N, O, H', W')``.

    ``H' = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1``: it undoes the
    change of size of the `Conv2d` with the same options. See `minigrad.conv_transpose2d`.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, groups, bias, dilation
        As in `Conv2d`.
    output_padding : int or two ints
        Rows and columns more below and right; less than the stride or the dilation. At the call
        ``output_size`` may say instead what H' and W' are to be.
    device, dtype : optional
        Where the parameters live, and their type.

    Attributes
    ----------
    weight : Parameter
        Shape ``(in_channels, out_channels / groups, *kernel_size)``, drawn from U(-k, k) with
        ``k = 1 / sqrt(out_channels / groups * prod(kernel_size))``.
    bias : Parameter or None
        Shape ``(out_channels,)``, drawn like the weight.

    Raises
    ------
    TypeError, ValueError
        An option is out of range, or groups do not divide the channels.

    Examples
    --------
    >>> import minigrad as mg
    >>> down = mg.nn.Conv2d(16, 16, 3, stride=2, padding=1)
    >>> up = mg.nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1)
    >>> x = mg.ones(1, 16, 12, 12)
    >>> up(down(x)).shape, up(down(x), output_size=x.shape).shape
    ((1, 16, 11, 11), (1, 16, 12, 12))
    """

    rank = 2
    function = staticmethod(conv_transpose2d)
