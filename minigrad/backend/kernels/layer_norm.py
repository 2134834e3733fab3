"""LayerNorm and RMSNorm: a block of threads for each row."""

from __future__ import annotations

from typing import Any

import cupy as cp

from minigrad.backend.kernels.rows import TEXTS, kernel, launch, new, text_of, wide_dtype

# The mean first, then the mean of the squared distances from it: a single pass over x and x * x
# would lose the variance beside a large mean.
text_of(
    "layer_norm_rows",
    """
extern "C" __global__ void layer_norm_rows(
    const T* x, const A* weight, int weighted, const A* bias, int biased, double eps, int centred,
    long long width, T* y, A* means, A* scales
) {
    __shared__ A shared[256];
    const long long row = blockIdx.x;
    const T* values = x + row * width;
    A mean = 0;
    if (centred) {
        A sum = 0;
        for (long long c = threadIdx.x; c < width; c += blockDim.x) sum += (A)values[c];
        mean = all_sum(sum, shared) / (A)width;
    }
    A square = 0;
    for (long long c = threadIdx.x; c < width; c += blockDim.x) {
        A d = (A)values[c] - mean;
        square += d * d;
    }
    const A scale = (A)1 / sqrt(all_sum(square, shared) / (A)width + (A)eps);
    for (long long c = threadIdx.x; c < width; c += blockDim.x) {
        A value = ((A)values[c] - mean) * scale;
        if (weighted) value *= weight[c];
        if (biased) value += bias[c];
        y[row * width + c] = (T)value;
    }
    if (threadIdx.x == 0) {
        means[row] = mean;
        scales[row] = scale;
    }
}
""",
)

# The gradient times the weight, without its parts along the mean and along x itself.
text_of(
    "layer_norm_rows_grad",
    """
extern "C" __global__ void layer_norm_rows_grad(
    const T* g, const T* x, const A* weight, int weighted, int centred, long long width,
    const A* means, const A* scales, T* gx
) {
    __shared__ A shared[256];
    const long long row = blockIdx.x, start = row * width;
    const A mean = means[row], scale = scales[row];
    A sum = 0, along = 0;
    for (long long c = threadIdx.x; c < width; c += blockDim.x) {
        A slope = (A)g[start + c] * (weighted ? weight[c] : (A)1);
        sum += slope;
        along += slope * (((A)x[start + c] - mean) * scale);
    }
    along = all_sum(along, shared) / (A)width;
    sum = centred ? all_sum(sum, shared) / (A)width : (A)0;
    for (long long c = threadIdx.x; c < width; c += blockDim.x) {
        A slope = (A)g[start + c] * (weighted ? weight[c] : (A)1);
        A normal = ((A)x[start + c] - mean) * scale;
        gx[start + c] = (T)(scale * (slope - sum - normal * along));
    }
}
""",
)

# A block sums 32 columns over some of the rows, 8 rows at a time; the sums of the parts are added
# afterwards.
text_of(
    "layer_norm_columns",
    """
extern "C" __global__ void layer_norm_columns(
    const T* g, const T* x, const A* means, const A* scales, long long rows, long long width,
    long long part, A* sums
) {
    __shared__ A shared[256];
    const long long column = blockIdx.x * 32LL + threadIdx.x % 32;
    const int line = threadIdx.x / 32;
    const long long first = blockIdx.y * part;
    const long long last = first + part < rows ? first + part : rows;
    A sum = 0;
    if (column < width) {
        for (long long row = first + line; row < last; row += 8)
            sum += (A)g[row * width + column]
                * (((A)x[row * width + column] - means[row]) * scales[row]);
    }
    shared[threadIdx.x] = sum;
    __syncthreads();
    for (int half = 4; half > 0; half /= 2) {
        if (line < half) shared[threadIdx.x] += shared[threadIdx.x + 32 * half];
        __syncthreads();
    }
    if (line == 0 && column < width) sums[blockIdx.y * width + column] = shared[threadIdx.x];
}
""",
)

_PART = 256  # rows that one block adds up, at least
_MOST = 65535  # blocks along the second axis of a grid


def layer_norm(x: Any, weight: Any, bias: Any, eps: float, centred: bool, out: Any = None) -> Any:
    """Return ``y, means, scales`` for rows ``(N, D)``; the mean is 0 unless ``centred``.

    ``(x - mean) / sqrt(mean((x - mean)^2) + eps) * weight + bias``; weight and bias have the
    dtype that is computed in.
    """
    rows, width = x.shape
    wide = wide_dtype(x.dtype)
    y, means, scales = new(out, ((x.shape, x.dtype), ((rows,), wide), ((rows,), wide)))
    launch("layer_norm_rows", x.dtype, rows, width, (
        x, means if weight is None else weight, cp.int32(weight is not None),
        means if bias is None else bias, cp.int32(bias is not None), cp.float64(eps),
        cp.int32(centred), cp.int64(width), y, means, scales,
    ))  # fmt: skip
    return y, means, scales


def layer_norm_grad(
    g: Any, x: Any, weight: Any, means: Any, scales: Any, centred: bool, out: Any = None
) -> Any:
    """Return the gradient of the rows."""
    rows, width = x.shape
    (gx,) = new(out, ((x.shape, x.dtype),))
    launch("layer_norm_rows_grad", x.dtype, rows, width, (
        g, x, means if weight is None else weight, cp.int32(weight is not None), cp.int32(centred),
        cp.int64(width), means, scales, gx,
    ))  # fmt: skip
    return gx


def layer_norm_weight_grad(g: Any, x: Any, means: Any, scales: Any, out: Any = None) -> Any:
    """Return the gradient of the weight: the sums of ``g`` times the normalised rows."""
    rows, width = x.shape
    (total,) = new(out, (((width,), means.dtype),))
    part = max(_PART, -(-rows // _MOST))
    parts = max(1, -(-rows // part))
    sums = cp.empty((parts, width), means.dtype)
    if width:
        name = "layer_norm_columns"
        kernel(TEXTS[name], name, str(x.dtype))((-(-width // 32), parts), (256,), (
            g, x, means, scales, cp.int64(rows), cp.int64(width), cp.int64(part), sums,
        ))  # fmt: skip
    cp.sum(sums, axis=0, out=total)
    return total
