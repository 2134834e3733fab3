"""Mistakes in what a rule returns: the same few for every rule of the table."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minigrad.engine.op import Op
from minigrad.engine.tensor import Tensor, wrap
from mutation.mutant import Mutant, Touched, planted

Rule = Callable[..., Any]
Change = Callable[[Any], Any]


def changed(change: Change) -> Callable[[Rule, str, Touched], Rule]:
    """Return a fault that changes a rule's result; ``change`` returns it as it is where it can't.

    The new rule asks for what the old one asks for.
    """

    def fault(rule: Rule, operand: str, state: Touched) -> Rule:
        @functools.wraps(rule)
        def wrong(*args: Any) -> Any:
            result = rule(*args)
            if result is None:
                return None
            other = change(result)
            state.touched |= other is not result
            return other

        return wrong

    return fault


def without_g(rule: Rule, operand: str, state: Touched) -> Rule:
    """Return a rule that takes the cotangent for 1."""
    state.touched = True

    @functools.wraps(rule)
    def wrong(g: Any, *args: Any) -> Any:
        return rule(g * 0 + 1, *args)

    return wrong


def unsummed(rule: Rule, operand: str, state: Touched) -> Rule:
    """Return a rule whose result the engine does not sum over broadcast axes: it takes a slice."""
    parameters = list(inspect.signature(rule).parameters.values())
    own = operand + "_shape"
    asks = parameters[-1].name == own
    if not asks:
        parameters.append(inspect.Parameter(own, inspect.Parameter.POSITIONAL_OR_KEYWORD))

    def wrong(*args: Any) -> Any:
        result = rule(*args) if asks else rule(*args[:-1])
        shape = args[-1]
        if result is None or tuple(result.shape) == tuple(shape):
            return result
        state.touched = True
        lead = len(result.shape) - len(shape)
        cut = tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)
        return result[(0,) * lead + cut]

    wrong.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return wrong


def reversed_last(result: Any) -> Any:
    """Return a gradient with its last axis reversed."""
    return result[..., ::-1] if len(result.shape) and result.shape[-1] > 1 else result


def transposed(result: Any) -> Any:
    """Return a gradient with its last two axes exchanged, in the shape it had."""
    shape = tuple(result.shape)
    if len(shape) < 2 or 1 in shape[-2:] or 0 in shape:
        return result
    return result.swapaxes(-1, -2).reshape(shape)


def detached(result: Any) -> Any:
    """Return a gradient that is right but has no derivative of its own."""
    return wrap(result._array, None) if isinstance(result, Tensor) else result


FAULTS: dict[str, Callable[[Rule, str, Touched], Rule]] = {
    "zero": changed(lambda c: c * 0.0),
    "lost": changed(lambda c: None),
    "factor": changed(lambda c: c * 2.0),
    "sign": changed(lambda c: -c),
    "plus one": changed(lambda c: c + 1.0),
    "reversed": changed(reversed_last),
    "transposed": changed(transposed),
    "without g": without_g,
    "unbroadcast": unsummed,
    "detached": changed(detached),
}


def applies(fault: str, row: Op, operand: str) -> bool:
    """Say whether a fault would be one in a rule."""
    assert row.facts is not None
    if row.facts.order == 0:  # the derivative is 0: only what is not 0 is wrong
        return fault == "plus one"
    if fault == "detached":  # a fused op's own rules are not differentiated
        return row.facts.order > 1 and row.meaning is None
    # what is shared by rules was computed from the cotangent before them
    return fault != "without g" or "shared" not in inspect.signature(row.rules[operand]).parameters


def mutants(table: dict[str, Op]) -> list[Mutant]:
    """Return every fault of every rule."""
    found = []
    for row in table.values():
        for operand, rule in row.rules.items():
            code = rule.__code__  # type: ignore[attr-defined]
            for name in FAULTS:
                if applies(name, row, operand):
                    found.append(
                        Mutant(
                            kind=name,
                            place=f"{row.name}.{operand}",
                            file=Path(code.co_filename).name,
                            line=code.co_firstlineno,
                            before="result",
                            after=name,
                            uses=((row, operand),),
                            plant=functools.partial(_planted, row, operand, name),
                        )
                    )
    return found


@contextmanager
def _planted(row: Op, operand: str, name: str) -> Iterator[Touched]:
    state = Touched()
    with planted(row, **{operand: FAULTS[name](row.rules[operand], operand, state)}):
        yield state
