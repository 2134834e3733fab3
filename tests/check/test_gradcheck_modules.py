"""Modules and losses under a gradient check: all parameters, any mode, and nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mutation.mutant import planted

import minigrad as mg
from minigrad import nn
from minigrad.check import gradcheck, gradgradcheck
from minigrad.engine.op import TABLE


def t(*shape: int, seed: int = 0) -> mg.Tensor:
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape))


def state_of(net: nn.Module) -> dict[str, Any]:
    return {name: x.numpy().copy() for name, x in net.state_dict().items()}


def same_state(net: nn.Module, before: dict[str, Any]) -> bool:
    after = state_of(net)
    return list(after) == list(before) and all(
        after[k].dtype == before[k].dtype and np.array_equal(after[k], before[k]) for k in before
    )


class Scale(nn.Module):
    """A layer with its own idea of the gradient by its factor."""

    def __init__(self, change: Callable[[mg.Tensor], mg.Tensor]) -> None:
        super().__init__()
        self.factor = nn.Parameter(mg.tensor([0.5, 2.0, -1.0]))
        self.change = change

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        return x * self.change(self.factor)


CHECKS = pytest.mark.parametrize("check", [gradcheck, gradgradcheck])


@CHECKS
def test_all_parameters_and_the_input_are_checked(check: Any) -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    report = check(net, t(2, 3))
    assert report, report
    names = [row.name for row in report.rows]
    assert names[:5] == ["input 0", *net.state_dict()]
    assert [row.shape for row in report.rows[:3]] == [(2, 3), (4, 3), (4,)]
    assert all(row.compared > 0 and row.excess < 1 for row in report.rows)
    assert report.compared == sum(row.compared for row in report.rows)
    assert report.notes == () or check is gradgradcheck
    for name in names:
        assert re.search(rf"^  {re.escape(name)} +\[", str(report), re.MULTILINE)


def test_wrong_gradient_of_a_parameter_is_found_and_named() -> None:
    net = nn.Sequential(nn.Linear(3, 3), Scale(lambda w: w * 0.5 + w.detach() * 0.5)).double()
    report = gradcheck(net, t(4, 3))
    assert report.verdict == "failed"
    assert re.fullmatch(
        r"d output 0\[(\d), (\d)\] / d 1\.factor\[\2\]", report.worst.what
    )  # of all, only that one is wrong
    assert report.worst.ratio == pytest.approx(0.5, rel=1e-6)
    assert [row.name for row in report.rows if row.excess > 1] == ["1.factor"]
    assert "by 1.factor, backward is 2 times too small throughout" in str(report)


def test_module_without_a_gradient_for_a_parameter_fails() -> None:
    report = gradcheck(Scale(lambda w: w.detach()).double(), t(2, 3))
    assert report.verdict == "failed"
    assert "by factor, backward gives 0 throughout: no gradient arrives" in str(report)


def test_wrong_second_derivative_of_a_module_is_found() -> None:
    constant = lambda g, y: g * (1 - np.asarray(getattr(y, "_array", y)) ** 2)  # noqa: E731
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh()).double()
    with planted(TABLE["tanh"], x=constant):
        assert gradcheck(net, t(2, 2))
        report = gradgradcheck(net, t(2, 2))
    assert report.verdict == "failed", report
    assert report.check == "gradgradcheck"
    assert re.match(r"d grad\((input 0|0\.weight|0\.bias)\)\[", report.worst.what)
    assert gradgradcheck(net, t(2, 2))


def test_float32_module_is_promoted_on_a_copy() -> None:
    net = nn.Linear(3, 2)
    before, arrays = state_of(net), [p._array for p in net.parameters()]
    report = gradcheck(net, t(4, 3))
    assert report, report
    assert "the parameters are float32: a copy in float64 was checked" in report.notes
    assert same_state(net, before)
    assert all(p._array is a and p.grad is None for p, a in zip(net.parameters(), arrays))  # noqa: B905
    assert all(p.requires_grad and p.is_leaf for p in net.parameters())


def test_float32_input_of_a_module_is_refused_with_the_cure() -> None:
    with pytest.raises(TypeError, match=r"input 0 is float32.*pass x\.double\(\)"):
        gradcheck(nn.Linear(3, 2), mg.ones(4, 3))


def test_frozen_parameters_are_left_out_and_named() -> None:
    net = nn.Linear(3, 2).double()
    net.weight.requires_grad_(False)
    report = gradcheck(net, t(4, 3))
    assert report
    assert [row.name for row in report.rows] == ["input 0", "bias"]
    assert "not checked, since frozen: weight" in report.notes
    net.requires_grad_(False)
    with pytest.raises(TypeError, match="nothing to differentiate by"):
        gradcheck(net, mg.tensor([1, 2, 3]))


def test_tied_parameters_are_one() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(3, 3, bias=False)
            self.two = nn.Linear(3, 3, bias=False)
            self.two.weight = self.one.weight

        def forward(self, x: mg.Tensor) -> mg.Tensor:
            return self.two(mg.tanh(self.one(x)))

    for check in (gradcheck, gradgradcheck):
        report = check(Tied(), t(2, 3))
        assert report, report
        assert [row.name for row in report.rows][:2] == ["input 0", "one.weight"]


@CHECKS
def test_batch_norm_in_training_mode(check: Any) -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh())
    net(mg.ones(5, 3) * mg.arange(5.0).reshape(5, 1))
    before = state_of(net)
    report = check(net, t(5, 3))
    assert report, report
    assert "fn changes 1.running_mean, 1.running_var" in str(report).replace("\n    ", " ")
    assert same_state(net, before)
    assert net.training


def test_state_that_a_call_builds_up_does_not_spoil_the_next() -> None:
    class Remembers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("total", mg.zeros(3, dtype=mg.float64))
            self.calls, self.log = 0, []

        def forward(self, x: mg.Tensor) -> mg.Tensor:
            self.calls += 1
            self.log.append(self.calls)
            self.total = self.total + x.detach()
            return x * self.total * float(self.calls + len(self.log))

    net = Remembers()
    report = gradcheck(net, t(3))
    assert report.verdict == "failed"  # total is x here, and backward takes it for a constant
    assert report.worst.ratio == pytest.approx(0.5, rel=1e-6)
    assert (net.calls, net.log, net.total.tolist()) == (0, [], [0.0, 0.0, 0.0])


@CHECKS
def test_dropout_in_training_mode_is_seen_and_held_still(check: Any) -> None:
    net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Tanh())
    state = mg.default_generator.get_state()
    report = check(net, t(2, 3))
    assert report, report
    assert "every call drew the same ones" in str(report).replace("\n    ", " ")
    assert mg.default_generator.get_state() == state
    assert "drew" not in str(check(net.eval(), t(2, 3)))


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), mg.cross_entropy, nn.NLLLoss()])
def test_losses_with_labels(loss: Any) -> None:
    labels = mg.tensor([0, 2, 1])
    for check in (gradcheck, gradgradcheck):
        report = check(loss, [t(3, 4), labels])
        assert report.verdict == ("vacuous" if report.worst.numeric == 0 else "passed"), report
        assert report.rows[0].name == "input 0"
    assert gradcheck(loss, [t(3, 4), labels])
    assert labels.tolist() == [0, 2, 1]


def test_losses_with_two_floating_inputs() -> None:
    report = gradcheck(nn.MSELoss(), [t(3, 4), t(3, 4, seed=1)])
    assert report
    assert [row.name for row in report.rows] == ["input 0", "input 1"]
    scores = t(3, 4).requires_grad_()
    target = mg.tensor(np.random.default_rng(1).random((3, 4)))
    report = gradcheck(nn.BCEWithLogitsLoss(), [scores, target])
    assert report
    assert [row.name for row in report.rows] == ["input 0"]


def test_loss_that_forgets_to_divide_is_explained() -> None:
    rule = lambda g, y: g * (1 - y * y) * 5.0  # noqa: E731  # the mean of five, without 1/5
    with planted(TABLE["tanh"], x=rule):
        report = gradcheck(lambda x: mg.tanh(x).mean(), t(5))
    assert "a missing division by n = 5, the length of axis 0 of input 0" in _flat(report)


def test_model_and_loss_together_as_inputs() -> None:
    net, loss = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), nn.CrossEntropyLoss()
    before = state_of(net)
    report = gradcheck(
        lambda net, x, labels: loss(net(x), labels), [net, t(5, 4), mg.tensor([0, 2, 1, 1, 0])]
    )
    assert report, report
    assert [row.name for row in report.rows] == [
        "input 1",
        "input 0.0.weight",
        "input 0.0.bias",
        "input 0.1.weight",
        "input 0.1.bias",
    ]
    assert "every derivative by input 0.0.bias is 0" in _flat(report)  # batch norm takes it away
    assert same_state(net, before)


def test_method_of_a_module() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(3, 2)

        def loss(self, x: mg.Tensor, y: mg.Tensor) -> mg.Tensor:
            return mg.mse_loss(self.out(x), y)

    report = gradcheck(Net().loss, [t(4, 3), t(4, 2)])
    assert report, report
    assert [row.name for row in report.rows] == ["input 0", "input 1", "out.weight", "out.bias"]


def test_large_module_is_checked_in_directions_of_each_parameter() -> None:
    def half(w: mg.Tensor) -> mg.Tensor:
        return w * 0.5 + w.detach() * 0.5

    right = nn.Sequential(nn.Linear(20, 30), nn.Tanh(), nn.Linear(30, 3), nn.Tanh())
    report = gradcheck(right, t(16, 20))
    assert report, report
    assert "in random directions" in report.method
    assert [row.compared for row in report.rows] == [2] * 5
    report = gradcheck(nn.Sequential(right, Scale(half)), t(16, 20))
    assert report.verdict == "failed"
    assert re.fullmatch(r"d \(v \. outputs\) / d 1\.factor\[\d\]", report.worst.what)
    assert report.worst.ratio == pytest.approx(0.5, rel=1e-6)
    assert [row.name for row in report.rows if row.excess > 1] == ["1.factor"]


def test_class_for_a_module_is_refused() -> None:
    with pytest.raises(TypeError, match=r"fn is the class Linear; pass a module: Linear\(\.\.\.\)"):
        gradcheck(nn.Linear, t(2, 3))


def test_complex_step_of_a_module_is_refused() -> None:
    with pytest.raises(TypeError, match="fn has modules, whose parameters are Tensors"):
        gradcheck(nn.Linear(3, 2), t(2, 3), method="complex")
    assert "central" in gradcheck(nn.Linear(3, 2), t(2, 3), method="auto").method


def _flat(report: Any) -> str:
    return str(report).replace("\n    ", " ")
