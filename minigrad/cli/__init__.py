"""The command line: ``python -m minigrad lessons list``, ``doctor``, ``gradcheck`` ..."""

from minigrad.cli.arguments import main

__all__ = ["main"]
