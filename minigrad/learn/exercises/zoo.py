"""The zoo: wrong answers of every kind, made from the right one, which the grader must refuse.

Most kinds are made by wrapping a function of the solution, so that a new exercise gets them for
nothing; some by a change in the solution's text, which its ``grade.py`` names (``WRONG``). A kind
that a function cannot have (no axis, no cotangent) is left out; one that is no mistake in an
exercise is excused there with the reason (``NOT``).
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from minigrad.engine.tensor import Tensor
from minigrad.learn.exercises.checks import Answer, Gradients
from minigrad.learn.exercises.exercise import SOLUTION, Exercise, answer_of
from minigrad.learn.exercises.grading import Grade, grade

REMEMBERED = 0  # the seed of the sample that a hard-coded answer knows
Function = Callable[..., Any]


class CannotBeError(Exception):
    """A function cannot have this kind of mistake."""


@dataclass(frozen=True)
class Specimen:
    """A wrong answer.

    Parameters
    ----------
    kind : str
        What is wrong.
    where : str
        The function that it is about, or the number of the change in the text.
    answer : Answer
        To be graded.
    """

    kind: str
    where: str
    answer: Answer


def specimens(exercise: Exercise) -> Iterator[Specimen]:
    """Yield the wrong answers of an exercise, by kind."""
    grader = exercise.grader
    yield Specimen("unedited", "", _quiet_answer(exercise.task, exercise))
    for kind, make in KINDS.items():
        for name in grader.functions:
            try:
                yield Specimen(kind, name, make(exercise, name))
            except CannotBeError:
                continue
    for kind, changes in grader.wrong.items():
        for number, (old, new) in enumerate(changes, start=1):
            count = exercise.solution.count(old)
            if count != 1 or old == new:
                raise ValueError(
                    f"{exercise.name}: WRONG[{kind!r}] number {number} must replace a text that "
                    f"is in {SOLUTION} once, and {old!r} is there {count} times"
                )
            text = exercise.solution.replace(old, new)
            yield Specimen(kind, f"change {number}", _quiet_answer(text, exercise))


def _quiet_answer(text: str, exercise: Exercise) -> Answer:
    """Return an answer; one that does not even run has no functions."""
    try:
        return answer_of(text, f"{exercise.name}, {SOLUTION}")
    except Exception:
        return Answer({})


def _right(exercise: Exercise) -> Answer:
    return answer_of(exercise.solution, str(exercise.folder / SOLUTION))


def _wrapped(exercise: Exercise, name: str, wrap: Callable[[Function], Function]) -> Answer:
    """Return the solution with one function wrapped, for whoever calls it from outside."""
    answer = _right(exercise)
    function = answer.names[name]
    if not inspect.isfunction(function):
        raise CannotBeError
    return Answer({**answer.names, name: wrap(function)})


# ---- what comes out is changed ------------------------------------------------------------------


def _changing(change: Callable[[Any], Any]) -> Callable[[Exercise, str], Answer]:
    """Return a kind that changes every number which a function returns."""

    def make(exercise: Exercise, name: str) -> Answer:
        sample = _recorded(exercise, name)
        if not any(_can_change(change, result) for _, result in sample):
            raise CannotBeError

        def wrap(function: Function) -> Function:
            return _like(function, lambda *a, **k: _changed(change, function(*a, **k)))

        return _wrapped(exercise, name, wrap)

    return make


def _changed(change: Callable[[Any], Any], x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return type(x)([_changed(change, entry) for entry in x])
    if isinstance(x, dict):
        return {key: _changed(change, entry) for key, entry in x.items()}
    if isinstance(x, Tensor):
        return Tensor(_changed(change, x.detach().numpy().copy()))
    if isinstance(x, (np.ndarray, np.generic, bool, int, float)):
        try:
            changed = change(np.asarray(x))
        except CannotBeError:
            return x
        return changed if isinstance(x, np.ndarray) or changed is None else changed.item()
    return x


def _can_change(change: Callable[[Any], Any], x: Any) -> bool:
    """Say whether there is a number in x that the change is for."""
    if isinstance(x, (tuple, list)):
        return any(_can_change(change, entry) for entry in x)
    if isinstance(x, dict):
        return any(_can_change(change, entry) for entry in x.values())
    x = x.detach().numpy() if isinstance(x, Tensor) else x
    if isinstance(x, (np.ndarray, np.generic, bool, int, float)):
        try:
            change(np.asarray(x))
        except CannotBeError:
            return False
        return True
    return False


def _no_truth(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a change that truth values cannot have."""

    def changed(x: Any) -> Any:
        if x.dtype.kind == "b":
            raise CannotBeError
        return change(x)

    return changed


