"""``python -m minigrad explain "tanh(x*w+b)" x=1 w=2 b=-1``: a formula, number by number."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_explain(commands: Any) -> None:
    """Add the command to a parser's commands."""
    text = "walk through a formula, forward and backward, with all numbers"
    parser = commands.add_parser(
        "explain",
        help=text,
        allow_abbrev=False,
        description=f"{text[0].upper()}{text[1:]}. Exit status: 0 explained, 1 a file was not "
        "written, 2 the formula or a value is not understood.",
    )
    parser.add_argument(
        "formula",
        help='of numbers, variables, + - * / ** @ and ops: "tanh(x*w+b)", "sum((x@w - y)**2)"',
    )
    parser.add_argument(
        "values",
        nargs="*",
        metavar="NAME=VALUE",
        help="of each variable: x=1, x=[1,2], x=[[1,2],[3,4]]; each wants a gradient",
    )
    parser.add_argument("--tape", action="store_true", help="print only a line for each op")
    parser.add_argument("--html", metavar="FILE", help="write a page to step through")
    parser.add_argument("--svg", metavar="FILE", help="write a picture of the graph")
    parser.set_defaults(command="explain")


def run_explain(options: argparse.Namespace) -> int:
    """Explain what the options say; return the exit status."""
    # Here and not above, so that the other commands start fast
    from minigrad.explain import TooLargeError, draw, tape, walk
    from minigrad.explain.expression import ExpressionError, evaluate_formula

    try:
        result = evaluate_formula(options.formula, options.values)
        story = None
        if options.tape:
            print(tape(result))
        if options.html or not options.tape:
            if result.numel() != 1:
                raise ExpressionError(
                    f"{options.formula!r} has shape {list(result.shape)}, and backward starts from "
                    f"one number: sum({options.formula}) or mean({options.formula}); --tape shows "
                    "the forward alone"
                )
            story = walk(result)
        if story is not None and not options.tape:
            story.show()
    except (ExpressionError, TooLargeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        if story is not None and options.html:
            story.save(options.html)
            print(f"page: {options.html}")
        if options.svg:
            draw(result).save(options.svg)
            print(f"picture: {options.svg}")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
