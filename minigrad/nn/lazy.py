"""Layers that learn the size of their input from the first batch.

Until then their parameters are `UninitializedParameter`: to save them, to check them or to give
them to an optimiser is an error that says so. At the first call, or when a state is loaded, the
parameters are made, and the layer's class becomes that of the layer which it is from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from minigrad.backend import Device
from minigrad.engine.dtypes import DType, int64
from minigrad.nn.blank import check_count
from minigrad.nn.conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from minigrad.nn.linear import TRANSPOSED, Linear
from minigrad.nn.module import BUFFER, PARAMETER, Module
from minigrad.nn.norm import BatchNorm1d, BatchNorm2d
from minigrad.nn.parameter import (
    Parameter,
    Uninitialized,
    UninitializedBuffer,
    UninitializedParameter,
)
from minigrad.ops.create import zeros
from minigrad.ops.windows import Spatial


class LazyModule(Module):
    """Base of the lazy layers; a subclass says what it becomes, and what a size means to it."""

    is_lazy = True
    becomes: ClassVar[type[Module]]

    def _size_in(self, x: Any) -> int:
        """Return, from the first batch, the size that was left open."""
        raise NotImplementedError

    def _set_size(self, size: int) -> None:
        """Keep the size, under the name that the layer has for it."""
        raise NotImplementedError

    def _open(self) -> dict[str, Uninitialized]:
        """Return, by name, the tensors that have no shape yet."""
        own = self._own(PARAMETER, BUFFER)
        return {name: t for name, t in own if isinstance(t, Uninitialized)}

    def has_uninitialized_params(self) -> bool:
        """Say whether the layer has not seen its input yet."""
        return bool(self._open())

    def initialize_parameters(self, x: Any) -> None:
        """Make the parameters for an input, and draw their first values."""
        self._become(self._size_in(x))
        self.reset_parameters()

    def _become(self, size: int) -> None:
        """Make the tensors for a size, and be the layer that it is from now on."""
        for tensor in self._open().values():
            tensor.materialize(tensor.fill(size))
        self._set_size(size)
        self.__class__ = self.becomes  # type: ignore[assignment]

    def size_in_state(self, shapes: Mapping[str, tuple[int, ...]]) -> int | None:
        """Return the size that a state's tensors for this layer tell; None if it has none.

        Raises
        ------
        ValueError
            They tell different sizes, or only what has no part in it.
        """
        found = {name: t for name, t in self._open().items() if name in shapes}
        if not found:
            return None
        sizes = {name: t.size_from(shapes[name]) for name, t in found.items()}
        known = {size for size in sizes.values() if size is not None}
        if len(known) != 1:
            text = ", ".join(f"{name} {list(shapes[name])}" for name in found)
            raise ValueError(
                f"the size of the input of {type(self).__name__} is not to be told from {text}"
            )
        return known.pop()

    def load_size(self, size: int, names: Collection[str]) -> None:
        """Make the tensors for a size from a state; those that it has not get first values."""
        missing = self._open().keys() - names
        self._become(size)
        if missing:
            self.reset_parameters()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Make the parameters for the input, then be the layer that it is from now on."""
        self.initialize_parameters(args[0] if args else next(iter(kwargs.values())))
        return self.forward(*args, **kwargs)


class LazyLinear(LazyModule, Linear):
    """`Linear` that takes ``in_features`` from the first batch, and is one from then on.

    Parameters
    ----------
    out_features, bias, device, dtype
        As in `Linear`.

    Raises
    ------
    RuntimeError
        The parameters are asked for before there was a batch.

    Examples
    --------
    >>> import minigrad as mg
    >>> net = mg.nn.Sequential(mg.nn.LazyLinear(8), mg.nn.ReLU(), mg.nn.LazyLinear(1))
    >>> net[0]
    LazyLinear(in_features=0, out_features=8, bias=True)  # parameters without a shape yet
    >>> net(mg.ones(2, 5)).shape
    (2, 1)
    >>> net[0]
    Linear(in_features=5, out_features=8, bias=True)  # 48 parameters
    """

    becomes = Linear

    def __init__(
        self,
        out_features: int,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        Module.__init__(self)
        self.in_features, self.out_features = 0, check_count("out_features", out_features)
        shape = (self.out_features, None)
        self.weight = UninitializedParameter("LazyLinear.weight", shape, device, dtype, TRANSPOSED)
        vector = UninitializedParameter("LazyLinear.bias", shape[:1], device, dtype)
        self.register_parameter("bias", vector if bias else None)

    def _size_in(self, x: Any) -> int:
        if not x.shape:
            raise ValueError("LazyLinear: x is a single number; it needs its features in an axis")
        return int(x.shape[-1])

    def _set_size(self, size: int) -> None:
        self.in_features = size


# ---- convolutions -------------------------------------------------------------------------------


class _LazyChannels(LazyModule):
    """What the lazy convolutions share: the input's channels are open."""

    rank: ClassVar[int]
    transposed: ClassVar[bool] = False
    in_channels: int
    out_channels: int
    groups: int
    kernel_size: tuple[int, ...]
    weight: Parameter

    def _make(self, shape: tuple[int, ...], bias: bool, device: Any, dtype: Any) -> None:
        """Leave the first axis open in a transposed convolution's weight, the second in others."""
        name = type(self).__name__
        wanted: list[int | None] = list(shape)
        wanted[0 if self.transposed else 1] = None
        memory = (*range(2, 2 + self.rank), 1, 0)
        self.weight = UninitializedParameter(f"{name}.weight", tuple(wanted), device, dtype, memory)
        vector = UninitializedParameter(f"{name}.bias", (self.out_channels,), device, dtype)
        self.register_parameter("bias", vector if bias else None)

    def _size_in(self, x: Any) -> int:
        if len(x.shape) not in (self.rank + 1, self.rank + 2):
            axes = "(N, C, L) or (C, L)" if self.rank == 1 else "(N, C, H, W) or (C, H, W)"
            raise ValueError(f"{type(self).__name__} takes {axes}, x has shape {list(x.shape)}")
        channels = int(x.shape[-1 - self.rank])
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: groups={self.groups} must divide the {channels} channels "
                f"of x ({list(x.shape)})"
            )
        return channels if self.transposed else channels // self.groups

    def _set_size(self, size: int) -> None:
        self.in_channels = size if self.transposed else size * self.groups


