"""Lessons run as notebooks: what each cell printed and drew stands below it on its page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

CELL_SECONDS = 300
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


class LessonFailed(Exception):
    """A cell of a lesson raised; the message says which, and what."""


def execute(
    scripts: Sequence[Path],
    folder: Path,
    scratch: Path,
    environment: Mapping[str, str],
    at_once: int = 2,
) -> list[Path]:
    """Run lessons as notebooks, and write each with its outputs into a folder.

    Parameters
    ----------
    scripts : sequence of pathlib.Path
        The lessons: scripts in the percent format.
    folder : pathlib.Path
        Where the notebooks go; it exists.
    scratch : pathlib.Path
        The current folder of the cells: a lesson's claims and pictures go below it.
    environment : mapping
        The environment of the processes that run the cells.
    at_once : int
        How many lessons run at the same time, each in a process of its own.

    Returns
    -------
    list of pathlib.Path
        The notebooks, in the order of the scripts.

    Raises
    ------
    LessonFailed
        A cell raised, or ran longer than `CELL_SECONDS`. No further lesson is started.
    """

    def run(script: Path) -> Path:
        return _execute(script, folder, scratch, environment)

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        jobs = [pool.submit(run, script) for script in scripts]
        try:
            return [job.result() for job in jobs]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _execute(script: Path, folder: Path, scratch: Path, environment: Mapping[str, str]) -> Path:
    import jupytext
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook: Any = jupytext.read(script, fmt="py:percent")
    notebook.metadata["kernelspec"] = KERNEL  # "python3" is the Python that runs this
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL["name"],
        timeout=CELL_SECONDS,
        extra_arguments=["--log-level=40"],  # no warnings about what a notebook always does
    )
    try:
        client.execute(cwd=str(scratch), env=dict(environment))
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        said = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # colours of a terminal
        raise LessonFailed(f"{script.name}: {said}") from error
    path = folder / f"{script.stem}.ipynb"
    writes: Any = nbformat.writes
    path.write_text(writes(notebook), encoding="utf-8")
    return path
