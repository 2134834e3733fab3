"""Embedding: what its table is, and which rows change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def test_padding_row_starts_as_zero_and_stays() -> None:
    layer = nn.Embedding(6, 3, padding_idx=-2)
    assert layer.padding_idx == 4
    assert layer.weight[4].tolist() == [0.0] * 3
    assert (layer.weight.detach().numpy()[[0, 1, 2, 3, 5]] != 0).all()
    layer(mg.tensor([[4, 1], [4, 5]])).backward(mg.ones(2, 2, 3))
    assert layer.weight.grad.numpy().any(1).tolist() == [False, True, False, False, False, True]
    mg.optim.SGD(layer.parameters(), lr=1.0).step()
    assert layer.weight[4].tolist() == [0.0] * 3


def test_from_pretrained() -> None:
    table = mg.randn(5, 3)
    layer = nn.Embedding.from_pretrained(table, padding_idx=1)
    assert not layer.weight.requires_grad
    assert np.shares_memory(layer.weight._array, table._array)
    assert (layer.num_embeddings, layer.embedding_dim, layer.padding_idx) == (5, 3, 1)
    assert repr(layer) == "Embedding(5, 3, padding_idx=1)  # 15 parameters, 15 frozen"
    assert np.array_equal(layer(mg.tensor([1, 4])).numpy(), table.numpy()[[1, 4]])
    learned = nn.Embedding.from_pretrained(table.numpy(), freeze=False, max_norm=2.0)
    assert learned.weight.requires_grad
    assert not np.shares_memory(learned.weight._array, table._array)
    assert learned.max_norm == 2.0
    for wrong in (mg.ones(3), mg.tensor([[1, 2]])):
        with pytest.raises(ValueError, match="must be a table of floats"):
            nn.Embedding.from_pretrained(wrong, freeze=True)


@pytest.mark.parametrize("p", [1.0, 2.0, float("inf")])
def test_max_norm_shortens_the_rows_that_are_asked_for(p: float, backend: str) -> None:
    layer = nn.Embedding(6, 4, max_norm=1.0, norm_type=p, device=backend)
    with mg.no_grad():
        layer.weight.mul_(10.0)
        layer.weight[2] = 0.01
    before = layer.weight.detach().cpu().numpy().copy()
    y = layer(mg.tensor([[0, 2], [3, 0]], device=backend))
    after = layer.weight.detach().cpu().numpy()
    assert np.array_equal(after[[1, 2, 4, 5]], before[[1, 2, 4, 5]])
    sizes = np.linalg.norm(after[[0, 3]], p, axis=1)
    np.testing.assert_allclose(sizes, 1.0, rtol=1e-5)
    assert np.array_equal(y.detach().cpu().numpy(), after[[[0, 2], [3, 0]]])


def test_max_norm_is_a_change_that_backward_sees() -> None:
    layer = nn.Embedding(3, 2, max_norm=0.1)
    loss = (layer.weight * layer.weight).sum()
    layer(mg.tensor([0]))
    with pytest.raises(mg.MutationError, match="max_norm"):
        loss.backward()


@pytest.mark.parametrize("options", [{}, {"max_norm": 1.0}])
def test_ids_out_of_range(options: Any) -> None:
    layer = nn.Embedding(3, 2, **options)
    before = layer.weight.detach().numpy().copy()
    for ids, error in (([3], IndexError), ([-1], IndexError), ([0.5], TypeError)):
        with pytest.raises(error, match=r"out of range|int ids"):
            layer(mg.tensor(ids))
    assert np.array_equal(layer.weight.detach().numpy(), before)
