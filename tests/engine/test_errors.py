"""Bad input: each error names the op, the values and the cure, and the user's own line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg


def check(go: Callable[[], Any], kind: type[Exception], *parts: str) -> None:
    """Assert that a call raises ``kind`` with all of these parts in its text, in this order."""
    with pytest.raises(kind) as caught:
        go()
    text, start = str(caught.value), 0
    for part in parts:
        found = text.find(part, start)
        assert found >= 0, f"{part!r} is not (in this order) in: {text}"
        start = found + len(part)


# ---- shapes -------------------------------------------------------------------------------------


def test_shapes_that_do_not_broadcast() -> None:
    a, b = mg.ones(2, 3), mg.ones(4)
    check(
        lambda: a + b,
        ValueError,
        "add(a float32[2, 3], b float32[4])",
        "axis -1 is 3 in the first operand and 4 in the second",
        "must be equal or 1",
        "unsqueeze",
        "test_errors.py:",
        "lambda: a + b",
    )
    check(lambda: mg.ones(3, 1, 4) * mg.ones(2, 5), ValueError, "mul(", "axis -1 is 4", "5 in")


def test_matrix_product() -> None:
    a, b = mg.ones(2, 3), mg.ones(4, 5)
    check(lambda: a @ b, ValueError, "matmul(a float32[2, 3], b float32[4, 5])", "is 3", "is 4")
    check(lambda: a @ mg.ones(2, 3), ValueError, "matmul", "b.mT (b transposed) would fit")
    check(lambda: mg.ones(3, 2) @ mg.ones(3, 4), ValueError, "a.mT (a transposed) would fit")
    check(lambda: a @ mg.tensor(2.0), ValueError, "matmul", "at least one axis", "use *")
    check(lambda: mg.ones(2, 3, 4) @ mg.ones(5, 4, 2), ValueError, "matmul", "[2]", "[5]")


def test_reshape() -> None:
    check(lambda: mg.ones(2, 3).reshape(4, 2), ValueError, "reshape", "[2, 3]", "(4, 2)")
    check(lambda: mg.ones(64, 6).reshape(-1, 5), ValueError, "reshape", "[64, 6]", "(-1, 5)")


def test_cat_of_lists_that_do_not_fit() -> None:
    check(lambda: mg.cat([mg.ones(2, 3), mg.ones(2, 4)]), ValueError, "cat", "[2, 3]", "[2, 4]")


# ---- axes and indices ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "softmax", "argmax", "cumsum", "sort"])
def test_axis_out_of_range(name: str) -> None:
    check(lambda: getattr(mg, name)(mg.ones(2, 3), dim=2), IndexError, name, "float32[2, 3]", "2")
    check(lambda: getattr(mg, name)(mg.ones(2, 3), dim=-3), IndexError, name, "-3")


def test_axis_named_twice() -> None:
    check(lambda: mg.ones(2, 3).sum(dim=(0, -2)), (ValueError, RuntimeError), "sum", "(0, -2)")  # type: ignore[arg-type]


def test_index_out_of_range() -> None:
    x = mg.ones(2, 3)
    check(lambda: x[2], IndexError, "getitem", "float32[2, 3]", "2", "test_errors.py")
    check(lambda: x[:, mg.tensor([0, 3])], IndexError, "index", "float32[2, 3]", "3")
    check(lambda: x[0, 0, 0], IndexError, "getitem", "float32[2, 3]")
    check(lambda: x[1.5], IndexError, "int or bool, not the float 1.5")
    check(lambda: x[mg.tensor([0.0])], IndexError, "int or bool, not float32[1]")
    check(
        lambda: mg.gather(x, 1, mg.tensor([[3]])),
        IndexError,
        "gather",
        "3 is out of range",
        "dim 1",
    )
    check(lambda: mg.embedding(mg.tensor([5]), mg.ones(4, 2)), IndexError, "5", "4")


def test_mask_of_another_shape() -> None:
    check(lambda: mg.ones(2, 3)[mg.tensor([True, False, True])], IndexError, "index", "[2, 3]")


def test_setitem_with_values_that_do_not_fit() -> None:
    x = mg.ones(2, 3)

    def write() -> None:
        x[0] = mg.ones(4)

    check(write, ValueError, "index_put", "float32[2, 3]", "float32[4]")


# ---- dtypes and arguments -----------------------------------------------------------------------


def test_strings_and_ragged_lists() -> None:
    check(lambda: mg.tensor("abc"), TypeError, "'abc'", "bools, ints and floats", "numbers first")
    check(lambda: mg.tensor(["a", "b"]), TypeError, "['a', 'b']", "numbers first")
    check(lambda: mg.tensor([None, 1.0]), TypeError, "[None, 1.0]", "bools, ints and floats")
    check(
        lambda: mg.tensor([[1, 2], [3]]),
        ValueError,
        "[[1, 2], [3]]",
        "rows have different lengths",
        "pad them",
    )


def test_operands_that_are_no_tensors() -> None:
    x = mg.ones(2)
    check(lambda: x + "a", TypeError, "add(", "'a'", "not str 'a'", "mg.tensor(...)")
    check(lambda: x * [1.0, 2.0], TypeError, "mul(", "not list", "mg.tensor(...)")
    check(lambda: mg.exp(None), TypeError, "exp")
    check(lambda: mg.exp([1.0, 2.0]), TypeError, "exp", "list", "mg.tensor(...)")
    check(lambda: x + 1j, TypeError, "add(", "complex")
    check(lambda: x + np.ones(2, complex), TypeError, "add(", "complex128", "not supported")


def test_arguments_that_do_not_exist() -> None:
    x = mg.ones(2)
    check(lambda: mg.sum(x, dims=0), TypeError, "sum() has no argument 'dims'", "x, dim, keepdim")
    check(lambda: mg.sum(x, 0, dim=0), TypeError, "sum() got two values for 'dim'")
    check(lambda: mg.sum(x, 0, True, 3, 4, 5), TypeError, "sum() takes at most", "got 6")
    check(lambda: mg.matmul(x), TypeError, "matmul() misses b")


def test_numpys_names_of_arguments_work() -> None:
    x = mg.ones(2, 3)
    assert mg.sum(x, axis=0, keepdims=True).shape == (1, 3)
    assert x.sum(axis=1).shape == (2,)


def test_integers_have_no_gradient() -> None:
    check(
        lambda: mg.tensor([1, 2], requires_grad=True),
        TypeError,
        "only floating tensors have gradients",
        "int64",
        "dtype=mg.float32",
        ".float()",
    )


# ---- backward -----------------------------------------------------------------------------------


def test_backward_of_several_elements() -> None:
    x = mg.ones(2, 3, requires_grad=True)
    check(
        lambda: (x * 2.0).backward(),
        mg.GraphError,
        "needs one element",
        "shape [2, 3]",
        "y.sum(), y.mean()",
        "gradient=",
    )


def test_backward_without_a_graph() -> None:
    for y in (mg.ones(2).sum(), (mg.ones(1, requires_grad=True) * 2.0).detach()):
        check(y.backward, mg.GraphError, "float32", "no graph", "no_grad or detached")


def test_backward_with_a_gradient_of_another_shape() -> None:
    y = mg.ones(2, requires_grad=True) * 2.0
    check(lambda: y.backward(mg.ones(3)), ValueError, "gradient has shape [3], the tensor has [2]")


def test_errors_are_in_the_users_line_however_deep_the_library_was() -> None:
    w = mg.ones(3, 4)
    with pytest.raises(ValueError, match=r"at test_errors\.py:\d+: mg\.linear\(mg\.ones\(2, 5\)"):
        mg.linear(mg.ones(2, 5), w)  # the library's own frames are not shown


def test_a_failing_rule_is_named() -> None:
    from minigrad.engine.op import TABLE

    row = TABLE["tanh"]
    rules, plans = dict(row.rules), dict(row.plans)
    row.rules["x"] = lambda g: g[:1]
    row.plans.clear()
    try:
        y = mg.tanh(mg.ones(2, requires_grad=True))
        check(
            lambda: y.backward(np.ones(2)),
            ValueError,
            "derivative rule",
            "gradient of shape [1]",
            "its shape is [2]",
        )
    finally:
        row.rules.update(rules)
        row.plans.clear()
        row.plans.update(plans)


def test_line_is_the_users_not_minigrads() -> None:
    with pytest.raises(ValueError, match="add") as caught:
        mg.ones(2) + mg.ones(3)
    lines = re.findall(r"at (\S+):\d+: (.*)", str(caught.value))
    assert lines == [("test_errors.py", "mg.ones(2) + mg.ones(3)")]
