"""W3: perceptron 784-1024-1024-10, Adam, batch 256."""

from benchmarks.workloads.mlp import build

PARITY = 1e-4


def minigrad_step():
    return _build("minigrad")


def torch_step():
    return _build("torch")


def _build(library):
    sizes, batch, optimiser = (784, 1024, 1024, 10), 256, lambda optim, p: optim.Adam(p, lr=1e-3)
    return build(library, sizes, batch, optimiser)
