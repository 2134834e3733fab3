"""How 12b is graded: head by head, from slices of the features; then by minigrad's own heads."""

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.learn.exercises import Property, Values, expect_near, floats

HINTS = (
    "Give split numbers that say where they come from: np.arange(12).reshape(3, 4), two heads. "
    "Which words are in head 0?",
    "To move an axis takes swapaxes (or transpose). And count over what a head's score is a sum, "
    "and which axis of the weights should sum to 1.",
    "split: x.reshape(words, heads, -1).swapaxes(0, 1). join is its inverse: swapaxes first.",
)
SIZES = ((1, 1, 1), (2, 2, 1), (2, 2, 2), (3, 4, 2), (4, 6, 3), (3, 9, 3), (5, 8, 4), (4, 4, 4))


def sliced(x, heads):
    """Return the heads as slices of the features."""
    part = x.shape[1] // heads
    return np.stack([x[:, h * part : (h + 1) * part] for h in range(heads)])


def by_slices(q, k, v, heads):
    """Return each head's attention, side by side."""
    found = []
    for a, b, c in zip(*(sliced(x, heads) for x in (q, k, v)), strict=True):
        powers = np.exp(np.einsum("id,jd->ij", a, b) * a.shape[1] ** -0.5)
        found.append(np.einsum("ij,jd->id", powers, c) / powers.sum(axis=1)[:, None])
    return np.hstack(found)


def rows(rng):
    """Yield words and a number of heads."""
    for words, features, heads in SIZES:
        yield floats(rng, (words, features)), heads


def parts(rng):
    """Yield heads to be joined."""
    for words, features, heads in SIZES:
        yield (floats(rng, (heads, words, features // heads)),)


def triples(rng):
    """Yield queries, keys, values and a number of heads."""
    for words, features, heads in SIZES:
        yield *floats(rng, *((words, features),) * 3), heads


def as_minigrads(answer, rng):
    """Compare with nn.MultiheadAttention whose dense layers change nothing."""
    for words, features, heads in SIZES[2:]:
        layer = nn.MultiheadAttention(features, heads, bias=False, dtype=mg.float64)
        one = np.eye(features)
        layer.load_state_dict({"in_proj_weight": np.vstack([one] * 3), "out_proj.weight": one})
        q, k, v = floats(rng, *((words, features),) * 3)
        right, _ = layer(*(mg.tensor(x) for x in (q, k, v)))
        found = answer.call("attend", q, k, v, heads)
        expect_near(found, right, f"attend with {heads} heads, against nn.MultiheadAttention")


CHECKS = (
    Values("split", sliced, rows),
    Values("join", lambda x: np.hstack(list(x)), parts),
    Values("attend", by_slices, triples),
    Property("attend as nn.MultiheadAttention has it", as_minigrads, ("attend",)),
)
WRONG = {
    "missing term": (
        ("q.shape[-1] // heads\n", "q.shape[-1]\n"),
        (" / np.sqrt(d)", ""),
        ("join(softmax(scores, axis=-1) @ v)", "join(scores @ v)"),
    ),
    "wrong axis": (
        ("axis=-1) @ v", "axis=-2) @ v"),
        ("axis=-1) @ v", "axis=0) @ v"),
    ),
    "typical mistake": (
        ("k.swapaxes(-1, -2)", "k.swapaxes(-1, -2)[::-1]"),
        (
            "x.reshape(words, heads, features // heads).swapaxes(0, 1)",
            "x.reshape(heads, words, features // heads)",
        ),
        ("x.swapaxes(0, 1).reshape(words, heads * part)", "x.reshape(words, heads * part)"),
        (
            "x.reshape(words, heads, features // heads).swapaxes(0, 1)",
            "x.reshape(words, features // heads, heads).transpose(2, 0, 1)",
        ),
        ("axis=-1) @ v", "axis=-1).swapaxes(-1, -2) @ v"),
        ("np.sqrt(d)", "d"),
    ),
}
