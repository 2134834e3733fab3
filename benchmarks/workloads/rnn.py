"""W6: tanh recurrence over a sequence, Adam, the norm of the gradients clipped at 1."""

from typing import Any

import numpy as np

from benchmarks.cost import Cost, passes, product, update
from benchmarks.training import Training
from benchmarks.workload import Workload

CLASSES = 10


def network(nn: Any, inputs: int, hidden: int, **_: Any) -> Any:
    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(inputs, hidden)
            self.head = nn.Linear(hidden, CLASSES)

        def forward(self, x: Any) -> Any:
            states, _ = self.rnn(x)
            return self.head(states[-1])

    return Classifier()


def batch(
    rng: np.random.Generator, batch: int, length: int, inputs: int, **_: Any
) -> tuple[np.ndarray, np.ndarray]:
    x = rng.standard_normal((length, batch, inputs)).astype(np.float32)
    return x, rng.integers(0, CLASSES, batch)


def cost(batch: int, length: int, inputs: int, hidden: int, **_: Any) -> Cost:
    rows = batch * length
    parameters = hidden * (inputs + hidden + 2 + CLASSES) + CLASSES
    return (
        product(rows, inputs, hidden, backward=True, to_input=False)
        + product(rows, hidden, hidden, backward=True)
        + product(batch, hidden, CLASSES, backward=True)
        + passes(rows * hidden, 2)
        + update(parameters, 2)
    )


TRAINING = Training(network, batch, lambda optim, p: optim.Adam(p, lr=1e-3), clip=1.0)
WORKLOAD = Workload(
    "W6",
    "tanh-RNN hidden 128, sequence 50, batch 32, Adam, clipped",
    sizes={"batch": 32, "length": 50, "inputs": 32, "hidden": 128},
    small={"batch": 3, "length": 4, "inputs": 5, "hidden": 6},
    contenders=TRAINING.contenders,
    cost=cost,
    training=TRAINING,
)
