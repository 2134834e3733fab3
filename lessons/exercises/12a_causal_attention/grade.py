"""How 12a is graded: against a loop over words, for batches, heads, one word, and large scores."""

import math

import numpy as np

from minigrad.learn.exercises import Property, Values, expect, floats

HINTS = (
    "Without mask and batch it is three lines: scores, weights, mean. Use @, and swapaxes(k, -1, "
    "-2) for the transpose of the last two axes.",
    "np.where(np.tri(n) > 0, scores, -np.inf) leaves the scores of earlier words. And the axis of "
    "the softmax is the one of the words that are looked at.",
    "powers = np.exp(scores - scores.max(axis=-1, keepdims=True)); divide by "
    "powers.sum(axis=-1, keepdims=True); multiply by v.",
)


def by_words(q, k, v):
    """Return the answer word by word: nobody sees what is not there yet."""
    found = np.zeros((*q.shape[:-1], v.shape[-1]))
    for place in np.ndindex(q.shape[:-2]):
        for i in range(q.shape[-2]):
            scores = [
                math.fsum(a * b for a, b in zip(q[place][i], k[place][j], strict=True))
                / math.sqrt(q.shape[-1])
                for j in range(i + 1)
            ]
            weights = [math.exp(s - max(scores)) for s in scores]
            for j, weight in enumerate(weights):
                found[place][i] += weight / sum(weights) * v[place][j]
    return found


def cases(rng):
    """Yield one word, several, square shapes, batches with heads, and large scores."""
    for shape, wide, large in (
        ((1, 1), 1, 1), ((3, 3), 3, 1), ((4, 2), 3, 1), ((3, 5), 2, 1), ((2, 4, 4), 4, 1),
        ((2, 3, 4, 2), 5, 1), ((3, 1, 3), 3, 1), ((4, 4), 2, 40),
    ):  # fmt: skip
        q, k, v = floats(rng, shape, shape, (*shape[:-1], wide))
        yield large * q, large * k, v


def no_look_ahead(answer, rng):
    """Change later words, and see whether earlier results stay as they were, to the last bit."""
    q, k, v = floats(rng, (5, 3), (5, 3), (5, 2))
    before = answer.call("attend", q, k, v)
    for last in range(1, 5):
        others = [x.copy() for x in (q, k, v)]
        for x in others:
            x[last:] = floats(rng, x[last:].shape)
        after = answer.call("attend", *others)
        expect(
            np.array_equal(np.asarray(before)[:last], np.asarray(after)[:last]),
            f"word {last} (from 0) and later ones were changed, and the results of earlier words "
            "changed with them: they look ahead",
        )


CHECKS = (
    Values("attend", by_words, cases),
    Property("no word looks ahead", no_look_ahead, ("attend",)),
)
WRONG = {
    "missing term": (
        (" / np.sqrt(q.shape[-1])", ""),
        ("np.where(np.tri(q.shape[-2]) > 0, scores, -np.inf)", "scores"),
        ("scores - scores.max(axis=-1, keepdims=True)", "scores"),
        ("powers / powers.sum(axis=-1, keepdims=True) @ v", "powers @ v"),
    ),
    "wrong axis": (
        (
            "scores.max(axis=-1, keepdims=True))\n    return powers / powers.sum(axis=-1,",
            "scores.max(axis=-2, keepdims=True))\n    return powers / powers.sum(axis=-2,",
        ),
    ),
    "typical mistake": (
        ("np.sqrt(q.shape[-1])", "q.shape[-1]"),
        ("np.sqrt(q.shape[-1])", "np.sqrt(v.shape[-1])"),
        ("np.tri(q.shape[-2]) > 0", "np.tri(q.shape[-2]).T > 0"),
        (
            "np.tri(q.shape[-2]) > 0",
            "np.tri(q.shape[-2], k=-1) + (np.arange(q.shape[-2]) == 0) > 0",
        ),
        ("scores, -np.inf)", "scores, 0.0)"),
        ("scores, -np.inf)", "scores, -1.0)"),
        ("powers / powers.sum", "np.tri(q.shape[-2]) * powers / (1 + powers).sum"),
    ),
}
