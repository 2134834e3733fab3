"""What can go wrong with a saved file."""

from __future__ import annotations


class CheckpointError(RuntimeError):
    """A file is truncated, altered, of another kind, or does not fit; nothing was loaded."""
