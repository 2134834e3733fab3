"""gradcheck and lint look at models wherever these are."""

from __future__ import annotations

from typing import Any

import numpy as np
from mutation.mutant import planted

import minigrad as mg
from minigrad import nn, optim
from minigrad.check import gradcheck, gradgradcheck, lint
from minigrad.engine.op import TABLE


def point(device: str, *shape: int) -> mg.Tensor:
    return mg.tensor(np.random.default_rng(0).standard_normal(shape), device=device)


def test_gradcheck(backend: str) -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.LayerNorm(4), nn.Linear(4, 2))
    net = net.double().to(backend)
    for check in (gradcheck, gradgradcheck):
        report = check(net, point(backend, 2, 3))
        assert report, report
    assert {p.device.type for p in net.parameters()} == {backend}


def test_gradcheck_notices_a_wrong_rule(backend: str) -> None:
    with planted(TABLE["tanh"], x=lambda g, y: g * (1 + y * y)):
        report: Any = gradcheck(mg.tanh, point(backend, 2, 3).requires_grad_())
    assert report.verdict == "failed", report
    assert gradcheck(mg.tanh, point(backend, 2, 3).requires_grad_())


def test_lint(backend: str) -> None:
    mg.manual_seed(0)
    x = mg.randn(32, 4).to(backend)
    y = (x[:, 0] > 0).long()
    good = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))
    bad = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2), nn.Softmax(dim=1))
    for net, wanted in ((good, []), (bad, ["double-softmax"])):
        net.to(backend)
        optimizer = optim.Adam(net.parameters(), lr=0.01)
        assert lint(net, nn.CrossEntropyLoss(), (x, y), optimizer).ids == wanted
