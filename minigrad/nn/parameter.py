"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from typing import Any

from minigrad.backend import is_array
from minigrad.engine.dtypes import make_array
from minigrad.engine.tensor import Tensor


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
