"""The project's own tools, turned on a learner's NumPy functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.tensor import Tensor


def tool_says(ask: Callable[[], Any]) -> str:
    """Return what a tool says of a learner's functions, as text; or that it cannot be asked.

    Examples
    --------
    >>> from minigrad.learn.exercises import tool_says
    >>> tool_says(lambda: "passed"), tool_says(lambda: 1 / 0)
    ('passed', 'nothing: it cannot be asked (ZeroDivisionError: division by zero)')
    """
    try:
        return str(ask())
    except Exception as error:  # whatever a learner's functions may raise
        return f"nothing: it cannot be asked ({type(error).__name__}: {error})"


def tensor_function(
    forward: Callable[..., Any], backward: Callable[..., Any]
) -> Callable[..., Tensor]:
    """Return a function of Tensors, for `minigrad.gradcheck`, from two functions of arrays.

    Its value is ``forward(*arrays)``; the gradients of its operands are what
    ``backward(g, *arrays)`` returns: a tuple, or one array for one operand.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.learn.exercises import tensor_function
    >>> cube = tensor_function(lambda x: x**3, lambda g, x: 3 * x**2 * g)
    >>> x = mg.tensor([1.0, 2.0], dtype=mg.float64)
    >>> mg.gradcheck(cube, x).verdict
    'passed'
    >>> no_chain_rule = tensor_function(lambda x: x**3, lambda g, x: 3 * x**2)
    >>> mg.gradcheck(no_chain_rule, x).verdict
    'failed'
    """

    def function(*operands: Tensor) -> Tensor:
        arrays = [x.detach().numpy().copy() for x in operands]
        value = Tensor(forward(*arrays))
        gradients: list[Any] = []

        def meet(g: Tensor) -> None:
            found = backward(g.detach().numpy().copy(), *arrays)
            gradients[:] = found if isinstance(found, tuple) else (found,)

        def put(place: int) -> Callable[[Tensor], Tensor]:
            return lambda _: Tensor(gradients[place])

        # A path of no weight from each operand to the result: its hooks put the gradients in.
        paths = [x * 1.0 for x in operands]
        link = sum((path.sum() * 0.0 for path in paths), start=Tensor(0.0, dtype=value.dtype))
        link = link.expand(value.shape) if value.shape else link
        if link.requires_grad:
            link.register_hook(meet)
            for i, path in enumerate(paths):
                if path.requires_grad:
                    path.register_hook(put(i))
        return value + link

    return function
