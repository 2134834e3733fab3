"""Devices: where an array lives, by torch's names (``cpu``, ``cuda``, ``cuda:1``)."""

from __future__ import annotations

import re
from dataclasses import dataclass


class DeviceError(RuntimeError):
    """A device was asked for that this machine or installation does not have."""


class DeviceMismatchError(RuntimeError):
    """One operation was given arrays of two devices."""


@dataclass(frozen=True)
class Device:
    """A device: its ``type`` (``"cpu"`` or ``"cuda"``) and its ``index``.

    Examples
    --------
    >>> from minigrad.backend import Device
    >>> str(Device.parse("cuda:1")), str(Device.parse("cpu"))
    ('cuda:1', 'cpu')
    """

    type: str
    index: int = 0

    @classmethod
    def parse(cls, name: str | Device) -> Device:
        """Read ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; a `Device` is returned as it is."""
        if isinstance(name, Device):
            return name
        match = re.fullmatch(r"(cpu|cuda)(?::(\d+))?", name) if isinstance(name, str) else None
        if match is None or (match[1] == "cpu" and match[2] not in (None, "0")):
            raise ValueError(
                f"unknown device {name!r}: say 'cpu', 'cuda' or 'cuda:N', like 'cuda:0'"
            )
        return cls(match[1], int(match[2] or 0))

    def __str__(self) -> str:
        return self.type if self.type == "cpu" else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device({str(self)!r})"


CPU = Device("cpu")
