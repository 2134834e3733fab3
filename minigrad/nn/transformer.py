"""Transformers: layers of attention and a small network, each with a shortcut and a layer norm."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from minigrad.backend import Device
from minigrad.engine.dtypes import DType
from minigrad.engine.errors import describe
from minigrad.engine.tensor import Tensor
from minigrad.nn import init
from minigrad.nn.attention import MultiheadAttention
from minigrad.nn.blank import check_count
from minigrad.nn.container import ModuleList
from minigrad.nn.dropout import Dropout
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.nn.norm import LayerNorm
from minigrad.ops.activation import gelu, relu
from minigrad.ops.create import full

Activation = str | Callable[[Any], Any]


class _Layer(Module):
    """What the layers of encoder and decoder share: the small network, norms, shortcuts."""

    def __init__(
        self,
        sizes: tuple[int, int, int],
        attentions: tuple[str, ...],
        dropout: float,
        activation: Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        d_model, nhead, dim_feedforward = sizes
        for name in attentions:
            part = MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, device=device, dtype=dtype
            )
            self.add_module(name, part)
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        parts = range(1, len(attentions) + 2)  # the small network is one more
        for i in parts:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
            self.add_module(f"norm{i}", norm)
        for i in parts:
            self.add_module(f"dropout{i}", Dropout(dropout))
        self.activation = _function(activation)

    def _feed_forward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _add(self, x: Any, i: int, part: Callable[[Any], Any]) -> Any:
        """Return x plus what part i makes of it, normalised before the part or after the sum."""
        norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        if self.norm_first:
            return x + dropout(part(norm(x)))
        return norm(x + dropout(part(x)))


def _function(activation: Activation) -> Callable[[Any], Any]:
    """Return the activation that a name stands for."""
    if callable(activation):
        return activation
    known = {"relu": relu, "gelu": gelu}
    if activation not in known:
        raise ValueError(f"activation is 'relu', 'gelu' or a function, not {activation!r}")
    return known[activation]


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a small network for each position, each with a shortcut.

    Parameters
    ----------
    d_model : int
        The length of the input and the output.
    nhead : int
        The number of heads (see `MultiheadAttention`).
    dim_feedforward : int
        The length of the small network's hidden layer.
    dropout : float
        Probability of dropping, in training: attention weights, hidden units, and what is added
        to a shortcut.
    activation : {"relu", "gelu"} or callable
        That of the hidden layer.
    layer_norm_eps : float
        Of the layer norms.
    batch_first : bool
        Whether sequences are ``(N, T, d_model)`` rather than ``(T, N, d_model)``.
    norm_first : bool
        Normalise the input of each part, and not the sum behind it; that trains without warm-up.
    bias : bool
        Whether projections, the small network and the norms have biases.
    device, dtype : optional
        Where the parameters live, and their type.

    Raises
    ------
    TypeError, ValueError
        An option is out of its range. (At the call: shapes do not fit.)

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017; on ``norm_first``: R. Xiong et
    al., "On Layer Normalization in the Transformer Architecture", ICML 2020.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.TransformerEncoderLayer(16, 4, dim_feedforward=32, batch_first=True)
    >>> layer(mg.ones(2, 5, 16), is_causal=True).shape
    (2, 5, 16)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            (d_model, nhead, dim_feedforward), ("self_attn",), dropout, activation, layer_norm_eps,
            batch_first, norm_first, bias, device, dtype,
        )  # fmt: skip

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:
        """Return as much as came in; masks and ``is_causal`` as in `MultiheadAttention`."""

        def attend(x: Any) -> Any:
            return self.self_attn(
                x, x, x, src_key_padding_mask, need_weights=False, attn_mask=src_mask,
                is_causal=is_causal,
            )[0]  # fmt: skip

        return self._add(self._add(src, 1, attend), 2, self._feed_forward)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to an encoder's output, then a small network for each position.

    Parameters
    ----------
    d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, \
bias, device, dtype
        As in `TransformerEncoderLayer`.

    Raises
    ------
    TypeError, ValueError
        An option is out of its range. (At the call: shapes do not fit.)

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.TransformerDecoderLayer(16, 4, dim_feedforward=32, batch_first=True)
    >>> layer(mg.ones(2, 5, 16), mg.ones(2, 7, 16), tgt_is_causal=True).shape
    (2, 5, 16)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            (d_model, nhead, dim_feedforward), ("self_attn", "multihead_attn"), dropout,
            activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype,
        )  # fmt: skip

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return as much as tgt holds; memory is what an encoder returned."""

        def attend(x: Any) -> Any:
            return self.self_attn(
                x, x, x, tgt_key_padding_mask, need_weights=False, attn_mask=tgt_mask,
                is_causal=tgt_is_causal,
            )[0]  # fmt: skip

        def look_up(x: Any) -> Any:
            return self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, need_weights=False,
                attn_mask=memory_mask, is_causal=memory_is_causal,
            )[0]  # fmt: skip

        x = self._add(self._add(tgt, 1, attend), 2, look_up)
        return self._add(x, 3, self._feed_forward)


