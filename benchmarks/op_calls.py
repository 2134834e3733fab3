"""A call of each op of the table at any size, for minigrad and for its namesake in torch.

Elementwise ops are called on one axis; for the others `layouts` says which shapes they get.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

COLUMNS = 64  # of a matrix, where an op goes along its rows
BY_PLACE = {"broadcast_to", "expand", "repeat", "tensor_split", "view"}  # options: other names


@dataclass(frozen=True)
class Layout:
    """Operands and options of one call.

    An operand is a shape, for values that are differentiated by; a maker of a constant; or None.
    """

    operands: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    listed: bool = False  # the operands go in as one list


def _integers(shape: tuple[int, ...], high: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.integers(0, high, shape)


def _bools(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.random(shape) < 0.5


def _signs(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.choice([-1.0, 1.0], shape).astype(np.float32)


def _constants(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.uniform(0.5, 2, shape).astype(np.float32)


def layouts(n: int) -> dict[str, Layout]:
    """Return the calls with about ``n`` elements, by op, of what is not simply elementwise."""
    rows = max(n // COLUMNS, 1)
    m, c = (rows, COLUMNS), COLUMNS
    side = max(round(n**0.5), 2)
    square = (side, side)
    images = max(n // 1024, 1)
    pixels = (images, 4, 16, 16) if n >= 1024 else (1, 4, 4, 4)
    signal = (images, 4, 256) if n >= 1024 else (1, 4, 16)
    heads = (max(n // 2048, 1), 32, 64) if n >= 2048 else (1, 4, 8)
    classes = _integers((rows,), c)
    made: dict[str, Layout] = {}

    def add(names: str, *operands: Any, listed: bool = False, **options: Any) -> None:
        for name in names.split():
            made[name] = Layout(operands, options, listed)

    add("eq ne lt le gt ge isclose maximum minimum fmod pow div hypot atan2", (n,), (n,))
    add("remainder", (n,), (n,))
    add("floor_divide", _constants(n), _constants(n))  # torch refuses operands that require grad
    add("isnan isinf isfinite nan_to_num floor ceil trunc round softplus gelu relu", (n,))
    add("leaky_relu elu selu celu relu6 hardtanh hardsigmoid hardswish abs sign clone", (n,))
    add("logical_and logical_or logical_xor", _bools(n), _bools(n))
    add("bitwise_and bitwise_or bitwise_xor", _integers((n,), 100), _integers((n,), 100))
    add("logical_not", _bools(n))
    add("bitwise_not", _integers((n,), 100))
    add("where", _bools(n), (n,), (n,))
    add("clamp", (n,), min=-0.5, max=0.5)
    add("prelu", m, (c,))
    add("addcmul addcdiv lerp", (n,), (n,), (n,))
    add("dropout", (n,), p=0.2)
    add("alpha_dropout", (n,), p=0.2, training=True)
    add("dropout1d", signal, p=0.2)
    add("dropout2d", pixels, p=0.2)
    # matrices: parts, joins, axes
    add("tril triu t", square)
    add("diagonal trace", square)
    add("diag diag_embed", (side,))
    add("gather take_along_dim", m, _integers(m, c), dim=1)
    add("scatter scatter_add", m, _integers(m, c), m, dim=1)
    add("index_select", m, classes, dim=1)
    add("index_add", m, _integers((rows,), rows), m, dim=0)
    add("masked_fill", m, _bools(*m), value=0.0)
    add("masked_select", m, _bools(*m))
    add("embedding", _integers((rows,), 1000), (1000, c))
    add("one_hot", classes, num_classes=c)
    add("nonzero", _bools(n))
    add("flatten ravel contiguous", m)
    add("reshape", m, shape=(c, rows))
    add("broadcast_to", (c,), shape=m)
    add("view", m, size=(c, rows))
    add("expand", (1, c), size=m)
    add("repeat", m, repeats=(2, 1))
    add("broadcast_tensors", (rows, 1), (c,))
    add("unflatten", (rows * c,), dim=0, sizes=m)
    add("view_as reshape_as", m, (c, rows))
    add("expand_as", (1, c), m)
    add("squeeze", (rows, 1, c), dim=1)
    add("unsqueeze", m, dim=1)
    add("swapaxes transpose", m, dim0=0, dim1=1)
    add("permute", (rows, 8, 8), dims=(2, 0, 1))
    add("movedim", m, source=0, destination=1)
    add("flip", m, dims=(1,))
    add("roll", m, shifts=3, dims=1)
    add("narrow", m, dim=1, start=8, length=32)
    add("select", m, dim=1, index=3)
    add("tile", m, dims=(2, 1))
    add("cat", m, m, listed=True, dim=1)
    add("stack hstack vstack", m, m, listed=True)
    add("chunk", m, chunks=4, dim=1)
    add("tensor_split", m, indices_or_sections=4, dim=1)
    add("split", m, split_size_or_sections=16, dim=1)
    add("unbind", (8, n // 8 or 1))
    add("pad", m, pad=(1, 2))
    add("meshgrid", (side,), (side,), indexing="ij")
    add("repeat_interleave", m, 2, dim=1)
    # along an axis
    add("cumsum cumprod diff", m, dim=1)
    add("argsort sort argmax argmin amax amin max min median", m, dim=1)
    add("topk", m, k=5)
    add("sum mean prod var std", m, dim=1)
    add("norm linalg_norm", m, dim=1)
    add("all any count_nonzero", _bools(*m), dim=1)
    add("softmax log_softmax logsumexp", m, dim=1)
    # products
    small = max(round((n / 3) ** 0.5), 2)
    add("matmul mm", (small, small), (small, small))
    add("bmm", (max(n // 1024, 1), 16, 32), (max(n // 1024, 1), 32, 16))
    add("mv", m, (c,))
    add("dot inner", (n,), (n,))
    add("outer", (side,), (side,))
    add("tensordot", m, (c, c), dims=1)
    add("kron", (rows, 8), (4, 2))
    add("linear", m, (c, c), (c,))
    add("bilinear", (rows, 16), (rows, 16), (8, 16, 16), (8,))
    add("einsum", m, (c, c), listed=True, equation="ij,jk->ik")
    add("scaled_dot_product_attention", heads, heads, heads)
    # norms, losses
    add("layer_norm", m, (c,), (c,), normalized_shape=(c,))
    add("rms_norm", m, (c,), normalized_shape=(c,))
    add("group_norm", m, (c,), (c,), num_groups=8)
    add("batch_norm", (max(rows, 2), c), None, None, (c,), (c,), training=True)
    add("instance_norm", pixels)
    add("mse_loss l1_loss huber_loss smooth_l1_loss cosine_similarity", m, m)
    add("kl_div", m, m, reduction="batchmean")
    add("pairwise_distance", m, m)
    add("binary_cross_entropy binary_cross_entropy_with_logits", m, _bools_as_floats(m))
    add("nll_loss cross_entropy multi_margin_loss", m, classes)
    add("hinge_embedding_loss soft_margin_loss", m, _signs(*m))
    add("margin_ranking_loss", m, m, _signs(*m))
    add("cosine_embedding_loss", m, m, _signs(rows))
    add("triplet_margin_loss", m, m, m)
    # windows
    add("conv2d", pixels, (8, 4, 3, 3), (8,), padding=1)
    add("conv1d", signal, (8, 4, 3), (8,), padding=1)
    add("conv_transpose2d", pixels, (4, 8, 3, 3), (8,), stride=2)
    add("conv_transpose1d", signal, (4, 8, 3), (8,), stride=2)
    add("max_pool2d avg_pool2d", pixels, kernel_size=2)
    add("max_pool1d avg_pool1d", signal, kernel_size=2)
    add("adaptive_avg_pool2d", pixels, output_size=2)
    add("adaptive_avg_pool1d", signal, output_size=2)
    add("unfold", pixels, kernel_size=3)
    edge = pixels[-1]
    windows = (images, 4 * 9, (edge - 2) ** 2)
    add("fold", windows, output_size=(edge, edge), kernel_size=3)
    add("interpolate", pixels, scale_factor=2)
    add("pixel_shuffle", pixels, upscale_factor=2)
    add("pixel_unshuffle", pixels, downscale_factor=2)
    # matrices whose cost is cubic: about n operations
    cubic = max(round(n ** (1 / 3)), 2)
    add("linalg_inv linalg_det linalg_slogdet", (cubic, cubic))
    add("linalg_solve", (cubic, cubic), (cubic, 1))
    return made


def _bools_as_floats(shape: tuple[int, ...]) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: (rng.random(shape) < 0.5).astype(np.float32)


def layout(row: Any, n: int) -> Layout | None:
    """Return the call of a row of the table; None for one that `layouts` does not know."""
    from minigrad.engine.facts import ELEMENTWISE_1, ELEMENTWISE_2

    if row.facts is not None and row.facts.samples in ((), ELEMENTWISE_1, ELEMENTWISE_2):
        return Layout(tuple((n,) for _ in row.operands))
    return layouts(n).get(row.name)


def draw(lib: Any, row: Any, call: Layout) -> list[Any]:
    """Return the operands as tensors of a library: the same values in each process."""
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    differentiable = bool(row.rules) or not row.primitive
    values = []
    for i, operand in enumerate(call.operands):
        if callable(operand):
            values.append(lib.tensor(operand(rng)))
        elif isinstance(operand, tuple):
            low, high = _domain(row, 0 if call.listed else i)
            drawn = rng.uniform(low, high, operand).astype(np.float32)
            values.append(lib.tensor(drawn, requires_grad=differentiable))
        else:
            values.append(operand)
    return values


def _domain(row: Any, place: int) -> tuple[float, float]:
    domain = row.facts.domain
    if isinstance(domain[0], Sequence):
        domain = domain[min(place, len(domain) - 1)]
    return domain


def torch_function(row: Any) -> Callable[..., Any] | None:
    """Return torch's function of a row, by its facts or by its name; None if there is none."""
    import torch

    given = row.facts.torch if row.facts is not None else None
    if row.name == "einsum":  # the table's has its operands first
        return lambda operands, equation: torch.einsum(equation, *operands)
    modules = ("", "nn.functional.", "linalg.", "special.", "Tensor.")
    paths = [module + row.name for module in modules] if given is None else [given]
    for path in paths:
        found: Any = torch
        for part in filter(None, path.split(".")):
            found = getattr(found, part, None)
        if callable(found) and found is not torch:
            return found
    return None


def invoke(function: Callable[..., Any], row: Any, call: Layout, values: list[Any]) -> Any:
    """Call either library's function; the last operand and all before it go in by place."""
    if row.name in BY_PLACE:
        return function(*values, *call.options.values())
    if call.listed:
        return function(values, **call.options)
    names = row.names
    given = row.empty | call.options | dict(zip(row.operands, values, strict=False))
    count = 1 + max(names.index(n) for n in row.operands[: len(values)])
    if row.variadic or len(values) > len(row.operands):  # def f(*tensors)
        return function(*values, **call.options)
    rest = {k: v for k, v in call.options.items() if k not in names[:count]}
    return function(*(given[n] for n in names[:count]), **rest)
