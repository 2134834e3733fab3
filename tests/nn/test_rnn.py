"""Recurrent layers: padded sequences, states, what is dropped, what is refused, that they learn.

That they compute what torch's do is in test_parity; here, sequences of different lengths are held
to torch's packed ones.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.engine.backward import backward

KINDS = ("RNN", "LSTM", "GRU")
LENGTHS = {  # of 4 sequences of at most 6 steps
    "mixed": [3, 6, 1, 4], "full": [6, 6, 6, 6], "sorted": [5, 4, 4, 2], "ones": [1, 1, 1, 1],
}  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "both ways": {"bidirectional": True},
    "layers": {"num_layers": 2, "bidirectional": True, "batch_first": True, "bias": False},
    "relu": {"nonlinearity": "relu", "bidirectional": True},
}
CASES = [
    (kind, name, lengths)
    for kind in KINDS
    for name in OPTIONS
    for lengths in LENGTHS
    if (name != "relu" or kind == "RNN") and (name == "layers" or lengths in ("mixed", "sorted"))
]


def flat(values: Any) -> list[Any]:
    return [v for x in values for v in flat(x)] if isinstance(values, tuple) else [values]


def states(kind: str, rng: np.random.Generator, rows: int, batch: int) -> tuple[np.ndarray, ...]:
    return tuple(rng.standard_normal((rows, batch, 5)) for _ in range(2 if kind == "LSTM" else 1))


def given(kind: str, tensors: list[Any]) -> Any:
    """Return a state as the layer takes it."""
    return tuple(tensors) if kind == "LSTM" else tensors[0]


# ---- sequences of different lengths -------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("kind", "name", "lengths"), CASES)
def test_lengths_are_torchs_packed_sequences(
    kind: str, name: str, lengths: str, dtype: str
) -> None:
    """Outputs, final states, and gradients by x, by the first state and by all parameters."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    rng = np.random.default_rng(0)
    options, first = OPTIONS[name], OPTIONS[name].get("batch_first", False)
    other = getattr(torch.nn, kind)(3, 5, **options).to(getattr(torch, dtype))
    mine = getattr(nn, kind)(3, 5, **options, dtype=getattr(mg, dtype))
    mine.load_state_dict({k: v.numpy() for k, v in other.state_dict().items()})
    x = rng.standard_normal((4, 6, 3) if first else (6, 4, 3)).astype(dtype)
    rows = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    h = [s.astype(dtype) for s in states(kind, rng, rows, 4)]

    xm, hm = mg.tensor(x, requires_grad=True), [mg.tensor(s, requires_grad=True) for s in h]
    outputs = flat(mine(xm, given(kind, hm), lengths=LENGTHS[lengths]))
    xt, ht = torch.tensor(x, requires_grad=True), [torch.tensor(s, requires_grad=True) for s in h]
    packed = pack_padded_sequence(xt, LENGTHS[lengths], first, enforce_sorted=False)
    y, ends = other(packed, given(kind, ht))
    y, _ = pad_packed_sequence(y, first, total_length=6)
    wanted = flat((y, ends))

    assert len(outputs) == len(wanted)
    rtol = {"float64": 1e-12, "float32": 1e-5}[dtype]
    for a, b in zip(outputs, wanted, strict=True):
        close(a.detach().numpy(), b.detach().numpy(), rtol)
    cotangents = [rng.standard_normal(tuple(b.shape)).astype(dtype) for b in wanted]
    backward(outputs, cotangents)
    torch.autograd.backward(wanted, [torch.tensor(g) for g in cotangents])
    pairs = [(xm, xt), *zip(hm, ht, strict=True)]
    pairs += zip(mine.parameters(), other.parameters(), strict=True)
    for a, b in pairs:
        close(a.grad.numpy(), b.grad.numpy(), rtol)