class _Stack(Module):
    """Copies of a layer, one after the other, and a norm behind them."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        self.num_layers = check_count("num_layers", num_layers)
        self.layers = ModuleList(copy.deepcopy(layer) for _ in range(self.num_layers))
        self._register("norm", norm, "module", Module)

    def _apply(self, x: Any, **options: Any) -> Any:
        for layer in self.layers:
            x = layer(x, **options)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """Encoder layers, one after the other.

    Parameters
    ----------
    encoder_layer : Module
        It is copied ``num_layers`` times: the copies start with equal parameters, as torch's do.
    num_layers : int
        How many layers there are.
    norm : Module, optional
        Applied at the end; layers with ``norm_first`` need one.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.TransformerEncoderLayer(16, 4, dim_feedforward=32)
    >>> nn.TransformerEncoder(layer, 2, nn.LayerNorm(16))(mg.ones(5, 2, 16)).shape
    (5, 2, 16)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        """Return as much as came in; each layer gets the masks (see `MultiheadAttention`)."""
        return self._apply(
            src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=is_causal
        )


class TransformerDecoder(_Stack):
    """Decoder layers, one after the other; each looks at the encoder's output.

    Parameters
    ----------
    decoder_layer : Module
        It is copied ``num_layers`` times: the copies start with equal parameters, as torch's do.
    num_layers : int
        How many layers there are.
    norm : Module, optional
        Applied at the end; layers with ``norm_first`` need one.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(16, 4, 32), 2)
    >>> decoder(mg.ones(5, 2, 16), mg.ones(7, 2, 16), tgt_is_causal=True).shape
    (5, 2, 16)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return as much as tgt holds; each layer gets memory and masks."""
        return self._apply(
            tgt, memory=memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal,
        )  # fmt: skip


class Transformer(Module):
    """An encoder and a decoder that looks at its output.

    Parameters
    ----------
    d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, \
bias, device, dtype
        Of all layers, as in `TransformerEncoderLayer`.
    num_encoder_layers, num_decoder_layers : int
        How many layers there are; a layer norm follows the last of each.
    custom_encoder, custom_decoder : Module, optional
        Used instead.

    Raises
    ------
    TypeError, ValueError
        An option is out of its range. (At the call: shapes do not fit.)

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> net = mg.nn.Transformer(16, 4, 1, 1, 32, batch_first=True)
    >>> net(mg.ones(2, 7, 16), mg.ones(2, 5, 16), tgt_is_causal=True).shape
    (2, 5, 16)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        options = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)

        encoder, decoder = custom_encoder, custom_decoder
        if encoder is None:
            layer: Module = TransformerEncoderLayer(*options)
            encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        if decoder is None:
            layer = TransformerDecoderLayer(*options)
            decoder = TransformerDecoder(layer, num_decoder_layers, norm())
        self.encoder, self.decoder = encoder, decoder
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights by `init.xavier_uniform_`; biases and norms stay as they are."""
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return as much as tgt holds; masks as in `MultiheadAttention`."""
        axis = 0 if self.batch_first else 1
        if src.ndim == 3 and tgt.ndim == 3 and src.shape[axis] != tgt.shape[axis]:
            raise ValueError(
                f"Transformer: src is {describe(src)} and tgt {describe(tgt)}, batches of "
                f"{src.shape[axis]} and {tgt.shape[axis]} (axis {axis}, as "
                f"batch_first={self.batch_first}); they must be equal"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: str | Device | None = None, dtype: DType | None = None
    ) -> Tensor:
        """Return the ``(sz, sz)`` mask that lets position i look at 0 to i: 0 there, else -inf.

        ``is_causal=True`` says the same without a mask.

        Examples
        --------
        >>> import minigrad as mg
        >>> mg.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[  0., -inf],
                [  0.,   0.]])
        """
        return full((sz, sz), -math.inf, dtype=dtype, device=device).triu(1)
