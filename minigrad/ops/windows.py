"""Where the windows of a kernel lie: the geometry that convolution, pooling and unfold share.

Along an axis, window ``o`` reads the elements ``o * stride - padding + k * dilation`` for
``k = 0 .. kernel - 1``; what falls outside the axis is padding. So an offset ``k`` pairs a slice of
the windows with a slice of the elements, and a loop over the few offsets replaces one over the
many windows, without a padded copy.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from minigrad.ops.dims import check_int

Spatial = int | Sequence[int]  # one number for all axes, or one for each
Index = tuple[Any, ...]


class Windows(NamedTuple):
    """Windows over the last axes of an array, one entry for each axis."""

    size: tuple[int, ...]  # of the array
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]  # before the first element; behind the last there is what it takes
    dilation: tuple[int, ...]
    counts: tuple[int, ...]  # of windows

    @property
    def span(self) -> tuple[int, ...]:
        """How far a window reaches: from its first element to its last."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def reach(self) -> tuple[int, ...]:
        """How far all windows reach together, from the first padding on."""
        last = [(n - 1) * s for n, s in zip(self.counts, self.stride, strict=True)]
        return tuple(a + b for a, b in zip(last, self.span, strict=True))

    @property
    def overlapping(self) -> bool:
        """Whether two windows can share an element."""
        return any(s < n for s, n in zip(self.stride, self.span, strict=True))

    def pairs(self) -> Iterator[tuple[Index, Index]]:
        """Yield, for each offset in the kernel in order, its windows and its elements."""
        axes = [[self._pair(axis, k) for k in range(n)] for axis, n in enumerate(self.kernel)]
        for chosen in itertools.product(*axes):
            yield tuple(w for w, _ in chosen), tuple(e for _, e in chosen)

    def _pair(self, axis: int, k: int) -> tuple[slice, slice]:
        stride = self.stride[axis]
        start = k * self.dilation[axis] - self.padding[axis]  # the element of window 0
        first = max(0, -(start // stride))
        last = min(self.counts[axis], (self.size[axis] - 1 - start) // stride + 1)
        if first >= last:
            return slice(0, 0), slice(0, 0)
        begin, end = start + first * stride, start + (last - 1) * stride
        return slice(first, last), slice(begin, end + 1, stride)

    @property
    def covering(self) -> bool:
        """Whether every element is in one window exactly."""
        ends = zip(self.reach, self.padding, self.size, strict=True)
        side_by_side = self.stride == self.kernel and set(self.dilation) == {1}
        return side_by_side and all(r - p >= n for r, p, n in ends)

    @property
    def transposed(self) -> Windows | None:
        """The windows that each element is seen by: what windows of stride 1 are turned round.

        They lie over the windows' axes, with the kernel's offsets in reverse order. None if the
        stride is not 1, or they would leave out some of the windows.
        """
        padding = tuple(
            d * (k - 1) - p
            for k, d, p in zip(self.kernel, self.dilation, self.padding, strict=True)
        )
        if set(self.stride) != {1} or min(padding) < 0:
            return None
        return self._replace(size=self.counts, padding=padding, counts=self.size)

    def lines(self) -> Iterator[Windows]:
        """Yield the windows along one axis after another: each takes what the last one left."""
        for axis, count in enumerate(self.counts):
            one = {"kernel": 1, "stride": 1, "padding": 0, "dilation": 1}
            entries = {
                n: tuple(v if i == axis else one[n] for i, v in enumerate(getattr(self, n)))
                for n in one
            }
            size = (*self.counts[:axis], *self.size[axis:])
            counts = (*self.counts[:axis], count, *self.size[axis + 1 :])
            yield Windows(size=size, counts=counts, **entries)

    def rows(self, first: int, last: int) -> Windows:
        """Return some windows of the first axis, counted from there."""
        padding = self.padding[0] - first * self.stride[0]
        return self._replace(
            padding=(padding, *self.padding[1:]), counts=(last - first, *self.counts[1:])
        )


def images_at_once(share: float) -> int:
    """Return the power of two nearest to a number of images that would fill a tile.

    So the tiles of one op nest in those of another, and what a tile of the one needs is what a
    tile of the other left, perhaps still in the cache.
    """
    return 1 << max(0, round(math.log2(max(share, 1))))


def spatial(name: str, value: Spatial, rank: int, least: int) -> tuple[int, ...]:
    """Return an option as one int for each of ``rank`` axes, or raise `ValueError`."""
    try:
        given = value if isinstance(value, Sequence) else (value,)
        numbers = tuple(check_int(v, name) for v in given)
    except TypeError:
        numbers = ()
    if len(numbers) == 1:
        numbers *= rank
    if len(numbers) != rank or min(numbers) < least:
        kind = "an int" if rank == 1 else f"an int or {rank} ints"
        raise ValueError(f"{name} must be {kind} of at least {least}, not {value!r}")
    return numbers


def place(
    size: Sequence[int],
    kernel: Spatial,
    stride: Spatial,
    padding: Spatial | str,
    dilation: Spatial,
    ceil_mode: bool = False,
) -> Windows:
    """Lay windows over axes of lengths ``size``, as many as fit.

    ``padding`` is one number an axis, for both ends, or ``"valid"`` (none) or ``"same"`` (as many
    windows as elements; the odd one goes behind). With ``ceil_mode`` a last window may reach over
    the padded end, as long as it starts before it.
    """
    rank = len(size)
    size = tuple(size)
    kernel = spatial("kernel_size", kernel, rank, 1)
    stride = spatial("stride", stride, rank, 1)
    dilation = spatial("dilation", dilation, rank, 1)
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if padding == "same":
        if stride != (1,) * rank:
            raise ValueError(
                f"padding='same' goes with stride 1 only, not {stride}: give the padding as a "
                "number (half the kernel) to have a stride"
            )
        return Windows(size, kernel, stride, tuple(r // 2 for r in reach), dilation, size)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding must be numbers, 'same' or 'valid', not {padding!r}")
    low = (0,) * rank if isinstance(padding, str) else spatial("padding", padding, rank, 0)
    count = []
    for n, p, r, s in zip(size, low, reach, stride, strict=True):
        room = n + 2 * p - r - 1  # how far the first window can move
        fits = room // s + 1
        if ceil_mode and room % s and fits * s < n + p:
            fits += 1
        count.append(fits)
    windows = Windows(size, kernel, stride, low, dilation, tuple(count))
    if min(count) < 1:
        padded = [n + 2 * p for n, p in zip(size, low, strict=True)]
        raise ValueError(
            f"a window spans {list(windows.span)} elements (kernel {list(kernel)}, dilation "
            f"{list(dilation)}), more than the {padded} there are with padding: take a smaller "
            "kernel, or more padding"
        )
    return windows
