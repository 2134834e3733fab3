"""Devices: where an array lives, by torch's names (``cpu``, ``cuda``, ``cuda:1``)."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass


class DeviceError(RuntimeError):
    """A device was asked for that this machine or installation does not have."""


class DeviceMismatchError(RuntimeError):
    """One operation was given arrays of two devices."""


@dataclass(frozen=True)
class Device:
    """A device: its ``type`` (``"cpu"`` or ``"cuda"``) and its ``index``. Also ``mg.device``.

    Inside ``with mg.device("cuda:1"):`` tensors are made there where nothing else is said (see
    `set_default_device`), and CuPy's current device is that one.

    Parameters
    ----------
    type : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    index : int
        Which of several GPUs, where ``type`` does not say it.

    Raises
    ------
    ValueError
        The name is not one of these.
    DeviceError
        From entering the context: there is no such GPU, or it cannot be used.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.device("cuda:1") == mg.device("cuda", 1), str(mg.device("cpu"))
    (True, 'cpu')
    >>> with mg.device("cpu"):
    ...     mg.zeros(2).device
    device('cpu')
    """

    type: str
    index: int = 0

    def __post_init__(self) -> None:
        name, index = self.type, self.index
        match = re.fullmatch(r"(cpu|cuda)(?::(\d+))?", name) if isinstance(name, str) else None
        if match is not None and match[2]:
            known, index = index in (0, int(match[2])), int(match[2])
        else:
            known = isinstance(index, int) and index >= 0
        if match is None or not known or (match[1] == "cpu" and index):
            shown = repr(name) if self.index == 0 else f"{name!r}, {self.index!r}"
            raise ValueError(
                f"unknown device {shown}: say 'cpu', 'cuda' or 'cuda:N', like 'cuda:0'"
            )
        object.__setattr__(self, "type", match[1])
        object.__setattr__(self, "index", index)

    @classmethod
    def parse(cls, name: str | Device) -> Device:
        """Read ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; a `Device` is returned as it is."""
        return name if isinstance(name, Device) else cls(name)

    def __enter__(self) -> Device:
        _STACK.set((*_STACK.get(), (self, _make_current(self))))
        return self

    def __exit__(self, *exc: object) -> None:
        *rest, (_, before) = _STACK.get()
        _STACK.set(tuple(rest))
        if before is not None:
            _make_current(before)

    def __str__(self) -> str:
        return self.type if self.type == "cpu" else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device({str(self)!r})"


CPU = Device("cpu")
# The default device, and on top of it those of the `with` blocks that are open, innermost last;
# each with the GPU that was current before it.
_STACK: ContextVar[tuple[tuple[Device, Device | None], ...]] = ContextVar(
    "minigrad_device", default=((CPU, None),)
)


def get_default_device() -> Device:
    """Return the device on which tensors are made where nothing else is said."""
    return _STACK.get()[-1][0]


def set_default_device(device: str | Device) -> None:
    """Make tensors on ``device`` where nothing else is said, until it is set to another.

    It holds for what is made of numbers, lists and NumPy arrays: `mg.tensor`, `mg.zeros`,
    `mg.randn` and so on, and the parameters of new modules. A Tensor keeps its device, and
    `mg.from_numpy` and `mg.load` give the CPU's. As in torch, it holds for this thread (in an
    async task: for the task).

    Raises
    ------
    DeviceError
        There is no such GPU, or it cannot be used; the text says what to install.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.set_default_device("cpu")
    >>> mg.get_default_device()
    device('cpu')
    """
    device = Device.parse(device)
    *rest, (_, before) = _STACK.get()
    current = _make_current(device)
    _STACK.set((*rest, (device, current if before is None and rest else before)))


def _make_current(device: Device) -> Device | None:
    """Let CuPy work on a GPU from now on; return the one that it worked on before."""
    from minigrad.backend import get_backend  # which needs this module

    return get_backend(device).make_current(device)
