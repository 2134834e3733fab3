"""The same call in PyTorch: which function, and how its arguments are written there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.op import Op
from support.cases import Call

# Rows that are not compared, with the reason.
PART = "a step of {}, which is compared"
NOT_IN_TORCH = {
    "alias": "the engine's own node; its value is its operand",
    "cast": "torch's is the method .to(dtype), compared in tests/engine/test_dtypes.py",
    "to_device": "torch's is the method .to(device); one device here",
    "sum_to": "torch's is the method sum_to_size, compared through every broadcast gradient",
    "dropout_mask": "random: torch draws other numbers",
    "masked_softmax": PART.format("scaled_dot_product_attention"),
    "_on_diagonal": PART.format("diagonal's derivative"),
    "_place": PART.format("getitem's derivative"),
    "_accumulate": PART.format("index's derivative"),
    "_scatter_zeros": PART.format("gather's derivative"),
    "_pad_constant": PART.format("pad"),
    "_recurrence": PART.format("cumprod's derivative"),
    "_median_place": PART.format("median"),
    "_power_norm": PART.format("norm"),
    "_exp_difference": PART.format("softmax's derivative"),
    "channel_moments": PART.format("batch_norm"),
    "normalise_channels": PART.format("batch_norm"),
    "huber": PART.format("huber_loss"),
    "bernoulli_loss": PART.format("binary_cross_entropy"),
    "logistic_loss": PART.format("binary_cross_entropy_with_logits"),
    "hinge": PART.format("margin_ranking_loss"),
    "hinge_distance": PART.format("hinge_embedding_loss"),
    "hinge_loss": "torch has none; Keras has",
    "conv2d_input": PART.format("conv2d's derivative"),
    "conv2d_weight": PART.format("conv2d's derivative"),
    "einsum_single": PART.format("einsum"),
    "einsum_pair": PART.format("einsum"),
    "_solve": PART.format("linalg.solve"),
    "linalg_cofactors": PART.format("linalg.det's derivative"),
    "_det_sign": PART.format("linalg.slogdet"),
    "_log_abs_det": PART.format("linalg.slogdet"),
    "resample": PART.format("interpolate"),
    "window_max": PART.format("max_pool2d"),
    "window_choice": PART.format("max_pool2d"),
    "window_index": PART.format("max_pool2d"),
    "window_sum": PART.format("avg_pool2d"),
    "window_spread": PART.format("avg_pool2d"),
    "window_divide": PART.format("avg_pool2d"),
    "rnn_sequence": PART.format("nn.RNN"),
    "lstm_sequence": PART.format("nn.LSTM"),
    "gru_sequence": PART.format("nn.GRU"),
}

# Operands by which torch does not differentiate, and minigrad does: constants in the comparison.
CONSTANT = {
    ("batch_norm", "running_mean"), ("batch_norm", "running_var"),
    ("instance_norm", "running_mean"), ("instance_norm", "running_var"),
    ("binary_cross_entropy", "weight"), ("binary_cross_entropy_with_logits", "weight"),
    ("binary_cross_entropy_with_logits", "pos_weight"), ("multi_margin_loss", "weight"),
}  # fmt: skip

# What torch says where it lacks a derivative of a call, or loses its way in it: not compared there.
LACKS = (
    "is not implemented",
    "returned an invalid gradient",  # scatter_add with a src larger than the index
    "Expected a proper Tensor but got None",  # layer_norm with a bias and no weight, second order
    "shape '[0]' is invalid for input of size",  # the same of group_norm
)

# Samples that torch does not take, with the reason.
REFUSED = {
    "getitem-5-index=::-2": "torch has no negative steps",
    "index_put-5-3-index=int64[3]": "torch gives a value that was overwritten a gradient too",
    "linear-3x4-4-0d": "torch takes a 1-d weight, but not with a bias",
    "round-made-decimals=-1": "torch rounds no ints",
    "amax-made-dim=0-keepdim=True": "of a NaN among the elements torch's gradient is NaN",
    "amin-made-dim=0-keepdim=True": "as amax",
}


def _assigned(torch: Any, values: Sequence[Any], options: dict[str, Any]) -> Any:
    out = values[0].clone()
    out[options["index"]] = values[1]
    return out


# Where torch writes the arguments in another way: (torch, operands, options) -> its result.
ADAPTED: dict[str, Callable[[Any, Sequence[Any], dict[str, Any]], Any]] = {
    "broadcast_to": lambda torch, v, o: torch.broadcast_to(v[0], o["shape"]),
    "getitem": lambda torch, v, o: v[0][o["index"]],
    "index": lambda torch, v, o: v[0][o["index"]],
    "index_put": _assigned,
    "tensor_split": lambda torch, v, o: torch.tensor_split(v[0], *o.values()),
    "binary_cross_entropy_with_logits": lambda torch, v, o: (
        torch.nn.functional.binary_cross_entropy_with_logits(
            *v[:3], **(o | {"pos_weight": v[3]} if len(v) > 3 else o)
        )
    ),
    "einsum": lambda torch, v, o: torch.einsum(o["equation"], *v),
}


def namesake(torch: Any, row: Op) -> Callable[..., Any] | None:
    """Return torch's function of a row, by its facts or by its name; None if there is none."""
    if row.name in NOT_IN_TORCH:
        return None
    if row.name in ADAPTED:
        return torch  # type: ignore[no-any-return]  # which function, the adapter knows
    given = row.facts.torch if row.facts is not None else None
    modules = ("", "nn.functional.", "linalg.", "special.", "Tensor.")
    paths = [given] if given else [module + row.name for module in modules]
    for path in paths:
        found = torch
        for part in path.split("."):
            found = getattr(found, part, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
    return None


def call_torch(
    torch: Any, function: Callable[..., Any], call: Call, values: Sequence[Any]
) -> list[Any]:
    """Call torch's function in torch's order: up to the last operand by place, the rest by name."""
    options = {k: to_torch(torch, k, v) for k, v in call.options.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, on what it will change
        if call.row.name in ADAPTED:
            result = ADAPTED[call.row.name](torch, values, options)
        elif call.listed:
            result = function(list(values), **options)
        elif len(values) > len(call.row.operands):  # def f(*tensors)
            result = function(*values, **options)
        else:
            names = call.row.operands[: len(values)]
            given = call.row.empty | options | dict(zip(names, values, strict=True))
            last = 1 + max(call.row.names.index(n) for n in names)
            placed = [given[n] for n in call.row.names[:last]]
            result = function(
                *placed, **{k: options[k] for k in options.keys() - call.row.names[:last]}
            )
    return list(result) if isinstance(result, (tuple, list)) else [result]


def to_torch(torch: Any, name: str, x: Any) -> Any:
    """Return an option as torch takes it."""
    if name == "dtype" and x is not None:
        return getattr(torch, str(np.dtype(x)))
    if name == "normalized_shape" and isinstance(x, int):
        return (x,)
    if isinstance(x, np.ndarray):
        return torch.from_numpy(x)
    return tuple(to_torch(torch, "", y) for y in x) if isinstance(x, tuple) else x


def tensors(torch: Any, call: Call, values: Sequence[Any] | None = None) -> list[Any]:
    """Return operands as torch's tensors; those to differentiate by require grad."""
    made = []
    for i, x in enumerate(call.values if values is None else values):
        if isinstance(x, np.ndarray):
            x = torch.from_numpy(np.array(x))
            x.requires_grad_(x.is_floating_point() and i in compared(call))
        made.append(x)
    return made


def compared(call: Call) -> list[int]:
    """Return the places of the operands by which both libraries differentiate."""
    return [i for i in call.floating if (call.row.name, call.name_of(i)) not in CONSTANT]
