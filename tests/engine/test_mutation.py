"""Changes in place: recorded where the graph can say them, refused by name where it cannot."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg


def leaf(*values: float) -> mg.Tensor:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=True)


# ---- never silently wrong -----------------------------------------------------------------------


def test_changed_operand_is_named_with_its_line() -> None:
    x = leaf(1.0, 2.0)
    c = mg.tensor([3.0, 4.0], dtype=mg.float64)
    y = x * c
    c += 10.0  # the culprit
    with pytest.raises(mg.MutationError) as caught:
        y.backward(np.ones(2))
    text = str(caught.value)
    assert "backward of mul needs a float64[2] array" in text
    assert "changed in place by add_" in text
    assert re.search(r"test_mutation\.py:\d+: c \+= 10\.0  # the culprit", text)
    assert "x = x + y instead of x += y" in text
    assert x.grad is None


def test_line_of_the_op_is_shown_under_detect_anomaly() -> None:
    x = leaf(1.0)
    c = mg.ones(1, dtype=mg.float64)
    with mg.detect_anomaly():
        y = x * c  # saved here
    c.zero_()
    with pytest.raises(mg.MutationError, match=r"mul ran at test_mutation\.py:\d+: y = x \* c"):
        y.backward()


def test_changed_leaf_after_forward() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * w
    with mg.no_grad():
        w -= 0.1
    with pytest.raises(mg.MutationError, match="sub_"):
        y.backward(np.ones(2))


def test_data_assignment_and_setitem_are_seen() -> None:
    for change in ("data", "setitem", "fill", "view"):
        x, c = leaf(1.0, 2.0), mg.tensor([3.0, 4.0], dtype=mg.float64)
        y = x * c
        if change == "data":
            c.data.add_(1.0)
        elif change == "setitem":
            c[0] = 5.0
        elif change == "fill":
            c.fill_(0.0)
        else:
            c.reshape(2, 1)[1] = 7.0
        with pytest.raises(mg.MutationError, match="mul"):
            y.backward(np.ones(2))


def test_change_of_what_no_rule_needs_is_allowed() -> None:
    x = leaf(1.0, 2.0)
    c = mg.tensor([3.0, 4.0], dtype=mg.float64)
    y = x + c
    c.zero_()
    y.backward(np.array([1.0, 2.0]))
    assert x.grad.tolist() == [1.0, 2.0]


def test_change_of_other_rows_of_one_buffer_is_allowed() -> None:
    buffer = mg.ones(4, 2, dtype=mg.float64)
    x = leaf(1.0, 2.0)
    y = x * buffer[0]
    buffer[1] = 9.0
    y.backward(np.array([1.0, 2.0]))
    assert x.grad.tolist() == [1.0, 2.0]
    y = x * buffer[1]
    buffer[1:3] = 0.0
    with pytest.raises(mg.MutationError):
        y.backward(np.ones(2))


def test_many_changes_of_one_buffer_are_joined_but_never_missed() -> None:
    buffer = mg.ones(2000, dtype=mg.float64)
    x = leaf(1.0)
    y = x * buffer[1999:]
    for i in range(1500):
        buffer[i] = 0.0
    buffer[1999] = 3.0
    with pytest.raises(mg.MutationError):
        y.backward()


def test_changed_output() -> None:
    x = leaf(1.0, 2.0)
    y = mg.tanh(x)  # its rule needs y
    z = y * 1.0
    with mg.no_grad():
        y *= 2.0
    with pytest.raises(mg.MutationError, match="tanh"):
        z.backward(np.ones(2))


# ---- refused ------------------------------------------------------------------------------------


def test_leaf_that_requires_grad_is_not_changed_on_the_tape() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(mg.GraphError) as caught:
        x += 1.0
    for part in ("add_", "leaf that requires grad", "float64[2]", "mg.no_grad()", "x = x + y"):
        assert part in str(caught.value)
    with pytest.raises(mg.GraphError, match="leaf that requires grad"):
        x[0] = 3.0
    with pytest.raises(mg.GraphError, match="leaf that requires grad"):
        x.zero_()
    assert x.tolist() == [1.0, 2.0]


def test_leaf_is_changed_under_no_grad() -> None:
    x = leaf(1.0, 2.0)
    memory = x._array
    with mg.no_grad():
        x -= 0.5
        x[0] = 9.0
    assert x._array is memory
    assert x.tolist() == [9.0, 1.5]
    assert x.requires_grad
    assert x.is_leaf


def test_view_is_not_changed_on_the_tape() -> None:
    x = leaf(1.0, 2.0)
    h = x * 1.0
    part = h[:1]
    with pytest.raises(mg.MutationError, match=r"view.*base\[index\] = value.*clone"):
        part += 1.0


def test_view_is_stale_after_a_recorded_change_of_its_base() -> None:
    x = leaf(1.0, 2.0)
    h = x * 3.0
    part = h[:1]
    h[1] = 0.0  # does not touch the part
    assert (part * 2.0).item() == 6.0
    h *= 2.0
    with pytest.raises(mg.MutationError) as caught:
        part * 2.0
    text = str(caught.value)
    assert "is a view" in text
    assert "mul_" in text
    assert re.search(r"test_mutation\.py:\d+: h \*= 2\.0", text)
    assert "take the view again" in text
    assert h[0].item() == 6.0


def test_backward_does_not_start_from_a_stale_view() -> None:
    x = leaf(1.0, 2.0)
    h = x * 3.0
    part = h[:1]
    h *= 2.0  # part shows 6.0 now, its graph says 3 x
    with pytest.raises(mg.MutationError, match=r"is a view.*mul_"):
        part.backward()
    with pytest.raises(mg.MutationError, match=r"is a view.*mul_"):
        mg.autograd.grad([h, part], x, [np.ones(2), np.ones(1)])


def test_a_stale_view_is_not_written_anywhere() -> None:
    x = leaf(1.0, 2.0)
    h = x * 3.0
    part = h[:1]
    h *= 2.0
    out = mg.zeros(1, dtype=mg.float64)
    with pytest.raises(mg.MutationError, match=r"is a view.*mul_"):
        out[...] = part
    with pytest.raises(mg.MutationError, match=r"is a view.*mul_"):
        out.copy_(part)
    assert out.tolist() == [0.0]


def test_gradients_by_a_stale_view_are_refused() -> None:
    """By which of its values would it be? Nothing was computed from what it shows now."""
    x = leaf(1.0, 2.0)
    h = x * 3.0
    part = h[:1]
    y = part * 5.0
    h *= 2.0
    with pytest.raises(mg.MutationError, match=r"is a view.*mul_"):
        mg.autograd.grad(y, part)
    assert mg.autograd.grad(y, x, np.ones(1))[0].tolist() == [15.0, 0.0]


@pytest.mark.parametrize("when", ["before", "after", "both", "often"])
def test_an_unrecorded_change_does_not_hide_a_recorded_one(when: str) -> None:
    x = leaf(*range(700))
    h = x * 3.0
    part = h[1:]
    with mg.no_grad():
        if when in ("before", "both"):
            part[0] = 7.0
    h *= 2.0
    with mg.no_grad():
        if when in ("after", "both"):
            h *= 1.0
        for i in range(700 * (when == "often")):
            h[i] = 1.0
    with pytest.raises(mg.MutationError, match=r"is a view.*mul_"):
        part.backward(np.ones(699))


def test_in_place_result_must_fit() -> None:
    x = mg.ones(2)
    with pytest.raises(ValueError, match=r"add_.*\[3, 2\].*\[2\].*out of place"):
        x += mg.ones(3, 2)
    n = mg.tensor([1, 2])
    with pytest.raises(TypeError, match=r"add_.*float32.*int64.*out of place"):
        n += 0.5
    n += 1
    assert n.tolist() == [2, 3]


# ---- recorded -----------------------------------------------------------------------------------


def test_recorded_in_place_arithmetic() -> None:
    x, c = leaf(1.0, 2.0), leaf(3.0, 5.0)
    h = x * 1.0
    h += c
    h *= c
    h.backward(np.array([1.0, 10.0]))  # d (x + c) c
    assert x.grad.tolist() == [3.0, 50.0]
    assert c.grad.tolist() == [1.0 + 6.0, 10 * (2.0 + 10.0)]


def test_recorded_setitem() -> None:
    x, v = leaf(1.0, 2.0, 3.0), leaf(7.0)
    h = x * 2.0
    h[1] = v[0] * 3.0
    assert h.tolist() == [2.0, 21.0, 6.0]
    h.backward(np.array([1.0, 10.0, 100.0]))
    assert x.grad.tolist() == [2.0, 0.0, 200.0]
    assert v.grad.tolist() == [30.0]


def test_recorded_setitem_into_a_plain_buffer() -> None:
    x = leaf(1.0, 2.0)
    out = mg.zeros(3, dtype=mg.float64)
    out[1:] = x
    out.backward(np.array([5.0, 1.0, 10.0]))
    assert x.grad.tolist() == [1.0, 10.0]


def test_setitem_with_index_array_and_mask() -> None:
    x, v = leaf(1.0, 2.0, 3.0), leaf(7.0, 8.0)
    h = x * 1.0
    h[mg.tensor([2, 0])] = v
    h.backward(np.array([1.0, 10.0, 100.0]))
    assert h.tolist() == [8.0, 2.0, 7.0]
    assert x.grad.tolist() == [0.0, 10.0, 0.0]
    assert v.grad.tolist() == [100.0, 1.0]
    y = leaf(1.0, -2.0, 3.0)
    k = y * 1.0
    k[k < 0.0] = 0.0
    k.backward(np.array([1.0, 10.0, 100.0]))
    assert y.grad.tolist() == [1.0, 0.0, 100.0]


def test_old_values_needed_by_a_rule_are_missed_by_name() -> None:
    x = leaf(1.0, 2.0)
    h = x * 1.0
    y = h * h
    h += 1.0
    with pytest.raises(mg.MutationError, match=r"mul needs.*add_"):
        y.backward(np.ones(2))


def test_gradient_in_grad_is_not_confused_with_saved_memory() -> None:
    x = leaf(1.0, 2.0)
    (x * x).backward(np.ones(2))
    y = x * x.grad
    (x * 3.0).backward(np.ones(2))  # adds to x.grad in place
    with pytest.raises(mg.MutationError, match=r"accumulation into \.grad"):
        y.backward(np.ones(2))


def test_copy_gives_the_buffer_a_place_of_its_own_in_the_graph() -> None:
    x = leaf(1.0, 2.0)
    buffer = mg.zeros(2, dtype=mg.float64)
    buffer.copy_(x)
    assert not buffer.is_leaf
    buffer.register_hook(lambda g: g * 10.0)
    buffer += 1.0  # a leaf would refuse it
    (buffer * x).backward(np.array([1.0, 1.0]))
    assert x.grad.tolist() == [2.0 + 10.0, 3.0 + 20.0]


def test_recorded_setitem_of_a_0d_tensor() -> None:
    """Its gradient is a sum of two 0-d arrays, which NumPy makes a scalar: not to be written to."""
    x, v = leaf(2.0), leaf(5.0)
    h = x.sum()
    h[...] = v.sum()
    (h * 2.0 + h * 3.0).backward()
    assert x.grad.tolist() == [0.0]
    assert v.grad.tolist() == [5.0]


def test_what_is_expanded_is_not_changed() -> None:
    x = mg.tensor([[1.0], [2.0]])
    wide = x.expand(2, 3)
    for change in (lambda: wide.add_(1.0), lambda: wide.__setitem__(0, 5.0), wide.zero_):
        with pytest.raises(ValueError, match=r"float32\[2, 3\].*expanded.*\.clone\(\)"):
            change()
    narrow = wide.clone()
    narrow += 1.0
    assert narrow.tolist() == [[2.0] * 3, [3.0] * 3]
    assert x.tolist() == [[1.0], [2.0]]
