"""Transformers beyond what test_parity compares: stacks, masks, dropout, encodings, learning."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


# ---- stacks of layers ---------------------------------------------------------------------------


def stacks(nn: Any, norm: bool, dtype: Any) -> tuple[Any, Any]:
    """Return an encoder and a decoder of torch's or ours."""
    sizes, options = (6, 2, 7), {"dropout": 0.0, "norm_first": norm, "dtype": dtype}
    last = nn.LayerNorm(6, dtype=dtype) if norm else None
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(*sizes, **options), 3, last)
    last = nn.LayerNorm(6, dtype=dtype) if norm else None
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(*sizes, **options), 2, last)
    return encoder, decoder


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("norm", [False, True])
def test_stacks_are_torchs(norm: bool, dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    others = stacks(torch.nn, norm, getattr(torch, dtype))
    mine = stacks(nn, norm, getattr(mg, dtype))
    for ours, theirs in zip(mine, others, strict=True):
        with torch.no_grad():
            for p in theirs.parameters():  # so that the layers differ
                p += torch.from_numpy(0.1 * normal(*p.shape)).to(p.dtype)
        state = {k: v.numpy() for k, v in theirs.state_dict().items()}
        assert list(ours.state_dict()) == list(state)
        ours.load_state_dict(state)
    src, tgt = normal(5, 3, 6).astype(dtype), normal(4, 3, 6).astype(dtype)
    g = normal(4, 3, 6).astype(dtype)
    hidden = np.triu(np.ones((4, 4), bool), 1)
    padding = np.arange(5) >= np.array([5, 2, 4])[:, None]
    results = []
    for tensor, (encoder, decoder) in ((mg.tensor, mine), (torch.tensor, others)):
        x, y = tensor(src, requires_grad=True), tensor(tgt, requires_grad=True)
        memory = encoder(x, src_key_padding_mask=tensor(padding))
        out = decoder(y, memory, tgt_mask=tensor(hidden), memory_key_padding_mask=tensor(padding))
        out.backward(tensor(g))
        parameters = [*encoder.parameters(), *decoder.parameters()]
        results.append([out.detach(), x.grad, y.grad, *(p.grad for p in parameters)])
    rtol = {"float64": 1e-12, "float32": 1e-5}[dtype]
    for a, b in zip(*results, strict=True):
        a, b = a.numpy(), b.numpy()
        assert a.dtype == b.dtype == dtype
        assert np.abs(a - b).max() <= rtol * max(np.abs(b).max(), 1e-2)


def test_layers_of_a_stack_are_copies_that_start_equal() -> None:
    layer = nn.TransformerEncoderLayer(6, 2, 7)
    net = nn.TransformerEncoder(layer, 3)
    first, second = net.layers[0].linear1.weight, net.layers[1].linear1.weight
    assert np.array_equal(first.detach().numpy(), second.detach().numpy())
    assert len(list(net.parameters())) == 3 * len(list(layer.parameters()))
    with mg.no_grad():
        first += 1.0
    assert not np.array_equal(first.detach().numpy(), second.detach().numpy())
    assert np.array_equal(layer.linear1.weight.detach().numpy(), second.detach().numpy())
    assert net.norm is None


def test_activation_by_name_function_or_module() -> None:
    mg.manual_seed(0)
    x, values = mg.tensor(normal(4, 2, 6)).float(), []
    for activation in ("gelu", mg.gelu, nn.GELU(), "relu", mg.silu):
        mg.manual_seed(1)
        layer = nn.TransformerEncoderLayer(6, 2, 7, 0.0, activation)
        values.append(layer(x).detach().numpy())
    assert np.array_equal(values[0], values[1])
    assert np.array_equal(values[0], values[2])
    assert not np.array_equal(values[0], values[3])
    assert not np.array_equal(values[3], values[4])
    with pytest.raises(ValueError, match="activation is 'relu', 'gelu' or a function, not 'tanh'"):
        nn.TransformerDecoderLayer(6, 2, activation="tanh")


def test_custom_parts_are_used() -> None:
    class Twice(nn.Module):
        def forward(self, src: Any, **options: Any) -> Any:
            return src * 2.0

    net = nn.Transformer(6, 2, 1, 1, 7, custom_encoder=Twice())
    assert type(net.encoder) is Twice
    assert net(mg.ones(3, 1, 6), mg.ones(2, 1, 6)).shape == (2, 1, 6)


def test_second_derivatives() -> None:
    layer = nn.TransformerDecoderLayer(4, 2, 3, 0.0, "gelu", norm_first=True, dtype=mg.float64)
    xs = [mg.tensor(normal(2, 1, 4), requires_grad=True) for _ in range(2)]
    assert mg.gradgradcheck(lambda x, memory: layer(x, memory, tgt_is_causal=True), xs)


# ---- masks --------------------------------------------------------------------------------------


def test_causal_flag_is_the_square_mask() -> None:
    mg.manual_seed(0)
    net = nn.Transformer(6, 2, 2, 2, 7, dropout=0.0, batch_first=True, dtype=mg.float64)
    src, tgt = mg.tensor(normal(2, 5, 6)), mg.tensor(normal(2, 4, 6))
    square = nn.Transformer.generate_square_subsequent_mask
    by_flag = net(src, tgt, src_is_causal=True, tgt_is_causal=True)
    by_mask = net(
        src, tgt, src_mask=square(5, dtype=mg.float64), tgt_mask=square(4, dtype=mg.float64)
    )
    np.testing.assert_allclose(by_flag.detach().numpy(), by_mask.detach().numpy(), rtol=1e-12)
    free = net(src, tgt)
    assert not np.allclose(by_flag.detach().numpy(), free.detach().numpy())


def test_square_mask_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mine = nn.Transformer.generate_square_subsequent_mask(4)
    assert np.array_equal(
        mine.numpy(), torch.nn.Transformer.generate_square_subsequent_mask(4).numpy()
    )


# ---- dropout ------------------------------------------------------------------------------------


def test_dropout_is_at_torchs_four_places_in_training_only() -> None:
    """With p=1 every addition to a shortcut is gone, so only the norms are left."""
    layer = nn.TransformerEncoderLayer(6, 2, 7, dropout=1.0, dtype=mg.float64)
    x = mg.tensor(normal(4, 2, 6))
    want = nn.functional.layer_norm(nn.functional.layer_norm(x, (6,)), (6,))
    np.testing.assert_allclose(layer(x).detach().numpy(), want.numpy(), rtol=1e-12)
    parts = [layer.self_attn.dropout, layer.dropout.p, layer.dropout1.p, layer.dropout2.p]
    assert parts == [1.0] * 4
    layer.eval()
    assert np.array_equal(layer(x).detach().numpy(), layer(x).detach().numpy())
    assert not np.allclose(layer(x).detach().numpy(), want.numpy())


def test_dropout_has_the_mean_of_evaluation() -> None:
    mg.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 64, dropout=0.2, norm_first=True)
    with mg.no_grad():  # without attention, and linear behind the hidden layer
        layer.self_attn.out_proj.weight.zero_()
    x = mg.tensor(normal(1, 1, 4)).float()
    many = mg.broadcast_to(x, (1, 20_000, 4))
    y = layer(many).detach().numpy()[0]
    want = layer.eval()(x).detach().numpy()[0, 0]
    spread = y.std(axis=0) / math.sqrt(len(y))
    assert (y.std(axis=0) > 0.01).all()
    assert (np.abs(y.mean(axis=0) - want) < 5 * spread).all()


