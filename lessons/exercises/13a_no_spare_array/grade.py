"""How 13a is graded: bit for bit against the plain step, and by the memory that it asks for."""

import tracemalloc

import numpy as np

from minigrad.learn.exercises import Property, Values, expect, floats

HINTS = (
    "Which of the three results is written last? Until then its place is free.",
    "Begin with new_p, new_m, new_v = np.empty_like(p), np.empty_like(m), np.empty_like(v). Then "
    "0.1 * g can be put into new_p: np.multiply(g, 0.1, out=new_p).",
    "All in new_p, one after the other: 0.1 g (then the new m), g g, 0.001 g g (then the new v), "
    "the root, the root + 1e-8, the quotient, the step, and at last p minus the step.",
)
LONG = 100_000
SPARE = 20_000  # bytes that Python itself may take


def plain(p, g, m, v, rate):
    """Return the step with a name for each array."""
    scaled, squared = g * 0.1, g * g
    new_m, new_v = m * 0.9 + scaled, v * 0.999 + squared * 0.001
    quotient = new_m / (np.sqrt(new_v) + 1e-8)
    return p - quotient * rate, new_m, new_v


def rows(rng, n, dtype):
    """Return p, g, m, v and a rate."""
    p, g, m, v = (x.astype(dtype) for x in floats(rng, *((n,),) * 4))
    return p, g, m, np.abs(v), float(rng.uniform(0.05, 0.5))


def cases(rng):
    """Yield rows of several lengths, in both dtypes, and a first step."""
    for n in (1, 2, 5, 64, 1000):
        yield rows(rng, n, np.float32)
        yield rows(rng, n, np.float64)
    p, g, m, v, rate = rows(rng, 7, np.float32)
    yield p, g, np.zeros_like(m), np.zeros_like(v), rate


def three(answer, *args):
    """Return the three arrays that the answer makes, or say that they are none."""
    found = answer.call("frugal", *args)
    right = isinstance(found, (tuple, list)) and len(found) == 3
    expect(right, "frugal must return three arrays: the new p, the new m and the new v")
    for name, x, p in zip(("p", "m", "v"), found, [args[0]] * 3, strict=True):
        expect(isinstance(x, np.ndarray) and x.shape == p.shape and x.dtype == p.dtype,
               f"the new {name} must be an array of {p.dtype} of shape {p.shape}")  # fmt: skip
    return found


def same_bits(answer, rng):
    """Compare the bits of long rows."""
    for dtype in (np.float32, np.float64):
        args = rows(rng, 5000, dtype)
        for name, a, b in zip("pmv", three(answer, *args), plain(*args), strict=True):
            apart = int(np.count_nonzero(a != b))
            expect(a.tobytes() == b.tobytes(),
                   f"the new {name} differs from plain's in {apart} of 5000 numbers of {a.dtype}, "
                   "by a last bit or more: keep the operations and their order")  # fmt: skip


def memory(answer, rng):
    """Measure the memory that a step on long rows takes at most."""
    args = rows(rng, LONG, np.float32)
    three(answer, *args)
    function, traced = answer.get("frugal"), tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        kept = function(*args)
        took = tracemalloc.get_traced_memory()[1] - before
        del kept
    finally:
        if not traced:
            tracemalloc.stop()
    needed = 3 * 4 * LONG
    expect(took <= needed + SPARE,
           f"with rows of {4 * LONG:,} bytes, the three results take {needed:,} bytes; at one time "
           f"frugal held {took:,}: {took / (4 * LONG):.1f} rows instead of 3")  # fmt: skip


CHECKS = (
    Values("frugal", plain, cases, names=("the new p", "the new m", "the new v")),
    Property("frugal: the same bits", same_bits, ("frugal",)),
    Property("frugal: no array but the results", memory, ("frugal",)),
)
WRONG = {
    "missing term": (
        ("    np.add(new_p, 1e-8, out=new_p)\n", ""),
        ("    np.multiply(new_p, 0.001, out=new_p)\n", ""),
        ("    np.multiply(m, 0.9, out=new_m)\n", "    new_m[...] = m\n"),
    ),
    "typical mistake": (
        ("np.sqrt(new_v, out=new_p)", "new_p = np.sqrt(new_v)"),
        ("np.subtract(p, new_p, out=new_p)", "np.subtract(p, new_p, out=p)\n    new_p = p"),
        ("np.empty_like(p), np.empty_like(m)", "np.empty_like(p), m"),
        ("np.multiply(g, g, out=new_p)", "np.multiply(g, g, out=new_v)"),
        ("np.divide(new_m, new_p, out=new_p)", "new_p[...] = new_m / new_p"),
        ("np.divide(new_m, new_p, out=new_p)",
         "np.divide(1, new_p, out=new_p)\n    np.multiply(new_m, new_p, out=new_p)"),
        ("return new_p, new_m, new_v", "return plain(p, g, m, v, rate)"),
    ),
}  # fmt: skip
