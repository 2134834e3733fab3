"""`import minigrad` is light, and what is not NumPy is imported only where it is used."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "minigrad"

HEAVY = {
    "IPython",
    "PIL",
    "cupy",
    "cupyx",
    "hypothesis",
    "matplotlib",
    "onnx",
    "pandas",
    "pooch",
    "pytest",
    "requests",
    "rich",
    "safetensors",
    "scipy",
    "sklearn",
    "torch",
    "tqdm",
}

SKLEARN = "minigrad/sklearn.py"  # its classes are scikit-learn's
# The CuPy backend and its kernels, imported when a CUDA device is first asked for.
CUPY = re.compile(r"minigrad/backend/(cupy_\w+|kernels/(?!__init__)\w+)\.py")


def modules_after(statement: str) -> set[str]:
    """Return the top-level modules that a new Python has loaded after one statement."""
    code = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_import_loads_nothing_heavy() -> None:
    loaded = modules_after("import minigrad")
    assert {"minigrad", "numpy"} <= loaded
    assert loaded & HEAVY == set()


def test_import_loads_no_third_party_module_but_numpy() -> None:
    added = modules_after("import minigrad") - modules_after("import numpy")
    assert added - sys.stdlib_module_names == {"minigrad"}


def test_a_heavy_import_would_be_seen() -> None:
    assert modules_after("import scipy, minigrad") & HEAVY == {"scipy"}


def statements_run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield a module's statements, without function bodies and `if TYPE_CHECKING` blocks."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from statements_run_on_import(statement.orelse)
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from statements_run_on_import(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from statements_run_on_import(handler.body)


def imported_on_import(source: str) -> set[str]:
    """Return the top-level names of what a module's import imports in turn."""
    found = set()
    for statement in statements_run_on_import(ast.parse(source).body):
        if isinstance(statement, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.level == 0 and statement.module:
            found.add(statement.module.partition(".")[0])
    return found


@pytest.mark.parametrize(
    "path", sorted(path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py"))
)
def test_module_imports_only_numpy_when_imported(path: str) -> None:
    found = imported_on_import((ROOT / path).read_text(encoding="utf-8"))
    foreign = found - sys.stdlib_module_names - {"minigrad", "numpy"}
    allowed = (
        {"cupy", "cupyx"} if CUPY.fullmatch(path) else {"sklearn"} if path == SKLEARN else set()
    )
    assert foreign <= allowed


def test_only_imports_that_run_are_counted() -> None:
    source = """
import a
from b.c import d
from . import e
try:
    import f
except ImportError:
    import g
if TYPE_CHECKING:
    import h
class K:
    import i
    def lazily(self):
        import j
"""
    assert imported_on_import(source) == {"a", "b", "f", "g", "i"}