# ---- positional encodings -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [6, 7])
def test_sinusoids_are_their_formula(size: int) -> None:
    layer = nn.SinusoidalPositionalEncoding(size, max_len=40, dtype=mg.float64)
    want = np.array([
        [
            (math.cos if j % 2 else math.sin)(t / 10000 ** ((j - j % 2) / size))
            for j in range(size)
        ]
        for t in range(40)
    ])  # fmt: skip
    x = normal(40, 3, size)
    y = layer(mg.tensor(x)).numpy()
    np.testing.assert_allclose(y, x + want[:, None], rtol=1e-12, atol=1e-13)
    assert list(layer.state_dict()) == []  # it can be computed again
    assert layer.float().encoding.dtype == mg.float32


@pytest.mark.parametrize(
    "make", [nn.SinusoidalPositionalEncoding, nn.LearnedPositionalEncoding], ids=["sines", "rows"]
)
def test_encodings_know_which_axis_holds_the_positions(make: Any) -> None:
    layer = make(4, 9)
    rows = layer(mg.zeros(7, 4)).detach().numpy()
    assert len(np.unique(rows, axis=0)) == 7
    x = mg.zeros(7, 2, 4)
    for batch in range(2):
        assert np.array_equal(layer(x)[:, batch].detach().numpy(), rows)
    layer.batch_first = True
    for batch in range(2):
        assert np.array_equal(layer(mg.zeros(2, 7, 4))[batch].detach().numpy(), rows)


