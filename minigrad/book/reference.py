"""The reference: a page for each public namespace, made from the docstrings."""

from __future__ import annotations

import importlib
import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path

# In the order in which one meets them. A name that several have stands with the first.
NAMESPACES = (
    ("minigrad", "Tensors, their functions, and the engine's switches"),
    ("minigrad.nn", "Modules and losses"),
    ("minigrad.nn.functional", "The same as functions"),
    ("minigrad.nn.init", "Initialisers"),
    ("minigrad.nn.utils", "Clipping, and parameters as one vector"),
    ("minigrad.optim", "Optimisers"),
    ("minigrad.optim.lr_scheduler", "Schedules of the learning rate"),
    ("minigrad.optim.swa_utils", "Averages of weights"),
    ("minigrad.data", "Data sets, loaders, splits, scalers"),
    ("minigrad.data.transforms", "Transforms of images"),
    ("minigrad.train", "fit, evaluate, predict; callbacks, metrics, history"),
    ("minigrad.io", "Files: safetensors and checkpoints"),
    ("minigrad.linalg", "Linear algebra"),
    ("minigrad.autograd", "Derivatives in PyTorch's words, and functions with rules of their own"),
    ("minigrad.check", "Gradient checks and lint"),
    ("minigrad.explain", "A graph walked with its numbers"),
    ("minigrad.replay", "Capture: record a call once, replay it"),
    ("minigrad.profiler", "Where time and memory go"),
    ("minigrad.sklearn", "Networks as scikit-learn estimators"),
    ("minigrad.learn", "What lessons are made with"),
)


def write_reference(folder: Path) -> list[str]:
    """Write a page for each namespace; return the pages' names in order.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder that exists.
    """
    seen: set[int] = set()
    names = []
    for module, title in NAMESPACES:
        text = page(module, title, seen)
        (folder / f"{module}.rst").write_text(text, encoding="utf-8")
        names.append(module)
    return names


def page(module: str, title: str, seen: set[int]) -> str:
    """Return a namespace's page in reStructuredText; what is ``seen`` already is left out."""
    namespace = importlib.import_module(module)
    heading = f"{module}: {title}"
    lines = [heading, "=" * len(heading), "", f".. py:module:: {module}", ""]
    summary = (inspect.getdoc(namespace) or "").partition("\n\n")[0]
    lines += [re.sub("::$", ".", summary), ""]
    for name, thing in public(namespace):
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if inspect.isclass(thing):
            lines += [f".. autoclass:: {module}.{name}", "   :members:", ""]
        elif callable(thing):
            lines += [f".. autofunction:: {module}.{name}", ""]
    return "\n".join(lines)


def public(namespace: types.ModuleType) -> Iterator[tuple[str, object]]:
    """Yield the public names of a namespace with what they are, classes first."""
    listed = getattr(namespace, "__all__", None)
    names = sorted(listed if listed is not None else vars(namespace))
    things = [(n, getattr(namespace, n)) for n in names if not n.startswith("_")]
    things = [
        (name, thing)
        for name, thing in things
        if (inspect.isclass(thing) or callable(thing))
        and (getattr(thing, "__module__", "") or "").startswith("minigrad")
        and not isinstance(thing, types.ModuleType)
    ]
    yield from sorted(things, key=lambda pair: not inspect.isclass(pair[1]))
