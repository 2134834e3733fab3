"""Kernels for whole ops, written by hand for a GPU; `CupyBackend.kernels` is this package.

CuPy launches a kernel for each call, and each reads and writes whole arrays; one that computes a
whole op reads its operands once. Each works in float32 where the arrays are float16, and adds up
in the same order at every run. ``out`` takes arrays to write the results to.
"""

from minigrad.backend.kernels.cross_entropy import cross_entropy, cross_entropy_grad
from minigrad.backend.kernels.layer_norm import layer_norm, layer_norm_grad, layer_norm_weight_grad
from minigrad.backend.kernels.masked_softmax import masked_softmax, masked_softmax_grad
from minigrad.backend.kernels.optimizer_steps import adam, sgd
from minigrad.backend.kernels.pooling import window_choice, window_max, window_spread, window_sum
from minigrad.backend.kernels.windows import col2im, im2col

__all__ = [
    "adam",
    "col2im",
    "cross_entropy",
    "cross_entropy_grad",
    "im2col",
    "layer_norm",
    "layer_norm_grad",
    "layer_norm_weight_grad",
    "masked_softmax",
    "masked_softmax_grad",
    "sgd",
    "window_choice",
    "window_max",
    "window_spread",
    "window_sum",
]
