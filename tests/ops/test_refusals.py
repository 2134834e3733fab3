"""Calls that PyTorch refuses, and minigrad must refuse too, in words that name the op.

Each call is written once and made in both libraries; PyTorch's refusal shows that the call is
wrong, and is left out where PyTorch is missing.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


class Library:
    """minigrad or torch, with one way to write a call: ``lib.conv2d(...)``, ``lib.i(0, 1)``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module = importlib.import_module(name)
        self.places = [self.module]
        if name == "torch":
            self.places += [self.module.nn.functional, self.module.special]

    def __getattr__(self, name: str) -> Any:
        for place in self.places:
            if hasattr(place, name):
                return getattr(place, name)
        raise AttributeError(f"{self.name} has no {name}")

    def i(self, *values: Any) -> Any:
        """Return a tensor of ints."""
        return self.tensor(list(values))


# name of the op that the message must have (or None) -> the call
REFUSED: list[tuple[str | None, Callable[[Any], Any]]] = [
    # shapes
    ("add", lambda m: m.ones(2, 3) + m.ones(4)),
    ("mul", lambda m: m.ones(2, 3) * m.ones(2)),
    ("maximum", lambda m: m.maximum(m.ones(2), m.ones(3))),
    ("where", lambda m: m.where(m.ones(2) > 0, m.ones(3), m.ones(3))),
    ("matmul", lambda m: m.ones(2, 3) @ m.ones(2, 3)),
    ("matmul", lambda m: m.matmul(m.ones(2), m.ones(3))),
    ("matmul", lambda m: m.matmul(m.ones(()), m.ones(3))),
    ("dot", lambda m: m.dot(m.ones(2), m.ones(3))),
    ("dot", lambda m: m.dot(m.ones(2, 2), m.ones(2, 2))),
    ("mv", lambda m: m.mv(m.ones(2, 3), m.ones(2))),
    ("bmm", lambda m: m.bmm(m.ones(2, 3, 4), m.ones(3, 4, 5))),
    ("bmm", lambda m: m.bmm(m.ones(3, 4), m.ones(4, 5))),
    ("outer", lambda m: m.outer(m.ones(2, 2), m.ones(2))),
    ("einsum", lambda m: m.einsum("ij,jk->ik", m.ones(2, 3), m.ones(2, 3))),
    ("einsum", lambda m: m.einsum("ij->ik", m.ones(2, 3))),
    ("tensordot", lambda m: m.tensordot(m.ones(2, 3), m.ones(2, 3), 1)),
    ("trace", lambda m: m.trace(m.ones(2, 2, 2))),
    ("inv", lambda m: m.linalg.inv(m.ones(2, 3))),
    ("inv", lambda m: m.linalg.inv(m.zeros(2, 2))),
    ("det", lambda m: m.linalg.det(m.ones(2, 3))),
    ("solve", lambda m: m.linalg.solve(m.ones(2, 2), m.ones(3, 2))),
    ("reshape", lambda m: m.ones(2, 3).reshape(4, 2)),
    ("reshape", lambda m: m.ones(2, 3).reshape(-1, -1)),
    ("view", lambda m: m.ones(2, 3).T.view(6)),
    ("cat", lambda m: m.cat([m.ones(2, 3), m.ones(2, 4)], 0)),
    ("cat", lambda m: m.cat([], 0)),
    ("stack", lambda m: m.stack([m.ones(2), m.ones(3)])),
    ("expand", lambda m: m.ones(2, 3).expand(4, 3)),
    ("expand", lambda m: m.ones(2, 3).expand(3)),
    ("broadcast_to", lambda m: m.broadcast_to(m.ones(2), (3,))),
    ("repeat", lambda m: m.ones(2, 3).repeat(2)),
    ("split", lambda m: m.split(m.ones(5), [2, 2])),
    ("chunk", lambda m: m.chunk(m.ones(5), 0)),
    ("masked_fill", lambda m: m.ones(2).masked_fill(m.ones(3) > 0, 1.0)),
    ("tril", lambda m: m.tril(m.ones(3))),
    ("diag", lambda m: m.diag(m.ones(2, 2, 2))),
    ("diagonal", lambda m: m.diagonal(m.ones(3))),
    # axes
    ("sum", lambda m: m.sum(m.ones(2, 3), 2)),
    ("mean", lambda m: m.mean(m.ones(2, 3), -3)),
    ("sum", lambda m: m.sum(m.ones(2, 3), (0, 0))),
    ("softmax", lambda m: m.softmax(m.ones(2, 3), 2)),
    ("cumsum", lambda m: m.cumsum(m.ones(2), 1)),
    ("sort", lambda m: m.sort(m.ones(2), 1)),
    ("topk", lambda m: m.topk(m.ones(3), 4)),
    ("permute", lambda m: m.ones(2, 3).permute(0, 0)),
    ("permute", lambda m: m.ones(2, 3).permute(0)),
    ("transpose", lambda m: m.ones(2, 3).transpose(0, 2)),
    ("movedim", lambda m: m.movedim(m.ones(2, 3), (0, 1), (0,))),
    ("unsqueeze", lambda m: m.ones(2, 3).unsqueeze(4)),
    ("squeeze", lambda m: m.ones(2, 1).squeeze(3)),
    ("flip", lambda m: m.flip(m.ones(2, 3), (0, 0))),
    ("roll", lambda m: m.roll(m.ones(2, 3), (1, 2), (0,))),
    ("flatten", lambda m: m.flatten(m.ones(2, 3, 4), 2, 1)),
    ("unbind", lambda m: m.unbind(m.ones(2), 1)),
    # empty
    ("amax", lambda m: m.amax(m.zeros(0), 0)),
    ("argmax", lambda m: m.argmax(m.zeros(0))),
    ("max", lambda m: m.max(m.zeros(0))),
    # indices
    ("getitem", lambda m: m.ones(2)[2]),
    ("index", lambda m: m.ones(2)[m.i(0, 2)]),
    ("index", lambda m: m.ones(2)[m.i(-3)]),
    ("getitem", lambda m: m.ones(2)[0, 0]),
    ("index", lambda m: m.ones(2, 3)[m.ones(3) > 0]),
    (None, lambda m: m.ones(2)[1.0]),
    (None, lambda m: m.ones(2)[m.ones(1)]),
    ("gather", lambda m: m.gather(m.ones(2, 3), 1, m.i([3]))),
    ("gather", lambda m: m.gather(m.ones(2, 3), 1, m.i(0))),
    ("scatter", lambda m: m.scatter(m.ones(2, 3), 1, m.i([3]), m.ones(1, 1))),
    ("index_select", lambda m: m.index_select(m.ones(2), 0, m.i(2))),
    ("embedding", lambda m: m.embedding(m.i(4), m.ones(4, 2))),
    ("one_hot", lambda m: m.one_hot(m.i(3), 3)),
    ("one_hot", lambda m: m.one_hot(m.i(-1), 3)),
    # dtypes
    ("sub", lambda m: m.tensor([True]) - m.tensor([True])),
    ("bitwise_not", lambda m: ~m.ones(2)),
    ("bitwise_and", lambda m: m.ones(2) & m.ones(2)),
    ("mean", lambda m: m.i(1, 2).mean()),
    ("var", lambda m: m.i(1, 2).var()),
    ("neg", lambda m: -m.tensor([True])),
    (None, lambda m: m.i(1, 2).requires_grad_()),
    (None, lambda m: m.tensor([1, 2], requires_grad=True)),
    ("one_hot", lambda m: m.one_hot(m.ones(2), 3)),
    ("embedding", lambda m: m.embedding(m.ones(2), m.ones(4, 2))),
    (None, lambda m: m.tensor("abc")),
    (None, lambda m: m.tensor([[1, 2], [3]])),
    (None, lambda m: m.tensor([None])),
    # layers
    ("linear", lambda m: m.linear(m.ones(2, 3), m.ones(4, 2))),
    ("linear", lambda m: m.linear(m.ones(2, 3), m.ones(4, 3), m.ones(3))),
    ("conv2d", lambda m: m.conv2d(m.ones(1, 3, 8, 8), m.ones(4, 2, 3, 3))),
    ("conv2d", lambda m: m.conv2d(m.ones(1, 4, 8, 8), m.ones(3, 2, 3, 3), groups=2)),
    ("conv2d", lambda m: m.conv2d(m.ones(1, 1, 2, 2), m.ones(1, 1, 3, 3))),
    ("conv2d", lambda m: m.conv2d(m.ones(1, 1, 4, 4), m.ones(1, 1, 3, 3), m.ones(2))),
    ("conv2d", lambda m: m.conv2d(m.ones(4, 4), m.ones(1, 1, 3, 3))),
    ("conv2d", lambda m: m.conv2d(m.ones(1, 1, 4, 4), m.ones(1, 1, 3, 3), stride=0)),
    (
        "conv2d",
        lambda m: m.conv2d(m.ones(1, 1, 4, 4), m.ones(1, 1, 3, 3), stride=2, padding="same"),
    ),
    ("conv1d", lambda m: m.conv1d(m.ones(1, 3, 8), m.ones(4, 2, 3))),
    ("conv_transpose2d", lambda m: m.conv_transpose2d(m.ones(1, 3, 4, 4), m.ones(2, 3, 3, 3))),
    ("max_pool2d", lambda m: m.max_pool2d(m.ones(1, 1, 2, 2), 3)),
    ("max_pool2d", lambda m: m.max_pool2d(m.ones(1, 1, 4, 4), 2, padding=2)),
    ("avg_pool2d", lambda m: m.avg_pool2d(m.ones(1, 1, 2, 2), 3)),
    ("pad", lambda m: m.pad(m.ones(1, 1, 2), (2, 2), mode="reflect")),
    ("pad", lambda m: m.pad(m.ones(2), (1,))),
    ("unfold", lambda m: m.unfold(m.ones(1, 1, 2, 2), 3)),
    ("fold", lambda m: m.fold(m.ones(1, 4, 5), (3, 3), 2)),
    ("interpolate", lambda m: m.interpolate(m.ones(1, 1, 2, 2))),
    ("interpolate", lambda m: m.interpolate(m.ones(1, 1, 2, 2), size=4, scale_factor=2)),
    ("dropout", lambda m: m.dropout(m.ones(2), 1.5)),
    ("dropout", lambda m: m.dropout(m.ones(2), -0.1)),
    ("layer_norm", lambda m: m.layer_norm(m.ones(2, 3), (2,))),
    ("group_norm", lambda m: m.group_norm(m.ones(2, 3, 4), 2)),
    ("batch_norm", lambda m: m.batch_norm(m.ones(2, 3), m.ones(2), m.ones(2))),
    ("batch_norm", lambda m: m.batch_norm(m.ones(1, 3), m.ones(3), m.ones(3), training=True)),
    ("batch_norm", lambda m: m.batch_norm(m.ones(2, 3), None, None)),
    # losses
    ("cross_entropy", lambda m: m.cross_entropy(m.ones(2, 3), m.i(0, 3))),
    ("cross_entropy", lambda m: m.cross_entropy(m.ones(2, 3), m.i(0, -1))),
    ("cross_entropy", lambda m: m.cross_entropy(m.ones(2, 3), m.i(0, 1, 2))),
    ("cross_entropy", lambda m: m.cross_entropy(m.ones(2, 3), m.ones(2, 4))),
    ("cross_entropy", lambda m: m.cross_entropy(m.ones(2, 3), m.i(0, 1), reduction="average")),
    ("cross_entropy", lambda m: m.cross_entropy(m.ones(2, 3), m.i(0, 1), label_smoothing=2.0)),
    ("nll_loss", lambda m: m.nll_loss(m.ones(2, 3), m.i(0, 3))),
    ("nll_loss", lambda m: m.nll_loss(m.ones(2, 3), m.ones(2))),
    ("binary_cross_entropy", lambda m: m.binary_cross_entropy(m.ones(2) * 2.0, m.ones(2))),
    ("binary_cross_entropy", lambda m: m.binary_cross_entropy(m.ones(2), m.ones(3))),
    ("mse_loss", lambda m: m.mse_loss(m.ones(2), m.ones(2), reduction="average")),
    ("mse_loss", lambda m: m.mse_loss(m.ones(2, 3), m.ones(4))),
    ("huber_loss", lambda m: m.huber_loss(m.ones(2), m.ones(2), delta=-1.0)),
    # the graph
    (None, lambda m: (m.ones(2, requires_grad=True) * 2).backward()),
    (None, lambda m: m.ones(2).sum().backward()),
    (None, lambda m: m.ones(2, requires_grad=True).numpy()),
    (None, lambda m: m.ones(2, requires_grad=True).add_(1.0)),
    (None, lambda m: (m.ones(2, requires_grad=True) * 2).backward(m.ones(3))),
    (None, lambda m: m.autograd.grad(m.ones(1, requires_grad=True) * 2, m.ones(1))),
    # Python
    (None, lambda m: m.ones(2).item()),
    (None, lambda m: bool(m.ones(2))),
    (None, lambda m: len(m.ones(()))),
    (None, lambda m: list(m.ones(()))),
    (None, lambda m: m.arange(0, 3, 0)),
    (None, lambda m: m.zeros(-1)),
    (None, lambda m: m.randint(3, 3, (2,))),
    (None, lambda m: m.ones(2, device="tpu9")),
]


def ident(entry: tuple[str | None, Any]) -> str:
    return entry[0] or "other"


@pytest.mark.parametrize("entry", REFUSED, ids=ident)
def test_both_refuse(entry: tuple[str | None, Callable[[Any], Any]]) -> None:
    name, go = entry
    with np.errstate(all="ignore"), pytest.raises(Exception) as caught:  # noqa: PT011
        go(Library("minigrad"))
    error = caught.value
    assert isinstance(error, (ValueError, TypeError, IndexError, RuntimeError)), repr(error)
    assert not isinstance(error, NotImplementedError)
    text = str(error)
    assert len(text) > 15, f"no explanation: {text!r}"
    if name is not None:
        assert name in text, f"the message does not name {name}: {text}"
    if importlib.util.find_spec("torch") is not None:
        with pytest.raises(Exception):  # noqa: B017, PT011
            go(Library("torch"))
