"""The environment of a process that runs a lesson or a learner's file."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]  # the folder that the package is in


def environment() -> dict[str, str]:
    """Return this process's, with text as UTF-8, one BLAS thread, and the minigrad that runs here.

    Who wants more threads says so by ``OMP_NUM_THREADS``. The lessons' networks are too small to
    gain by a second one, and lose much where it waits for a core: lesson 10 took nine times as long
    beside other work.
    """
    changed = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONUTF8": "1"}
    # A package that is not where pip installs was found through the current folder or PYTHONPATH.
    if str(HOME) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        old = changed.get("PYTHONPATH")
        changed["PYTHONPATH"] = str(HOME) + (os.pathsep + old if old else "")
    return changed
