"""Activation functions as modules, made from the functions of the op table.

The options of a module, their defaults and its representation are those of its function::

    >>> import minigrad as mg
    >>> mg.nn.LeakyReLU(0.2)
    LeakyReLU(negative_slope=0.2)
    >>> mg.nn.LeakyReLU(0.2)(mg.tensor([-1.0, 1.0]))
    tensor([-0.2,  1. ])
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from minigrad import ops
from minigrad.nn import init
from minigrad.nn.blank import blank, check_count
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter


class Activation(Module):
    """Base of the modules that are a function of one tensor with some options."""

    function: ClassVar[Callable[..., Any]]
    signature: ClassVar[inspect.Signature]  # of the options

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        try:
            options = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            name = type(self).__name__
            raise TypeError(f"{name}{self.signature} was called wrongly: {error}") from None
        options.apply_defaults()
        for name, value in options.arguments.items():
            setattr(self, name, value)

    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.signature.parameters}

    def forward(self, x: Any) -> Any:
        """Return the function of x."""
        return type(self).function(x, *self._options().values())

    def extra_repr(self) -> str:
        """Return the options."""
        return ", ".join(f"{name}={value!r}" for name, value in self._options().items())


def _module(name: str, function: Callable[..., Any]) -> type[Activation]:
    """Make the module class of an activation function."""
    _, *options = inspect.signature(function).parameters.values()
    options = [p for p in options if p.kind is not p.KEYWORD_ONLY and p.name != "dtype"]
    body = {
        "__doc__": f"`minigrad.{function.__name__}` as a module.\n\n    {inspect.getdoc(function)}",
        "__module__": __name__,
        "__signature__": inspect.Signature(options),
        "function": staticmethod(function),
        "signature": inspect.Signature(options),
    }
    return type(name, (Activation,), body)


CELU = _module("CELU", ops.celu)
ELU = _module("ELU", ops.elu)
GELU = _module("GELU", ops.gelu)
Hardsigmoid = _module("Hardsigmoid", ops.hardsigmoid)
Hardswish = _module("Hardswish", ops.hardswish)
Hardtanh = _module("Hardtanh", ops.hardtanh)
LeakyReLU = _module("LeakyReLU", ops.leaky_relu)
LogSigmoid = _module("LogSigmoid", ops.logsigmoid)
LogSoftmax = _module("LogSoftmax", ops.log_softmax)
Mish = _module("Mish", ops.mish)
ReLU = _module("ReLU", ops.relu)
ReLU6 = _module("ReLU6", ops.relu6)
SELU = _module("SELU", ops.selu)
Sigmoid = _module("Sigmoid", ops.sigmoid)
SiLU = _module("SiLU", ops.silu)
Softmax = _module("Softmax", ops.softmax)
Softplus = _module("Softplus", ops.softplus)
Softsign = _module("Softsign", ops.softsign)
Tanh = _module("Tanh", ops.tanh)
Tanhshrink = _module("Tanhshrink", ops.tanhshrink)


class PReLU(Module):
    """Leaky ReLU whose slope for negative numbers is learned, one for all or one per channel.

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels (axis 1 of the input).
    init : float
        The first slope.

    References
    ----------
    K. He et al., "Delving Deep into Rectifiers", ICCV 2015.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.PReLU()(mg.tensor([-2.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = check_count("num_parameters", num_parameters)
        self.init = init
        self.weight = Parameter(blank((self.num_parameters,), device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to their first value."""
        init.constant_(self.weight, self.init)

    def forward(self, x: Any) -> Any:
        """Return x, with its negative elements times the slope."""
        return ops.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """Return the number of slopes."""
        return f"num_parameters={self.num_parameters}"
