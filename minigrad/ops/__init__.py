"""The op table: every op by its name, as a function and as a method of `Tensor`."""

from minigrad.ops.activation import *  # noqa: F403
from minigrad.ops.arithmetic import *  # noqa: F403
from minigrad.ops.attention import *  # noqa: F403
from minigrad.ops.channel_norm import *  # noqa: F403
from minigrad.ops.classification import *  # noqa: F403
from minigrad.ops.compare import *  # noqa: F403
from minigrad.ops.conv import *  # noqa: F403
from minigrad.ops.convert import *  # noqa: F403
from minigrad.ops.create import *  # noqa: F403
from minigrad.ops.cumulative import *  # noqa: F403
from minigrad.ops.dense import *  # noqa: F403
from minigrad.ops.diagonals import *  # noqa: F403
from minigrad.ops.dropout import *  # noqa: F403
from minigrad.ops.einsum import *  # noqa: F403
from minigrad.ops.exponential import *  # noqa: F403
from minigrad.ops.extrema import *  # noqa: F403
from minigrad.ops.index import *  # noqa: F403
from minigrad.ops.joining import *  # noqa: F403
from minigrad.ops.linalg import *  # noqa: F403
from minigrad.ops.losses import *  # noqa: F403
from minigrad.ops.margins import *  # noqa: F403
from minigrad.ops.methods import install
from minigrad.ops.norm import *  # noqa: F403
from minigrad.ops.pad import *  # noqa: F403
from minigrad.ops.pool import *  # noqa: F403
from minigrad.ops.random import *  # noqa: F403
from minigrad.ops.recurrent import *  # noqa: F403
from minigrad.ops.reduce import *  # noqa: F403
from minigrad.ops.resample import *  # noqa: F403
from minigrad.ops.rounding import *  # noqa: F403
from minigrad.ops.shape import *  # noqa: F403
from minigrad.ops.sorting import *  # noqa: F403
from minigrad.ops.trigonometric import *  # noqa: F403

install()

# What `from minigrad.ops import *` brings: the functions, not the modules that they come from.
__all__ = [
    name
    for name, value in list(globals().items())
    if callable(value) and not name.startswith("_") and name != "install"
]
