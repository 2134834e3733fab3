"""Perceptrons, W1 to W3: the network, its batch and its least cost, in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.cost import Cost, passes, product, update
from benchmarks.peers import perceptron_peers
from benchmarks.reference.dense import numpy_perceptron
from benchmarks.training import Training
from benchmarks.workload import Workload


def network(nn: Any, widths: Sequence[int], dropout: float = 0.0, **_: Any) -> Any:
    """Return linear layers with ReLU, and dropout where it is asked for, between them."""
    layers: list[Any] = []
    for i, (n, m) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(n, m))
        if i < len(widths) - 2:
            layers.append(nn.ReLU())
            layers += [nn.Dropout(dropout)] if dropout else [nn.Identity()]
    return nn.Sequential(*layers)


def batch(
    rng: np.random.Generator, batch: int, widths: Sequence[int], **_: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and classes."""
    x = rng.standard_normal((batch, widths[0])).astype(np.float32)
    return x, rng.integers(0, widths[-1], batch)


def cost(state: int, batch: int, widths: Sequence[int], **_: Any) -> Cost:
    """Return the products, the activations and the update (``state``: arrays a parameter)."""
    total = update(sum(n * m + m for n, m in pairwise(widths)), state)
    for i, (n, m) in enumerate(pairwise(widths)):
        total += product(batch, n, m, backward=True, to_input=i > 0)
    return total + passes(batch * sum(widths[1:-1]), 2)


def workload(
    label: str,
    title: str,
    sizes: dict[str, Any],
    small: dict[str, Any],
    optimiser: Callable[[Any, Any], Any],
    update: tuple[str, dict[str, float]],
) -> Workload:
    """Return a perceptron's workload; ``update`` names the optimiser where it is written out."""
    kind, settings = update
    training = Training(network, batch, optimiser)
    return Workload(
        label,
        title,
        sizes,
        small,
        contenders={
            **training.contenders,
            "numpy": partial(numpy_perceptron, network, batch, kind, settings),
            **perceptron_peers(network, batch, kind, settings),
        },
        cost=partial(cost, 2 if kind == "adam" else 1),
        parity={"dropout": 0.0} if sizes.get("dropout") else {},
        training=training,
    )
