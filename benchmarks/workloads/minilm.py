"""W10: an encoder of MiniLM's shape forward: 6 layers, d 384, 12 heads, one short sequence."""

from typing import Any

import numpy as np

from benchmarks.cost import Cost, passes
from benchmarks.encoder import encoder, encoder_flops, encoder_parameters
from benchmarks.training import inference
from benchmarks.workload import Workload


def network(nn: Any, **sizes: Any) -> Any:
    return encoder(nn, norm_first=False, **sizes)


def sequence(rng: np.random.Generator, batch: int, length: int, width: int, **_: Any) -> np.ndarray:
    return rng.standard_normal((batch, length, width)).astype(np.float32)


def cost(batch: int, length: int, width: int, feed_forward: int, layers: int, **_: Any) -> Cost:
    activations = batch * length * (6 * width + feed_forward) * layers
    parameters = encoder_parameters(width, feed_forward, layers)
    flops = batch * encoder_flops(length, width, feed_forward, layers)
    return Cost(flops) + passes(activations, 2) + passes(parameters, 1)


WORKLOAD = Workload(
    "W10",
    "MiniLM-like encoder forward, 6 layers, d 384, sequence 32",
    sizes={
        "batch": 1, "length": 32, "width": 384, "heads": 12, "feed_forward": 1536, "layers": 6,
    },
    small={"batch": 2, "length": 5, "width": 8, "heads": 2, "feed_forward": 16, "layers": 2},
    contenders=inference(network, sequence),
    cost=cost,
)  # fmt: skip
