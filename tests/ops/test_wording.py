"""What ops say of calls that they refuse: the sentence that names the trouble, or its cure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg

one, many = mg.ones, mg.arange
bits = mg.tensor([True, False])


def ints(*values: int) -> Any:
    return mg.tensor(list(values))


# a part of the message -> the call
SAID: list[tuple[str, Callable[[], Any]]] = [
    # activations and arithmetic
    ("approximate must be 'none' or 'tanh'", lambda: mg.gelu(one(2), approximate="fast")),
    ("one for each channel", lambda: mg.prelu(one(2, 3), one(2))),
    ("celu divides by alpha", lambda: mg.celu(one(2), alpha=0.0)),
    ("exchange them", lambda: mg.hardtanh(one(2), 1.0, -1.0)),
    ("rounding_mode must be None", lambda: mg.div(one(2), 2, rounding_mode="up")),
    ("pow does not take two bools", lambda: bits**bits),
    ("does not divide bools", lambda: mg.floor_divide(bits, bits)),
    ("clamp needs a bound", lambda: mg.clamp(one(2))),
    ("compare first, as in x > 0", lambda: mg.where(one(2), one(2), one(2))),
    # attention and norms
    ("each needs two axes", lambda: attend(one(2), one(2, 2), one(2, 2))),
    ("must have the same number", lambda: attend(one(2, 3), one(2, 4), one(2, 4))),
    ("each key needs one", lambda: attend(one(2, 3), one(4, 3), one(5, 3))),
    ("not both", lambda: attend(one(2, 3), one(2, 3), one(2, 3), one(2, 2), is_causal=True)),
    ("mask", lambda: attend(one(2, 3), one(2, 3), one(2, 3), ints(1, 1))),
    ("convert it with .float()", lambda: mg.layer_norm(ints(1, 2), (2,))),
    ("weight", lambda: mg.layer_norm(one(2, 3), (3,), one(2))),
    ("group_norm", lambda: mg.group_norm(one(2), 1)),
    ("group_norm", lambda: mg.group_norm(many(4).reshape(2, 2), 1)),
    ("instance_norm", lambda: mg.instance_norm(one(2, 3, 1))),
    # losses
    ("mg.tensor(labels)", lambda: mg.cross_entropy(one(2, 3), [0, 1])),
    ("one score for each class", lambda: mg.cross_entropy(ints(1, 2), ints(0, 1))),
    ("look one-hot", lambda: mg.cross_entropy(one(2, 3), one(2, 3).long())),
    ("use target.reshape([2])", lambda: mg.cross_entropy(one(2, 3), ints(0, 1).reshape(2, 1))),
    ("for two classes use ints", lambda: mg.cross_entropy(one(2, 3), bits)),
    ("3 classes need [3]", lambda: mg.cross_entropy(one(2, 3), ints(0, 1), one(2))),
    ("subtract 1: target - 1", lambda: mg.cross_entropy(one(2, 3), ints(1, 3))),
    ("takes class labels only", lambda: mg.nll_loss(one(2, 3), one(2, 3))),
    ("mse_loss", lambda: mg.mse_loss(one(2), [1.0, 2.0])),
    ("mse_loss", lambda: mg.mse_loss(one(2, 1), one(2))),
    ("target.reshape([2, 3])", lambda: mg.mse_loss(one(2, 3), one(3, 2))),
    ("beta=-1", lambda: mg.smooth_l1_loss(one(2), one(2), beta=-1)),
    ("pass 2 * target - 1", lambda: mg.hinge_loss(one(2), ints(0, 1))),
    ("p=3 must be 1 or 2", lambda: mg.multi_margin_loss(one(2, 3), ints(0, 1), p=3)),
    ("multi_margin_loss", lambda: mg.multi_margin_loss(one(2, 3), ints(0, 1, 2))),
    ("must be positive", lambda: mg.triplet_margin_loss(*[one(2, 3)] * 3, margin=0.0)),
    # convolutions, pools, images
    ("(outputs, inputs / groups, kh, kw)", lambda: mg.conv2d(one(1, 1, 4, 4), one(1, 3, 3))),
    ("groups must be an int", lambda: mg.conv2d(one(1, 1, 4, 4), one(1, 1, 3, 3), groups=0)),
    ("x.movedim(-1, -3)", lambda: mg.conv2d(one(1, 4, 4, 3), one(2, 3, 2, 2))),
    ("groups=2 would fit", lambda: mg.conv2d(one(1, 4, 4, 4), one(2, 2, 2, 2))),
    (
        "the gradient has shape",
        lambda: mg.conv2d_input(one(1, 1, 9, 9), one(1, 1, 3, 3), (1, 1, 4, 4)),
    ),
    ("the weight have 3 axes", lambda: mg.conv1d(one(1, 1, 4, 4), one(1, 1, 3))),
    (
        "output_padding",
        lambda: mg.conv_transpose2d(one(1, 1, 3, 3), one(1, 1, 2, 2), output_padding=1),
    ),
    ("conv_transpose2d", lambda: mg.conv_transpose2d(one(1, 1, 1, 1), one(1, 1, 1, 1), padding=1)),
    ("the weight have 4 axes", lambda: mg.conv_transpose2d(one(3, 3), one(1, 1, 2, 2))),
    ("conv_transpose2d", lambda: mg.conv_transpose2d(one(1, 1, 3, 3), one(1, 1, 2, 2), one(2))),
    ("(N, C, H, W) or (C, H, W)", lambda: mg.max_pool2d(one(3, 3), 2)),
    ("only the batch may be empty", lambda: mg.max_pool2d(mg.ones(1, 0, 3, 3), 2)),
    ("divisor_override is 0", lambda: mg.avg_pool2d(one(1, 1, 4, 4), 2, divisor_override=0)),
    ("(N, C, H, W) or (C, H, W)", lambda: mg.adaptive_avg_pool2d(one(3, 3), 2)),
    ("output_size", lambda: mg.adaptive_avg_pool2d(one(1, 1, 3, 3), (2, 2, 2))),
    ("kernel_size", lambda: mg.max_pool2d(one(1, 1, 4, 4), "2")),
    ("'same' or 'valid'", lambda: mg.conv2d(one(1, 1, 4, 4), one(1, 1, 3, 3), padding="full")),
    ("mode must be one of", lambda: mg.pad(one(1, 1, 3), (1, 1), mode="wrap")),
    ("means nothing with mode", lambda: mg.pad(one(1, 1, 3), (1, 1), mode="reflect", value=1.0)),
    ("cut off more than there is", lambda: mg.pad(one(3), (-2, -2))),
    ("mode must be one of", lambda: mg.interpolate(one(1, 1, 2), size=4, mode="sharp")),
    ("(N, C, H, W)", lambda: mg.interpolate(one(1, 1, 2), size=4, mode="bilinear")),
    ("align_corners goes with", lambda: mg.interpolate(one(1, 1, 2), size=4, align_corners=True)),
    ("numbers for 2 axes", lambda: mg.interpolate(one(1, 1, 2, 2), size=(4, 4, 4))),
    ("scale_factor must be positive", lambda: mg.interpolate(one(1, 1, 2), scale_factor=-1.0)),
    ("cannot be brought to", lambda: mg.interpolate(one(1, 1, 2), size=0)),
    (
        "convert with .float()",
        lambda: mg.interpolate(one(1, 1, 2, 2).long(), size=4, mode="bilinear"),
    ),
    ("(N, C, H, W) or (C, H, W)", lambda: mg.unfold(one(3, 3), 2)),
    ("at least one element", lambda: mg.unfold(mg.ones(1, 2, 5, 0), 2, padding=1)),
    ("(C kh kw, L)", lambda: mg.fold(one(3), 3, 2)),
    ("fold", lambda: mg.fold(one(1, 3, 4), 3, 2)),
    ("multiple of 4", lambda: mg.pixel_shuffle(one(1, 3, 2, 2), 2)),
    ("multiples of 2", lambda: mg.pixel_unshuffle(one(1, 1, 3, 3), 2)),
    ("convert it with .float()", lambda: mg.dropout(ints(1, 2))),
    ("dropout1d", lambda: mg.dropout1d(one(2))),
    ("dropout2d", lambda: mg.dropout2d(one(2))),
    # products
    ("pass weight.mT", lambda: mg.linear(one(2, 3), one(3, 4))),
    ("flatten each sample", lambda: mg.linear(one(2, 3, 4), one(5, 12))),
    ("(in,) for one output", lambda: mg.linear(one(2, 3), one(1, 2, 3))),
    ("x is a single number", lambda: mg.linear(one(()), one(2, 3))),
    ("Tensors or arrays", lambda: mg.linear(one(2, 3), [1.0])),
    ("the result's term 'ii' has 'i' twice", lambda: mg.einsum("i,i->ii", one(2), one(2))),
    ("2 terms for 1 operands", lambda: mg.einsum("i,j->ij", one(2))),
    ("names 1", lambda: mg.einsum("i->i", one(2, 2))),
    ("'i' stands for 2 and for 3", lambda: mg.einsum("ii->i", one(2, 3))),
    ("the equation comes first", lambda: mg.einsum(one(2), "i->i")),
    ("einsum", lambda: mg.einsum("i1->i", one(2, 2))),
    ("two equally long lists", lambda: mg.tensordot(one(2, 3), one(3, 2), ([0], [0, 1]))),
    ("cannot sum over 3 axes", lambda: mg.tensordot(one(2, 3), one(3, 2), 3)),
    ("do not exist", lambda: mg.tensordot(one(2, 3), one(3, 2), ([5], [0]))),
    ("name an axis twice", lambda: mg.tensordot(one(2, 2), one(2, 2), ([0, 0], [0, 1]))),
    ("a Tensor or an array", lambda: mg.matmul(one(2, 2), 3)),
    ("the matrix is singular", lambda: mg.linalg.solve(mg.zeros(2, 2), one(2, 2))),
    ("the matrix norms are", lambda: mg.linalg.norm(one(2, 2), "nuc")),
    ("convert with .float()", lambda: mg.linalg.norm(ints(1, 2))),
    ("needs a dim here", lambda: mg.linalg.norm(one(2, 2, 2), 1)),
    ("give two axes", lambda: mg.linalg.norm(one(2, 2), "fro", dim=0)),
    ("one axis or two", lambda: mg.linalg.norm(one(2, 2, 2), 1, dim=(0, 1, 2))),
    ("norm", lambda: mg.linalg.norm(one(2, 2), 1, dim=(0, 2))),
    ("p must be a number", lambda: mg.norm(one(2), p="max")),
    ("not both", lambda: mg.var(one(3), unbiased=True, correction=0)),
    # shapes
    ("name a flag: keepdim=True", lambda: mg.sum(one(2, 2), True)),
    ("must be an int, not float", lambda: mg.cumsum(one(2, 2), 1.0)),
    ("could be any length", lambda: mg.reshape(mg.zeros(0, 2), (0, -1))),
    ("each of the 2 examples", lambda: mg.reshape(one(2, 3, 4), (2, 5))),
    ("a shape holds lengths", lambda: mg.reshape(one(4), (-2, 2))),
    ("has no axis to split", lambda: mg.unflatten(one(()), 0, (1,))),
    ("do not multiply to 4", lambda: mg.unflatten(one(4), 0, (3, 2))),
    ("expand", lambda: one(2).expand(-2)),
    ("must be equal or 1", lambda: mg.broadcast_tensors(one(2), one(3))),
    ("indexing must be", lambda: mg.meshgrid(one(2), indexing="yx")),
    ("must be 0-d or 1-d", lambda: mg.meshgrid(one(2, 2))),
    ("use .mT", lambda: mg.t(one(2, 2, 2))),
    ("no axis to take a part of", lambda: mg.narrow(one(()), 0, 0, 1)),
    ("start 5 is out of range", lambda: mg.narrow(one(3), 0, 5, 1)),
    ("do not fit into dim 0", lambda: mg.narrow(one(3), 0, 1, 3)),
    ("index 3 is out of range", lambda: mg.select(one(3), 0, 3)),
    ("are the same axis", lambda: mg.diagonal(one(2, 2), dim1=0, dim2=0)),
    ("no axis to put on a diagonal", lambda: mg.diag_embed(one(()))),
    ("has no neighbours", lambda: mg.diff(one(()))),
    ("n must not be negative", lambda: mg.diff(one(3), n=-1)),
    ("wrap numbers", lambda: mg.cat([one(2), 3])),
    ("use stack", lambda: mg.cat([one(()), one(())])),
    ("cat", lambda: mg.cat([one(2), one(2, 2)])),
    ("no axis to split", lambda: mg.split(one(()), 1)),
    ("a piece must have at least 1 entry", lambda: mg.split(one(3), 0)),
    ("sections must be at least 1", lambda: mg.tensor_split(one(3), 0)),
    ("cannot be repeated -1 times", lambda: mg.tile(one(2), (-1,))),
    ("cannot be repeated -1 times", lambda: mg.repeat_interleave(one(2), -1)),
    ("an int or a 1-d int tensor", lambda: mg.repeat_interleave(one(2), one(2))),
    ("repeats needs 2 counts", lambda: mg.repeat_interleave(one(2), ints(1, 1, 1))),
    # indices and masks
    ("the index must be an int tensor", lambda: mg.gather(one(2, 2), 0, one(2, 2))),
    ("needs a 1-d index", lambda: mg.index_select(one(2, 2), 0, one(2, 2).long())),
    ("the mask must be bool", lambda: mg.masked_fill(one(2), one(2), 0.0)),
    ("the mask must be bool", lambda: mg.masked_select(one(2), one(2))),
    # making tensors
    ("needs a numpy.ndarray", lambda: mg.from_numpy([1.0])),
    ("std must not be negative", lambda: mg.normal(0.0, -1.0, (2,))),
    ("expected a Tensor, not list", lambda: mg.full_like([1.0], 2.0)),
    ("probabilities lie in [0, 1]", lambda: mg.bernoulli(one(2) * 2)),
]


def attend(*operands: Any, **options: Any) -> Any:
    return mg.scaled_dot_product_attention(*operands, **options)


@pytest.mark.parametrize(("part", "call"), SAID, ids=[part for part, _ in SAID])
def test_message(part: str, call: Callable[[], Any]) -> None:
    kinds = (ValueError, TypeError, IndexError, ZeroDivisionError)
    with pytest.raises(kinds, match=re.escape(part)):
        call()


def test_warning_where_too_few_elements_spread() -> None:
    with pytest.warns(UserWarning, match="no degrees of freedom"):
        assert math.isnan(mg.var(one(1)).item())


# ---- what they do where a sample of the facts does not lead -------------------------------------


def test_making_like_another() -> None:
    x = mg.tensor([[1.0, 2.0]], dtype="float64")
    for made, value in (
        (mg.full_like(x, 3.0), 3.0),
        (mg.zeros_like(x), 0.0),
        (mg.ones_like(x), 1.0),
    ):
        assert made.dtype == np.float64
        np.testing.assert_array_equal(made.numpy(), np.full((1, 2), value))
    assert mg.empty_like(x, dtype="float32").dtype == np.float32
    assert mg.empty(2, 3).shape == (2, 3)
    assert mg.rand_like(x).shape == mg.randn_like(x).shape == x.shape
    array = np.arange(3.0)
    shared = mg.from_numpy(array)
    array[0] = 7.0
    assert shared[0].item() == 7.0
    assert mg.tensor(shared, dtype="float32").dtype == np.float32


def test_draws_have_their_distribution() -> None:
    mg.manual_seed(3)
    x = mg.normal(2.0, 0.5, (4000,))
    assert abs(x.mean().item() - 2.0) < 0.05
    assert abs(x.std().item() - 0.5) < 0.05
    chances = mg.tensor([0.0, 1.0, 0.5]).expand(2000, 3)
    np.testing.assert_allclose(mg.bernoulli(chances).mean(0).numpy(), [0, 1, 0.5], atol=0.05)
    picked = mg.multinomial(mg.tensor([0.0, 1.0, 3.0]), 4000, replacement=True)
    np.testing.assert_allclose(
        np.bincount(picked.numpy(), minlength=3) / 4000, [0, 0.25, 0.75], atol=0.05
    )
    assert sorted(mg.multinomial(mg.ones(2, 4), 4)[0].tolist()) == [0, 1, 2, 3]
    y = mg.empty(4000)
    assert abs(y.uniform_(1.0, 3.0).mean().item() - 2.0) < 0.1
    assert abs(y.normal_(1.0, 2.0).std().item() - 2.0) < 0.2


def test_other_forms_of_a_call() -> None:
    x, y = mg.tensor([[1.0, 5.0]]), mg.tensor([[3.0, 4.0]])
    assert mg.max(x, y).tolist() == [[3.0, 5.0]]
    assert mg.min(x, y).tolist() == [[1.0, 4.0]]
    assert mg.einsum("ij,ij->", [x, y]).item() == 23.0
    assert mg.einsum("ij,ij->", x, y.double()).dtype == np.float64
    assert [m.shape for m in mg.meshgrid([one(2), one(3)])] == [(2, 3), (2, 3)]
    assert mg.flip(one(()), 0).shape == ()
    assert mg.square(bits).dtype == np.int64
    assert mg.hardtanh(ints(-5, 0, 5), -2.0, 2.0).tolist() == [-2, 0, 2]
    assert mg.logsumexp(ints(0, 0), 0).item() == pytest.approx(math.log(2))
    assert mg.linear(one(3), one(3), one(())).item() == 4.0
    z = mg.zeros(3)
    z.fill_(2.0)
    z[:] = [1.0, 2.0, 3.0]
    assert z.tolist() == [1.0, 2.0, 3.0]
    assert mg.diff(ints(1, 4, 9), prepend=ints(0)).tolist() == [1, 3, 5]
    assert mg.interpolate(one(1, 1, 2, 2), size=(2, 4), mode="bilinear").shape == (1, 1, 2, 4)
    wide = mg.arange(64 * 16).float().reshape(64, 16)
    assert mg.softmax(wide, 1).sum(1).numpy() == pytest.approx(1.0)
