"""W1: iris perceptron 4-64-64-3, ReLU, cross-entropy, Adam, batch 32."""

from benchmarks.workloads.mlp import build

PARITY = 1e-4


def minigrad_step():
    return _build("minigrad")


def torch_step():
    return _build("torch")


def _build(library):
    sizes, batch, optimiser = (4, 64, 64, 3), 32, lambda optim, p: optim.Adam(p, lr=1e-3)
    return build(library, sizes, batch, optimiser)
