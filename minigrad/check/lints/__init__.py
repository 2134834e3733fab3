"""Smells of training, each a function in a table; `minigrad.check.lint` runs them (run.py).

A newcomer reads `minigrad.check.lints.table`, then `minigrad.check.lints.losses`.
"""

from minigrad.check.lints import data, layers, learning, losses, modes, parts
from minigrad.check.lints.finding import Finding, Findings
from minigrad.check.lints.table import TABLE

__all__ = ["TABLE", "Finding", "Findings", "data", "layers", "learning", "losses", "modes", "parts"]
