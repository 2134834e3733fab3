"""How 08b is graded: by what moves if a test row moves, by a row on both sides, and by numbers."""

import numpy as np

from minigrad.learn.exercises import Property, Values, expect, expect_near

HINTS = (
    "Change one number of a test row and call prepare again. What of the first array changes, and "
    "why?",
    "Three lines are to be looked at: who chooses the columns, whose mean and deviation scale the "
    "training rows, and whose scale the test rows (print them).",
    "columns = chosen(x[train], y[train], count); then mean and deviation of the raw x[train] in "
    "these columns, once, for both.",
)


def table(rng, rows, columns):
    """Return features on unlike scales, labels, and the indices of two sides."""
    x = rng.normal(size=(rows, columns)) * rng.uniform(0.1, 20, columns)
    x += rng.uniform(-30, 30, columns)
    y = rng.permutation(np.arange(rows) % 2)
    order = rng.permutation(rows)
    return x, y, order[rows // 3 :], order[: rows // 3]


def cases(rng):
    """Yield tables of several sizes, some of them with more columns than rows."""
    for rows, columns, count in ((9, 1, 1), (12, 5, 2), (12, 5, 5), (9, 30, 4), (30, 3, 2)):
        x, y, train, test = table(rng, rows, columns)
        yield x, y, count, train, test


def right(x, y, count, train, test):
    """Scale the training rows first, which changes no correlation, and choose then."""
    mean = x[train].sum(0) / len(train)
    scale = np.sqrt(((x[train] - mean) ** 2).sum(0) / len(train))
    z = (x - mean) / scale
    score = -np.abs(z[train].T @ (y[train] - y[train].mean()))
    columns = sorted(range(x.shape[1]), key=lambda column: score[column])[:count]
    return z[np.ix_(train, columns)], z[np.ix_(test, columns)]


def two(answer, *args):
    """Return what prepare returns, which must be two arrays."""
    found = answer.call("prepare", *args)
    expect(
        isinstance(found, (tuple, list)) and len(found) == 2,
        "prepare must return two arrays, the training rows and the test rows",
    )
    return [np.asarray(side, float) for side in found]


def the_training_is_blind(answer, rng):
    """Change test rows and test labels; the training rows must not move."""
    for rows, columns, count in ((12, 6, 3), (9, 40, 3)):
        x, y, train, test = table(rng, rows, columns)
        before, _ = two(answer, x, y, count, train, test)
        other, flipped = x.copy(), y.copy()
        other[test] = 5 * other[test] + 100
        flipped[test] = 1 - flipped[test]
        after, _ = two(answer, other, flipped, count, train, test)
        same = before.shape == after.shape and np.allclose(before, after, atol=1e-9)
        expect(same, "the test rows were changed, and the training rows come out differently")


def one_row_on_both_sides(answer, rng):
    """Give rows to both sides: they must come out the same."""
    x, y, train, _ = table(rng, 15, 4)
    seen, unseen = two(answer, x, y, 3, train, train[:4])
    expect(seen.shape == (10, 3), f"10 rows and 3 columns come out with shape {list(seen.shape)}")
    expect_near(unseen, seen[:4], "a row that is on both sides comes out for the test as it")


CHECKS = (
    Property("the training rows do not feel the test rows", the_training_is_blind, ("prepare",)),
    Property("a row comes out the same on both sides", one_row_on_both_sides, ("prepare",)),
    Values("prepare", right, cases, names=("the training rows", "the test rows")),
)
WRONG = {
    "missing term": (
        ("(x_test - mean) / deviation", "x_test - mean"),
        ("(x_test - mean) / deviation", "x_test"),
    ),
    "wrong axis": (("x_train.mean(0), x_train.std(0)", "x_train.mean(), x_train.std()"),),
    "typical mistake": (
        ("chosen(x[train], y[train], count)", "chosen(x, y, count)"),
        (
            "x_train.mean(0), x_train.std(0)",
            "x[:, columns].mean(0), x[:, columns].std(0)",
        ),
        ("(x_test - mean) / deviation", "(x_test - x_test.mean(0)) / x_test.std(0)"),
        ("x_train.std(0)", "x_train.std(0, ddof=1)"),
    ),
}
