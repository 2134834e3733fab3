"""The gradient checker: right where the gradient is right, and able to fail where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mutation.mutant import planted

import minigrad as mg
from minigrad.check import gradcheck, gradgradcheck
from minigrad.engine.op import TABLE


def t(*shape: int, seed: int = 0) -> mg.Tensor:
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape))


def test_front_door() -> None:
    assert mg.gradcheck is gradcheck
    assert mg.gradgradcheck is gradgradcheck


def test_right_gradients_pass() -> None:
    report = gradcheck(lambda x, w: mg.tanh(x @ w) * mg.sin(x).sum(), [t(2, 3), t(3, 4)])
    assert report, report
    assert report.verdict == "passed"
    assert report.compared == 18 * 9  # 18 inputs; 8 output elements and one random cotangent
    assert report.worst.excess < 1
    assert gradgradcheck(lambda x, w: mg.tanh(x @ w), [t(2, 3), t(3, 4)])


@pytest.mark.parametrize(
    ("rule", "ratio"),
    [
        (lambda g, y: g * (1 - y * y) * 2, 2.0),
        (lambda g, y: -g * (1 - y * y), -1.0),
        (lambda g, y: g * 0.0, 0.0),
        (lambda g, y: g, None),
        (lambda g, y: 1 - y * y, None),
        (lambda g, y: abs(g) * (1 - y * y), None),
        (lambda g, y: (g * (1 - y * y))[::-1], None),
    ],
    ids=["twice", "sign", "zero", "factor", "no-g", "abs-g", "reversed"],
)
def test_wrong_rules_fail(rule: Any, ratio: float | None) -> None:
    with planted(TABLE["tanh"], x=rule):
        report = gradcheck(mg.tanh, t(4))
    assert not report
    assert report.verdict == "failed"
    if ratio is not None:
        assert report.worst.ratio == pytest.approx(ratio, abs=1e-6)


def test_wrong_second_derivative_fails_where_the_first_is_right() -> None:
    constant = lambda g, y: g * (1 - np.asarray(getattr(y, "_array", y)) ** 2)  # noqa: E731
    with planted(TABLE["tanh"], x=constant):
        assert gradcheck(mg.tanh, t(4))
        report = gradgradcheck(mg.tanh, t(4))
    assert report.verdict == "failed", report
    assert "input 0[" in report.worst.what


def test_report_names_the_element() -> None:
    flag = mg.tensor(np.array([[1.0, 1.0], [1.0, 0.0]]))  # d of x[1, 1] is lost

    def fn(c: float, x: mg.Tensor) -> mg.Tensor:
        return x * flag + x.detach() * (1.0 - flag) * c

    report = gradcheck(fn, [3.0, mg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=mg.float64)])
    assert not report
    assert report.worst.what == "d output 0[1, 1] / d input 1[1, 1]"
    assert report.worst.analytic == 0.0
    assert report.worst.numeric == pytest.approx(3.0)
    text = str(report)
    for part in ("gradcheck: failed", "analytic   0", "numeric    ", "ratio      0", "seed 0"):
        assert part in text
    assert repr(report) == text


def test_large_jacobian_is_checked_in_directions_and_traced_to_an_element() -> None:
    x = t(100, 90)
    assert gradcheck(mg.tanh, x)
    flag = np.ones((100, 90))
    flag[37, 41] = 0.0
    lost, kept = mg.tensor(1 - flag), mg.tensor(flag)
    report = gradcheck(lambda x: mg.tanh(x * kept + x.detach() * lost), x)
    assert not report
    assert report.worst.what == "d (v . outputs) / d input 0[37, 41]"
    assert report.worst.ratio == 0.0


def test_several_inputs_and_outputs() -> None:
    def fn(x: mg.Tensor, y: mg.Tensor) -> tuple[mg.Tensor, ...]:
        return x * y, x.sum(), mg.argmax(x), y * 3.0

    assert gradcheck(fn, (t(3), t(3, seed=1)))
    assert gradgradcheck(fn, (t(3), t(3, seed=1)))
    x = mg.tensor(2.0, dtype=mg.float64)
    report = gradcheck(lambda x, y: (x * y, (x * y.detach()).sum()), (x, x))
    assert not report
    assert report.worst.what == "d output 1[] / d input 1[]"


def test_only_inputs_that_require_grad_are_checked() -> None:
    x, c = t(3), t(3, seed=1)
    x.requires_grad_()
    assert gradcheck(lambda x, c: x * c.detach(), [x, c])
    assert not gradcheck(lambda x, c: x * c.detach(), [t(3), c])
    assert x.grad is None


def test_vacuity_alarm() -> None:
    ones = mg.ones(4, dtype=mg.float64)
    report = gradcheck(lambda x: mg.softmax(x, 0), t(4), cotangent=ones)
    assert report.verdict == "vacuous"
    assert not report
    assert "not all ones" in str(report)
    assert gradcheck(lambda x: mg.softmax(x, 0), t(4), cotangent=np.array([1.0, 2.0, 0.5, -1.0]))
    assert gradcheck(lambda x: mg.softmax(x, 0), t(4))


def test_cotangent_of_ones_is_alarmed_where_it_hides_an_error() -> None:
    ones = mg.ones(4, dtype=mg.float64)
    with planted(TABLE["softmax"], x=lambda g: g * 0.0):
        assert gradcheck(lambda x: mg.softmax(x, 0), t(4), cotangent=ones).verdict == "vacuous"
        assert gradcheck(lambda x: mg.softmax(x, 0), t(4)).verdict == "failed"


def test_kink_is_said_in_words() -> None:
    report = gradcheck(mg.relu, mg.tensor([1.0, 0.0, -1.0], dtype=mg.float64))
    assert not report
    assert report.worst.what == "d output 0[1] / d input 0[1]"
    assert report.verdict == "kink"
    (note,) = report.notes
    assert "0 from the left and 1 from the right" in note
    assert "shift that element by 1e-05" in note


def test_wrong_rule_at_a_smooth_point_is_not_called_a_kink() -> None:
    with planted(TABLE["tanh"], x=lambda g: g * 3.0):
        report = gradcheck(mg.tanh, t(4))
    assert report.verdict == "failed"
    assert "kink" not in str(report)


def test_complex_step() -> None:
    x = t(3)
    report = gradcheck(lambda x: mg.exp(x) * mg.sin(x), x, method="complex", atol=1e-14, rtol=1e-13)
    assert report, report
    with pytest.raises(TypeError, match="does not keep complex arrays complex"):
        gradcheck(mg.abs, x, method="complex")
    with pytest.raises(ValueError, match="'central', 'complex' or 'auto', not 'forward'"):
        gradcheck(mg.exp, x, method="forward")


def test_what_is_no_gradient_check() -> None:
    with pytest.raises(TypeError, match=r"input 0 is float32.*float64; pass x\.double\(\)"):
        gradcheck(mg.tanh, mg.ones(2))
    with pytest.raises(TypeError, match="no input is a floating Tensor"):
        gradcheck(mg.abs, mg.tensor([1, 2]))
    with pytest.raises(TypeError, match="fn returned no floating Tensor"):
        gradcheck(mg.argmax, t(3))
    with pytest.raises(
        ValueError, match=r"cotangents of shapes \[\[2\]\] for outputs of.*\[\[3\]\]"
    ):
        gradcheck(mg.tanh, t(3), cotangent=np.ones(2))


def test_random_function_is_said_to_be_random() -> None:
    rng = np.random.default_rng(0)
    report = gradcheck(lambda x: x * mg.tensor(rng.random(3)), t(3))
    assert not report
    assert report.verdict == "random"
    assert "two calls of fn differ" in report.notes[0]
    assert report.worst is None
    assert str(report).splitlines()[0].startswith("gradcheck: random (0 derivatives, ")


def test_minigrads_generator_is_given_the_same_state_at_each_call() -> None:
    mg.manual_seed(3)
    before = mg.default_generator.get_state()
    for check in (gradcheck, gradgradcheck):
        report = check(lambda x: mg.tanh(mg.dropout(x, 0.5)), t(4, 4))
        assert report, report
        assert "every call drew the same ones" in report.notes[0]
        assert mg.default_generator.get_state() == before
    assert gradcheck(mg.tanh, t(4)).notes == ()


def test_detached_result_is_said_to_be_detached() -> None:
    report = gradcheck(lambda x: (x * x).detach(), t(3))
    assert not report
    assert "no graph" in report.notes[0]


def test_nan_never_passes() -> None:
    with np.errstate(all="ignore"):
        report = gradcheck(mg.log, mg.tensor([-1.0, 2.0], dtype=mg.float64))
    assert not report
    with np.errstate(all="ignore"):
        report = gradcheck(mg.sqrt, mg.tensor([0.0, 1.0], dtype=mg.float64))
    assert not report


def test_nothing_to_compare() -> None:
    report = gradcheck(mg.tanh, mg.zeros(0, 3, dtype=mg.float64))
    assert report.verdict == "vacuous"
    assert report.compared == 0
    assert "no element" in report.notes[0]


def test_seed_reproduces() -> None:
    f = lambda x: mg.tanh(x) * (x.detach() + x) * 0.5  # noqa: E731
    one, two, other = (gradcheck(f, t(4), seed=s) for s in (3, 3, 4))
    assert str(one) == str(two)
    assert one.seed == 3
    assert not other


def test_inputs_and_graph_are_left_alone() -> None:
    x = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    before = x.tolist()
    gradcheck(mg.tanh, x)
    gradgradcheck(mg.tanh, x)
    assert x.tolist() == before
    assert x.grad is None
