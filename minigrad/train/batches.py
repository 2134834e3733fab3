"""What `fit`, `evaluate` and `predict` are given, as batches of Tensors where the model is."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Device, is_array
from minigrad.data import DataLoader, Subset, TensorDataset
from minigrad.engine.tensor import Tensor

Batch = tuple[Any, ...]


def loader_of(data: Any, batch_size: int, shuffle: bool = False) -> DataLoader:
    """Return a loader over data sets and arrays; a loader is returned as it is."""
    if isinstance(data, DataLoader):
        return data
    if isinstance(data, list) or not (
        isinstance(data, tuple) or (hasattr(data, "__len__") and hasattr(data, "__getitem__"))
    ):
        raise TypeError(
            f"data is a {type(data).__name__}; pass a DataLoader, a data set, or a tuple (x, y) of "
            "arrays"
        )
    # In order, there is nothing to draw: evaluating does not disturb the run's random numbers.
    return DataLoader(dataset_of(data), batch_size, shuffle=shuffle, seed=None if shuffle else 0)


def dataset_of(data: Any) -> Any:
    """Return a data set over a tuple of arrays or one array; a data set is returned as it is."""
    if isinstance(data, tuple):
        return TensorDataset(*data)
    return TensorDataset(data) if isinstance(data, Tensor) or is_array(data) else data


def split_end(data: Any, share: float) -> tuple[Subset, Subset]:
    """Return all but the last ``share`` of the samples, and those, as Keras splits.

    Raises
    ------
    ValueError
        ``share`` is not between 0 and 1, or a part would be empty.
    TypeError
        ``data`` is a loader: split its data set.
    """
    if isinstance(data, DataLoader):
        raise TypeError(
            "validation_split needs samples and not batches: pass arrays or a data set, or split "
            "the loader's data set with mg.data.random_split"
        )
    dataset = dataset_of(data)
    count = int(len(dataset) * share)
    if not 0 < share < 1 or not 0 < count < len(dataset):
        raise ValueError(
            f"validation_split={share} of {len(dataset)} samples leaves a part empty; it must be "
            "between 0 and 1"
        )
    whole = np.arange(len(dataset))
    return Subset(dataset, whole[:-count]), Subset(dataset, whole[-count:])


def placed(batch: Any, device: Device, dtype: Any) -> Batch:
    """Return a batch's members as Tensors on a device, floating ones in the model's dtype."""
    members = tuple(batch) if isinstance(batch, (list, tuple)) else (batch,)
    return tuple(_placed(member, device, dtype) for member in members)


def _placed(member: Any, device: Device, dtype: Any) -> Any:
    if not isinstance(member, Tensor):
        if not is_array(member):
            return member  # what a data set gives besides numbers is the model's business
        member = Tensor(member)
    wanted = dtype if member.dtype.kind == "f" and member.dtype != dtype else None
    if member.device != device or wanted is not None:
        member = member.to(device, member.dtype if wanted is None else wanted)
    return member
