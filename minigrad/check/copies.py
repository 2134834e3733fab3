"""Modules under a check: copies in float64, whose state is the same at the start of every call.

Only what all modules share is used (``named_parameters``, ``named_buffers``, ``modules``,
``double``): this floor lies below `minigrad.nn`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, backend_of
from minigrad.engine.tensor import Tensor


def is_module(x: Any) -> bool:
    """Say whether x is a module: an object with named parameters and buffers."""
    return all(hasattr(x, name) for name in ("named_parameters", "named_buffers", "double"))


class Copies:
    """Copies of some modules, to be run with any values of their parameters.

    Parameters
    ----------
    modules : sequence
        The modules; parts that they share, their copies share too.
    prefixes : sequence of str
        What to put before the names of each module's parameters.

    Attributes
    ----------
    modules : list
        The copies, in float64.
    parameters : dict
        The copies' parameters that require grad, by name.
    notes : list of str
        What a reader of the report should know about the copies.
    """

    def __init__(self, modules: Sequence[Any], prefixes: Sequence[str]) -> None:
        self.modules = copy.deepcopy(list(modules))
        self.notes: list[str] = []
        self._widen()
        named = list(zip(prefixes, self.modules, strict=True))
        found = {a + name: p for a, m in named for name, p in m.named_parameters()}
        unique = {id(p): name for name, p in reversed(found.items())}
        self.parameters = {n: p for n, p in found.items() if p.requires_grad and n == unique[id(p)]}
        if frozen := [name for name, p in found.items() if not p.requires_grad]:
            self.notes.append(f"not checked, since frozen: {_list(frozen)}")
        self._named = {a + name: b for a, m in named for name, b in m.named_buffers()}
        self._buffers = {name: b._array for name, b in self._named.items()}
        self._attributes = [(p, _copied(vars(p))) for m in self.modules for p in m.modules()]

    def _widen(self) -> None:
        tensors = [t for m in self.modules for _, t in (*m.named_parameters(), *m.named_buffers())]
        dtypes = {str(t.dtype) for t in tensors if t.is_floating_point()} - {"float64"}
        if dtypes:
            for module in self.modules:
                module.double()
            self.notes.append(
                f"the parameters are {' and '.join(sorted(dtypes))}: a copy in float64 was checked"
            )

    def start(self, values: Sequence[Tensor]) -> None:
        """Give the parameters these values, and all else what it was at the beginning."""
        for part, attributes in self._attributes:
            vars(part).clear()
            vars(part).update(_copied(attributes))
        for name, array in self._buffers.items():
            self._named[name]._array = array.copy()  # not written into: a graph may have kept it
        for p, value in zip(self.parameters.values(), values, strict=True):
            p._array, p._node = value._array, value._node

    def changed(self) -> list[str]:
        """Return the names of the buffers that the last call changed, such as running means."""
        pairs = {name: (self._named[name]._array, old) for name, old in self._buffers.items()}
        return [name for name, (new, old) in pairs.items() if not _same(new, old)]


def _same(a: Array, b: Array) -> bool:
    equal = backend_of(a).to_host((a == b) | ((a != a) & (b != b)))
    return bool(np.all(equal))


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes with containers of their own, since a call may fill them."""
    containers = (dict, list, set)
    return {k: copy.copy(v) if type(v) in containers else v for k, v in attributes.items()}


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
