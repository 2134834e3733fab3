"""The command line: ``python -m minigrad lessons list``, ``lessons run``, ``doctor``."""

from minigrad.cli.arguments import main

__all__ = ["main"]
