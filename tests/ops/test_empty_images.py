"""Convolutions of images with no rows, no columns, or none at all: shapes hold both ways.

Drawn calls found two kernels that could not reshape an empty array (tests/seeds.py, seed 11).
"""

from __future__ import annotations

from itertools import product

import numpy as np

import minigrad as mg

SIZES = [(0, 6, 6), (1, 0, 6), (2, 6, 0), (1, 0, 0), (2, 3, 1)]
KERNELS = [(1, 1), (2, 2), (1, 2)]
CHANNELS = [(1, 1, 1), (2, 3, 1), (2, 2, 2), (2, 4, 2)]


def test_convolutions_of_empty_images() -> None:
    rng = np.random.default_rng(0)
    convolved = 0
    for (n, h, w), kernel, padding, stride, (c, o, groups) in product(
        SIZES, KERNELS, ["same", 1, 2], (1, 2), CHANNELS
    ):
        if padding == "same" and stride != 1:
            continue
        x = mg.tensor(rng.normal(size=(n, c, h, w)), requires_grad=True)
        weight = mg.tensor(rng.normal(size=(o, c // groups, *kernel)), requires_grad=True)
        y = mg.conv2d(x, weight, None, stride, padding, 1, groups)
        y.backward(mg.tensor(rng.normal(size=y.shape)))
        assert x.grad.shape == x.shape
        assert weight.grad.shape == weight.shape
        if x.numel() == 0:
            assert not y.detach().numpy().any()
            assert not weight.grad.numpy().any()
        elif padding == "same":
            convolved += 1
            assert weight.grad.numpy().any()
    assert convolved == len(KERNELS) * len(CHANNELS)
