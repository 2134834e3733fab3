"""What a right answer does, in three manners: values, gradients, and anything else."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.learn.exercises.compare import WrongAnswerError, expect, expect_near, show
from minigrad.learn.exercises.draws import Rng, broadcasting, floats

Case = tuple[Any, ...]
STEP = 1e-5  # of the central differences


class Values:
    """The learner's function gives what another one gives, on random inputs.

    Parameters
    ----------
    name : str
        The learner's function.
    right : callable
        Returns the right answer for the same arguments; written in another way than the solution
        where there is one.
    cases : callable
        ``cases(rng)`` yields tuples of arguments.
    names : sequence of str
        What the entries of an answer that is a tuple are called.
    """

    def __init__(
        self,
        name: str,
        right: Callable[..., Any],
        cases: Callable[[Rng], Iterable[Case]],
        *,
        names: Sequence[str] = (),
        atol: float = 1e-7,
        rtol: float = 1e-6,
    ) -> None:
        self.functions = (name,)
        self.name, self.right, self.cases = name, right, cases
        self.names, self.atol, self.rtol = names, atol, rtol
        self.what = f"{name}: its values, at random inputs"

    def run(self, answer: Answer, rng: Rng) -> None:
        """Raise `WrongAnswerError` for the first input at which the answer is wrong."""
        for case in self.cases(rng):
            right = self.right(*copy.deepcopy(case))
            found = answer.call(self.name, *case)
            with at_input(_named(self.right, case)):
                expect_near(
                    found, right, f"what {self.name} returns",
                    atol=self.atol, rtol=self.rtol, names=self.names,
                )  # fmt: skip


class Gradients:
    """The learner's backward agrees with central differences, for a random cotangent.

    It is called as ``name(g, *args)``, where ``g`` has the shape of ``forward(*args)``, and
    returns the gradient of ``(g * forward(*args)).sum()`` by each argument in ``by``: a tuple, or
    one array for one argument.

    Parameters
    ----------
    name : str
        The learner's function.
    forward : callable
        Returns one array.
    cases : callable, optional
        ``cases(rng)`` yields the arguments of forward. Without it forward is elementwise, and the
        arguments are arrays of all shapes that broadcast.
    by : sequence of str, optional
        The names of the arguments to differentiate by; default all that are floating arrays.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        cases: Callable[[Rng], Iterable[Case]] | None = None,
        *,
        by: Sequence[str] = (),
        atol: float = 1e-6,
        rtol: float = 1e-5,
    ) -> None:
        self.functions = (name,)
        self.name, self.forward, self.atol, self.rtol = name, forward, atol, rtol
        self.elementwise = cases is None
        self.cases = cases or self._broadcasting
        self.arguments = tuple(inspect.signature(forward).parameters)
        self.by = tuple(by)
        self.what = f"{name}: against central differences, with a random cotangent"

    def _broadcasting(self, rng: Rng) -> Iterator[Case]:
        for several in broadcasting(rng, len(self.arguments)):
            drawn = floats(rng, *several)
            yield drawn if len(several) > 1 else (drawn,)

    def places(self, case: Case) -> list[int]:
        """Return which arguments it is differentiated by."""
        if self.by:
            return [self.arguments.index(name) for name in self.by]
        return [i for i, x in enumerate(case) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]

    def run(self, answer: Answer, rng: Rng) -> None:
        """Raise `WrongAnswerError` for the first input at which a gradient is wrong."""
        for case in self.cases(rng):
            g = floats(rng, np.shape(self.forward(*copy.deepcopy(case))))
            places = self.places(case)
            right = [self._numeric(g, case, i) for i in places]
            found = answer.call(self.name, g, *case)
            names = [f"the gradient by {self.arguments[i]}" for i in places]
            with at_input([("g", g), *_named(self.forward, case)]):
                expect_near(
                    found if len(places) > 1 else (found,), right, f"what {self.name} returns",
                    atol=self.atol, rtol=self.rtol, names=names,
                )  # fmt: skip

    def _numeric(self, g: Any, case: Case, place: int) -> Any:
        """Return the gradient by one argument from values alone."""
        slope = np.zeros(case[place].shape)
        for index in np.ndindex(slope.shape):
            sides = []
            for step in (STEP, -STEP):
                moved = copy.deepcopy(case)
                moved[place][index] += step
                sides.append(float(np.sum(g * self.forward(*moved))))
            slope[index] = (sides[0] - sides[1]) / (2 * STEP)
        return slope


class Property:
    """Anything else: a function that looks at the learner's functions.

    Parameters
    ----------
    what : str
        What it looks at, in words for the learner.
    look : callable
        ``look(answer, rng)`` calls the learner's functions as ``answer.call("name", ...)`` and
        raises `WrongAnswerError` (by `expect` and `expect_near`) if they are wrong.
    functions : sequence of str
        The learner's functions that it is about.
    """

    def __init__(
        self, what: str, look: Callable[[Answer, Rng], None], functions: Sequence[str]
    ) -> None:
        self.what, self.look, self.functions = what, look, tuple(functions)

    def run(self, answer: Answer, rng: Rng) -> None:
        """Look."""
        self.look(answer, rng)


Check = Values | Gradients | Property


@dataclass(frozen=True)
class Answer:
    """The learner's functions.

    Parameters
    ----------
    names : dict
        The names of the learner's file.
    """

    names: dict[str, Any]

    def get(self, name: str) -> Any:
        """Return what the learner calls ``name``."""
        expect(name in self.names, f"there is no {name!r} in the file; the task names it")
        return self.names[name]

    def call(self, name: str, *args: Any, **options: Any) -> Any:
        """Call a function of the learner's, which must leave its arguments as they are."""
        function = self.get(name)
        expect(callable(function), f"{name} must be a function, not {show(function)}")
        given = [(label, x, x.copy()) for label, x in _arrays(_named(function, args))]
        result = function(*args, **options)
        for label, now, before in given:
            numbers = now.dtype.kind in "fc"  # names, for one, know no NaN
            same = now.shape == before.shape and np.array_equal(now, before, equal_nan=numbers)
            expect(
                same,
                f"{name} changed its argument {label} in place: it was {show(before)} and is now "
                f"{show(now)}; whoever still needs it gets wrong numbers",
            )
        return result


@contextmanager
def at_input(named: Sequence[tuple[str, Any]]) -> Iterator[None]:
    """Say of a wrong answer at which input it was found."""
    try:
        yield
    except WrongAnswerError as error:
        lines = [f"  {label} = {_with_shape(x)}" for label, x in named]
        raise WrongAnswerError("\n".join([str(error), "at", *lines])) from None


def _named(function: Callable[..., Any], args: Case) -> list[tuple[str, Any]]:
    """Return arguments with the names that the function has for them."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    names += [f"argument {i}" for i in range(len(names), len(args))]
    return list(zip(names, args, strict=False))


def _arrays(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the arrays among arguments, those in lists too, with their names."""
    for label, x in named:
        if isinstance(x, np.ndarray):
            yield label, x
        elif isinstance(x, (tuple, list)):
            yield from _arrays((f"{label}[{i}]", entry) for i, entry in enumerate(x))


def _with_shape(x: Any) -> str:
    text = show(x)
    if isinstance(x, np.ndarray) and x.ndim != 1 and not text.startswith("an array"):
        return f"{text} (shape {list(x.shape)})"
    return text
