"""W2: digits perceptron 784-128-64-10, dropout 0.2, SGD with momentum 0.9, batch 100."""

from benchmarks.perceptron import workload

WORKLOAD = workload(
    "W2",
    "digits MLP 784-128-64-10, dropout 0.2, SGD momentum, batch 100",
    sizes={"widths": (784, 128, 64, 10), "batch": 100, "dropout": 0.2},
    small={"widths": (20, 8, 6, 4), "batch": 5, "dropout": 0.2},
    optimiser=lambda optim, parameters: optim.SGD(parameters, lr=1e-2, momentum=0.9),
    update=("sgd", {"lr": 1e-2, "momentum": 0.9}),
)
