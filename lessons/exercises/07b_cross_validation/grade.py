"""How 07b is graded: by what folds are, and by what a memory without knowledge gets."""

import numpy as np

from minigrad.learn.exercises import Property, expect

HINTS = (
    "Print folds(7, 3, rng). Which numbers are missing, and what do the two arrays of a pair have "
    "in common?",
    "np.array_split cuts an array into k parts that differ by one at most; rng.permutation(n) is a "
    "shuffled np.arange(n).",
    "For part i: validate on parts[i], train on np.concatenate(parts[:i] + parts[i + 1:]).",
)


def pairs_of(answer, n, k, rng):
    """Return the learner's pairs as lists of ints."""
    found = answer.call("folds", n, k, rng)
    expect(
        isinstance(found, (list, tuple)) and len(found) == k,
        f"folds({n}, {k}, rng) must return {k} pairs",
    )
    pairs = []
    for pair in found:
        expect(
            isinstance(pair, (list, tuple)) and len(pair) == 2,
            "each pair is (to train on, to validate on)",
        )
        arrays = [np.asarray(part) for part in pair]
        expect(
            all(a.ndim == 1 and (a.dtype.kind in "iu" or a.size == 0) for a in arrays),
            "a pair holds two arrays of indices, which are whole numbers",
        )
        pairs.append(tuple(a.tolist() for a in arrays))
    return pairs


def what_folds_are(answer, rng):
    """Look at who is trained on and validated, for n that k divides and does not."""
    for n, k in ((6, 3), (7, 3), (11, 4), (5, 5), (9, 2), (20, 7)):
        pairs = pairs_of(answer, n, k, rng)
        name = f"folds({n}, {k}, rng)"
        validated = sorted(i for _, valid in pairs for i in valid)
        expect(
            validated == list(range(n)),
            f"{name}: each of {n} samples must be validated once; validated are {validated}",
        )
        for train, valid in pairs:
            both = sorted(set(train) & set(valid))
            expect(not both, f"{name}: the samples {both} are trained on and validated in one pair")
            expect(
                sorted(train + valid) == list(range(n)),
                f"{name}: a pair must have all {n} samples in it; this one has "
                f"{sorted(train + valid)}",
            )
        sizes = [len(valid) for _, valid in pairs]
        expect(max(sizes) - min(sizes) <= 1, f"{name}: the parts have the sizes {sizes}")


def shuffled(answer, rng):
    """Look whether the parts are dealt by rng, and by nothing else."""
    seed = int(rng.integers(1000))
    first, again, other = (
        pairs_of(answer, 40, 4, np.random.default_rng(s)) for s in (seed, seed, seed + 1)
    )
    expect(first == again, "two generators of one seed give different folds: use rng alone")
    expect(first != other, "two seeds give the same folds: the samples must be shuffled by rng")
    for _, valid in first:
        near = sum(abs(a - b) == 1 for a, b in zip(sorted(valid), sorted(valid)[1:], strict=False))
        expect(near < 9, f"a part is a run of neighbours: {sorted(valid)}")


def remembering(x, y):
    """Return a function that knows the samples of its training, and says 0 of all others."""
    known = dict(zip(x[:, 0].tolist(), y.tolist(), strict=True))
    return lambda samples: np.array([known.get(s, 0) for s in samples[:, 0].tolist()])


def majority(x, y):
    """Return a function that always says the most frequent label of its training."""
    most = int(np.bincount(y).argmax()) if len(y) else 0
    return lambda samples: np.full(len(samples), most)


def what_it_measures(answer, rng):
    """Validate a memory that knows nothing of others, and one that needs to see all classes."""
    for n, k in ((24, 4), (25, 3)):
        x = rng.permutation(n).astype(float)[:, None]
        y = rng.integers(1, 4, n)
        found = answer.call("cross_validate", x, y, k, rng, remembering)
        expect(
            isinstance(found, float) and found == 0,
            f"a memory that is always wrong about samples it has not seen gets {found} instead "
            "of 0.0",
        )
        y = (np.arange(n) >= n // 8).astype(int)  # one in eight is 0
        found = answer.call("cross_validate", x, y, k, rng, majority)
        share = float((y == 1).mean())
        expect(
            isinstance(found, float) and abs(found - share) < 1e-9,
            f"whoever always says the more frequent label is right for {share:.4f} of the "
            f"samples, and gets {found}",
        )


CHECKS = (
    Property("folds: who is trained on, and validated", what_folds_are, ("folds",)),
    Property("folds: shuffled by rng", shuffled, ("folds",)),
    Property("cross_validate: what it measures", what_it_measures, ("cross_validate",)),
)
WRONG = {
    "missing term": (
        ("rng.permutation(n)", "np.arange(n)"),
        ("np.concatenate(parts[:i] + parts[i + 1 :])", "parts[i - 1]"),
    ),
    "typical mistake": (
        ("np.concatenate(parts[:i] + parts[i + 1 :])", "valid"),
        ("np.concatenate(parts[:i] + parts[i + 1 :])", "np.concatenate(parts)"),
        (
            "np.array_split(rng.permutation(n), k)",
            "list(rng.permutation(n)[: n // k * k].reshape(k, -1))",
        ),
        ("pairs.append((train, valid))", "pairs.append((valid, train))"),
        ("rng.permutation(n)", "np.random.default_rng().permutation(n)"),
        ("rng.permutation(n)", "np.random.default_rng(0).permutation(n)"),
        ("fit(x[train], y[train])", "fit(x, y)"),
        ("right / len(y)", "right / (k * (len(y) // k))"),
    ),
}
