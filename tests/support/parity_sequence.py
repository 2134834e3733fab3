"""The recurrent, attention and transformer modules that are compared with PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from support.parity import Row

_PROJECTION = {"proj_size": "a projection of each output can be had by a Linear behind the layer"}


def _recurrent(name: str, *args: Any, **options: Any) -> Row:
    """Return a row with an initial state if ``state`` is given: its number of rows."""
    rows = options.pop("state", None)
    x = options.pop("x", (5, 3, 2))
    batch = () if len(x) == 2 else (3,)
    state = None if rows is None else (rows, *batch, args[1])
    inputs = (x,) if state is None else (x, (state, state) if name == "LSTM" else state)
    without = _PROJECTION if name == "LSTM" else {}
    return Row(name, args, options, inputs, without=without)


def _layers(name: str) -> list[Row]:
    """Return the rows of one kind of recurrent layer."""
    options: list[dict[str, Any]] = [
        {}, {"state": 1}, {"bias": False}, {"num_layers": 3, "state": 3}, {"bidirectional": True},
        {"num_layers": 2, "bidirectional": True, "state": 4},
        {"batch_first": True, "x": (3, 5, 2), "state": 1}, {"x": (5, 2), "state": 1},
        {"x": (5, 2), "batch_first": True}, {"x": (1, 3, 2)},
        {"num_layers": 2, "bias": False, "batch_first": True, "bidirectional": True,
         "x": (3, 5, 2)},
    ]  # fmt: skip
    return [_recurrent(name, 2, 4, **o) for o in options]


_SHOWN = {"NonDynamicallyQuantizableLinear": "Linear"}


def _causal(count: int) -> Any:
    """Return the mask that hides from each position what comes after it."""
    return np.triu(np.ones((count, count), bool), 1)


def _hidden(rng: np.random.Generator) -> Any:
    """Draw a mask for 4 queries and 5 keys; each query sees the first key."""
    return (rng.random((4, 5)) < 0.4) & (np.arange(5) > 0)


def _hidden_by_head(rng: np.random.Generator) -> Any:
    """Draw such a mask for each of 3 sequences and 2 heads."""
    return (rng.random((6, 4, 5)) < 0.4) & (np.arange(5) > 0)


def _scores(rng: np.random.Generator) -> Any:
    """Draw numbers to add to the scores of 4 queries and 5 keys."""
    return rng.standard_normal((4, 5))


_PADDING = np.arange(5) >= np.array([5, 3, 1])[:, None]  # of 3 sequences
_PADDING_SCORES = np.where(_PADDING, -np.inf, 0.25)
_QKV = ((4, 3, 6), (5, 3, 6), (5, 3, 6))
_FIRST = ((3, 4, 6), (3, 5, 6), (3, 5, 6))


def _attention(inputs: Any = _QKV, **options: Any) -> Row:
    """Return a row of 6 features and 2 heads; ``call`` holds the arguments of the call."""
    call = options.pop("call", {})
    return Row("MultiheadAttention", (6, 2), options, inputs, call=call, shown=_SHOWN)


_ATTENTION = [
    _attention(),
    _attention(_FIRST, batch_first=True),
    _attention(bias=False),
    _attention(((4, 6), (5, 6), (5, 6))),
    _attention(((4, 3, 6), (5, 3, 7), (5, 3, 8)), kdim=7, vdim=8),
    _attention(((4, 3, 6), (5, 3, 6), (5, 3, 8)), vdim=8, bias=False),
    _attention(add_bias_kv=True),
    _attention(add_zero_attn=True),
    _attention(call={"attn_mask": _hidden}),
    _attention(call={"attn_mask": _hidden_by_head}),
    _attention(call={"attn_mask": _scores}),
    _attention(_FIRST, batch_first=True, call={"key_padding_mask": _PADDING}),
    _attention(call={"key_padding_mask": _PADDING, "attn_mask": _hidden}),
    _attention(call={"key_padding_mask": _PADDING_SCORES, "attn_mask": _scores}),
    _attention(call={"key_padding_mask": _PADDING_SCORES, "average_attn_weights": False}),
    _attention(((4, 6), (5, 6), (5, 6)), call={"key_padding_mask": np.arange(5) > 2}),
    _attention(((4, 6), (5, 6), (5, 6)), call={"average_attn_weights": False}),
    _attention(call={"need_weights": False, "key_padding_mask": _PADDING}),
    _attention(call={"attn_mask": _causal(5)[:4], "is_causal": True}),
    _attention(
        add_bias_kv=True, add_zero_attn=True,
        call={"key_padding_mask": _PADDING, "attn_mask": _hidden},
    ),
]  # fmt: skip


def _layer(name: str, inputs: Any, options: dict[str, Any], call: dict[str, Any]) -> Row:
    """Return a row of 6 features, 2 heads, 5 hidden units, and no dropout unless given."""
    args = (6, 2, 1, 1, 5) if name == "Transformer" else (6, 2, 5)
    return Row(name, args, {"dropout": 0.0, **options}, inputs, call=call, shown=_SHOWN)


def _layer_rows() -> list[Row]:
    """Return the rows of transformers: all options, and masks."""
    x, memory = (5, 3, 6), (4, 3, 6)
    first = {"batch_first": True, "norm_first": True, "activation": "gelu"}
    options: list[dict[str, Any]] = [
        {}, {"norm_first": True, "activation": "gelu"}, {"bias": False, "layer_norm_eps": 1e-2},
    ]  # fmt: skip
    causal = {"src_mask": _causal(5), "is_causal": True}
    rows = [_layer("TransformerEncoderLayer", (x,), o, {}) for o in options]
    rows += [
        _layer("TransformerEncoderLayer", ((5, 6),), {}, {}),
        _layer("TransformerEncoderLayer", (x,), {}, causal),
        _layer("TransformerEncoderLayer", ((3, 5, 6),), first, {"src_key_padding_mask": _PADDING}),
    ]
    rows += [_layer("TransformerDecoderLayer", (x, memory), o, {}) for o in options]
    masks = {
        "tgt_mask": _causal(5), "tgt_is_causal": True, "tgt_key_padding_mask": _PADDING,
        "memory_key_padding_mask": _PADDING[:, :4],
    }  # fmt: skip
    both = ((3, 5, 6), (3, 4, 6))
    rows += [
        _layer("TransformerDecoderLayer", ((5, 6), (4, 6)), {}, {}),
        _layer("TransformerDecoderLayer", both, first, masks),
        _layer("TransformerDecoderLayer", (memory, x), {}, {"memory_mask": _hidden}),
        _layer("Transformer", (memory, x), {}, {}),
        _layer("Transformer", (x, memory), {}, {"src_mask": _causal(5)}),
        _layer("Transformer", both[::-1], first, masks),
    ]
    return rows


_NESTED = {
    "enable_nested_tensor": "there are no nested tensors",
    "mask_check": "there are no nested tensors",
}


def _encoder(nn: Any) -> Any:
    return nn.TransformerEncoderLayer(6, 2, 5, dropout=0.0)


def _decoder(nn: Any) -> Any:
    return nn.TransformerDecoderLayer(6, 2, 5, dropout=0.0)


def _norm(nn: Any) -> Any:
    return nn.LayerNorm(6)


_STACKS = [
    Row("TransformerEncoder", (_encoder, 2), inputs=((5, 3, 6),), shown=_SHOWN, without=_NESTED),
    Row("TransformerEncoder", (_encoder, 2, _norm), inputs=((5, 3, 6),),
        call={"mask": _causal(5)}, shown=_SHOWN, without=_NESTED),
    Row("TransformerDecoder", (_decoder, 2), inputs=((5, 3, 6), (4, 3, 6)), shown=_SHOWN),
    Row("TransformerDecoder", (_decoder, 2, _norm), inputs=((5, 3, 6), (4, 3, 6)),
        call={"tgt_mask": _causal(5)}, shown=_SHOWN),
]  # fmt: skip
ROWS: list[Row] = [
    *_ATTENTION,
    *_layer_rows(),
    *_STACKS,
    *(row for name in ("RNN", "LSTM", "GRU") for row in _layers(name)),
    _recurrent("RNN", 2, 4, num_layers=2, nonlinearity="relu", state=2),
    _recurrent("LSTM", 6, 1, x=(4, 3, 6)),
    Row("RNNCell", (2, 4), inputs=((3, 2),)),
    Row("RNNCell", (2, 4), inputs=((3, 2), (3, 4))),
    Row("RNNCell", (2, 4), {"bias": False, "nonlinearity": "relu"}, ((2,), (4,))),
    Row("LSTMCell", (2, 4), inputs=((3, 2),)),
    Row("LSTMCell", (2, 4), inputs=((3, 2), ((3, 4), (3, 4)))),
    Row("LSTMCell", (2, 4), {"bias": False}, ((2,), ((4,), (4,)))),
    Row("GRUCell", (2, 4), inputs=((3, 2),)),
    Row("GRUCell", (2, 4), inputs=((3, 2), (3, 4))),
    Row("GRUCell", (2, 4), {"bias": False}, ((2,), (4,))),
]
