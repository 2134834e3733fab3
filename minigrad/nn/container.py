"""Modules made of modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Self

from minigrad.nn.module import Module
from minigrad.nn.text import describe


class _List(Module):
    """What containers with an order share: they are lists of their parts."""

    def __init__(self) -> None:
        super().__init__()

    def _add(self, name: str, module: Any) -> None:
        """Add a part, if it is one."""
        if not isinstance(module, Module):
            what = f"a {type(module).__name__}"
            cure = "make it a subclass of nn.Module"
            if isinstance(module, type) and issubclass(module, Module):
                what, cure = f"the class {module.__name__}", f"write {module.__name__}(...)"
            elif callable(module) and not isinstance(module, type):
                what, cure = "a function", "use its module, for example nn.ReLU() for relu"
            raise TypeError(f"{type(self).__name__}: part {name} is {what}, not a Module; {cure}")
        self.add_module(name, module)

    def _names(self) -> list[str]:
        return [name for name, _ in self._own("module")]

    def _name(self, index: int) -> str:
        names = self._names()
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__} has {len(names)} parts, there is no {index}")
        return names[index]

    def _replace(self, parts: list[Module]) -> None:
        """Make these all the parts, numbered from 0."""
        for name in self._names():
            delattr(self, name)
        for i, part in enumerate(parts):
            self._add(str(i), part)

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[Module]:
        return (module for _, module in self._own("module"))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._part(self._names()[index])
        return getattr(self, self._name(index))

    def _part(self, names: list[str]) -> Self:
        """Return a container of the same kind with some of the parts."""
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        self._add(self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        gone = self._names()[index] if isinstance(index, slice) else [self._name(index)]
        numbered = self._names() == [str(i) for i in range(len(self))]
        for name in gone:
            delattr(self, name)
        if numbered:  # close the gaps; names that the user chose stay
            self._replace(list(self))

    def append(self, module: Module) -> Self:
        """Add a part at the end."""
        self._add(next(str(i) for i in count(len(self)) if str(i) not in self._roles), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add parts at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a part before the one at ``index``, and number the parts anew."""
        parts = list(self)
        parts.insert(index, module)
        self._replace(parts)
        return self


class Sequential(_List):
    """Apply modules one after the other.

    Parameters
    ----------
    *args : Module, or one dict
        The modules; they are named "0", "1", ..., or by the keys of the dict.

    Raises
    ------
    TypeError
        A part is not a module (a class such as ``nn.ReLU`` misses its brackets).

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> net(mg.ones(2, 4)).shape
    (2, 3)
    >>> net[:2]
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)  # 40 parameters
      (1): ReLU()
    )  # 40 parameters
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            parts = dict(args[0])
        else:
            parts = {str(i): part for i, part in enumerate(args)}
        for name, part in parts.items():
            self._add(name, part)

    def _part(self, names: list[str]) -> Self:
        return type(self)({name: getattr(self, name) for name in names})

    def forward(self, x: Any) -> Any:
        """Return what the last module makes of what the one before makes of ..."""
        for module in self:
            x = module(x)
        return x


class ModuleList(_List):
    """A list of modules whose parameters are seen; it has no forward of its own.

    Examples
    --------
    >>> from minigrad import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)  # 6 parameters
    )  # 18 parameters
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def _part(self, names: list[str]) -> Self:
        return type(self)(getattr(self, name) for name in names)

    def __repr__(self) -> str:
        return describe(self, merge=True)


class ModuleDict(Module):
    """A dict of modules whose parameters are seen; it has no forward of its own.

    Examples
    --------
    >>> from minigrad import nn
    >>> heads = nn.ModuleDict({"class": nn.Linear(8, 3), "box": nn.Linear(8, 4)})
    >>> heads["box"].out_features
    4
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add or replace parts."""
        for name, module in modules.items():
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        parts = dict(self._own("module"))
        if name not in parts:
            raise KeyError(f"there is no module {name!r}; there are: {', '.join(parts) or 'none'}")
        return parts[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        self[name]  # for its error
        delattr(self, name)

    def __len__(self) -> int:
        return len(list(self._own("module")))

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._own("module"))

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return list(self)

    def values(self) -> Iterable[Module]:
        """Return the modules."""
        return [module for _, module in self._own("module")]

    def items(self) -> Iterable[tuple[str, Module]]:
        """Return the names with the modules."""
        return list(self._own("module"))
