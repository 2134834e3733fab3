"""W1: iris perceptron 4-64-64-3, ReLU, cross-entropy, Adam, batch 32."""

from benchmarks.perceptron import workload

WORKLOAD = workload(
    "W1",
    "iris MLP 4-64-64-3, Adam, batch 32",
    sizes={"widths": (4, 64, 64, 3), "batch": 32},
    small={"widths": (4, 8, 3), "batch": 5},
    optimiser=lambda optim, parameters: optim.Adam(parameters, lr=1e-3),
    update=("adam", {"lr": 1e-3}),
)
