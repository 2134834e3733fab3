"""Saving and loading: tensors, states and whole checkpoints in safetensors files, never pickle.

A newcomer reads `minigrad.io.saving`, then `minigrad.io.checkpoint`.
"""

from minigrad.io.checkpoint import load_checkpoint, save_checkpoint
from minigrad.io.errors import CheckpointError
from minigrad.io.saving import load, save

__all__ = ["CheckpointError", "load", "load_checkpoint", "save", "save_checkpoint"]
