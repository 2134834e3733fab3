"""Tensor: an array, and its place in the graph that made it.

A tensor that an op made with gradients wanted has a `Node` (see `minigrad.engine.op`); one that
the user marked with ``requires_grad`` has a `Leaf`; all others have neither and cost nothing in
backward. Operators and methods come from the op table (`minigrad.ops.methods`).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.backend import NUMPY, Array, Device, backend_of
from minigrad.engine.dtypes import DType, make_array
from minigrad.engine.errors import GraphError
from minigrad.engine.mutation import changed
from minigrad.engine.recording import RECORDERS, recorder, refuse_reading

if TYPE_CHECKING:
    from minigrad.engine.op import Node


class Leaf:
    """The end of the graph at a tensor that the user marked: where its gradient is delivered."""

    __slots__ = ("__weakref__", "dtype", "hooks", "shape", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = weakref.ref(tensor)
        self.shape = tensor._array.shape
        self.dtype = tensor._array.dtype
        self.hooks: dict[int, Hook] | None = None


Hook = Callable[[Any], Any]


class HookHandle:
    """What `Tensor.register_hook` returns; `remove` takes the hook away."""

    def __init__(self, hooks: dict[int, Hook], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Take the hook away (a second call does nothing)."""
        self._hooks.pop(self._key, None)


