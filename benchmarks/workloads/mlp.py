"""A training step of a perceptron, in the same words for minigrad and torch."""

from itertools import pairwise

import numpy as np


def build(library, sizes, batch, optimiser, *, dropout=0.0):
    """Return ``step`` for one framework; the weights and the batch are the same in all."""
    if library == "minigrad":
        import minigrad as lib
        from minigrad import nn, optim
    else:
        import torch as lib
        from torch import nn, optim
    rng = np.random.default_rng(0)
    layers = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        linear = nn.Linear(n, m)
        bound = n**-0.5
        state = {
            "weight": lib.tensor(rng.uniform(-bound, bound, (m, n)).astype(np.float32)),
            "bias": lib.tensor(rng.uniform(-bound, bound, m).astype(np.float32)),
        }
        linear.load_state_dict(state)
        layers.append(linear)
        if i < len(sizes) - 2:
            layers.append(nn.ReLU())
            if dropout:
                layers.append(nn.Dropout(dropout))
    model = nn.Sequential(*layers)
    loss_function = nn.CrossEntropyLoss()
    updates = optimiser(optim, model.parameters())
    x = lib.tensor(rng.standard_normal((batch, sizes[0])).astype(np.float32))
    target = lib.tensor(rng.integers(0, sizes[-1], batch))
    if dropout:
        model.eval()  # parity is checked without the random masks ...
    steps = 0

    def step():
        nonlocal steps
        steps += 1
        if steps == 5 and dropout:
            model.train()  # ... and time is taken with them
        updates.zero_grad()
        loss = loss_function(model(x), target)
        loss.backward()
        updates.step()
        return loss.item()

    return step
