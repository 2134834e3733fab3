"""Cross-entropy of the softmax, for class labels: a block of threads for each row of scores."""

from __future__ import annotations

from typing import Any

import cupy as cp

from minigrad.backend.kernels.rows import launch, new, text_of, wide_dtype

# With z = x - max(x) and total = sum exp(z), minus the log probability of class c is
# log(total) - z[c]: no number overflows, and none is lost beside a large maximum.
text_of(
    "cross_entropy_rows",
    """
extern "C" __global__ void cross_entropy_rows(
    const T* x, const long long* labels, const A* weight, int weighted, long long ignored,
    double smoothing, long long classes, A* losses, A* shares, A* tops, A* totals
) {
    __shared__ A shared[256];
    const long long row = blockIdx.x;
    const T* scores = x + row * classes;
    A top = (A)scores[0];
    for (long long c = threadIdx.x; c < classes; c += blockDim.x) {
        A value = (A)scores[c];
        if (value > top || value != value) top = value;
    }
    top = all_max(top, shared);
    A total = 0, smooth = 0, weights = 0;
    for (long long c = threadIdx.x; c < classes; c += blockDim.x) {
        A z = (A)scores[c] - top;
        total += exp(z);
        if (smoothing != 0) {
            A w = weighted ? weight[c] : (A)1;
            smooth += w * z;
            weights += w;
        }
    }
    total = all_sum(total, shared);
    if (smoothing != 0) {
        smooth = all_sum(smooth, shared);
        weights = all_sum(weights, shared);
    }
    if (threadIdx.x == 0) {
        const long long label = labels[row];
        A loss = 0, share = 0;
        if (label != ignored) {
            share = weighted ? weight[label] : (A)1;
            loss = share * (log(total) - ((A)scores[label] - top));
            if (smoothing != 0) {
                A even = (weights * log(total) - smooth) / (A)classes;
                loss = (A)(1 - smoothing) * loss + (A)smoothing * even;
            }
        }
        losses[row] = loss;
        shares[row] = share;
        tops[row] = top;
        totals[row] = total;
    }
}
""",
)

# softmax minus target, times the gradient of the row's loss
text_of(
    "cross_entropy_rows_grad",
    """
extern "C" __global__ void cross_entropy_rows_grad(
    const A* g, int one, const A* divisor, const T* x, const long long* labels, const A* weight,
    int weighted, long long ignored, double smoothing, long long classes, const A* tops,
    const A* totals, T* gx
) {
    __shared__ A shared[256];
    const long long row = blockIdx.x, label = labels[row];
    const T* scores = x + row * classes;
    T* result = gx + row * classes;
    if (label == ignored) {
        for (long long c = threadIdx.x; c < classes; c += blockDim.x) result[c] = (T)(A)0;
        return;
    }
    const A slope = g[one ? 0 : row] / divisor[0];
    const A own = (A)(1 - smoothing) * (weighted ? weight[label] : (A)1);
    A all = own;
    if (smoothing != 0) {
        A weights = 0;
        for (long long c = threadIdx.x; c < classes; c += blockDim.x)
            weights += weighted ? weight[c] : (A)1;
        all += (A)smoothing / (A)classes * all_sum(weights, shared);
    }
    const A top = tops[row], total = totals[row];
    for (long long c = threadIdx.x; c < classes; c += blockDim.x) {
        A goal = c == label ? own : (A)0;
        if (smoothing != 0) goal += (A)smoothing / (A)classes * (weighted ? weight[c] : (A)1);
        result[c] = (T)(slope * (exp((A)scores[c] - top) / total * all - goal));
    }
}
""",
)

# The sum of the losses over that of their shares; NaN, with a gradient of 0, over no label at all.
_MEAN = cp.ElementwiseKernel(
    "T sum, T shares",
    "T loss, T divisor",
    'divisor = shares == T(0) ? T(1) : shares; loss = shares == T(0) ? nan("") : sum / shares;',
    "minigrad_cross_entropy_mean",
)


def cross_entropy(
    x: Any, labels: Any, weight: Any, ignored: int, smoothing: float, reduction: str,
    out: Any = None,
) -> Any:  # fmt: skip
    """Return ``loss, divisor, tops, totals`` for scores ``(N, C)`` and int64 labels ``(N,)``.

    ``loss`` is reduced as asked, ``divisor`` what the gradient is divided by; the largest score
    of each row and the sum of the exponentials of the others' distances are for the gradient.
    """
    rows, classes = x.shape
    wide = wide_dtype(x.dtype)
    shape = (rows,) if reduction == "none" else ()
    loss, divisor, tops, totals = new(
        out, ((shape, wide), ((), wide), ((rows,), wide), ((rows,), wide))
    )
    losses = loss if reduction == "none" else cp.empty(rows, wide)
    shares = cp.empty(rows, wide)
    launch("cross_entropy_rows", x.dtype, rows, classes, (
        x, labels, totals if weight is None else weight, cp.int32(weight is not None),
        cp.int64(ignored), cp.float64(smoothing), cp.int64(classes), losses, shares, tops, totals,
    ))  # fmt: skip
    if reduction == "mean":
        _MEAN(losses.sum(), shares.sum(), loss, divisor)
    else:
        divisor.fill(1)
        if reduction == "sum":
            cp.sum(losses, out=loss)
    return loss, divisor, tops, totals


def cross_entropy_grad(
    g: Any, divisor: Any, x: Any, labels: Any, weight: Any, ignored: int, smoothing: float,
    tops: Any, totals: Any, out: Any = None,
) -> Any:  # fmt: skip
    """Return the gradient of the scores for that of the loss, one number or one for each row."""
    rows, classes = x.shape
    (gx,) = new(out, ((x.shape, x.dtype),))
    launch("cross_entropy_rows_grad", x.dtype, rows, classes, (
        g, cp.int32(g.size == 1), divisor, x, labels, totals if weight is None else weight,
        cp.int32(weight is not None), cp.int64(ignored), cp.float64(smoothing), cp.int64(classes),
        tops, totals, gx,
    ))  # fmt: skip
    return gx
