"""``python -m minigrad gradcheck module:function``: check the derivatives of a user's function."""

from __future__ import annotations

import argparse
import importlib
import inspect
import operator
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.backend import manual_seed
from minigrad.check import gradcheck, gradgradcheck
from minigrad.engine.tensor import Tensor


class SpecError(Exception):
    """What is to be checked cannot be found, or not be called; the message says what would do."""


def add_gradcheck(commands: Any) -> None:
    """Add the command to a parser's commands."""
    text = "compare the gradients of a function or module with differences of its values"
    parser = commands.add_parser(
        "gradcheck",
        help=text,
        allow_abbrev=False,
        description=f"{text[0].upper()}{text[1:]}. Exit status: 0 passed, 1 not passed, 2 nothing "
        "was checked.",
    )
    parser.add_argument(
        "spec",
        metavar="MODULE:FUNCTION",
        help="as for import, from the current folder: 'layers:my_norm', or an instance of a "
        "module: 'package.nets:net'",
    )
    parser.add_argument(
        "--shape",
        action="append",
        default=[],
        type=_shape,
        metavar="N,N",
        help="of an input, which is drawn from the standard normal distribution in float64; once "
        "for each ('scalar': no axes). Without it, the function's own defaults are the inputs",
    )
    parser.add_argument(
        "--seed", default=0, type=_seed, metavar="N", help="of all that is drawn (default: 0)"
    )
    parser.add_argument("--second", action="store_true", help="check the second derivatives")
    parser.add_argument(
        "--eps", default=1e-6, type=_positive, help="step of the differences (default: 1e-6)"
    )
    parser.set_defaults(command="gradcheck")


def run_gradcheck(options: argparse.Namespace) -> int:
    """Check what the options say and print the report; return 0 if it passed, 1 if not.

    A mistake in the words gives 2 and one line; an error in the user's own code gives 2 and its
    traceback.
    """
    manual_seed(options.seed)
    try:
        fn = _find(options.spec)
        manual_seed(options.seed)  # again: dropout is the same, whether or not this was imported
        inputs = _inputs(fn, options.spec, options.shape, options.seed)
        check = gradgradcheck if options.second else gradcheck
        report = check(fn, inputs, eps=options.eps, seed=options.seed)
    except SpecError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        if frame.f_globals["__name__"].startswith("minigrad.check."):
            print(f"error: {error}", file=sys.stderr)
        else:
            traceback.print_exc()
        return 2
    print(report)
    return 0 if report else 1


def _find(spec: str) -> Callable[..., Any]:
    """Import what a spec names."""
    module_name, colon, path = spec.partition(":")
    if not (colon and module_name and path):
        raise SpecError(f"{spec!r} is not MODULE:FUNCTION, such as 'layers:my_norm'")
    folder = str(Path.cwd())
    if folder not in sys.path:  # python -m puts it there, the console script does not
        sys.path.insert(0, folder)
    if module_name.endswith(".py") or "/" in module_name:
        name = module_name.removesuffix(".py").strip("./").replace("/", ".")
        raise SpecError(
            f"{module_name!r} is a file; name the module as import does: '{name}:{path}'"
        )
    try:
        there = find_spec(module_name)
    except ModuleNotFoundError:  # a package on the way to it is missing
        there = None
    if there is None:
        raise SpecError(f"there is no module {module_name!r} (looked in {folder} and Python's own)")
    module = importlib.import_module(module_name)
    try:
        found = operator.attrgetter(path)(module)
    except AttributeError:
        names = [name for name, x in vars(module).items() if _is_own(name, x, module_name)]
        known = f"; it has: {', '.join(names)}" if names else ""
        raise SpecError(f"module {module_name!r} has no {path!r}{known}") from None
    if not callable(found):
        raise SpecError(f"{spec} is no function or module but of type {type(found).__name__}")
    if isinstance(found, type):
        raise SpecError(
            f"{spec} is a class; name an instance or a function: {path.lower()} = {path}(...)"
        )
    return found


def _is_own(name: str, x: Any, module_name: str) -> bool:
    """Say whether a module's attribute is something to check that was defined there."""
    if name.startswith("_") or not callable(x) or isinstance(x, type):
        return False
    return not inspect.isroutine(x) or x.__module__ == module_name


def _inputs(
    fn: Callable[..., Any], spec: str, shapes: Sequence[tuple[int, ...]], seed: int
) -> list[Any]:
    """Return the inputs to check it at: drawn, or its own defaults."""
    signature = inspect.signature(fn.forward if hasattr(fn, "forward") else fn)
    if shapes:
        rng = np.random.default_rng(seed)
        names = ", ".join(signature.parameters)
        drawn = [Tensor(np.asarray(rng.standard_normal(shape))) for shape in shapes]
        try:
            signature.bind(*drawn)
        except TypeError as error:
            raise SpecError(
                f"{spec} does not take {len(shapes)} --shape: {error}; it takes {names}"
            ) from None
        return drawn
    inputs = []
    for p in signature.parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.KEYWORD_ONLY):
            continue
        if p.default is p.empty:
            raise SpecError(
                f"{spec} takes {p.name!r}, which has no default: give a --shape for each input, "
                "such as --shape 3,4, or defaults in the function"
            )
        inputs.append(p.default)
    return inputs


# ---- options ------------------------------------------------------------------------------------


def _shape(text: str) -> tuple[int, ...]:
    if text.strip() == "scalar":
        return ()
    try:
        shape = tuple(int(part) for part in text.split(","))
    except ValueError:
        shape = (-1,)
    if min(shape) < 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a shape: numbers with commas between, such as 3,4, or 'scalar'"
        )
    return shape


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value
