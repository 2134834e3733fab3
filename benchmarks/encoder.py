"""The transformer encoder of W5 and W10."""

from __future__ import annotations

from typing import Any


def encoder(
    nn: Any, *, norm_first: bool, width: int, heads: int, feed_forward: int, layers: int, **_: Any
) -> Any:
    """Return encoder layers without dropout; with ``norm_first`` a norm at the end."""
    layer = nn.TransformerEncoderLayer(
        width,
        heads,
        feed_forward,
        dropout=0.0,
        activation=lambda x: nn.functional.gelu(x, approximate="tanh"),
        batch_first=True,
        norm_first=norm_first,
    )
    return nn.TransformerEncoder(layer, layers, nn.LayerNorm(width) if norm_first else None)


def encoder_flops(length: int, width: int, feed_forward: int, layers: int) -> float:
    """Return the FLOPs of one sequence forward: projections, attention, small network."""
    projections = 2 * length * (4 * width * width + 2 * width * feed_forward)
    return layers * (projections + 4 * length * length * width)


def encoder_parameters(width: int, feed_forward: int, layers: int) -> int:
    """Return the number of parameters of the layers."""
    return layers * (4 * width * width + 2 * width * feed_forward + 9 * width + feed_forward)
