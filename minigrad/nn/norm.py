"""Normalisation layers: over the batch, over features, over groups, over each channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minigrad.backend import Device
from minigrad.engine.dtypes import DType, int64
from minigrad.engine.modes import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.nn import init
from minigrad.nn.blank import blank, check_count
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.channel_norm import batch_norm, instance_norm
from minigrad.ops.create import zeros
from minigrad.ops.norm import group_norm, layer_norm, rms_norm


class _Affine(Module):
    """What normalisations share: a learned scale, from 1 on, and a learned shift, from 0 on."""

    weight: Parameter | None
    bias: Parameter | None

    def _make(self, shape: Any, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        for name, wanted in (("weight", weight), ("bias", weight and bias)):
            self.register_parameter(
                name, Parameter(blank(shape, device, dtype)) if wanted else None
            )

    def reset_parameters(self) -> None:
        """Set the scale to 1 and the shift to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


# ---- each channel -------------------------------------------------------------------------------


class _ChannelNorm(_Affine):
    """What batch and instance normalisation share: sizes, options and running statistics."""

    ranks: ClassVar[dict[int, str]]  # how many axes the input may have, and which
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
        device: str | Device | None,
        dtype: DType | None,
    ) -> None:
        super().__init__()
        self.num_features = check_count("num_features", num_features)
        self.eps, self.momentum = eps, _check_momentum(momentum)
        self.affine, self.track_running_stats = affine, track_running_stats
        self._make((self.num_features,), affine, bias, device, dtype)
        tracked = track_running_stats
        for name in ("running_mean", "running_var"):
            vector = blank((self.num_features,), device, dtype) if tracked else None
            self.register_buffer(name, vector)
        count = zeros((), dtype=int64, device=device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was seen: mean 0, variance 1, no batches."""
        if self.running_mean is not None:
            self.running_mean.zero_()
        if self.running_var is not None:
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set the scale to 1 and the shift to 0, and forget the running statistics."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check(self, x: Any) -> None:
        if len(x.shape) not in self.ranks:
            raise ValueError(
                f"{type(self).__name__} takes {' or '.join(self.ranks.values())}, x has shape "
                f"{list(x.shape)}"
            )

    def extra_repr(self) -> str:
        """Return the size and the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


def _check_momentum(momentum: Any) -> Any:
    if momentum is not None and (isinstance(momentum, str) or not 0 <= momentum <= 1):
        raise ValueError(
            "momentum is the share of a new batch in the running statistics, from 0 to 1, or None "
            f"for the mean of all batches, not {momentum!r}"
        )
    return momentum


class _BatchNorm(_ChannelNorm):
    """Batch normalisation."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, bias, device, dtype
        )

    def forward(self, x: Any) -> Any:
        """Return x normalised: in training by the batch's own statistics, else by the running."""
        self._check(x)
        share = 0.0 if self.momentum is None else self.momentum
        mean, var, seen = self.running_mean, self.running_var, self.num_batches_tracked
        if self.training and not self.track_running_stats:
            mean = var = None
        elif self.training and seen is not None:
            with no_grad():
                seen += 1
            if self.momentum is None:  # the mean over all batches: the new one counts 1 / n
                share = 1 / float(seen)
        own = self.training or (mean is None and var is None)
        return batch_norm(x, mean, var, self.weight, self.bias, own, share, self.eps)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of features ``(N, C)`` or sequences ``(N, C, L)``; see `BatchNorm2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.BatchNorm1d(2, eps=0.001)
    >>> layer(mg.tensor([[1.0, 10.0], [3.0, 10.0]])).detach()
    tensor([[-0.9995,  0.    ],
            [ 0.9995,  0.    ]])
    """

    ranks: ClassVar = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images ``(N, C, H, W)``: each channel by itself.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias``. In training mean and (biased) variance
    are the batch's own, and the running ones move towards them; in evaluation mode (`eval`) the
    running ones are used.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    eps : float
        Keeps the division from growing without bounds.
    momentum : float or None
        The share of a new batch in the running statistics; None takes the mean of all batches.
    affine : bool
        Whether there are a weight and a bias.
    track_running_stats : bool
        Without, the batch's own statistics serve in evaluation mode as well.
    device, dtype : optional
        Where parameters and statistics live, and their type.
    bias : bool
        Whether there is a bias, if ``affine``.

    Attributes
    ----------
    weight, bias : Parameter or None
        Shape ``(C,)``; they start as 1 and 0.
    running_mean, running_var, num_batches_tracked : Tensor or None
        Buffers, saved with the parameters: they start as 0, 1 and 0. The variance is unbiased.

    Raises
    ------
    ValueError
        x has other axes, or training has one value for each channel.

    References
    ----------
    S. Ioffe and C. Szegedy, "Batch Normalization", ICML 2015.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.BatchNorm2d(3)
    >>> layer
    BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
      # 6 parameters
    >>> y = layer(mg.randn(8, 3, 4, 4) + 10)
    >>> bool(y.mean().abs() < 1e-5), bool((layer.running_mean > 0.9).all())
    (True, True)
    """

    ranks: ClassVar = {4: "(N, C, H, W)"}


class _InstanceNorm(_ChannelNorm):
    """Instance normalisation."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: str | Device | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, bias, device, dtype
        )

    def forward(self, x: Any) -> Any:
        """Return x normalised, each channel of each example by itself."""
        self._check(x)
        one = len(x.shape) == min(self.ranks)
        own = self.training or not self.track_running_stats
        y = instance_norm(
            x[None] if one else x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            own,
            self.momentum,
            self.eps,
        )
        return y[0] if one else y


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of sequences, ``(N, C, L)`` or ``(C, L)``; see `InstanceNorm2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.InstanceNorm1d(1)(mg.tensor([[1.0, 3.0]]))
    tensor([[-1.,  1.]])
    """

    ranks: ClassVar = {2: "(C, L)", 3: "(N, C, L)"}


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of images, ``(N, C, H, W)`` or ``(C, H, W)``.

    As `BatchNorm2d`, but with mean and variance of each channel of each example, and without
    parameters and running statistics by default.

    References
    ----------
    D. Ulyanov et al., "Instance Normalization", arXiv:1607.08022.

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.nn.InstanceNorm2d(3)(mg.randn(2, 3, 8, 8))
    >>> bool((y.mean((2, 3)).abs() < 1e-5).all())
    True
    """

    ranks: ClassVar = {3: "(C, H, W)", 4: "(N, C, H, W)"}


# ---- each example -------------------------------------------------------------------------------


class GroupNorm(_Affine):
    """Normalise groups of channels of each example together: ``(N, C, ...)``.

    Parameters
    ----------
    num_groups, num_channels : int
        The groups must divide the C channels.
    eps : float
        Keeps the division from growing without bounds.
    affine, bias : bool
        Whether there is a weight for each channel, and a bias with it.
    device, dtype : optional
        Where the parameters live, and their type.

    Raises
    ------
    ValueError
        The groups do not divide the channels.

    References
    ----------
    Y. Wu and K. He, "Group Normalization", ECCV 2018.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.GroupNorm(2, 4)(mg.tensor([[1.0, 3.0, 10.0, 30.0]])).detach()
    tensor([[-0.999995,  0.999995, -1.      ,  1.      ]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_groups = check_count("num_groups", num_groups)
        self.num_channels = check_count("num_channels", num_channels)
        if not self.num_groups or self.num_channels % self.num_groups:
            raise ValueError(f"num_groups={num_groups} must divide num_channels={num_channels}")
        self.eps, self.affine = eps, affine
        self._make((self.num_channels,), affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, x: Any) -> Any:
        """Return x normalised."""
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the sizes and the options."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class _RowNorm(_Affine):
    """What the normalisations over the last axes share."""

    def _set_shape(self, normalized_shape: int | Sequence[int]) -> None:
        sizes = [normalized_shape] if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(check_count("normalized_shape", n) for n in sizes)


class LayerNorm(_RowNorm):
    """Normalise each row over its last axes to mean 0 and variance 1, then scale and shift.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias`` with the biased variance.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The shape of the last axes, and of weight and bias.
    eps : float
        Keeps the division from growing without bounds.
    elementwise_affine, bias : bool
        Whether there is a weight, and a bias with it.
    device, dtype : optional
        Where the parameters live, and their type.

    Raises
    ------
    ValueError
        x does not end in ``normalized_shape``.

    References
    ----------
    J. L. Ba et al., "Layer Normalization", arXiv:1607.06450.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.LayerNorm(3, eps=0.0)
    >>> layer
    LayerNorm((3,), eps=0.0, elementwise_affine=True, bias=True)  # 6 parameters
    >>> layer(mg.tensor([[1.0, 2.0, 3.0]])).detach()
    tensor([[-1.2247449,  0.       ,  1.2247449]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self._set_shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, x: Any) -> Any:
        """Return x normalised."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the shape and the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine="
            f"{self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(_RowNorm):
    """Divide each row by its root mean square over the last axes, then scale.

    ``y = x / sqrt(mean(x^2) + eps) * weight``.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The shape of the last axes, and of the weight.
    eps : float, optional
        Default: the resolution of x's dtype.
    elementwise_affine : bool
        Whether there is a weight.
    device, dtype : optional
        Where it lives, and its type.

    Raises
    ------
    ValueError
        x does not end in ``normalized_shape``.

    References
    ----------
    B. Zhang and R. Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.RMSNorm(2)(mg.tensor([[3.0, 4.0]])).detach()
    tensor([[0.84852815, 1.1313709 ]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self._set_shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        shape = self.normalized_shape
        weight = Parameter(blank(shape, device, dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the scale to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Any) -> Any:
        """Return x divided by its root mean square."""
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the shape and the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