def close(a: np.ndarray, b: np.ndarray, rtol: float) -> None:
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    assert np.abs(a - b).max() <= rtol * max(np.abs(b).max(), 1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_has_no_effect_whatever_it_holds(kind: str) -> None:
    rng = np.random.default_rng(1)
    net = getattr(nn, kind)(3, 5, num_layers=2, bidirectional=True, dtype=mg.float64)
    x = rng.standard_normal((6, 2, 3))
    results = []
    for filling in (0.0, 7.0, np.nan, np.inf):
        padded = x.copy()
        padded[2:, 1] = filling
        x_in = mg.tensor(padded, requires_grad=True)
        y, _ = net(x_in, lengths=np.array([6, 2]))
        net.zero_grad()
        y.backward(np.random.default_rng(2).standard_normal(y.shape))
        assert not y.detach().numpy()[2:, 1].any()
        assert not x_in.grad.numpy()[2:, 1].any()
        results.append([y.detach().numpy(), *(p.grad.numpy().copy() for p in net.parameters())])
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_padded_sequence_gives_what_it_gives_alone(kind: str) -> None:
    rng = np.random.default_rng(3)
    net = getattr(nn, kind)(3, 5, bidirectional=True, dtype=mg.float64)
    x = mg.tensor(rng.standard_normal((6, 3, 3)))
    lengths = mg.tensor([4, 1, 6])
    y, ends = net(x, lengths=lengths)
    for i, n in enumerate(lengths.tolist()):
        alone, own_ends = net(x[:n, i])
        np.testing.assert_allclose(y[:n, i].detach().numpy(), alone.detach().numpy(), rtol=1e-13)
        for a, b in zip(flat((ends,)), flat((own_ends,)), strict=True):
            np.testing.assert_allclose(a[:, i].detach().numpy(), b.detach().numpy(), rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_with_lengths(kind: str) -> None:
    rng = np.random.default_rng(4)
    net = getattr(nn, kind)(2, 2, bidirectional=True, dtype=mg.float64)
    x = mg.tensor(rng.standard_normal((3, 2, 2)), requires_grad=True)
    parts = 2 if kind == "LSTM" else 1
    h = [mg.tensor(rng.standard_normal((2, 2, 2)), requires_grad=True) for _ in range(parts)]

    def fn(x: Any, *h: Any) -> Any:
        return tuple(flat(net(x, given(kind, list(h)), lengths=[3, 1])))

    assert mg.gradcheck(fn, [x, *h])
    assert mg.gradgradcheck(fn, [x, *h])


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_by_the_weights(kind: str) -> None:
    rng = np.random.default_rng(5)
    net = getattr(nn, kind)(2, 2, dtype=mg.float64)
    names = [name for name, _ in net.named_parameters()]
    x = mg.tensor(rng.standard_normal((3, 1, 2)))
    weights = [
        mg.tensor(rng.standard_normal(p.shape), requires_grad=True) for p in net.parameters()
    ]

    def fn(*weights: Any) -> Any:
        for name, w in zip(names, weights, strict=True):
            net.__dict__[name] = w
        return net(x)[0]

    assert mg.gradgradcheck(fn, weights)


# ---- the layer and the cell ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_over_the_cell_is_the_layer(kind: str) -> None:
    rng = np.random.default_rng(6)
    net = getattr(nn, kind)(3, 4, dtype=mg.float64)
    cell = getattr(nn, kind + "Cell")(3, 4, dtype=mg.float64)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in net.state_dict().items()})
    x = mg.tensor(rng.standard_normal((7, 2, 3)))
    state, rows = None, []
    for step in x.unbind(0):
        state = cell(step, state)
        rows.append(state[0] if kind == "LSTM" else state)
    y, _ = net(x)
    stacked = mg.stack(rows)
    np.testing.assert_allclose(stacked.detach().numpy(), y.detach().numpy(), rtol=1e-12)
    g = rng.standard_normal(y.shape)
    y.backward(g)
    stacked.backward(g)
    for p, q in zip(net.parameters(), cell.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_lie_transposed_and_their_gradients_too(kind: str) -> None:
    net = getattr(nn, kind)(3, 4)
    y, _ = net(mg.ones(5, 2, 3))
    y.backward(np.ones(y.shape, "f4"))
    for weight in (net.weight_ih_l0, net.weight_hh_l0):
        assert weight._array.T.flags.c_contiguous
        assert weight.grad._array.T.flags.c_contiguous


@pytest.mark.parametrize("kind", KINDS)
def test_backward_twice_with_another_gradient(kind: str) -> None:
    """What the rules share is of one gradient, also where its array is used again."""
    net = getattr(nn, kind)(3, 4, dtype=mg.float64)
    y, _ = net(mg.tensor(np.random.default_rng(0).standard_normal((5, 2, 3))))
    g = np.ones(y.shape)
    y.backward(g, retain_graph=True)
    once = [p.grad.numpy().copy() for p in net.parameters()]
    net.zero_grad()
    g *= 3
    y.backward(g)
    for a, p in zip(once, net.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), 3 * a, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_parameters_get_none(kind: str) -> None:
    net = getattr(nn, kind)(3, 4)
    net.weight_hh_l0.requires_grad_(False)
    x = mg.ones(5, 2, 3)
    y, _ = net(x)
    y.backward(np.ones(y.shape, "f4"))
    assert net.weight_hh_l0.grad is None
    assert net.weight_ih_l0.grad.numpy().any()


@pytest.mark.parametrize("kind", KINDS)
def test_on_every_device(kind: str, backend: str) -> None:
    mg.manual_seed(0)
    host = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True)
    mg.manual_seed(0)
    net = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True, device=backend)
    x = np.random.default_rng(0).standard_normal((5, 2, 3)).astype("f4")
    g = np.random.default_rng(1).standard_normal((5, 2, 8)).astype("f4")
    results = []
    for module, device in ((host, "cpu"), (net, backend)):
        y, _ = module(mg.tensor(x, device=device), lengths=[5, 3])
        y.backward(mg.tensor(g, device=device))
        results.append([y.detach(), *(p.grad for p in module.parameters())])
    for a, b in zip(*results, strict=True):
        assert b.device.type == backend
        np.testing.assert_allclose(a.numpy(), b.cpu().numpy(), rtol=1e-4, atol=1e-5)


