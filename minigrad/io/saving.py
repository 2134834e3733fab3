"""`save` and `load`: tensors and what holds them, in one safetensors file."""

from __future__ import annotations

import os
from typing import Any

from minigrad.backend import Device
from minigrad.engine.tensor import Tensor
from minigrad.io import tensors
from minigrad.io.tree import decode, encode


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write tensors, or dicts, lists and tuples of them with numbers and text, to a file.

    A flat dict of tensors, such as a `state_dict`, becomes a plain safetensors file with the same
    names, which PyTorch reads (``safetensors.torch.load_file``). The file is written under a
    temporary name and renamed: readers never see a part of it.

    Parameters
    ----------
    obj : Tensor, dict, list, tuple, or anything with a ``state_dict()``
        What to save; of a module or an optimiser, its state is saved.
    path : str or path
        Where to; an existing file is replaced.

    Raises
    ------
    TypeError
        Something in it cannot be saved; the text names its place.
    OSError
        The file cannot be written; what stood there is unchanged.

    Examples
    --------
    >>> import minigrad as mg, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> model = mg.nn.Linear(3, 2)
    >>> mg.save({"model": model.state_dict(), "epoch": 3}, path)
    >>> state = mg.load(path)
    >>> state["epoch"], model.load_state_dict(state["model"])
    (3, <All keys matched successfully>)
    """
    if hasattr(obj, "state_dict") and not isinstance(obj, dict):
        obj = obj.state_dict()
    tree, arrays = encode(obj)
    tensors.write(path, arrays, tree)


def load(path: str | os.PathLike[str], map_location: str | Device | None = None) -> Any:
    """Return what `save` wrote; of any other safetensors file, a dict of its tensors.

    Everything is checked first, with a checksum for files of minigrad's; no code of the file is
    run. bfloat16, which NumPy has not, becomes float32, which loses nothing.

    Parameters
    ----------
    path : str or path
        The file.
    map_location : str or Device, optional
        Where the tensors should be, such as ``"cuda"``; else on the CPU.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    CheckpointError
        The file is truncated, altered, not in safetensors format, or of a newer minigrad.

    Examples
    --------
    >>> import minigrad as mg, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "w.safetensors"
    >>> mg.save({"w": mg.tensor([1.0, 2.0])}, path)
    >>> mg.load(path)
    {'w': tensor([1., 2.])}
    """
    arrays, tree = tensors.read(path)
    value = {k: Tensor(a) for k, a in arrays.items()} if tree is None else decode(tree, arrays)
    return value if map_location is None else _moved(value, map_location)


def _moved(value: Any, device: str | Device) -> Any:
    """Return a nested value with its tensors on another device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {k: _moved(v, device) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        moved = [_moved(v, device) for v in value]
        return moved if isinstance(value, list) else tuple(moved)
    return value