def _negative(x: Any) -> Any:
    return ~x if x.dtype.kind == "b" else -x


def _a_little_off(x: Any) -> Any:
    if x.dtype.kind != "f":
        raise CannotBeError
    return x * (1 + 1e-4) + 1e-5 * np.sign(x)


def _not_a_number(x: Any) -> Any:
    if x.dtype.kind != "f":
        raise CannotBeError
    return np.full_like(x, np.nan)


def _other_axis(x: Any) -> Any:
    if x.ndim < 2:
        raise CannotBeError
    return np.swapaxes(x, -1, -2)


# ---- what goes in is changed --------------------------------------------------------------------


def _returns_nothing(exercise: Exercise, name: str) -> Answer:
    """Compute, and do not say what."""
    return _wrapped(exercise, name, lambda f: _like(f, lambda *a, **k: None))


def _hard_coded(exercise: Exercise, name: str) -> Answer:
    """Know the answers to a sample by heart; give one of them to any other question."""
    sample = _recorded(exercise, name)

    def recall(*args: Any, **options: Any) -> Any:
        for known, result in sample:
            if _same(known, (args, options)):
                return copy.deepcopy(result)
        for known, result in sample:
            if _shapes(known) == _shapes((args, options)):
                return copy.deepcopy(result)
        return copy.deepcopy(sample[0][1])

    if not sample:
        raise CannotBeError
    return _wrapped(exercise, name, lambda f: _like(f, recall))


def _wrong_axis(exercise: Exercise, name: str) -> Answer:
    """Take the next axis; transpose the result of a function that has none."""
    function = _right(exercise).names.get(name)
    if not inspect.isfunction(function):
        raise CannotBeError
    names = list(inspect.signature(function).parameters)
    place = next((names.index(word) for word in ("axis", "dim") if word in names), None)
    if place is None:
        return _changing(_other_axis)(exercise, name)

    def wrap(function: Function) -> Function:
        def call(*args: Any) -> Any:
            return function(*args[:place], args[place] + 1, *args[place + 1 :])

        return _like(function, call)

    return _wrapped(exercise, name, wrap)


def _changes_its_input(exercise: Exercise, name: str) -> Answer:
    """Return the right answer, and spoil an argument on the way."""
    sample = _recorded(exercise, name)
    if not any(_arrays(args) for (args, _), _ in sample):
        raise CannotBeError

    def wrap(function: Function) -> Function:
        def call(*args: Any, **options: Any) -> Any:
            result = copy.deepcopy(function(*args, **options))
            for x in _arrays(args):
                x *= 0
            return result

        return _like(function, call)

    return _wrapped(exercise, name, wrap)


def _no_chain_rule(exercise: Exercise, name: str) -> Answer:
    """Take the cotangent for ones."""
    _gradients(exercise, name)

    def wrap(function: Function) -> Function:
        return _like(function, lambda g, *args: function(np.ones_like(g), *args))

    return _wrapped(exercise, name, wrap)


def _no_unbroadcast(exercise: Exercise, name: str) -> Answer:
    """Leave the gradients in the shape that their operands were broadcast to."""
    return _broadcast_first(exercise, name, lambda gradient, shape: gradient)


