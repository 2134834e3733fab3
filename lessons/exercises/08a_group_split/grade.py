"""How 08a is graded: by what the two sides have in common, and by whose lot it is."""

import numpy as np

from minigrad.learn.exercises import Property, expect

HINTS = (
    "Which things does the lot decide about: rows, or groups? Make a list of those first.",
    "np.unique(groups) has each group once. rng.permutation of that list, cut after the right "
    "number, are the groups of the test.",
    "is_test = np.isin(groups, drawn) says it of each row; np.flatnonzero turns it into indices.",
)


def draw_groups(rng, names, rows):
    """Return groups of unlike sizes, mixed, each of them at least once."""
    names = np.asarray(names)
    odds = rng.random(len(names)) + 0.1
    more = rng.choice(names, rows - len(names), p=odds / odds.sum())
    return rng.permutation(np.concatenate([names, more]))


def sides_of(answer, groups, fraction, seed):
    """Return the learner's two sides as arrays of indices."""
    call = f"split_by_group(groups, {fraction}, rng) with {len(groups)} rows"
    found = answer.call("split_by_group", groups, fraction, np.random.default_rng(seed))
    expect(
        isinstance(found, (tuple, list)) and len(found) == 2,
        f"{call} must return two arrays, (train, test)",
    )
    sides = [np.asarray(side) for side in found]
    expect(
        all(s.ndim == 1 and (s.dtype.kind in "iu" or s.size == 0) for s in sides),
        f"{call}: train and test must be arrays of indices, which are whole numbers",
    )
    return [side.astype(int) for side in sides]


def what_a_split_is(answer, rng):
    """Look at rows, groups and numbers of both sides."""
    kinds = (range(2), range(5), range(100, 121, 2), ["x", "yy", "z"], list("abcdefghij"))
    for names in kinds:
        for fraction in (0.0, 0.25, 0.5, 0.9, 1.0):
            groups = draw_groups(rng, names, 3 * len(names) + int(rng.integers(4)))
            n, several = len(groups), len(set(groups.tolist()))
            train, test = sides_of(answer, groups, fraction, int(rng.integers(1000)))
            both = sorted([*train.tolist(), *test.tolist()])
            expect(
                both == list(range(n)),
                f"each of {n} rows must be on one side; the sides hold {both[:20]}",
            )
            rising = all((np.diff(side) > 0).all() for side in (train, test))
            expect(rising, "the indices of a side must rise")
            shared = set(groups[train].tolist()) & set(groups[test].tolist())
            expect(not shared, f"the groups {sorted(shared)[:5]} are on both sides")
            wanted = min(max(round(fraction * several), 1), several - 1)
            found = len(set(groups[test].tolist()))
            expect(
                found == wanted,
                f"of {several} groups and fraction {fraction} the test must get {wanted}, "
                f"and gets {found}",
            )


def whose_lot(answer, rng):
    """Look whether rng alone decides, and whether each group has the same chance."""
    groups = np.repeat(np.arange(6), [1, 1, 2, 4, 8, 24])
    seed = int(rng.integers(1000))
    first, again = (sides_of(answer, groups, 1 / 3, seed)[1].tolist() for _ in range(2))
    expect(first == again, "two generators of one seed give different splits: use rng alone")
    times = np.zeros(6, int)
    for number in range(300):
        test = sides_of(answer, groups, 1 / 3, seed + 1 + number)[1]
        times[np.unique(groups[test])] += 1
    # 100 of 300 are expected, with a deviation of 8
    expect(
        times.min() > 55 and times.max() < 145,
        "of 300 splits with a third of the groups for testing, each group should be drawn about "
        f"100 times; groups of 1, 1, 2, 4, 8 and 24 rows were drawn {times.tolist()} times",
    )


CHECKS = (
    Property("rows, groups and their numbers on both sides", what_a_split_is, ("split_by_group",)),
    Property("the lot: by rng, and fair to all groups", whose_lot, ("split_by_group",)),
)
WRONG = {
    "missing term": (
        ("rng.permutation(names)[:count]", "names[:count]"),
        (
            "min(max(round(fraction * len(names)), 1), len(names) - 1)",
            "round(fraction * len(names))",
        ),
    ),
    "typical mistake": (
        ("names = np.unique(groups)", "names = groups"),
        ("rng.permutation(names)", "np.random.default_rng(0).permutation(names)"),
        ("rng.permutation(names)[:count]", "rng.choice(names, count)"),
        (
            "np.isin(groups, drawn)",
            "np.isin(np.arange(len(groups)), rng.permutation(len(groups))[:count])",
        ),
        (
            "np.flatnonzero(~is_test), np.flatnonzero(is_test)",
            "np.flatnonzero(is_test), np.flatnonzero(~is_test)",
        ),
        (
            "drawn = rng.permutation(names)[:count]",
            "drawn = list(dict.fromkeys(rng.permutation(groups).tolist()))[:count]",
        ),
    ),
}