class _LazyConv(_LazyChannels):
    """A convolution whose input channels are open."""

    def __init__(
        self,
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
        super().__init__(  # type: ignore[call-arg]
            0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip


class LazyConv1d(_LazyConv, Conv1d):
    """`Conv1d` that takes ``in_channels`` from the first batch, and is one from then on.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LazyConv1d(33, 3, stride=2)(mg.ones(20, 16, 50)).shape
    (20, 33, 24)
    """

    becomes = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """`Conv2d` that takes ``in_channels`` from the first batch, and is one from then on.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.LazyConv2d(8, 5, padding="same")
    >>> layer(mg.ones(2, 3, 28, 28)).shape
    (2, 8, 28, 28)
    >>> layer
    Conv2d(3, 8, kernel_size=(5, 5), stride=(1, 1), padding=same)  # 608 parameters
    """

    becomes = Conv2d


class _LazyConvTranspose(_LazyChannels):
    """A transposed convolution whose input channels are open."""

    transposed = True

    def __init__(
        self,
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
        super().__init__(  # type: ignore[call-arg]
            0, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation,
            device, dtype,
        )  # fmt: skip


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """`ConvTranspose1d` that takes ``in_channels`` from the first batch.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LazyConvTranspose1d(33, 4, stride=2, padding=1)(mg.ones(20, 16, 25)).shape
    (20, 33, 50)
    """

    becomes = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """`ConvTranspose2d` that takes ``in_channels`` from the first batch.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LazyConvTranspose2d(8, 4, stride=2, padding=1)(mg.ones(2, 16, 5, 5)).shape
    (2, 8, 10, 10)
    """

    becomes = ConvTranspose2d


# ---- batch normalisation ------------------------------------------------------------------------


class _LazyBatchNorm(LazyModule):
    """Batch normalisation whose channels are open."""

    num_features: int

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(  # type: ignore[call-arg]
            0, eps, momentum, False, False, device, dtype, bias=False
        )
        self.affine, self.track_running_stats = affine, track_running_stats
        name = type(self).__name__
        for what, wanted in (("weight", affine), ("bias", affine and bias)):
            if wanted:
                parameter = UninitializedParameter(f"{name}.{what}", (None,), device, dtype)
                self.register_parameter(what, parameter)
        if track_running_stats:
            for what in ("running_mean", "running_var"):
                buffer = UninitializedBuffer(f"{name}.{what}", (None,), device, dtype)
                self.register_buffer(what, buffer)
            self.register_buffer("num_batches_tracked", zeros((), dtype=int64, device=device))

    def _size_in(self, x: Any) -> int:
        self._check(x)
        return int(x.shape[1])

    def _set_size(self, size: int) -> None:
        self.num_features = size


class LazyBatchNorm1d(_LazyBatchNorm, BatchNorm1d):
    """`BatchNorm1d` that takes ``num_features`` from the first batch, and is one from then on.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.LazyBatchNorm1d()
    >>> _ = layer(mg.randn(5, 3))
    >>> layer.num_features
    3
    """

    becomes = BatchNorm1d


class LazyBatchNorm2d(_LazyBatchNorm, BatchNorm2d):
    """`BatchNorm2d` that takes ``num_features`` from the first batch, and is one from then on.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.LazyBatchNorm2d()
    >>> _ = layer(mg.randn(5, 3, 2, 2))
    >>> layer.num_features
    3
    """

    becomes = BatchNorm2d