def _overwrites(exercise: Exercise, name: str) -> Answer:
    """Keep the gradient of the last use of a number that was broadcast, and so used often."""

    def last(gradient: Any, shape: tuple[int, ...]) -> Any:
        while gradient.ndim > len(shape):
            gradient = gradient[-1] if len(gradient) else np.zeros(gradient.shape[1:])
        for axis, size in enumerate(shape):
            if size == 1 and gradient.shape[axis] > 1:
                gradient = np.take(gradient, [-1], axis)
        return gradient

    return _broadcast_first(exercise, name, last)


def _broadcast_first(
    exercise: Exercise, name: str, to_shape: Callable[[Any, tuple[int, ...]], Any]
) -> Answer:
    """Call an elementwise backward with its operands broadcast; then bring back the shapes."""
    check = _gradients(exercise, name)
    if not check.elementwise or len(check.arguments) < 2:
        raise CannotBeError

    def wrap(function: Function) -> Function:
        def call(g: Any, *args: Any) -> Any:
            spread = [np.broadcast_to(x, g.shape).copy() for x in args]
            found = function(g, *spread)
            return tuple(to_shape(x, args[i].shape) for i, x in enumerate(found))

        return _like(function, call)

    return _wrapped(exercise, name, wrap)


KINDS: dict[str, Callable[[Exercise, str], Answer]] = {
    "returns nothing": _returns_nothing,
    "zeros": _changing(np.zeros_like),
    "ones": _changing(np.ones_like),
    "doubled": _changing(_no_truth(lambda x: 2 * x)),
    "sign": _changing(_negative),
    "a little off": _changing(_a_little_off),
    "NaN": _changing(_not_a_number),
    "hard-coded": _hard_coded,
    "wrong axis": _wrong_axis,
    "changes its input": _changes_its_input,
    "no chain rule": _no_chain_rule,
    "no unbroadcast": _no_unbroadcast,
    "overwrite": _overwrites,
}
TEXT_KINDS = ("missing term", "typical mistake")  # besides those above, from changes in the text


# ---- the sample ---------------------------------------------------------------------------------


def _gradients(exercise: Exercise, name: str) -> Gradients:
    for check in exercise.grader.checks:
        if isinstance(check, Gradients) and check.name == name:
            return check
    raise CannotBeError


@lru_cache(maxsize=8)  # the kinds of a function ask for it one after the other
def _recorded(exercise: Exercise, name: str) -> list[tuple[Any, Any]]:
    """Return arguments and results of a function while the solution is graded with one seed."""
    right, sample = _right(exercise), []
    function = right.names[name]
    if not inspect.isfunction(function):
        raise CannotBeError

    def record(*args: Any, **options: Any) -> Any:
        known = copy.deepcopy((args, options)) if _plain(args) else (args, options)
        result = function(*args, **options)
        sample.append((known, copy.deepcopy(result) if _plain(result) else result))
        return result

    answer = Answer({**right.names, name: _like(function, record)})
    grade(answer, exercise.grader.checks, REMEMBERED)
    return sample


def _plain(x: Any) -> bool:
    """Say whether x is made of arrays and numbers alone."""
    if isinstance(x, (tuple, list)):
        return all(map(_plain, x))
    if isinstance(x, dict):
        return all(map(_plain, x.values()))
    return isinstance(x, (np.ndarray, np.generic, bool, int, float, str)) or x is None


def _arrays(args: Sequence[Any]) -> list[Any]:
    """Return the arrays among arguments, those in lists too, that are not all zeros."""
    found = []
    for x in args:
        if isinstance(x, (tuple, list)):
            found += _arrays(x)
        elif isinstance(x, np.ndarray) and x.any():
            found.append(x)
    return found


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.shape(a) == np.shape(b) and bool(np.array_equal(a, b))
    return bool(a is b or (_plain(a) and a == b))