def test_learned_rows_get_gradients_where_there_are_positions() -> None:
    layer = nn.LearnedPositionalEncoding(4, 9, batch_first=True, dtype=mg.float64)
    g = normal(3, 7, 4)
    layer(mg.zeros(3, 7, 4, dtype=mg.float64)).backward(g)
    np.testing.assert_allclose(layer.weight.grad.numpy()[:7], g.sum(axis=0), rtol=1e-12)
    assert not layer.weight.grad.numpy()[7:].any()
    assert list(layer.state_dict()) == ["weight"]
    mg.manual_seed(0)
    values = nn.LearnedPositionalEncoding(100, 1000).weight.detach().numpy()
    assert abs(values.std() / 0.02 - 1) < 0.02
    assert abs(values.mean()) < 1e-3


def test_encodings_drop_in_training_only() -> None:
    layer = nn.SinusoidalPositionalEncoding(64, dropout=0.5)
    x = mg.full((50, 4, 64), 5.0)
    assert abs((layer(x).numpy() == 0).mean() - 0.5) < 0.03
    assert (layer.eval()(x).numpy() != 0).all()


@pytest.mark.parametrize(
    ("make", "shape", "text"),
    [
        (nn.SinusoidalPositionalEncoding, (10, 2, 4),
         r"x float32\[10, 2, 4\] has 10 positions, and max_len=9; make the module with max_len=10"),
        (nn.LearnedPositionalEncoding, (10, 4), "LearnedPositionalEncoding.*has 10 positions"),
        (nn.SinusoidalPositionalEncoding, (5, 2, 3), r"with d_model=4.*\(T, N, 4\)"),
        (nn.LearnedPositionalEncoding, (4,), r"x is float32\[4\]"),
    ],
)  # fmt: skip
def test_encodings_refuse(make: Any, shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make(4, 9)(mg.ones(*shape))


# ---- what else is refused -----------------------------------------------------------------------


def test_wrong_calls() -> None:
    net = nn.Transformer(6, 2, 1, 1, 7)
    with pytest.raises(ValueError, match=r"batches of 3 and 2 \(axis 1, as batch_first=False\)"):
        net(mg.ones(5, 3, 6), mg.ones(4, 2, 6))
    with pytest.raises(ValueError, match="embed_dim=6"):
        net(mg.ones(5, 3, 5), mg.ones(4, 3, 6))
    with pytest.raises(ValueError, match="embed_dim=6 cannot be cut into num_heads=4"):
        nn.TransformerEncoderLayer(6, 4)
    with pytest.raises(ValueError, match="num_layers must not be negative"):
        nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2), -1)


# ---- that it learns -----------------------------------------------------------------------------


def test_learns_the_next_letter_of_a_repeated_string() -> None:
    """A causal transformer; the string has letters whose successor depends on what came before."""
    mg.manual_seed(0)
    rng = np.random.default_rng(0)
    text = np.array([0, 1, 0, 2, 0, 3, 1, 2])  # 0 is followed by 1, 2 and 3
    ring = np.tile(text, 4)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Linear(4, 16, bias=False)
            self.positions = nn.SinusoidalPositionalEncoding(16, max_len=16, batch_first=True)
            layer = nn.TransformerEncoderLayer(
                16, 2, 32, dropout=0.0, batch_first=True, norm_first=True
            )
            self.layers = nn.TransformerEncoder(layer, 2, nn.LayerNorm(16))
            self.head = nn.Linear(16, 4)

        def forward(self, ids: Any) -> Any:
            x = self.positions(self.embed(nn.functional.one_hot(ids, 4).float()))
            return self.head(self.layers(x, is_causal=True))

    net = Net()
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(150):
        starts = rng.integers(0, 8, 16)
        windows = ring[starts[:, None] + np.arange(13)]
        scores = net(mg.tensor(windows[:, :-1]))[:, 3:]  # by then the string is known
        target = mg.tensor(windows[:, 4:].reshape(-1))
        loss = nn.functional.cross_entropy(scores.reshape(-1, 4), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.2
    assert np.mean(losses[-10:]) < 0.02
