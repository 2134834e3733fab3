"""W3: perceptron 784-1024-1024-10, Adam, batch 256."""

from benchmarks.perceptron import workload

WORKLOAD = workload(
    "W3",
    "MLP 784-1024-1024-10, Adam, batch 256",
    sizes={"widths": (784, 1024, 1024, 10), "batch": 256},
    small={"widths": (20, 16, 16, 4), "batch": 6},
    optimiser=lambda optim, parameters: optim.Adam(parameters, lr=1e-3),
    update=("adam", {"lr": 1e-3}),
)