def _shapes(x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return tuple(map(_shapes, x))
    if isinstance(x, dict):
        return tuple((key, _shapes(value)) for key, value in x.items())
    return np.shape(x) if isinstance(x, np.ndarray) else type(x).__name__


def _like(function: Function, other: Function) -> Function:
    """Return the other function under the signature of the first."""
    other.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return other


# ---- the table ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """What became of the wrong answers of one kind.

    Parameters
    ----------
    killed, of : int
        How many were refused, of how many.
    survivors : tuple of str
        Those that passed: their functions.
    flaws : tuple of str
        The errors that the grader raised in place of saying what is wrong.
    excuse : str
        Why the kind is no mistake here.
    """

    killed: int = 0
    of: int = 0
    survivors: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    excuse: str = ""


@dataclass(frozen=True)
class Kills:
    """One exercise against the zoo.

    Parameters
    ----------
    name : str
        The exercise.
    solution : Grade
        What the solution got.
    cells : dict of Cell
        By kind.
    """

    name: str
    solution: Grade
    cells: dict[str, Cell]

    @property
    def sound(self) -> bool:
        """Whether the solution passes, and nothing else."""
        return self.solution.passed and not any(cell.survivors for cell in self.cells.values())


def kills(exercise: Exercise, seed: int) -> Kills:
    """Grade the solution and every wrong answer.

    Parameters
    ----------
    seed : int
        Draws the inputs; not `REMEMBERED`, which the hard-coded answers know.
    """
    if seed == REMEMBERED:
        raise ValueError(f"the hard-coded answers know the inputs of seed {seed}; take another")
    checks, excused = exercise.grader.checks, exercise.grader.excused
    cells = {kind: Cell(excuse=why) for kind, why in excused.items()}
    with np.errstate(all="ignore"):
        solution = grade(_right(exercise), checks, seed)
        for specimen in specimens(exercise):
            kind = specimen.kind
            if kind in excused:
                continue
            cell = cells.get(kind, Cell())
            found = grade(specimen.answer, checks, seed)
            survivors = (*cell.survivors, specimen.where) if found.passed else cell.survivors
            flaws = (*cell.flaws, f"{specimen.where}: {found.flaw}") if found.flaw else cell.flaws
            cells[kind] = Cell(cell.killed + (not found.passed), cell.of + 1, survivors, flaws)
    return Kills(exercise.name, solution, cells)


def kill_table(rows: Sequence[Kills]) -> str:
    """Return the kill table in Markdown: a row for each exercise, a column for each kind.

    A number is how many wrong answers of the kind were refused; all were, unless the cell says
    which passed. "-" is a kind that the exercise cannot have, or that is no mistake in it: the
    reasons for that are below the table.
    """
    own = dict.fromkeys(kind for row in rows for kind in row.cells)
    order = ["unedited", *KINDS, *TEXT_KINDS]
    kinds = [kind for kind in order if kind in own] + [kind for kind in own if kind not in order]
    lines = [
        "| exercise | solution | " + " | ".join(kinds) + " |",
        "|---|---|" + "---:|" * len(kinds),
    ]
    for row in rows:
        cells = [_text(row.cells.get(kind, Cell())) for kind in kinds]
        verdict = "passes" if row.solution.passed else "FAILS"
        lines.append(f"| {row.name} | {verdict} | " + " | ".join(cells) + " |")
    totals = [sum(row.cells.get(kind, Cell()).killed for row in rows) for kind in kinds]
    passing = sum(row.solution.passed for row in rows)
    lines.append(
        f"| refused: {sum(totals)} | {passing} of {len(rows)} | "
        + " | ".join(map(str, totals))
        + " |"
    )
    excuses = [
        f"- {row.name}, {kind}: {cell.excuse}"
        for row in rows
        for kind, cell in row.cells.items()
        if cell.excuse
    ]
    if excuses:
        lines += ["", "Not graded, since it is no mistake there:", "", *excuses]
    return "\n".join(lines)


def _text(cell: Cell) -> str:
    if cell.survivors:
        return f"{cell.killed} of {cell.of}, NOT {', '.join(cell.survivors)}"
    return str(cell.killed) if cell.of else "-"
