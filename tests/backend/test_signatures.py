"""The two backends have the same methods, and CuPy has what the ops take from ``xp``."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

from minigrad.backend import NUMPY, Backend, get_backend

PACKAGE = Path(__file__).resolve().parents[2] / "minigrad"
FILES = {name: PACKAGE / "backend" / f"{name}_backend.py" for name in ("numpy", "cupy")}

# Methods of the base class that one backend has from its library instead.
FROM_NUMPY = {"errstate", "matmul"}


def methods(path: Path) -> dict[str, str]:
    """Return the arguments and the result of each method of a file's class, as text."""
    tree = ast.parse(path.read_text("utf-8"))
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef)]
    (found,) = (n for n in classes if n.name.endswith("Backend"))
    return {
        f.name: f"({ast.unparse(f.args)}) -> {f.returns and ast.unparse(f.returns)}"
        for f in found.body
        if isinstance(f, ast.FunctionDef)
    }


BASE = methods(PACKAGE / "backend" / "base.py")


@pytest.mark.parametrize("name", FILES)
def test_methods_are_those_of_the_base_class(name: str) -> None:
    """Read from the source: CuPy need not be there."""
    own = methods(FILES[name])
    del own["__init__"]
    public = {name for name in own if not name.startswith("_")}
    assert sorted(public - BASE.keys() - FROM_NUMPY) == [], "the other backend lacks these"
    assert {n: s for n, s in own.items() if n in BASE} == {n: BASE[n] for n in own if n in BASE}


def test_what_the_base_class_leaves_open_both_have() -> None:
    tree = ast.parse((PACKAGE / "backend" / "base.py").read_text("utf-8"))
    left_open = {
        f.name
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef) and "raise NotImplementedError" in ast.unparse(f)
    }
    assert left_open
    for path in FILES.values():
        assert sorted(left_open - methods(path).keys()) == []


def taken() -> dict[str, set[str]]:
    """Return the names that minigrad takes from ``xp``, each with the keywords it is given."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.glob("**/*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            call = node if isinstance(node, ast.Call) else None
            name = _of_xp(call.func if call else node)
            if name is not None:
                keywords = {k.arg for k in call.keywords if k.arg} if call else set()
                found.setdefault(name, set()).update(keywords)
    return found


def _of_xp(node: ast.AST) -> str | None:
    """Return ``linalg.inv`` for ``xp.linalg.inv``; None for what is not taken from ``xp``."""
    if not isinstance(node, ast.Attribute):
        return None
    if isinstance(node.value, ast.Name):
        return node.attr if node.value.id == "xp" else None
    inner = _of_xp(node.value)
    return f"{inner}.{node.attr}" if inner in ("linalg", "lib") else None


def resolve(backend: Any, name: str) -> Any:
    for part in name.split("."):
        backend = getattr(backend, part)
    return backend


def test_names_and_keywords_exist(backend: str) -> None:
    names = taken()
    assert len(names) > 100, "the search finds too little"
    xp = get_backend(backend)
    missing = []
    for name, keywords in sorted(names.items()):
        try:
            function = resolve(xp, name)
        except AttributeError:
            missing.append(f"xp.{name}")
            continue
        missing += [f"xp.{name}({k}=)" for k in sorted(keywords - accepted(function, keywords))]
    assert missing == []


UFUNC = {"out", "where", "axis", "keepdims", "dtype", "casting"}


def accepted(function: Any, given: set[str]) -> set[str]:
    """Return the keywords that a function takes; of a ufunc, which does not say, all of them."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return UFUNC
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return set(parameters)
    return given if inspect.isroutine(function) else UFUNC


def test_numpy_has_what_the_backend_of_cupy_adds() -> None:
    for name in FROM_NUMPY:
        assert callable(getattr(NUMPY, name))
        assert name not in vars(Backend)
