"""W5: transformer encoder classifier, pre-LayerNorm, GELU (tanh form), AdamW."""

from typing import Any

import numpy as np

from benchmarks.cost import Cost, passes, update
from benchmarks.encoder import encoder, encoder_flops, encoder_parameters
from benchmarks.training import Training
from benchmarks.workload import Workload

VOCABULARY, CLASSES = 1000, 10


def network(nn: Any, **sizes: Any) -> Any:
    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, sizes["width"])
            self.encoder = encoder(nn, norm_first=True, **sizes)
            self.head = nn.Linear(sizes["width"], CLASSES)

        def forward(self, tokens: Any) -> Any:
            return self.head(self.encoder(self.embedding(tokens)).mean(1))

    return Classifier()


def batch(
    rng: np.random.Generator, batch: int, length: int, **_: Any
) -> tuple[np.ndarray, np.ndarray]:
    return rng.integers(0, VOCABULARY, (batch, length)), rng.integers(0, CLASSES, batch)


def cost(batch: int, length: int, width: int, feed_forward: int, layers: int, **_: Any) -> Cost:
    flops = 3 * batch * encoder_flops(length, width, feed_forward, layers)
    activations = batch * length * (6 * width + feed_forward) * layers
    parameters = encoder_parameters(width, feed_forward, layers) + VOCABULARY * width
    return Cost(flops) + passes(activations, 4) + update(parameters, 2)


TRAINING = Training(network, batch, lambda optim, p: optim.AdamW(p, lr=1e-3))
WORKLOAD = Workload(
    "W5",
    "transformer 2 layers, d 128, 4 heads, AdamW, batch 16 x 64",
    sizes={
        "batch": 16, "length": 64, "width": 128, "heads": 4, "feed_forward": 512, "layers": 2,
    },
    small={"batch": 3, "length": 5, "width": 8, "heads": 2, "feed_forward": 16, "layers": 1},
    contenders=TRAINING.contenders,
    cost=cost,
    training=TRAINING,
)  # fmt: skip
