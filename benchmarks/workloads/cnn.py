"""W4: two convolutions 3x3 (32, 64), each with ReLU and max pooling, then 128 and 10; SGD."""

from typing import Any

import numpy as np

from benchmarks.cost import Cost, passes, product, update
from benchmarks.reference.cnn import numpy_cnn
from benchmarks.training import Training
from benchmarks.workload import Workload

RATE = 0.01


def network(nn: Any, side: int, **_: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * (side // 4) ** 2, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def batch(
    rng: np.random.Generator, batch: int, side: int, **_: Any
) -> tuple[np.ndarray, np.ndarray]:
    x = rng.standard_normal((batch, 3, side, side)).astype(np.float32)
    return x, rng.integers(0, 10, batch)


def cost(batch: int, side: int, **_: Any) -> Cost:
    flat = 64 * (side // 4) ** 2
    pixels = batch * side * side
    products = (
        Cost(2 * pixels * 27 * 32 * 2)  # no gradient of the image
        + Cost(2 * (pixels // 4) * 288 * 64 * 3)
        + product(batch, flat, 128, backward=True)
        + product(batch, 128, 10, backward=True)
    )
    # image, both feature maps before and after pooling: written and read, forward and backward
    maps = passes(pixels * (3 + 32) + pixels // 4 * (32 + 64) + pixels // 16 * 64, 4)
    return products + maps + update(27 * 32 + 32 + 288 * 64 + 64 + flat * 128 + 128 + 1290, 0)


TRAINING = Training(network, batch, lambda optim, parameters: optim.SGD(parameters, lr=RATE))
WORKLOAD = Workload(
    "W4",
    "CNN 3x32x32, two conv 3x3, SGD, batch 64",
    sizes={"batch": 64, "side": 32},
    small={"batch": 5, "side": 8},
    contenders={
        **TRAINING.contenders,
        "numpy": lambda **sizes: numpy_cnn(network, batch, RATE, **sizes),
    },
    cost=cost,
    own_threads=("numpy",),
    training=TRAINING,
)
