"""Convolution, and its two transposes.

Each output of a convolution is a sum of products ``x[i] w[j]``; `_products` lists them. Weighed by
a cotangent g they become one number T(x, w, g), linear in each of the three arrays. So there are
three ways to leave one array out: `conv2d` (from x and w), `conv2d_input` (from g and w) and
`conv2d_weight` (from x and g). Each one's derivatives are the other two, which closes the calculus:
derivatives of any order run through three kernels (`minigrad.ops.conv_kernels`) and no other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.engine.tensor import Tensor
from minigrad.ops.conv_kernels import forward, to_input, to_weight
from minigrad.ops.kernels import wide
from minigrad.ops.reduce import sum
from minigrad.ops.refuse import refuse
from minigrad.ops.windows import Spatial, Windows, place, spatial

__all__ = [
    "conv1d", "conv2d", "conv2d_input", "conv2d_weight", "conv_transpose1d", "conv_transpose2d",
]  # fmt: skip

Padding = Spatial | str
Shape = tuple[int, ...]


# ---- the definition, which the kernels are held to ----------------------------------------------


def _products(
    x_shape: Shape, weight_shape: Shape, counts: Shape, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> Iterator[tuple[Any, Any, Any]]:  # fmt: skip
    """Yield the indices (i, j, k) of all products in ``y[k] = sum of x[i] w[j]``."""
    outputs, depth, *kernel = weight_shape
    where = place(x_shape[-2:], kernel, stride, padding, dilation)
    options = list(zip(where.stride, where.padding, where.dilation, where.size, strict=True))
    for o, c, *offset in itertools.product(range(outputs), range(depth), *map(range, kernel)):
        channel = o // (outputs // groups) * depth + c
        for out in itertools.product(*map(range, counts)):
            steps = zip(out, offset, options, strict=True)
            at = [n * s - p + k * d for n, k, (s, p, d, _) in steps]
            if all(0 <= a < size for a, size in zip(at, where.size, strict=True)):
                yield (..., channel, *at), (o, c, *offset), (..., o, *out)


def _naive(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
           dilation: Any = 1, groups: int = 1) -> Any:  # fmt: skip
    where = place(x.shape[-2:], weight.shape[-2:], stride, padding, dilation)
    y = np.zeros((*x.shape[:-3], len(weight), *where.counts), x.dtype)
    for i, j, k in _products(
        x.shape, weight.shape, where.counts, stride, padding, dilation, groups
    ):
        y[k] += x[i] * weight[j]
    return y if bias is None else y + bias[:, None, None]


def _naive_input(grad: Any, weight: Any, input_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1) -> Any:  # fmt: skip
    x = np.zeros(input_size, grad.dtype)
    for i, j, k in _products(
        x.shape, weight.shape, grad.shape[-2:], stride, padding, dilation, groups
    ):
        x[i] += grad[k] * weight[j]
    return x


def _naive_weight(x: Any, grad: Any, weight_size: Any, stride: Any = 1, padding: Any = 0,
                  dilation: Any = 1, groups: int = 1) -> Any:  # fmt: skip
    weight = np.zeros(weight_size, x.dtype)
    for i, j, k in _products(
        x.shape, weight_size, grad.shape[-2:], stride, padding, dilation, groups
    ):
        weight[j] += np.sum(x[i] * grad[k])
    return weight


# ---- what the three ops check ------------------------------------------------------------------


def _hint(shapes: list[Shape], options: dict[str, Any]) -> str | None:
    """Leave the word to the errors themselves, which name the sizes that clash and the cure."""
    return "both operands must be Tensors or arrays" if len(shapes) < 2 else None


def _check(x: Shape, weight: Shape, groups: int, bias: Shape | None = None) -> None:
    """Raise `ValueError` unless images, weight, bias and groups fit together."""
    problem = _misfit(x, weight, groups)
    if problem is None and bias is not None and bias != weight[:1]:
        problem = f"the bias has shape {list(bias)}; one number for each output is [{weight[0]}]"
    if problem is not None:
        raise ValueError(problem)


def _misfit(x: Shape, weight: Shape, groups: int) -> str | None:
    if len(weight) != 4:
        return f"the weight has shape {list(weight)}; it must be (outputs, inputs / groups, kh, kw)"
    if len(x) not in (3, 4):
        text = f"x has shape {list(x)}; it must be (N, C, H, W), or (C, H, W) for one image"
        return text + ("; give one channel an axis: x[None]" if len(x) == 2 else "")
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1:
        return f"groups must be an int of at least 1, not {groups!r}"
    outputs, depth, channels = weight[0], weight[1], x[-3]
    if outputs % groups or not outputs:
        return f"groups={groups} must divide the weight's {outputs} outputs (its first axis)"
    if channels == depth * groups:
        return None
    text = (
        f"x has {channels} channels (axis {len(x) - 3}), the weight expects {depth * groups} "
        f"(its second axis, {depth}, times groups={groups})"
    )
    if x[-1] == depth * groups:
        return text + "; x has its channels last: move them, x.movedim(-1, -3)"
    if depth and channels % depth == 0 and channels and outputs % (channels // depth) == 0:
        return text + f"; groups={channels // depth} would fit"
    return text + "; change the layer's number of inputs, or what comes before it"


def _lying(
    x: Shape, weight: Shape, grad: Shape, stride: Any, padding: Any, dilation: Any
) -> Windows:
    """Return the windows that ``grad``, the gradient of a convolution's output, belongs to.

    They may be fewer than there is room for: a transposed convolution chooses its output's size.
    """
    where = place(x[-2:], weight[-2:], stride, padding, dilation)
    wanted = (*x[:-3], weight[0], *where.counts)
    more = any(g > n for g, n in zip(grad[-2:], where.counts, strict=True))
    if len(grad) != len(x) or grad[:-2] != wanted[:-2] or more:
        raise ValueError(
            f"the gradient has shape {list(grad)}, the convolution of {list(x)} with "
            f"{list(weight)} has {list(wanted)}"
        )
    return where._replace(counts=grad[-2:])


def _crop(y: Any, shape: Shape) -> Any:
    """Cut off windows that ``shape`` does not have (see `_lying`)."""
    return y if y.shape[-2:] == shape[-2:] else y[..., : shape[-2], : shape[-1]]


def _batched(kernel: Any, xp: Backend, x: Array, *rest: Any) -> Array:
    """Run a kernel on images, or on one."""
    return kernel(xp, x, *rest) if x.ndim == 4 else kernel(xp, x[None], *rest)[0]


def _bias_rule(g: Any) -> Any:
    """Sum over each channel: by a product with ones where the channels lie last (1.0 -> 0.1 ms)."""
    if isinstance(g, Tensor) or g.ndim == 3 or not g.transpose(0, 2, 3, 1).flags.c_contiguous:
        return sum(g, dim=(-2, -1))  # the engine sums over the batch
    rows = wide(g).transpose(0, 2, 3, 1).reshape(-1, g.shape[1])
    return backend_of(g).ones(len(rows), rows.dtype) @ rows


# ---- the three ops -----------------------------------------------------------------------------


@op(
    cast="common",
    x=lambda g, weight, stride, padding, dilation, groups, x_shape: conv2d_input(
        g, weight, x_shape, stride, padding, dilation, groups
    ),
    weight=lambda g, x, stride, padding, dilation, groups, weight_shape: conv2d_weight(
        x, g, weight_shape, stride, padding, dilation, groups
    ),
    bias=_bias_rule,
    hint=_hint,
    facts=Facts(
        _naive,
        [
            S((2, 3, 5, 6), (4, 3, 3, 3), (4,)),
            S((2, 3, 5, 6), (4, 3, 3, 3), None, padding=1),
            S((2, 3, 6, 7), (2, 3, 3, 2), (2,), stride=2),
            S((1, 2, 9, 8), (2, 2, 3, 3), None, stride=3, padding=2),
            S((2, 2, 7, 9), (3, 2, 3, 2), (3,), stride=(2, 1), padding=(1, 0), dilation=(2, 3)),
            S((2, 2, 5, 5), (3, 2, 2, 4), (3,), padding="same"),
            S((1, 2, 6, 5), (2, 2, 3, 2), None, padding="same", dilation=2),
            S((1, 2, 4, 4), (2, 2, 3, 3), None, padding="valid"),
            S((2, 4, 5, 5), (6, 2, 3, 3), (6,), groups=2),
            S((2, 4, 6, 5), (4, 2, 3, 3), None, groups=2, stride=2, padding=1, dilation=2),
            S((2, 3, 5, 5), (3, 1, 3, 3), (3,), groups=3, padding=1),
            S((2, 2, 6, 6), (6, 1, 3, 2), (6,), groups=2, stride=2, padding=1),
            S((2, 1, 4, 5), (3, 1, 2, 2), None, padding=1),
            S((2, 3, 4, 5), (4, 3, 1, 1), (4,)),
            S((1, 3, 4, 4), (2, 3, 1, 1), None, stride=2),
            S((2, 2, 4, 3), (3, 2, 4, 3), (3,)),
            S((2, 2, 2, 2), (3, 2, 4, 4), None, padding=2),
            S((4, 4, 5), (4, 2, 2, 2), (4,), groups=2),
            S((0, 2, 4, 4), (3, 2, 3, 3), (3,)),
            S((1, 1, 1, 1), (1, 1, 1, 1), (1,)),
        ],
        analytic=True,
        torch="nn.functional.conv2d",
        formula="y[n, o, i, j] = b[o] + sum over c, k, l of w[o, c, k, l] "
        "x[n, c, i stride + k dilation - padding, j stride + l dilation - padding]; x is 0 outside",
    ),
)
def conv2d(
    xp: Backend,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Spatial = 1,
    padding: Padding = 0,
    dilation: Spatial = 1,
    groups: int = 1,
) -> Array:
    """Convolve images with a bank of kernels (not flipped, as everywhere in deep learning).

    ``(N, C, H, W), (O, C / groups, kh, kw), (O,) -> (N, O, H', W')`` with ``H' = floor((H + 2
    padding - dilation (kh - 1) - 1) / stride) + 1``; one image may come without its N axis.

    Parameters
    ----------
    x : Tensor
        The images.
    weight, bias : Tensor
        A kernel and a number for each output channel; the bias may be None.
    stride, padding, dilation : int or two ints
        Steps between windows, zeros around the image, steps within a window. The padding may also
        be "valid" (none) or, for stride 1, "same": the output has the size of the input, and an
        odd number of zeros has its greater half below and right.
    groups : int
        Parts that channels and outputs are cut into, each convolved by itself.

    Raises
    ------
    ValueError
        Channels, weight and groups do not fit, the kernel is larger than the padded image, or an
        option is out of range.

    Notes
    -----
    The result's memory has the channels last, and so has the gradient of x. A weight whose memory
    lies as (kh, kw, C, O) is used without a copy, and its gradient lies so as well.

    Examples
    --------
    >>> import minigrad as mg
    >>> edges = mg.tensor([[[[-1.0, 1.0]]]])
    >>> mg.conv2d(mg.tensor([[[0.0, 0.0, 5.0, 5.0]]]), edges)
    tensor([[[0., 5., 0.]]])
    """
    _check(x.shape, weight.shape, groups, None if bias is None else bias.shape)
    where = place(x.shape[-2:], weight.shape[-2:], stride, padding, dilation)
    return _batched(forward, xp, x, weight, bias, where, groups)


@op(
    cast="common",
    grad=lambda g, weight, stride, padding, dilation, groups, grad_shape: _crop(
        conv2d(g, weight, None, stride, padding, dilation, groups), grad_shape
    ),
    weight=lambda g, grad, stride, padding, dilation, groups, weight_shape: conv2d_weight(
        g, grad, weight_shape, stride, padding, dilation, groups
    ),
    hint=_hint,
    facts=Facts(
        _naive_input,
        [
            S((2, 4, 3, 4), (4, 3, 3, 3), input_size=(2, 3, 5, 6)),
            S((2, 4, 5, 6), (4, 3, 3, 3), input_size=(2, 3, 5, 6), padding=1),
            S((2, 2, 2, 3), (2, 3, 3, 2), input_size=(2, 3, 6, 7), stride=2),
            S((2, 2, 4, 4), (2, 2, 3, 3), input_size=(2, 2, 9, 8), stride=3, padding=2),
            S((2, 3, 5, 5), (3, 2, 2, 4), input_size=(2, 2, 5, 5), padding="same"),
            S((2, 6, 3, 3), (6, 2, 3, 3), input_size=(2, 4, 5, 5), groups=2),
            S((2, 6, 3, 4), (6, 1, 3, 2), input_size=(2, 2, 6, 6), groups=2, stride=2, padding=1),
            S((4, 1, 2), (4, 2, 3, 3), input_size=(2, 5, 6), dilation=2),
            # fewer windows than there is room for
            S((1, 2, 1, 2), (2, 1, 3, 3), input_size=(1, 1, 7, 8), dilation=2),
            S((0, 3, 2, 2), (3, 2, 3, 3), input_size=(0, 2, 4, 4)),
        ],
        analytic=True,
        torch="",
    ),
)
def conv2d_input(
    xp: Backend,
    grad: Array,
    weight: Array,
    input_size: Shape,
    stride: Spatial = 1,
    padding: Padding = 0,
    dilation: Spatial = 1,
    groups: int = 1,
) -> Array:
    """Gradient of `conv2d` by its images, for the gradient ``grad`` of its output.

    Every element of ``grad`` lays its kernel, times itself, over the window that it was computed
    from. This is the transposed convolution (see `conv_transpose2d`).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.conv2d_input(mg.tensor([[[1.0, 2.0]]]), mg.tensor([[[[1.0, 10.0]]]]), (1, 1, 3))
    tensor([[[ 1., 12., 20.]]])
    """
    _check(input_size, weight.shape, groups)
    where = _lying(input_size, weight.shape, grad.shape, stride, padding, dilation)
    return _batched(to_input, xp, grad, weight, where, groups)


@op(
    cast="common",
    x=lambda g, grad, stride, padding, dilation, groups, x_shape: conv2d_input(
        grad, g, x_shape, stride, padding, dilation, groups
    ),
    grad=lambda g, x, stride, padding, dilation, groups, grad_shape: _crop(
        conv2d(x, g, None, stride, padding, dilation, groups), grad_shape
    ),
    hint=_hint,
    facts=Facts(
        _naive_weight,
        [
            S((2, 3, 5, 6), (2, 4, 3, 4), weight_size=(4, 3, 3, 3)),
            S((2, 3, 5, 6), (2, 4, 5, 6), weight_size=(4, 3, 3, 3), padding=1),
            S((2, 3, 6, 7), (2, 2, 2, 3), weight_size=(2, 3, 3, 2), stride=2),
            S((2, 2, 9, 8), (2, 2, 4, 4), weight_size=(2, 2, 3, 3), stride=3, padding=2),
            S((2, 2, 5, 5), (2, 3, 5, 5), weight_size=(3, 2, 2, 4), padding="same"),
            S((2, 4, 5, 5), (2, 6, 3, 3), weight_size=(6, 2, 3, 3), groups=2),
            S((2, 2, 6, 6), (2, 6, 3, 4), weight_size=(6, 1, 3, 2), groups=2, stride=2, padding=1),
            S((2, 5, 6), (4, 1, 2), weight_size=(4, 2, 3, 3), dilation=2),
            # fewer windows than there is room for
            S((1, 1, 7, 8), (1, 2, 1, 2), weight_size=(2, 1, 3, 3), dilation=2),
            S((0, 2, 4, 4), (0, 3, 2, 2), weight_size=(3, 2, 3, 3)),
        ],
        analytic=True,
        torch="",
    ),
)
def conv2d_weight(
    xp: Backend,
    x: Array,
    grad: Array,
    weight_size: Shape,
    stride: Spatial = 1,
    padding: Padding = 0,
    dilation: Spatial = 1,
    groups: int = 1,
) -> Array:
    """Gradient of `conv2d` by its weight, for the gradient ``grad`` of its output.

    Examples
    --------
    >>> import minigrad as mg
    >>> x, grad = mg.tensor([[[1.0, 2.0, 3.0]]]), mg.tensor([[[1.0, 10.0]]])
    >>> mg.conv2d_weight(x, grad, (1, 1, 1, 2))
    tensor([[[[21., 32.]]]])
    """
    _check(x.shape, weight_size, groups)
    where = _lying(x.shape, weight_size, grad.shape, stride, padding, dilation)
    weight = to_weight if x.ndim == 4 else _of_one_image
    return weight(xp, x, grad, where, groups)


def _of_one_image(xp: Backend, x: Array, grad: Array, where: Windows, groups: int) -> Array:
    return to_weight(xp, x[None], grad[None], where, groups)


# ---- made of them ------------------------------------------------------------------------------


def _with_rows(name: str, x: Any, weight: Any) -> tuple[Any, Any]:
    """Return sequences as images of one row, and their kernels likewise."""
    if len(weight.shape) != 3 or len(x.shape) not in (2, 3):
        problem = "x must be (N, C, L) or (C, L), and the weight have 3 axes, the length last"
        raise refuse(name, problem, x, weight)
    images, kernel = (a.reshape((*a.shape[:-1], 1, a.shape[-1])) for a in (x, weight))
    return images, kernel


def _without_rows(y: Any) -> Any:
    return y.reshape((*y.shape[:-2], y.shape[-1]))


def _row(value: Any, fill: int, name: str, least: int) -> Any:
    """Return an option of sequences as one of images of one row."""
    return value if isinstance(value, str) else (fill, *spatial(name, value, 1, least))


@composite(
    facts=Facts(
        lambda x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1: _naive(
            x[..., None, :], weight[:, :, None], bias, (1, stride),
            padding if isinstance(padding, str) else (0, padding), (1, dilation), groups,
        )[..., 0, :],
        [
            S((2, 3, 7), (4, 3, 3), (4,)),
            S((2, 3, 7), (4, 3, 2), None, stride=2, padding=1),
            S((2, 2, 9), (3, 2, 3), (3,), dilation=3, padding=2),
            S((2, 4, 6), (4, 2, 4), None, padding="same", groups=2),
            S((2, 3, 6), (3, 1, 3), (3,), groups=3),
            S((3, 5), (2, 3, 5), (2,)),
            S((0, 2, 4), (3, 2, 3), (3,)),
        ],
        analytic=True,
        torch="nn.functional.conv1d",
    )
)  # fmt: skip
def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Spatial = 1,
    padding: Padding = 0,
    dilation: Spatial = 1,
    groups: int = 1,
) -> Array:
    """Convolve sequences: ``(N, C, L), (O, C / groups, k), (O,) -> (N, O, L')``; see `conv2d`.

    Raises
    ------
    ValueError
        As `conv2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.conv1d(mg.tensor([[1.0, 2.0, 4.0, 8.0]]), mg.tensor([[[1.0, 10.0]]]))
    tensor([[21., 42., 84.]])
    """
    images, kernel = _with_rows("conv1d", x, weight)
    problem = _misfit(tuple(images.shape), tuple(kernel.shape), groups)
    if problem is not None:
        raise refuse("conv1d", problem, x, weight)
    y = conv2d(
        images,
        kernel,
        bias,
        _row(stride, 1, "stride", 1),
        _row(padding, 0, "padding", 0),
        _row(dilation, 1, "dilation", 1),
        groups,
    )
    return _without_rows(y)


def _naive_transpose(x: Any, weight: Any, bias: Any = None, stride: Any = 1,
                     padding: Any = 0, output_padding: Any = 0, groups: int = 1,
                     dilation: Any = 1) -> Any:  # fmt: skip
    size = _output_size(x.shape, weight.shape, stride, padding, output_padding, dilation)
    shape = (*x.shape[:-3], weight.shape[1] * groups, *size)
    y = np.zeros(shape, x.dtype)
    for i, j, k in _products(shape, weight.shape, x.shape[-2:], stride, padding, dilation, groups):
        y[i] += x[k] * weight[j]
    return y if bias is None else y + bias[:, None, None]


def _output_size(
    x: Shape, weight: Shape, stride: Any, padding: Any, output_padding: Any, dilation: Any
) -> tuple[int, ...]:
    """Return the size of a transposed convolution's output, or raise `ValueError`."""
    strides, dilations = spatial("stride", stride, 2, 1), spatial("dilation", dilation, 2, 1)
    extra = spatial("output_padding", output_padding, 2, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, strides, dilations, strict=True)):
        raise ValueError(
            f"output_padding {list(extra)} must be smaller than the stride {list(strides)} or the "
            f"dilation {list(dilations)}: it only settles which of the sizes is meant that a "
            "convolution takes to this one"
        )
    low = spatial("padding", padding, 2, 0)
    sizes = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(
            x[-2:], strides, low, dilations, weight[-2:], extra, strict=True
        )
    )
    if min(sizes) < 1:
        raise ValueError(
            f"the output would have size {list(sizes)}: padding takes {[2 * p for p in low]} "
            "away from it, give less"
        )
    return sizes


@composite(
    facts=Facts(
        _naive_transpose,
        [
            S((2, 3, 4, 5), (3, 2, 3, 3), (2,)),
            S((2, 3, 4, 3), (3, 2, 3, 2), None, stride=2, padding=1),
            S((2, 3, 3, 4), (3, 2, 3, 3), (2,), stride=2, padding=1, output_padding=1),
            S((1, 2, 3, 3), (2, 2, 2, 3), (2,), stride=3, output_padding=(2, 1)),
            S((1, 2, 3, 3), (2, 1, 3, 3), (1,), dilation=2, output_padding=1),
            S((1, 2, 3, 3), (2, 1, 3, 3), None, dilation=(3, 2), padding=2, output_padding=(2, 1)),
            S((2, 4, 3, 3), (4, 3, 2, 2), (6,), groups=2, stride=2),
            S((2, 3, 4, 4), (3, 1, 3, 3), None, groups=3, padding=1),
            S((3, 4, 4), (3, 2, 1, 1), (2,)),
            S((0, 3, 2, 2), (3, 2, 3, 3), (2,)),
        ],
        analytic=True,
        torch="nn.functional.conv_transpose2d",
    )
)
def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Spatial = 1,
    padding: Spatial = 0,
    output_padding: Spatial = 0,
    groups: int = 1,
    dilation: Spatial = 1,
) -> Array:
    """Transposed convolution: every element of x lays a kernel, times itself, over the output.

    ``(N, C, H, W), (C, O / groups, kh, kw), (O,) -> (N, O, H', W')`` with ``H' = (H - 1) stride -
    2 padding + dilation (kh - 1) + output_padding + 1``. It is the gradient of the `conv2d` with
    the same weight and options by its images, so it undoes that one's change of size.

    Parameters
    ----------
    x, weight, bias : Tensor
        Images, kernels (from C channels to O / groups), a number for each output or None.
    stride, padding, dilation, groups
        Those of the convolution that this one transposes.
    output_padding : int or two ints
        Rows and columns more, below and right; smaller than the stride or the dilation.

    Raises
    ------
    ValueError
        Channels, weight and groups do not fit, or an option is out of range.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.conv_transpose2d(mg.tensor([[[1.0, 2.0]]]), mg.tensor([[[[1.0, 10.0]]]]), stride=(1, 2))
    tensor([[[ 1., 10.,  2., 20.]]])
    """
    try:
        if len(weight.shape) != 4 or len(x.shape) not in (3, 4):
            raise ValueError("x must be (N, C, H, W) or (C, H, W), the weight have 4 axes")
        channels, expected = x.shape[-3], weight.shape[0]
        if channels != expected:
            text = f"x has {channels} channels, the weight expects {expected} (its first axis)"
            if channels == weight.shape[1]:
                text += "; a transposed weight has x's channels first: swap its first two axes"
            raise ValueError(text)
        size = _output_size(x.shape, weight.shape, stride, padding, output_padding, dilation)
        outputs = weight.shape[1] * groups
        if bias is not None and tuple(bias.shape) != (outputs,):
            raise ValueError(
                f"the bias has shape {list(bias.shape)}; one number for each output is [{outputs}]"
            )
    except ValueError as error:
        raise refuse("conv_transpose2d", error, x, weight) from None
    shape = (*x.shape[:-3], outputs, *size)
    y = conv2d_input(x, weight, shape, stride, padding, dilation, groups)
    return y if bias is None else y + bias.reshape((outputs, 1, 1))


@composite(
    facts=Facts(
        lambda x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1: (
            _naive_transpose(
                x[..., None, :], weight[:, :, None], bias, (1, stride), (0, padding),
                (0, output_padding), groups, (1, dilation),
            )[..., 0, :]
        ),
        [
            S((2, 3, 4), (3, 2, 3), (2,)),
            S((2, 3, 4), (3, 2, 3), None, stride=2, padding=1, output_padding=1),
            S((2, 4, 3), (4, 3, 2), (6,), groups=2, dilation=2),
            S((3, 4), (3, 2, 1), (2,)),
            S((0, 3, 2), (3, 2, 3), (2,)),
        ],
        analytic=True,
        torch="nn.functional.conv_transpose1d",
    )
)  # fmt: skip
def conv_transpose1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Spatial = 1,
    padding: Spatial = 0,
    output_padding: Spatial = 0,
    groups: int = 1,
    dilation: Spatial = 1,
) -> Array:
    """Transposed convolution of sequences: ``(N, C, L), (C, O / groups, k), (O,) -> (N, O, L')``.

    See `conv_transpose2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.conv_transpose1d(mg.tensor([[1.0, 2.0]]), mg.tensor([[[1.0, 10.0]]]))
    tensor([[ 1., 12., 20.]])
    """
    images, kernel = _with_rows("conv_transpose1d", x, weight)
    y = conv_transpose2d(
        images,
        kernel,
        bias,
        _row(stride, 1, "stride", 1),
        _row(padding, 0, "padding", 0),
        _row(output_padding, 0, "output_padding", 0),
        groups,
        _row(dilation, 1, "dilation", 1),
    )
    return _without_rows(y)
