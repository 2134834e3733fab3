"""How 10b is graded: by windows that are laid out one by one, and by minigrad's own layers."""

import numpy as np

import minigrad as mg
from minigrad.learn.exercises import Values

HINTS = (
    "Lay the windows of a small case out on paper: 5 pixels, a kernel of 2, stride 2, padding 1. "
    "How many are whole?",
    "features must not know that the image is D4's: call windows four times for each axis.",
    "n + 2 * padding, rounded down by //; 64 * h * w by windows; maps.reshape(len(maps), -1).",
)


def laid_out(n, kernel, stride, padding):
    """Lay windows out until one does not fit."""
    count = 0
    while stride * count + kernel <= n + 2 * padding:
        count += 1
    return count


def window_cases(rng):
    """Yield sizes, those included in which a part of a window is left over."""
    yield 32, 3, 1, 1
    yield 7, 3, 2, 0
    for _ in range(40):
        kernel = int(rng.integers(1, 6))
        padding = int(rng.integers(0, 3))
        n = int(rng.integers(max(1, kernel - 2 * padding), 40))
        yield n, kernel, int(rng.integers(1, 5)), padding


def by_layers(height, width):
    """Return the number that minigrad's own layers end with."""
    maps = mg.zeros(1, 1, height, width)
    for outputs in (2, 64):
        kernel = mg.zeros(outputs, maps.shape[1], 3, 3)
        maps = mg.max_pool2d(mg.conv2d(maps, kernel, padding=1), 2)
    return maps.numel()


def image_cases(rng):
    """Yield sizes of images, square and not, odd and even."""
    yield 32, 32
    yield 24, 24
    yield 4, 4
    for _ in range(8):
        yield int(rng.integers(4, 50)), int(rng.integers(4, 50))


def one_by_one(maps):
    """Return the rows, image by image."""
    return np.stack([image.ravel() for image in maps])


def map_cases(rng):
    """Yield maps whose numbers could be cut into other rows as well."""
    for shape in ((9, 64, 8, 8), (4, 64, 6, 6), (9, 4, 4, 4), (1, 64, 8, 8), (16, 1, 3, 5)):
        yield (rng.normal(size=shape),)


CHECKS = (
    Values("windows", laid_out, window_cases),
    Values("features", by_layers, image_cases),
    Values("rows", one_by_one, map_cases),
)
WRONG = {
    "missing term": (
        ("n + 2 * padding - kernel", "n + padding - kernel"),
        ("// stride + 1", "// stride"),
        ("            n = windows(n, 2, 2, 0)\n", ""),
        ("count = 64", "count = 1"),
    ),
    "wrong axis": (("for n in (height, width)", "for n in (height, height)"),),
    "typical mistake": (
        ("(n + 2 * padding - kernel) // stride + 1", "-((kernel - n - 2 * padding) // stride) + 1"),
        (
            "(n + 2 * padding - kernel) // stride + 1",
            "round((n + 2 * padding - kernel) / stride) + 1",
        ),
        ("windows(n, 3, 1, 1)", "windows(n, 3, 1, 0)"),
        ("for _ in range(2)", "for _ in range(1)"),
        ("np.reshape(maps, (len(maps), -1))", "np.reshape(maps, (-1, 4096))"),
        ("np.reshape(maps, (len(maps), -1))", "np.reshape(maps, (-1, len(maps))).T"),
    ),
}
