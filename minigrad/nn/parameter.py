"""Parameter: a tensor that a module learns; and its place before its shape is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minigrad.backend import is_array
from minigrad.engine.dtypes import make_array
from minigrad.engine.tensor import Tensor
from minigrad.nn.blank import blank


class Parameter(Tensor):
    """A leaf tensor that a `Module` lists among its parameters when it is set as an attribute.

    Parameters
    ----------
    data : Tensor, array, number or nested lists
        The first values. A Tensor's memory is shared, without its graph; an array is copied, in
        its memory order; Python floats get the default dtype.
    requires_grad : bool
        Whether it gets a gradient; a frozen parameter does not.

    Raises
    ------
    TypeError
        The data are ints or bools and ``requires_grad`` is true.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Parameter(mg.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        if isinstance(data, Tensor):
            self._array = data._array
        else:
            array = make_array(data, None, None, copy=False)
            self._array = array.copy(order="K") if is_array(data) else array
        self._node = None
        self.requires_grad_(requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Uninitialized(Tensor):
    """What a lazy module holds until it has seen its input: a tensor whose shape is not known.

    It has no array, so whatever asks for its values, shape or dtype gets an error that says what
    to do. `materialize` turns this very object into the tensor that it stands for.
    """

    becomes: ClassVar[type[Tensor]] = Tensor

    def __init__(
        self,
        name: str,
        shape: tuple[int | None, ...],
        device: Any = None,
        dtype: Any = None,
        memory: Sequence[int] | None = None,
        requires_grad: bool = False,
    ) -> None:
        self._node = None
        self._label, self.open_shape, self._memory = name, shape, memory
        self.like = blank((0,), device, dtype)  # has the device and the dtype
        self._wants_grad = requires_grad

    def __getattr__(self, name: str) -> Any:
        if name != "_array":
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        raise RuntimeError(
            f"{self._label} has no shape yet: its module learns the size of its input from the "
            "first batch. Run one batch through the network first, net(x), then save it, check it "
            "or give its parameters to an optimizer"
        )

    def fill(self, size: int) -> tuple[int, ...]:
        """Return the shape for a size of the input."""
        return tuple(size if n is None else n for n in self.open_shape)

    def size_from(self, shape: Sequence[int]) -> int | None:
        """Return the size of the input that a shape tells; None if it tells none."""
        if len(shape) != len(self.open_shape) or None not in self.open_shape:
            return None
        return shape[self.open_shape.index(None)]

    def fits(self, shape: Sequence[int]) -> bool:
        """Say whether there is a size of the input that gives a shape."""
        return self.fill(self.size_from(shape) or 0) == tuple(shape)

    def materialize(self, shape: Sequence[int]) -> None:
        """Become the tensor that this one stands for; its elements are not set."""
        wants_grad = self._wants_grad
        array = blank(shape, self.like.device, self.like.dtype, self._memory)._array
        for name in ("_label", "open_shape", "_memory", "like", "_wants_grad"):
            del self.__dict__[name]
        self.__class__ = self.becomes  # type: ignore[assignment]
        self._array = array
        self.requires_grad_(wants_grad)

    @property
    def requires_grad(self) -> bool:
        """Whether the tensor will want a gradient."""
        return self._wants_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Say whether the tensor will want a gradient."""
        self._wants_grad = requires_grad
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __repr__(self) -> str:
        sizes = ", ".join("?" if n is None else str(n) for n in self.open_shape)
        return f"<{type(self).__name__} {self._label} [{sizes}]>"


class UninitializedBuffer(Uninitialized):
    """A buffer of a lazy module, before it has seen its input."""


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter of a lazy module, before it has seen its input.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.LazyLinear(3)
    >>> layer.weight
    <UninitializedParameter LazyLinear.weight [3, ?]>
    >>> _ = layer(mg.ones(5, 4))
    >>> layer.weight.shape
    (3, 4)
    """

    becomes = Parameter

    def __init__(
        self,
        name: str,
        shape: tuple[int | None, ...],
        device: Any = None,
        dtype: Any = None,
        memory: Sequence[int] | None = None,
        requires_grad: bool = True,
    ) -> None:
        Uninitialized.__init__(self, name, shape, device, dtype, memory, requires_grad)
