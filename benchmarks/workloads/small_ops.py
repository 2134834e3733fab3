"""W8: 1,000 additions and multiplications on 10 elements, forward and backward."""

import numpy as np

PARITY = 1e-5
OPS = 1000

_rng = np.random.default_rng(0)
X = _rng.uniform(-1, 1, 10).astype(np.float32)
SCALE = np.full(10, 0.999, np.float32)
SHIFT = _rng.uniform(-0.01, 0.01, 10).astype(np.float32)
COTANGENT = _rng.uniform(-1, 1, 10).astype(np.float32)


def _chain(x, scale, shift):
    for _ in range(OPS // 2):
        x = x * scale + shift
    return x


def minigrad_step():
    import minigrad as mg

    x = mg.tensor(X, requires_grad=True)
    scale, shift, v = mg.tensor(SCALE), mg.tensor(SHIFT), mg.tensor(COTANGENT)

    def step():
        x.grad = None
        y = _chain(x, scale, shift)
        y.backward(v)
        return y[0].item() + x.grad[0].item()

    return step


def torch_step():
    import torch

    x = torch.tensor(X, requires_grad=True)
    scale, shift, v = torch.tensor(SCALE), torch.tensor(SHIFT), torch.tensor(COTANGENT)

    def step():
        x.grad = None
        y = _chain(x, scale, shift)
        y.backward(v)
        return y[0].item() + x.grad[0].item()

    return step
