"""Facts about an op, from which its tests, its page in the book and its benchmark are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One call of an op: an operand a shape (or maker), and the options.

    An operand is a shape, filled from the op's domain; or a function ``rng -> array`` for what is
    not drawn from a domain (indices, masks, probabilities); or None; or a list of these for an op
    that takes a list.
    """

    operands: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    slopes: tuple[Any, ...] | None = None  # see `at`


def S(*operands: Any, **options: Any) -> Sample:
    """Write a `Sample` in one short line: ``S((2, 3), (3,), dim=0)``."""
    return Sample(operands, options)


def at(*operands: Any, slopes: tuple[Any, ...], **options: Any) -> Sample:
    """Write a `Sample` at kinks and ties, where differences cannot check the derivative.

    Operands are lists of numbers, or numbers. ``slopes`` has for each operand what its gradient is
    there for a gradient of 1 of the output (None where it has none): what `Facts.convention` says.
    """
    made = tuple(_values(x) if isinstance(x, list) else x for x in operands)
    return Sample(made, options, slopes)


def _values(numbers: list[Any]) -> Callable[[np.random.Generator], Any]:
    return lambda rng: np.array(numbers)


@dataclass(frozen=True)
class Facts:
    """What is known about an op.

    Parameters
    ----------
    reference : callable or str
        The same on NumPy arrays, with the op's own options; a dotted name (``"scipy.special.erf"``)
        is imported only when a test asks, since the core needs NumPy alone.
    samples : sequence of Sample
        Calls that the tests make; for elementwise ops the usual shapes are added.
    domain : (float, float) or sequence of such
        Where the values of floating operands are drawn, or of each operand in turn.
    kinks : sequence of float
        Points without a derivative; samples keep 0.05 away. ``convention`` says what holds there.
    convention : str
        The derivative's value at kinks and ties; samples made by `at` hold it to that.
    analytic : bool
        The forward takes complex arrays, so that the complex step can check the derivative.
    order : int
        The highest derivative order that is checked (0: not differentiable).
    tolerance : mapping
        Relative tolerance of the value by dtype, where the usual one is too strict, with reason.
    torch : str
        The name in PyTorch where it differs ("" for none), as a path below ``torch``.
    formula : str
        The op's value in plain text, for its page.
    """

    reference: Callable[..., Any] | str
    samples: Sequence[Sample] = ()
    domain: Any = (-2.0, 2.0)
    kinks: Sequence[float] = ()
    convention: str = ""
    analytic: bool = False
    order: int = 2
    tolerance: Mapping[str, float] = field(default_factory=dict)
    torch: str | None = None
    formula: str = ""


ELEMENTWISE_1 = (S((3, 4)), S(()), S((0, 3)), S((1,)), S((2, 1, 3)))
ELEMENTWISE_2 = (
    S((3, 4), (3, 4)),
    S((3, 4), (4,)),
    S((3, 1), (1, 4)),
    S((2, 1, 3), (4, 1)),
    S((), (2, 3)),
    S((0, 3), (1, 3)),
)


def integers(shape: tuple[int, ...], low: int, high: int) -> Callable[[np.random.Generator], Any]:
    """Return a maker of int64 arrays for a `Sample`, ``low`` included, ``high`` not."""
    return lambda rng: rng.integers(low, high, shape)


def booleans(shape: tuple[int, ...]) -> Callable[[np.random.Generator], Any]:
    """Return a maker of masks for a `Sample`."""
    return lambda rng: rng.random(shape) < 0.5


def distinct(shape: tuple[int, ...], scale: float = 0.25) -> Callable[[np.random.Generator], Any]:
    """Return a maker of arrays without ties (for max, sort, median): shuffled, well apart."""

    def make(rng: np.random.Generator) -> Any:
        size = int(np.prod(shape))
        return (rng.permutation(size).reshape(shape) - size / 2) * scale + 0.1

    return make
