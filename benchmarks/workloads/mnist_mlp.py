"""W2: digits perceptron 784-128-64-10, dropout 0.2, SGD with momentum 0.9, batch 100."""

from benchmarks.workloads.mlp import build

PARITY = 1e-4


def minigrad_step():
    return _build("minigrad")


def torch_step():
    return _build("torch")


def _build(library):
    sizes, batch, optimiser = (
        (784, 128, 64, 10),
        100,
        lambda optim, p: optim.SGD(p, lr=1e-3, momentum=0.9),
    )
    return build(library, sizes, batch, optimiser, dropout=0.2)
