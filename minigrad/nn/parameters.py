"""Parameters in a list or a dict: containers of tensors that are learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from minigrad.engine.tensor import Tensor
from minigrad.nn.module import PARAMETER, Module
from minigrad.nn.parameter import Parameter


class _Parameters(Module):
    """What the containers of parameters share."""

    def _keep(self, name: str, value: Any) -> None:
        """Keep a parameter, or a tensor as one."""
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{type(self).__name__}: entry {name} is a {type(value).__name__}, not a "
                "Parameter or a Tensor; keep other things as plain attributes"
            )
        if not isinstance(value, Parameter):
            value = Parameter(value, requires_grad=value.is_floating_point())
        self.register_parameter(name, value)

    def _items(self) -> dict[str, Parameter]:
        return dict(self._own(PARAMETER))

    def __len__(self) -> int:
        return len(self._items())

    def extra_repr(self) -> str:
        """Return a line about each parameter."""
        lines = []
        for name, p in self._items().items():
            size = "x".join(map(str, p.shape))
            lines.append(f"  ({name}): Parameter containing: [{p.dtype} of size {size}]")
        return "\n".join(lines)


class ParameterList(_Parameters):
    """A list of parameters that the module around it sees; tensors become parameters.

    Raises
    ------
    TypeError
        An entry is no tensor.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> weights = nn.ParameterList([mg.randn(2, 3), mg.randn(3)])
    >>> weights[1].shape, list(weights.state_dict())
    ((3,), ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def _name(self, index: int) -> str:
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f"ParameterList has {size} entries, there is no {index}")
        return str(index % size)

    def append(self, value: Any) -> Self:
        """Add a parameter at the end."""
        self._keep(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add parameters at the end."""
        if isinstance(values, Tensor):
            raise TypeError("extend takes a list of tensors, not one Tensor: wrap it in [ ]")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, value: Any) -> None:
        self._keep(self._name(index), value)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._items().values())


class ParameterDict(_Parameters):
    """A dict of parameters that the module around it sees; tensors become parameters.

    Raises
    ------
    TypeError
        An entry is no tensor.
    KeyError
        A name is no text, or has a dot in it.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> scales = nn.ParameterDict({"left": mg.ones(2), "right": mg.ones(3)})
    >>> scales["right"].shape, list(scales.state_dict())
    ((3,), ['left', 'right'])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self.update({} if parameters is None else parameters)

    def update(self, parameters: Any) -> None:
        """Add or replace parameters: of a mapping, or of pairs of a name and a value."""
        maps = isinstance(parameters, (Mapping, ParameterDict))
        for name, value in parameters.items() if maps else parameters:
            self[name] = value

    def __getitem__(self, name: str) -> Parameter:
        items = self._items()
        if name not in items:
            known = ", ".join(items) or "none"
            raise KeyError(f"there is no parameter {name!r}; there are: {known}")
        return items[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._keep(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]  # for its error
        delattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items())

    def __contains__(self, name: object) -> bool:
        return name in self._items()

    def pop(self, name: str) -> Parameter:
        """Take a parameter out and return it."""
        value = self[name]
        del self[name]
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """Return the parameter of a name, or the default."""
        return self._items().get(name, default)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._items().keys()

    def values(self) -> Iterable[Parameter]:
        """Return the parameters."""
        return self._items().values()

    def items(self) -> Iterable[tuple[str, Parameter]]:
        """Return the names with the parameters."""
        return self._items().items()
