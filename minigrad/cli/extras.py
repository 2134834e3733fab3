"""The optional parts of an installation: what each brings, what is there, and how to get it."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec

from minigrad.cli.lessons import PACKAGE

DISTRIBUTION = "minigrad-engine"
# What a user may lack, as pyproject.toml has it, by the names that are installed.
EXTRAS = {
    "lessons": ("matplotlib", "pillow", "rich", "scipy", "tqdm"),
    "data": ("pooch",),
    "images": ("pillow", "scipy"),
    "train": ("matplotlib", "safetensors", "tqdm"),
    "sklearn": ("scikit-learn",),
    "tensorboard": ("tensorboardx",),
    "graphs": ("pygraphviz",),
    "book": (
        "furo", "jupytext", "matplotlib", "myst-nb", "pillow", "rich", "scikit-learn", "scipy",
        "sphinx", "tqdm",
    ),
}  # fmt: skip
IMPORTED_AS = {
    "myst-nb": "myst_nb",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "tensorboardx": "tensorboardX",
}


def missing(extra: str) -> list[str]:
    """Return which distributions of an extra cannot be imported, without importing any."""
    return [name for name in EXTRAS[extra] if find_spec(IMPORTED_AS.get(name, name)) is None]


def version(distribution: str) -> str | None:
    """Return the installed version of a distribution; None if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def pip_line(extra: str) -> str:
    """Return the line that installs an extra into this Python."""
    if version(DISTRIBUTION) is None:  # a checkout that is used without having been installed
        return f'python -m pip install -e "{PACKAGE.parent}[{extra}]"'
    return f'python -m pip install "{DISTRIBUTION}[{extra}]"'
