"""The recurrent, attention and transformer modules that are compared with PyTorch's."""

from __future__ import annotations

from support.parity import Row

ROWS: list[Row] = []
