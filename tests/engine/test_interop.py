"""Other worlds: NumPy's protocols, DLPack, Python's numbers and containers, repr."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg


def test_numpy_shares_memory_read_only() -> None:
    x = mg.tensor([1.0, 2.0])
    view = x.numpy()
    assert np.shares_memory(view, x._array)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 5.0


def test_numpy_of_a_tensor_in_the_graph_is_refused() -> None:
    x = mg.tensor([1.0], requires_grad=True)
    for go in (x.numpy, lambda: np.asarray(x), lambda: np.array(x * 2.0)):
        with pytest.raises(mg.GraphError, match=r"drop it from the graph.*\.detach\(\)\.numpy"):
            go()
    assert x.detach().numpy().tolist() == [1.0]


def test_array_protocol_of_numpy_2() -> None:
    x = mg.tensor([1.5, 2.5])
    assert np.asarray(x).dtype == np.float32
    assert np.shares_memory(np.asarray(x), x._array)
    assert not np.shares_memory(np.array(x), x._array)
    assert not np.shares_memory(np.asarray(x, copy=True), x._array)
    assert np.asarray(x, dtype=np.float64).tolist() == [1.5, 2.5]
    assert np.shares_memory(np.asarray(x, copy=False), x._array)
    with pytest.raises(ValueError, match="a copy is needed"):
        np.asarray(x, dtype=np.float64, copy=False)
    assert np.array(x).flags.writeable
    assert np.mean(np.asarray(x)) == 2.0


def test_ndarray_on_the_left() -> None:
    a = np.array([1.0, 2.0], np.float32)
    x = mg.tensor([3.0, 4.0], requires_grad=True)
    for y, wanted in (
        (a * x, [3.0, 8.0]), (a + x, [4.0, 6.0]), (a - x, [-2.0, -2.0]), (a / x, [1 / 3, 0.5]),
        (a**x, [1.0, 16.0]), (a @ x, 11.0), (a < x, [True, True]), (a == x, [False, False]),
    ):  # fmt: skip
        assert type(y) is mg.Tensor
        np.testing.assert_allclose(y.detach().numpy(), wanted, rtol=1e-6)
    (a * x).backward(np.array([1.0, 10.0], np.float32))
    assert x.grad.tolist() == [1.0, 20.0]


def test_numpy_scalar_on_the_left_stays_weak() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = np.float64(3.0) * x
    assert type(y) is mg.Tensor
    assert y.dtype == mg.float32
    assert y.requires_grad


def test_ufuncs_run_the_op_of_their_name() -> None:
    x = mg.tensor([0.5, 1.0], requires_grad=True)
    y = np.exp(x)
    assert y.grad_fn.op.name == "exp"
    assert np.tanh(x).grad_fn.op.name == "tanh"
    assert np.arcsin(x).grad_fn.op.name == "asin"
    assert np.subtract(np.ones(2, np.float32), x).grad_fn.op.name == "sub"
    assert np.matmul(x, x).item() == 1.25


def test_ufuncs_without_an_op_and_their_methods_are_refused() -> None:
    x = mg.tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"numpy\.spacing does not work on a Tensor.*detach"):
        np.spacing(x)
    with pytest.raises(TypeError, match=r"numpy\.add\.reduce does not work on a Tensor"):
        np.add.reduce(x)
    with pytest.raises(TypeError, match=r"numpy\.exp does not work on a Tensor with out"):
        np.exp(x, out=np.ones(2))


def test_in_place_change_of_an_ndarray_by_a_tensor_is_refused() -> None:
    a = np.ones(2)
    with pytest.raises(TypeError, match="with out"):
        a += mg.ones(2)


# ---- DLPack -------------------------------------------------------------------------------------


def test_dlpack_to_and_from_numpy() -> None:
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.shares_memory(np.from_dlpack(x), x._array)
    source = np.arange(4.0)
    y = mg.from_dlpack(source)
    assert y.dtype == mg.float64
    assert np.shares_memory(y._array, source)
    assert mg.from_dlpack(x).tolist() == x.tolist()
    with pytest.raises(mg.GraphError, match=r"requires grad.*detach"):
        np.from_dlpack(mg.ones(2, requires_grad=True))


def test_dlpack_to_and_from_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = mg.tensor([1.0, 2.0])
    there = torch.from_dlpack(x)
    there[0] = 5.0
    assert x.tolist() == [5.0, 2.0]
    source = torch.arange(3.0)
    here = mg.from_dlpack(source)
    source[2] = 9.0
    assert here.tolist() == [0.0, 1.0, 9.0]


# ---- Python -------------------------------------------------------------------------------------


def test_numbers() -> None:
    assert float(mg.tensor([[2.5]])) == 2.5
    assert int(mg.tensor(3)) == 3
    assert [10, 20, 30][mg.tensor(1)] == 20
    assert mg.tensor(2.5).item() == 2.5
    assert bool(mg.tensor([0.0])) is False
    assert f"{mg.tensor(0.123456):.3f}" == "0.123"
    assert type(mg.tensor(1).item()) is int
    with pytest.raises(ValueError, match=r"needs one element, this tensor has 2 \(shape \[2\]\)"):
        mg.ones(2).item()
    with pytest.raises(ValueError, match=r"2 elements is not one answer.*\.any\(\) or \.all\(\)"):
        bool(mg.ones(2))
    with pytest.raises(TypeError, match=r"only an integer tensor can be an index.*float32"):
        [1, 2][mg.tensor(1.0)]


def test_containers() -> None:
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    first, second = x
    (first * second).backward(np.array([1.0, 10.0], np.float32))
    assert x.grad.tolist() == [[3.0, 40.0], [1.0, 20.0]]
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert mg.tensor([mg.tensor(1.0), mg.tensor(2.0)]).tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match=r"0-d tensor has no length.*\.item\(\)"):
        len(mg.tensor(1.0))
    assert len({x, x, first}) == 2  # hashed by identity


def test_deepcopy_copies_leaves() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    (x * 2.0).sum().backward()
    twin = copy.deepcopy(x)
    assert twin.requires_grad
    assert twin.is_leaf
    assert twin.grad.tolist() == [2.0, 2.0]
    with mg.no_grad():
        twin += 1.0
    assert x.tolist() == [1.0, 2.0]
    (twin * 3.0).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(mg.GraphError, match=r"only leaves.*clone"):
        copy.deepcopy(x * 2.0)


def test_tensors_are_not_pickled_with_a_graph() -> None:
    x = mg.tensor([1.0], requires_grad=True)
    with pytest.raises(mg.GraphError, match="only leaves"):
        pickle.dumps(x * 2.0)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: mg.tensor(1.5), "tensor(1.5)"),
        (lambda: mg.tensor([1, 2]), "tensor([1, 2])"),
        (lambda: mg.tensor([True]), "tensor([ True])"),
        (lambda: mg.tensor([1.0], dtype=mg.float64), "tensor([1.], dtype=float64)"),
        (lambda: mg.tensor([1], dtype=mg.int32), "tensor([1], dtype=int32)"),
        (lambda: mg.ones(2, requires_grad=True), "tensor([1., 1.], requires_grad=True)"),
        (lambda: mg.ones(2, requires_grad=True) * 2.0, "tensor([2., 2.], grad_fn=<mul>)"),
        (lambda: mg.zeros(0, 3), "tensor([], shape=[0, 3])"),
        (lambda: mg.tensor([[1.0, 2.0], [3.0, 4.0]]), "tensor([[1., 2.],\n        [3., 4.]])"),
    ],
)
def test_repr(make: object, text: str) -> None:
    assert repr(make()) == text  # type: ignore[operator]