# ---- dropout ------------------------------------------------------------------------------------


def repeater(p: float) -> Any:
    """Return two layers: the first gives ones, the second what it is given."""
    net = nn.RNN(1, 50, num_layers=2, nonlinearity="relu", dropout=p)
    with mg.no_grad():
        for name, value in net.named_parameters():
            value.zero_()
            if name == "bias_ih_l0":
                value.fill_(1.0)
        net.weight_ih_l1.copy_(mg.eye(50))
    return net


def test_dropout_acts_between_layers_in_training_only() -> None:
    mg.manual_seed(0)
    net, x = repeater(0.25), mg.zeros(20, 10, 1)
    y = net(x)[0].detach().numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / y.size)
    assert np.array_equal(net.eval()(x)[0].detach().numpy(), np.ones((20, 10, 50), "f4"))
    everything = repeater(1.0)  # the outputs of the last layer themselves are not dropped
    with mg.no_grad():
        everything.bias_ih_l1.fill_(2.0)
    assert np.array_equal(everything(x)[0].detach().numpy(), np.full((20, 10, 50), 2, "f4"))


def test_dropout_without_layers_to_act_between_warns() -> None:
    with pytest.warns(UserWarning, match=r"dropout=0.5 acts between layers, and num_layers is 1"):
        nn.GRU(2, 3, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.GRU(2, 3, num_layers=2, dropout=0.5)


# ---- what is refused ----------------------------------------------------------------------------

X = mg.ones(5, 3, 2)
CALLS: list[tuple[dict[str, Any], tuple[Any, ...], dict[str, Any], type, str]] = [
    ({}, (mg.ones(5, 3, 4),), {}, ValueError,
     r"GRU: x is float32\[5, 3, 4\]; with input_size=2 and batch_first=False it must be "
     r"\(T, N, 2\), or \(T, 2\) for one sequence"),
    ({"batch_first": True}, (mg.ones(5, 3, 4),), {}, ValueError, r"it must be \(N, T, 2\)"),
    ({}, (mg.ones(2),), {}, ValueError, r"x is float32\[2\]"),
    ({}, (mg.ones(0, 3, 2),), {}, ValueError, "without a time step"),
    ({}, (X, mg.zeros(1, 3, 5)), {}, ValueError,
     r"the state has shape \[1, 3, 5\], it must be \[1, 3, 4\]: layers \* directions, batch"),
    ({"batch_first": True}, (mg.ones(3, 5, 2), mg.zeros(3, 1, 4)), {}, ValueError,
     r"\[3, 1, 4\], it must be \[1, 3, 4\].*batch_first does not change it"),
    ({"num_layers": 2, "bidirectional": True}, (X, mg.zeros(1, 3, 4)), {}, ValueError,
     r"it must be \[4, 3, 4\]"),
    ({}, (mg.ones(5, 2), mg.zeros(1, 5)), {}, ValueError, r"\[1, 5\], it must be \[1, 4\]"),
    ({}, (X,), {"lengths": [6, 1, 1]}, ValueError,
     "the length 6 is not from 1 to 5, the time steps of x; pad x, or cut the length"),
    ({}, (X,), {"lengths": [5, 0, 1]}, ValueError,
     "the length 0 is not from 1 to 5.*leave empty sequences out"),
    ({}, (X,), {"lengths": [-1, 5, 1]}, ValueError, "the length -1 is not from 1 to 5"),
    ({}, (X,), {"lengths": [5, 1]}, ValueError,
     r"lengths has shape \[2\]; one for each sequence of the batch is \[3\]"),
    ({}, (X,), {"lengths": [5.0, 1.0, 2.0]}, TypeError, "lengths are ints, not float64"),
    ({}, (mg.ones(5, 2),), {"lengths": [5]}, ValueError, "lengths need a batch"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(CALLS)))
def test_wrong_calls(case: int) -> None:
    options, args, named, error, text = CALLS[case]
    net = nn.GRU(2, 4, **options)
    with pytest.raises(error, match=text):
        net(*args, **named)


@pytest.mark.parametrize("state", [mg.zeros(1, 3, 4), (mg.zeros(1, 3, 4),)])
def test_an_lstms_state_is_a_pair(state: Any) -> None:
    with pytest.raises(TypeError, match=r"LSTM: the state is a pair \(h, c\), not"):
        nn.LSTM(2, 4)(X, state)
    with pytest.raises(TypeError, match=r"LSTMCell: the state is a pair \(h, c\), not"):
        nn.LSTMCell(2, 4)(mg.ones(3, 2), state)


@pytest.mark.parametrize(
    ("args", "options", "error", "text"),
    [
        ((2, 0), {}, ValueError, "hidden_size must be at least 1, not 0"),
        ((2, 3.0), {}, TypeError, "hidden_size must be an int, not float"),
        ((-2, 3), {}, ValueError, "input_size must not be negative"),
        ((2, 3, 0), {}, ValueError, "num_layers must be at least 1, not 0"),
        ((2, 3, 2), {"dropout": 1.5}, ValueError, "from 0 to 1, not 1.5"),
        ((2, 3), {"nonlinearity": "sigmoid"}, ValueError, "'tanh' or 'relu', not 'sigmoid'"),
    ],
)
def test_wrong_options(args: Any, options: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        nn.RNN(*args, **options)


def test_cells_refuse_wrong_shapes() -> None:
    cell = nn.GRUCell(2, 4)
    with pytest.raises(ValueError, match=r"x is float32\[5, 3, 2\].*a whole sequence.*nn\.GRU"):
        cell(X)
    with pytest.raises(ValueError, match=r"a state is float32\[3, 5\].*must be \[3, 4\]"):
        cell(mg.ones(3, 2), mg.ones(3, 5))
    with pytest.raises(ValueError, match="nonlinearity"):
        nn.RNNCell(2, 3, nonlinearity="gelu")


# ---- that they learn ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_learns_to_recall_the_first_of_a_sequence(kind: str) -> None:
    """Which of 4 symbols stood first, in front of up to 9 others: guessing gives ln 4 = 1.39."""
    mg.manual_seed(3)
    rng = np.random.default_rng(3)  # with other seeds, 1 in 3 learns it only later
    net, head = getattr(nn, kind)(4, 24), nn.Linear(24, 4)
    optimizer = optim.Adam([*net.parameters(), *head.parameters()], lr=0.02)
    losses = []
    for _ in range(300):
        symbols = rng.integers(0, 4, (10, 32))
        lengths = rng.integers(5, 11, 32)
        ends = net(mg.nn.functional.one_hot(mg.tensor(symbols), 4).float(), lengths=lengths)[1]
        h = ends[0] if kind == "LSTM" else ends
        loss = nn.functional.cross_entropy(head(h[0]), mg.tensor(symbols[0]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.2
    assert np.mean(losses[-10:]) < 0.1
