"""Kinks, ties, lost digits and borders of domains are told from wrong rules, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mutation.mutant import planted

import minigrad as mg
from minigrad.check import gradcheck, gradgradcheck
from minigrad.engine.op import TABLE


def x64(*values: float) -> mg.Tensor:
    return mg.tensor(list(values), dtype=mg.float64)


def words(report: Any) -> str:
    return str(report).replace("\n    ", " ")


# ---- kinks, ties, jumps -------------------------------------------------------------------------

KINKS = {
    "relu": (mg.relu, x64(1.0, 0.0, -1.0), "input 0[1] = 0", "0 from the left and 1"),
    "leaky": (lambda x: mg.leaky_relu(x, 0.1), x64(0.0), "input 0[0] = 0", "0.1 from the left"),
    "tie of max": (lambda x: mg.max(x, 0)[0], x64(2.0, 2.0), "input 0[1] = 2", "0 from the left"),
    "jump": (lambda x: mg.floor(x) + x, x64(1.5, 2.0), "input 0[1] = 2 is at a jump", "1 from the"),
    "clamp": (lambda x: mg.clamp(x * 3.0, 0, 1), x64(0.2, 0.0), "input 0[1] = 0", "3 from the"),
}


@pytest.mark.parametrize("name", KINKS)
def test_kink_has_its_own_verdict(name: str) -> None:
    fn, x, place, sides = KINKS[name]
    report = gradcheck(fn, x)
    assert report.verdict == "kink", report
    assert not report
    assert place in words(report)
    assert sides in words(report)
    assert "a convention, not an error" in words(report)


@pytest.mark.parametrize("name", KINKS)
def test_suggested_shift_leaves_the_kink(name: str) -> None:
    fn, x, place, _ = KINKS[name]
    text = words(gradcheck(fn, x))
    shift = float(text.split("shift that element by ")[1].split()[0])
    moved = x.numpy().copy()
    moved[int(place.split("[")[1][0])] += shift
    assert abs(shift) >= 1e-5
    assert gradcheck(fn, mg.tensor(moved))


def test_kink_within_a_step_is_told_with_a_step_that_does() -> None:
    x = x64(1.0, 3e-7)
    report = gradcheck(mg.relu, x)
    assert report.verdict == "kink"
    assert "within eps of input 0[1] = 3e-07 there is a kink or a tie" in words(report)
    assert "it is 0.3 on the left and 1 on the right" in words(report).replace("quotient", "it")
    eps = float(words(report).split("with eps=")[2].split()[0])
    assert gradcheck(mg.relu, x, eps=eps, atol=1e-6)


@pytest.mark.parametrize(
    ("fn", "x"),
    [(mg.abs, x64(1.0, 0.0)), (lambda x: mg.amax(x, 0), x64(2.0, 2.0, 1.0))],
    ids=["abs", "amax"],
)
def test_kink_where_backward_has_the_mean_of_both_sides_passes_with_a_note(
    fn: Callable[..., Any], x: mg.Tensor
) -> None:
    report = gradcheck(fn, x)
    assert report
    assert "is at a kink or a tie" in words(report)
    assert gradcheck(fn, x + x64(*3 * np.arange(len(x)) + 0.5)).notes == ()


@pytest.mark.parametrize("fn", [mg.square, mg.cosh, lambda x: x**4, mg.cos, mg.softplus])
def test_extremum_is_no_kink(fn: Callable[..., Any]) -> None:
    for point in (x64(0.0), x64(0.0, 0.3)):
        for check in (gradcheck, gradgradcheck):
            report = check(fn, point)
            assert report.verdict in ("passed", "vacuous")
            assert "kink" not in str(report)


def test_value_that_is_not_between_the_sides_fails() -> None:
    with planted(TABLE["relu"], x=lambda g, y: g * 5.0):
        report = gradcheck(mg.relu, x64(0.0))
    assert report.verdict == "failed"
    assert "0 from the left and 1 from the right, and backward's 5 is not between" in words(report)


def test_wrong_rule_is_not_excused_by_a_kink_elsewhere() -> None:
    x = x64(0.0, 1.0, 0.0, 2.0)
    flag = x64(1.0, 1.0, 1.0, 0.0)
    report = gradcheck(lambda x: mg.relu(x) * flag + mg.relu(x).detach() * (1 - flag), x)
    assert report.verdict == "failed"
    assert report.worst.what == "d output 0[3] / d input 0[3]"
    many = np.random.default_rng(0).standard_normal(9000)
    many[[7, 77, 777]] = 0.0
    many[4000] = 1.0
    keep = np.ones(9000)
    assert gradcheck(mg.relu, mg.tensor(many)).verdict == "kink"
    keep[4000] = 0.0
    on, off = mg.tensor(keep), mg.tensor(1 - keep)
    report = gradcheck(lambda x: mg.relu(x) * on + mg.relu(x).detach() * off, mg.tensor(many))
    assert report.verdict == "failed"
    assert report.worst.what == "d (v . outputs) / d input 0[4000]"


def test_wrong_rule_is_not_excused_by_a_kink_within_a_step() -> None:
    with planted(TABLE["relu"], x=lambda g, y: g * (y > 0) * 2.0):
        assert gradcheck(mg.relu, x64(3e-7)).verdict == "failed"


def test_kink_under_a_large_value_is_seen_with_wider_steps() -> None:
    report = gradcheck(lambda x: mg.relu(x) + 1e8, x64(0.0))
    assert report.verdict == "kink", report
    assert gradcheck(lambda x: mg.relu(x) * 2 - mg.relu(x).detach() + 1e8, x64(1.0)).verdict in (
        "failed",
        "imprecise",
    )


def test_where_there_is_a_kink_at_each_shift_no_shift_is_suggested() -> None:
    report = gradcheck(lambda x: mg.relu(mg.sin(x * (np.pi * 1e5))) * 1e-5, x64(0.0))
    assert report.verdict == "kink"
    assert "choose another point" in words(report)


def test_more_mismatches_than_are_looked_into() -> None:
    report = gradcheck(lambda x: mg.relu(x.expand(1500)), x64(0.0))
    assert report.verdict == "kink"
    assert "501 more mismatches were not looked into" in words(report)


def test_second_derivative_at_a_kink_of_the_first() -> None:
    square_of_relu = lambda x: mg.relu(x) * x  # noqa: E731
    assert gradcheck(square_of_relu, x64(0.0, 1.0), atol=1e-6)
    report = gradcheck(square_of_relu, x64(0.0, 1.0))
    assert report.verdict == "imprecise"  # it bends on one side only: an error of eps / 2
    report = gradgradcheck(square_of_relu, x64(0.0, 1.0))
    assert report.verdict == "kink"
    assert "d grad(input 0)[0] / d input 0[0]" in str(report)


# ---- digits -------------------------------------------------------------------------------------


def test_digits_lost_at_a_large_input() -> None:
    x = x64(1e8)
    report = gradcheck(mg.square, x)
    assert report.verdict == "imprecise"
    assert not report
    assert "at input 0[0] = 100000000 fn is about 1e+16" in words(report)
    eps = float(words(report).split("With eps=")[1].split()[0])
    assert eps > 1e-4
    assert gradcheck(mg.square, x, eps=eps)
    assert gradcheck(mg.square, x64(1e13)).verdict == "imprecise"  # x + eps is x


def test_digits_lost_in_a_large_value() -> None:
    report = gradcheck(lambda x: mg.sin(x) + 1e9, x64(0.3, 1.0))
    assert report.verdict == "imprecise"
    assert "whose last digit the step hardly changes" in words(report)


def test_float32_on_the_way() -> None:
    report = gradcheck(lambda x: mg.tanh(x.float()), x64(0.3, 1.0))
    assert report.verdict == "imprecise"
    assert "values are all float32 numbers; keep it in float64" in words(report)


def test_function_that_refuses_points_further_away() -> None:
    def strict(x: mg.Tensor) -> mg.Tensor:
        if float(x.detach().max()) > 1.00001:
            raise ValueError("x must be at most 1.00001")
        return mg.square(x)

    assert gradcheck(strict, x64(1.0))
    with planted(TABLE["square"], x=lambda g, x: g * x):
        assert gradcheck(strict, x64(1.0)).verdict == "failed"


def test_step_that_is_too_wide() -> None:
    report = gradcheck(mg.sqrt, x64(3e-6, 1.0))
    assert report.verdict == "imprecise"
    assert "within eps of input 0[0] = 3e-06 fn bends too strongly" in words(report)


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.0, 1.01])
@pytest.mark.parametrize(
    "case",
    [(mg.square, "square", x64(1e8)), (mg.sqrt, "sqrt", x64(3e-6))],
    ids=["large input", "wide step"],
)
def test_wrong_rule_is_not_excused_by_lost_digits(case: Any, factor: float) -> None:
    fn, name, x = case
    rule = TABLE[name].rules["x"]
    wrong = {
        "square": lambda g, x: rule(g, x) * factor,
        "sqrt": lambda g, y: rule(g, y) * factor,
    }[name]
    with planted(TABLE[name], x=wrong):
        assert gradcheck(fn, x).verdict == "failed"


@pytest.mark.parametrize("factor", [1.0, 0.0])
def test_spread_mismatch_of_a_large_function(factor: float) -> None:
    """Each of 9000 elements is within its tolerance, and their sum is not."""
    x = mg.tensor(np.random.default_rng(0).random(9000) + 0.5)
    off = mg.tensor(np.full(9000, 2e-7 * factor))
    report = gradcheck(lambda x: x + x.detach() * off - x * off, x, atol=1e-6, rtol=1e-9)
    assert report.verdict == ("passed" if factor == 0 else "failed"), report


# ---- NaN and infinity ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fn", "x", "text"),
    [
        (mg.log, x64(-1.0, 2.0), "fn itself is NaN or infinite here"),
        (mg.sqrt, x64(0.0, 1.0), "input 0[0] = 0 is on the border of fn's domain"),
        (mg.log, x64(3e-7, 1.0), "pass eps=1e-07, or move the element inwards"),
    ],
    ids=["outside", "border", "near the border"],
)
def test_no_value_no_verdict_on_backward(fn: Callable[..., Any], x: mg.Tensor, text: str) -> None:
    with np.errstate(all="ignore"):
        report = gradcheck(fn, x)
    assert report.verdict == "undefined", report
    assert not report
    assert text in words(report)


def test_nan_of_backward_alone_is_an_error() -> None:
    def naive(x: mg.Tensor) -> mg.Tensor:
        return mg.where(x > 0, mg.sqrt(mg.relu(x)), x * 0.0)

    with np.errstate(all="ignore"):
        report = gradcheck(naive, x64(-1.0, 1.0))
    assert report.verdict == "failed"
    assert "the branch of a where() that is not taken" in words(report)


# ---- it leaves its arguments alone ---------------------------------------------------------------


def test_rule_that_changes_the_gradient_in_place_is_caught() -> None:
    def spoils(g: Any, y: Any) -> Any:
        array = getattr(g, "_array", g)
        array *= 2.0
        return g * (1 - y * y) * 0.5

    with planted(TABLE["tanh"], x=spoils):
        report = gradcheck(lambda x: mg.tanh(x) + x, mg.tensor(np.linspace(-1, 1, 4)))
    assert report.verdict == "failed"


def test_function_that_changes_its_input_does_not_change_mine() -> None:
    def careless(x: mg.Tensor) -> mg.Tensor:
        y = mg.sin(x)
        x._array[...] = 7.0
        return y

    x = x64(0.5, 1.0)
    gradcheck(careless, x)
    assert x.tolist() == [0.5, 1.0]


# ---- the complex step ---------------------------------------------------------------------------


def test_complex_step_names_the_ops_that_are_not_analytic() -> None:
    x = x64(0.5, 1.0)
    with pytest.raises(TypeError, match=r"fn is made of abs, relu, which are not known to be"):
        gradcheck(lambda x: mg.relu(mg.abs(x) * x), x, method="complex")
    with pytest.raises(TypeError, match=r"it raised AttributeError.*write mg\.tanh\(x\)"):
        gradcheck(lambda x: x.tanh(), x, method="complex")


def test_auto_takes_the_complex_step_where_it_can() -> None:
    x = x64(0.5, 1.0)
    assert gradcheck(lambda x: mg.exp(x) * x, x, method="auto").method == "complex step"
    for fn in (mg.relu, lambda x: x.tanh()):
        report = gradcheck(fn, x, method="auto")
        assert report
        assert "central" in report.method
    with planted(TABLE["exp"], x=lambda g, y: g * y * 2.0):
        assert gradcheck(mg.exp, x, method="auto").verdict == "failed"


@pytest.mark.parametrize("options", [{"eps": 0.0}, {"eps": -1.0}, {"atol": 0.0}, {"rtol": -1.0}])
def test_steps_and_tolerances_that_make_no_sense(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        gradcheck(mg.exp, x64(1.0), **options)
