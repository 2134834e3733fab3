"""A table of vectors, looked up by number."""

from __future__ import annotations

from typing import Any, Self

from minigrad.backend import Device, backend_of
from minigrad.engine.dtypes import DType
from minigrad.engine.modes import no_grad
from minigrad.engine.mutation import changed
from minigrad.engine.tensor import Tensor
from minigrad.nn import init
from minigrad.nn.blank import blank, check_count
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.index import embedding


class Embedding(Module):
    """A learned vector for each number: ids of any shape ``(...)`` -> ``(..., embedding_dim)``.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        How many vectors there are (ids are 0 to one less), and their length.
    padding_idx : int, optional
        An id whose vector starts as 0 and gets no gradient (-1: the last).
    max_norm : float, optional
        Before a look-up, vectors of a larger norm among those asked for are shortened to it, in
        place and off the tape.
    norm_type : float
        The p of that p-norm.
    device, dtype : optional
        Where the table lives, and its type.

    Attributes
    ----------
    weight : Parameter
        The table, shape ``(num_embeddings, embedding_dim)``, drawn from N(0, 1).

    Raises
    ------
    ValueError
        ``padding_idx`` is outside the table, or ``max_norm`` or ``norm_type`` is not positive.
    IndexError
        At the call: an id is outside the table.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.Embedding(10, 3, padding_idx=0)
    >>> layer
    Embedding(10, 3, padding_idx=0)  # 30 parameters
    >>> y = layer(mg.tensor([[0, 2, 0], [5, 1, 9]]))
    >>> y.shape, y[0, 0].tolist()
    ((2, 3, 3), [0.0, 0.0, 0.0])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        device: str | Device | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = check_count("num_embeddings", num_embeddings)
        self.embedding_dim = check_count("embedding_dim", embedding_dim)
        self._set_options(padding_idx, max_norm, norm_type)
        self.weight = Parameter(blank((num_embeddings, embedding_dim), device, dtype))
        self.reset_parameters()

    def _set_options(
        self, padding_idx: int | None, max_norm: float | None, norm_type: float
    ) -> None:
        n = self.num_embeddings
        if padding_idx is not None and not -n <= padding_idx < n:
            raise ValueError(f"padding_idx={padding_idx} is outside the table of {n} rows")
        self.padding_idx = None if padding_idx is None else padding_idx % n
        if not (max_norm is None or max_norm > 0) or not norm_type > 0:
            raise ValueError(
                f"max_norm={max_norm} and norm_type={norm_type}: both must be positive"
            )
        self.max_norm, self.norm_type = max_norm, norm_type

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
    ) -> Self:
        """Make a layer around a table of vectors, ``(num_embeddings, embedding_dim)``.

        A Tensor's memory is shared, an array is copied. ``freeze``: the table is not learned. The
        row of ``padding_idx`` stays as it is.

        Examples
        --------
        >>> import minigrad as mg
        >>> layer = mg.nn.Embedding.from_pretrained(mg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> layer(mg.tensor([1]))
        tensor([[3., 4.]])
        """
        weight = Parameter(embeddings, requires_grad=not freeze)
        if weight.ndim != 2 or not weight.is_floating_point():
            raise ValueError(
                "embeddings must be a table of floats, (num_embeddings, embedding_dim), not "
                f"{weight.dtype}{list(weight.shape)}"
            )
        layer = cls.__new__(cls)
        Module.__init__(layer)
        layer.num_embeddings, layer.embedding_dim = weight.shape
        layer._set_options(padding_idx, max_norm, norm_type)
        layer.weight = weight
        return layer

    def reset_parameters(self) -> None:
        """Draw a new table; the row of ``padding_idx`` is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, ids: Any) -> Any:
        """Return the vectors of the ids."""
        if self.max_norm is not None:
            self._shorten(ids)
        return embedding(ids, self.weight, self.padding_idx)

    def _shorten(self, ids: Any) -> None:
        """Bring the rows that are asked for to the largest norm that is allowed."""
        with no_grad():
            rows: Any = embedding(ids, self.weight)._array  # checks the ids
        xp, table, p = backend_of(rows), self.weight._array, self.norm_type
        sizes = xp.abs(rows)
        norms = sizes.max(axis=-1) if p == float("inf") else (sizes**p).sum(axis=-1) ** (1 / p)
        long = norms > self.max_norm
        if not bool(long.any()):
            return
        raw = ids._array if isinstance(ids, Tensor) else ids
        table[raw[long]] = rows[long] * (self.max_norm / (norms[long] + 1e-7))[:, None]
        changed(table, "Embedding (max_norm)")

    def extra_repr(self) -> str:
        """Return the sizes and the options."""
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        return ", ".join(parts)
