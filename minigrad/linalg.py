"""Linear algebra under the names of ``torch.linalg``."""

from minigrad.ops.matrix import linalg_det as det
from minigrad.ops.matrix import linalg_inv as inv
from minigrad.ops.matrix import linalg_norm as norm
from minigrad.ops.matrix import linalg_slogdet as slogdet
from minigrad.ops.matrix import linalg_solve as solve

__all__ = ["det", "inv", "norm", "slogdet", "solve"]
