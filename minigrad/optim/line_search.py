"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from minigrad.backend import Array


class Point(NamedTuple):
    """A place on the line: how far along, the loss, its gradient, and its slope along the line."""

    t: float
    loss: float
    gradient: Array
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    t: float,
    width: float,
    *,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
    most: int = 25,
) -> tuple[Point, int]:
    """Find a point on a line at which the loss is lower enough and its slope smaller enough.

    The strong Wolfe conditions, with l(t) the loss along the line::

        l(t) <= l(0) + c1 * t * l'(0)       |l'(t)| <= c2 * |l'(0)|

    First the search goes further until an interval must hold such a point, then it shrinks the
    interval; it goes to where the cubic through two points and their slopes is lowest.

    Parameters
    ----------
    evaluate : callable
        Returns the `Point` at a distance.
    start : Point
        Where the line begins; its slope is negative.
    t : float
        The first distance to try.
    width : float
        How much the parameter that moves most moves in a distance of 1.
    c1, c2 : float
        As above.
    tolerance : float
        The interval is not made smaller than this, in terms of the parameter that moves most.
    most : int
        About how many points may be evaluated.

    Returns
    -------
    (Point, int)
        The point (the best one if none was found), and the number of evaluations.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., 2006, algorithms 3.5 and 3.6;
    the order of tests and the safeguards are those of minFunc, which torch's LBFGS follows too.
    """

    def too_high(x: Point) -> bool:  # a loss that is not a number is too high
        return not x.loss <= start.loss + c1 * x.t * start.slope

    def flat_enough(x: Point) -> bool:
        return abs(x.slope) <= -c2 * start.slope

    before, here = start, evaluate(t)
    tries = 0
    while tries < most:
        if too_high(here) or (tries > 1 and here.loss >= before.loss):
            break
        if flat_enough(here):
            return here, tries + 1
        if here.slope >= 0:
            break
        t = lowest(before, here, here.t + 0.01 * (here.t - before.t), 10 * here.t)
        before, here = here, evaluate(t)
        tries += 1
    else:
        before = start

    ends = [before, here]
    low = int(here.loss < before.loss)
    stuck = False
    while tries < most and abs(here.t - before.t) * width >= tolerance:
        left, right = sorted(end.t for end in ends)
        t, margin = lowest(before, here, left, right), 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            stuck = False
        elif stuck or t >= right or t <= left:  # twice at an edge: away from it
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            stuck = False
        else:
            stuck = True
        x = evaluate(t)
        tries += 1
        if too_high(x) or x.loss >= ends[low].loss:
            ends[1 - low] = x
            low = int(ends[1].loss < ends[0].loss)
        else:
            if flat_enough(x):
                return x, tries + 1
            if x.slope * (ends[1 - low].t - ends[low].t) >= 0:
                ends[1 - low] = ends[low]
            ends[low] = x
        before, here = ends
    return ends[low], tries + 1


def lowest(a: Point, b: Point, least: float, most: float) -> float:
    """Return where the cubic through two points, with their slopes, is lowest from least to most.

    Where it has no lowest point, or the values are not finite, it is the middle.
    """
    if a.t > b.t:
        a, b = b, a
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = mean * mean - a.slope * b.slope
    root = math.sqrt(square) if square >= 0 else math.nan
    below = b.slope - a.slope + 2 * root
    t = b.t - (b.t - a.t) * ((b.slope + root - mean) / below) if below else math.nan
    return min(max(t, least), most) if math.isfinite(t) else (least + most) / 2
