"""Checkpoints: all that a training run needs to go on as if it had not been interrupted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from minigrad.backend import default_generator
from minigrad.engine.tensor import Tensor
from minigrad.io import tensors
from minigrad.io.errors import CheckpointError
from minigrad.io.tree import decode, encode

GENERATOR = "default_generator"


def save_checkpoint(path: str | os.PathLike[str], **parts: Any) -> None:
    """Write the states of a run's parts to one file, atomically.

    Parameters
    ----------
    path : str or path
        Where to; an existing file is replaced, and readers see the old one or the new one.
    **parts : object
        By name: anything with a ``state_dict()`` (model, optimiser, schedule, loader), a
        `Generator`, or plain data (epoch, history). The state of the default generator, of which
        dropout and shuffling draw, is always there.

    Raises
    ------
    TypeError
        A part cannot be saved; the text names it.
    OSError
        The file cannot be written; what stood there is unchanged.

    Examples
    --------
    >>> import minigrad as mg, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.safetensors"
    >>> model = mg.nn.Linear(3, 2)
    >>> optimizer = mg.optim.Adam(model.parameters())
    >>> mg.io.save_checkpoint(path, model=model, optimizer=optimizer, epoch=3)
    >>> mg.io.load_checkpoint(path, model=model, optimizer=optimizer)
    {'epoch': 3}
    """
    if GENERATOR in parts:
        raise ValueError(f"{GENERATOR!r} is saved anyway; give the part another name")
    tree, arrays = encode(
        {k: _state(v) for k, v in {**parts, GENERATOR: default_generator}.items()}
    )
    tensors.write(path, arrays, tree)


def load_checkpoint(path: str | os.PathLike[str], **parts: Any) -> dict[str, Any]:
    """Put a run's parts into the states that a checkpoint holds: all of them, or none.

    The default generator goes on from its saved state too. To look at a checkpoint, or to take
    only the weights, use ``mg.load(path)["model"]``, which changes nothing.

    Parameters
    ----------
    path : str or path
        What `save_checkpoint` wrote.
    **parts : object
        The objects to load, by the names they were saved under.

    Returns
    -------
    dict
        What else the checkpoint holds, by name.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    CheckpointError
        The file is damaged, is no checkpoint, lacks a part, or a part does not fit (keys, shapes
        and dtypes are listed). Nothing was changed.
    TypeError
        A part takes no state.
    """
    arrays, tree = tensors.read(path)
    saved = None if tree is None else decode(tree, arrays)
    if not (isinstance(saved, dict) and GENERATOR in saved):
        raise CheckpointError(
            f"{path} holds tensors, not a run (save_checkpoint wrote none): use mg.load(path)"
        )
    missing = [name for name in parts if name not in saved]
    if missing:
        there = ", ".join(name for name in saved if name != GENERATOR)
        raise CheckpointError(f"{path} has no part {', '.join(missing)}; it has: {there}")
    targets = {**parts, GENERATOR: default_generator}
    for name, part in parts.items():
        if not (hasattr(part, "load_state_dict") or hasattr(part, "set_state")):
            raise TypeError(
                f"{name}: a {type(part).__name__} cannot take a state; it is in what is returned"
            )
        _check_dtypes(path, name, part, saved[name])
    before = {name: _copied(_state(part)) for name, part in targets.items()}
    touched: list[str] = []
    try:
        for name, part in targets.items():
            touched.append(name)
            _load(part, saved[name])
    except Exception as error:
        for name in touched:
            _load(targets[name], before[name])
        raise CheckpointError(
            f"{path}: {name} does not fit, nothing was changed: {error}"
        ) from error
    return {name: value for name, value in saved.items() if name not in targets}


def _state(part: Any) -> Any:
    """Return what is saved of a part."""
    if hasattr(part, "state_dict"):
        return part.state_dict()
    return part.get_state() if hasattr(part, "get_state") else part


def _load(part: Any, state: Any) -> None:
    (part.load_state_dict if hasattr(part, "load_state_dict") else part.set_state)(state)


def _check_dtypes(path: Any, name: str, part: Any, saved: Any) -> None:
    """Raise if a module's tensors have other dtypes than saved: casting would change the run."""
    own = _state(part)
    if not (isinstance(own, Mapping) and isinstance(saved, Mapping)):
        return
    differ = [
        f"{key} is {saved[key].dtype} in the file, {value.dtype} here"
        for key, value in own.items()
        if isinstance(value, Tensor) and isinstance(saved.get(key), Tensor)
        and saved[key].dtype != value.dtype
    ]  # fmt: skip
    if differ:
        more = f", and {len(differ) - 3} more" if len(differ) > 3 else ""
        raise CheckpointError(
            f"{path}: {name}: {'; '.join(differ[:3])}{more}. To go on with the run, make the "
            "module of the saved dtype first (.float(), .double()); to convert the weights, use "
            f"mg.load(path)[{name!r}] with load_state_dict"
        )


def _copied(value: Any) -> Any:
    """Return a nested state that shares no memory."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {k: _copied(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        copies = [_copied(v) for v in value]
        return copies if isinstance(value, list) else tuple(copies)
    return value.copy() if hasattr(value, "copy") else value
