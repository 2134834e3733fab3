"""How 13b is graded: random programs, whose arrays must not meet; then the lowest places."""

import numpy as np

from minigrad.learn.exercises import Property, Values, expect
from minigrad.learn.exercises.checks import at_input

HINTS = (
    "Which two arrays overlap, says the check. Draw their lifetimes and places on squared paper: "
    "calls to the right, bytes upwards.",
    "A call reads and writes at the same time. And can two arrays that are both alive with a third "
    "overlap each other? What does that mean for the next free place?",
    "Twice <= instead of <; at + sizes[k] <= places[j]; max(at, places[j] + sizes[j]); and the "
    "buffer ends where the highest end is.",
)


def program(rng, count, calls):
    """Return sizes, and first and last calls, of random arrays."""
    first = rng.integers(0, calls, count)
    return rng.integers(1, 12, count) * 4, first, first + rng.integers(0, calls, count)


def programs(rng):
    """Yield programs: few arrays and many, all at once and one after the other."""
    for count, calls in ((1, 1), (2, 1), (3, 2), (5, 4), (8, 6), (8, 3), (13, 9), (20, 12)):
        for _ in range(4):
            yield program(rng, count, calls)
    chain = np.arange(9)
    yield rng.integers(1, 12, 9) * 4, chain, chain + 1


def by_trying(sizes, first, last):
    """Return the plan, for each array the lowest of all places at which it could stand."""
    places = {}
    for k in sorted(range(len(sizes)), key=lambda k: (-sizes[k], k)):
        others = [j for j in places if not (last[j] < first[k] or last[k] < first[j])]
        tried = sorted({0, *(places[j] + sizes[j] for j in others)})
        places[k] = next(
            at for at in tried
            if all(at + sizes[k] <= places[j] or places[j] + sizes[j] <= at for j in others)
        )  # fmt: skip
    return np.array([places[k] for k in range(len(sizes))])


def buffers(rng):
    """Yield places and sizes of plans, and of arrays anywhere."""
    for sizes, first, last in programs(rng):
        yield by_trying(sizes, first, last), sizes
        yield rng.integers(0, 50, len(sizes)), sizes


def apart(answer, rng):
    """Look for two arrays that are alive together and share memory."""
    for sizes, first, last in programs(rng):
        places = answer.call("plan", sizes, first, last)
        right = isinstance(places, np.ndarray) and places.shape == sizes.shape
        expect(right, f"plan must return an array with {len(sizes)} places")
        with at_input([("sizes", sizes), ("first", first), ("last", last)]):
            for k in range(len(sizes)):
                expect(places[k] >= 0, f"array {k} begins before the buffer, at {places[k]}")
                for j in range(k):
                    both = first[j] <= last[k] and first[k] <= last[j]
                    low = max(places[j], places[k])
                    high = min(places[j] + sizes[j], places[k] + sizes[k])
                    expect(
                        not both or low >= high,
                        f"arrays {j} and {k} are both alive in call {max(first[j], first[k])} and "
                        f"share the bytes from {low} to {high}",
                    )


CHECKS = (
    Property("plan: what is alive together lies apart", apart, ("plan",)),
    Values("plan", by_trying, programs),
    Values("needed", lambda places, sizes: np.sort(places + sizes)[-1], buffers),
)
WRONG = {
    "missing term": (
        ("max(at, places[j] + sizes[j])", "places[j] + sizes[j]"),
        ("if at + sizes[k] <= places[j]", "if at < places[j]"),
        ("max(places + sizes)", "max(places)"),
    ),
    "typical mistake": (
        (
            "first[j] <= last[k] and first[k] <= last[j]",
            "first[j] < last[k] and first[k] < last[j]",
        ),
        ("first[j] <= last[k] and first[k] <= last[j]", "first[j] <= first[k] <= last[j]"),
        ("sorted(alive, key=lambda j: places[j])", "alive"),
        ('np.argsort(-sizes, kind="stable")', "range(len(sizes))"),
        ("if at + sizes[k] <= places[j]", "if at + sizes[k] < places[j]"),
        ("max(places + sizes)", "sum(sizes)"),
        ("np.argsort(-sizes", "np.argsort(sizes"),
    ),
}