class Tensor:
    """An array with gradients: NumPy's on the CPU, CuPy's on a GPU, under torch's names.

    Parameters
    ----------
    data : number, nested lists, array or Tensor
        The values; they are copied. Arrays keep their dtype, Python floats become float32 (see
        `set_default_dtype`), ints int64.
    dtype : dtype, optional
        The dtype to have instead.
    device : str or Device, optional
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; without it, a Tensor's own, and for other data the
        default device (see `set_default_device`).
    requires_grad : bool
        Collect the gradient of this tensor in ``.grad`` when `backward` is called.

    Raises
    ------
    ValueError
        The rows of a nested list have different lengths.
    TypeError
        The data hold anything but bools, ints and floats, or an int tensor is to have a gradient.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> loss = (x * x).sum()
    >>> loss.backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    _array: Array
    _node: Node | Leaf | None
    grad: Tensor | None = None
    name: str | None = None
    _base: Tensor | None = None  # set on the result of a view op: whose memory it shows
    _time: int = 0  # ... and the mutation clock's reading then

    def __init__(
        self,
        data: Any,
        *,
        dtype: DType | None = None,
        device: str | Device | None = None,
        requires_grad: bool = False,
    ) -> None:
        if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
            data = [x.tolist() if isinstance(x, Tensor) else x for x in data]
        if isinstance(data, Tensor):
            device = data.device if device is None else device
            data = data._array
        self._array = make_array(data, dtype, device, copy=True)
        self._node = None
        if RECORDERS and (recording := recorder()) is not None:
            recording.born(self)
        if requires_grad:
            self.requires_grad_()

    # ---- what it is ---------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements, a `numpy.dtype`."""
        return self._array.dtype

    @property
    def device(self) -> Device:
        """Where the array lives."""
        return backend_of(self._array).device_of(self._array)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim

    def dim(self) -> int:
        """Return the number of axes."""
        return self._array.ndim

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the length of one axis."""
        return self._array.shape if dim is None else self._array.shape[dim]

    def numel(self) -> int:
        """Return the number of elements."""
        return int(self._array.size)

    @property
    def nbytes(self) -> int:
        """The memory of the elements, in bytes."""
        return int(self._array.nbytes)

    def is_floating_point(self) -> bool:
        """Say whether the elements are floats."""
        return self._array.dtype.kind == "f"

    def is_contiguous(self) -> bool:
        """Say whether the elements lie in memory in the order of their indices."""
        return bool(self._array.flags.c_contiguous)

    # ---- its place in the graph ---------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor; may be set on leaves."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Mark a leaf as wanting a gradient, or not; returns the tensor itself."""
        if not self.is_leaf:
            if requires_grad:
                return self
            raise GraphError(
                "requires_grad can only be switched off on a leaf, and this tensor was computed by "
                f"{self._node!r}; use .detach() to get its values without the graph"
            )
        if not requires_grad:
            self._node = None
        elif self._node is None:
            if self._array.dtype.kind != "f":
                raise TypeError(
                    f"only floating tensors have gradients, this one is {self._array.dtype}; "
                    "make it with dtype=mg.float32, or convert it with .float()"
                )
            self._node = Leaf(self)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return self._node is None or type(self._node) is Leaf

    @property
    def grad_fn(self) -> Node | None:
        """The recorded op that made this tensor, None for leaves."""
        return None if self.is_leaf else self._node  # type: ignore[return-value]

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Compute the gradient of this tensor with respect to every leaf, adding it to ``.grad``.

        Parameters
        ----------
        gradient : Tensor or array, optional
            The gradient of the final quantity with respect to this tensor, of its shape. It may
            be left out for a tensor of one element, where it is 1.
        retain_graph : bool, optional
            Keep what the derivative rules saved, so that backward can run again. Default:
            ``create_graph``.
        create_graph : bool
            Record the backward pass itself, so that gradients can be differentiated again.

        Raises
        ------
        GraphError
            The tensor has no graph, the graph was freed by an earlier backward, or the tensor
            has several elements and no ``gradient`` was given.
        MutationError
            An array that a derivative needs was changed in place.
        """
        from minigrad.engine.backward import backward  # backward builds on Tensor

        backward([self], [gradient], retain_graph=retain_graph, create_graph=create_graph)

    def detach(self) -> Tensor:
        """Return the same values, in the same memory, without the graph."""
        return wrap(self._array, None)

    @property
    def data(self) -> Tensor:
        """The values without the graph, in the same memory; may be assigned."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        new = (
            value._array
            if isinstance(value, Tensor)
            else make_array(value, None, self.device, copy=False)
        )
        if (recording := recorder()) is not None:
            recording.refuse_data()
        changed(self._array, "assignment to .data")
        self._array = new
        if isinstance(self._node, Leaf):
            self._node.shape, self._node.dtype = new.shape, new.dtype

    def register_hook(self, hook: Hook) -> HookHandle:
        """Call ``hook(grad)`` on this tensor's complete gradient; it may return another one."""
        if self._node is None:
            raise GraphError(
                "a hook needs a tensor with requires_grad=True: this one gets no gradient"
            )
        if self._node.hooks is None:
            self._node.hooks = {}
        key = max(self._node.hooks, default=-1) + 1
        self._node.hooks[key] = hook
        return HookHandle(self._node.hooks, key)

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in ``.grad`` (leaves always do)."""
        if self._node is None:
            raise GraphError("retain_grad needs a tensor with requires_grad=True")
        if not isinstance(self._node, Leaf):
            self._node.watcher = weakref.ref(self)

    # ---- to other worlds ----------------------------------------------------------------------

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return the values as a NumPy array that shares this tensor's memory, read-only.

        Read-only, because a change through it could not be seen by the derivatives that saved
        this memory. Copy it to write: ``x.numpy().copy()``.

        Raises
        ------
        GraphError
            The tensor requires grad: NumPy would silently leave the graph.
        DeviceError
            The tensor is on a GPU.
        """
        refuse_reading("numpy()")
        if self._node is not None:
            raise GraphError(
                "numpy() on a tensor that requires grad would drop it from the graph without a "
                "word; say so with .detach().numpy()"
            )
        if backend_of(self._array) is not NUMPY:
            raise TypeError(f"this tensor is on {self.device}; copy it to the host: .cpu().numpy()")
        view = self._array.view()
        view.flags.writeable = False
        return view

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"a copy is needed to turn {array.dtype} into {np.dtype(dtype)}")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Let ``ndarray * tensor`` and ``np.exp(tensor)`` run the op of that name."""
        from minigrad.engine.op import UFUNCS

        function = UFUNCS.get(ufunc.__name__) if method == "__call__" and not kwargs else None
        if function is None:
            how = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
            raise TypeError(
                f"{how} does not work on a Tensor{' with ' + ', '.join(kwargs) if kwargs else ''}; "
                "use minigrad's own function, or .detach().numpy() to leave the graph"
            )
        return function(*inputs)

    def __dlpack__(self, **kwargs: Any) -> Any:
        if self._node is not None:
            raise GraphError("a tensor that requires grad cannot be exported; use .detach() first")
        return self._array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def item(self) -> Any:
        """Return the only element as a Python number; several elements raise `ValueError`."""
        if self._array.size != 1:
            raise ValueError(
                f"item() needs one element, this tensor has {self._array.size} (shape "
                f"{list(self.shape)}); reduce it first, or use .tolist()"
            )
        refuse_reading("item()")
        return self._array.item()

    def tolist(self) -> Any:
        """Return the values as nested lists of Python numbers."""
        refuse_reading("tolist()")
        return self._array.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise ValueError(
                f"the truth of a tensor of {self._array.size} elements is not one answer; "
                "say .any() or .all()"
            )
        refuse_reading("bool() of a tensor, as in an if,")
        return bool(self._array.item())

    def __index__(self) -> int:
        if self._array.dtype.kind not in "biu":
            raise TypeError(f"only an integer tensor can be an index, this one is {self.dtype}")
        return int(self.item())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d tensor has no length; use .item() for its value")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __format__(self, spec: str) -> str:
        return format(self.item() if self._array.ndim == 0 else str(self), spec)

    def __getstate__(self) -> dict[str, Any]:
        if not self.is_leaf:
            raise GraphError(
                "only leaves can be deep-copied, this tensor is part of a graph; use .clone() to "
                "stay in the graph, or .detach().clone()"
            )
        kept = {k: v for k, v in self.__dict__.items() if k not in ("_node", "_base")}
        return kept | {"_leaf": self._node is not None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._node = Leaf(self) if self.__dict__.pop("_leaf") else None

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        twin = _new(type(self))
        twin.__setstate__(self.__getstate__())
        twin._array = self._array.copy(order="K")
        if self.grad is not None:
            twin.grad = self.grad.__deepcopy__(memo)
        return twin

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        refuse_reading("printing a tensor")
        array = backend_of(self._array).to_host(self._array)
        text = np.array2string(array, separator=", ", prefix="tensor(", floatmode="maxprec")
        notes = []
        if array.size == 0:
            notes.append(f"shape={list(self.shape)}")
        if self.dtype not in ("float32", "int64", "bool"):
            notes.append(f"dtype={self.dtype}")
        if self.device.type != "cpu":
            notes.append(f"device={self.device}")
        if not self.is_leaf:
            notes.append(f"grad_fn=<{self._node.op.name}>")  # type: ignore[union-attr]
        elif self.requires_grad:
            notes.append("requires_grad=True")
        return f"tensor({', '.join([text, *notes])})"

    if TYPE_CHECKING:  # what `minigrad.ops.methods` installs, for the type checker
        T: Tensor
        mT: Tensor

        def __getattr__(self, name: str) -> Callable[..., Any]: ...
        def __setitem__(self, key: Any, value: Any) -> None: ...
        def __eq__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __pos__(self) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __iadd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __isub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __imul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __itruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __ipow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __getitem__(self, other: Any) -> Tensor: ...


def wrap(array: Array, node: Node | Leaf | None) -> Tensor:
    """Make a Tensor of an array and a place in the graph, without looking at either."""
    tensor = _new(Tensor)
    tensor._array = array
    tensor._node = node
    return tensor


_new = Tensor.__new__
