"""The environment of a process that runs a lesson or a learner's file."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]  # the folder that the package is in


def environment() -> dict[str, str]:
    """Return this process's, with text as UTF-8, and with the minigrad that runs here."""
    changed = {**os.environ, "PYTHONUTF8": "1"}
    # A package that is not where pip installs was found through the current folder or PYTHONPATH.
    if str(HOME) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        old = changed.get("PYTHONPATH")
        changed["PYTHONPATH"] = str(HOME) + (os.pathsep + old if old else "")
    return changed
