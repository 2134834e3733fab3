"""Functional transforms: derivatives of functions, of any order, composable.

`vjp` is one backward pass. `jvp` uses that a vjp is linear in its cotangent: differentiating it
once more, with respect to the cotangent, transposes it back. The rest are built from these two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.backend import backend_of
from minigrad.engine.backward import gradients
from minigrad.engine.modes import enable_grad, is_grad_enabled
from minigrad.engine.op import TABLE
from minigrad.engine.structural import alias
from minigrad.engine.tensor import Leaf, Tensor, wrap

Argnums = int | tuple[int, ...]


def value_and_grad(
    f: Callable[..., Tensor], argnums: Argnums = 0
) -> Callable[..., tuple[Tensor, Any]]:
    """Return a function that computes ``(f(*args), gradient)`` for a scalar-valued ``f``.

    Parameters
    ----------
    f : callable
        A function of Tensors that returns a Tensor of one element.
    argnums : int or tuple of int
        Which arguments to differentiate by; with a tuple, the gradient is a tuple.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.value_and_grad(lambda x: (x * x).sum())(mg.tensor([1.0, 3.0]))
    (tensor(10.), tensor([2., 6.]))
    """

    def both(*args: Any) -> tuple[Tensor, Any]:
        y, inner, outer = _run(f, args, argnums)
        if y._array.size != 1:
            raise ValueError(
                f"grad needs a function with one value, it returned shape {list(y.shape)}; "
                "use mg.jacobian, or mg.vjp with a cotangent"
            )
        record = _outer_graph(y, inner, outer)
        found = _pull(y, inner, None, record)
        value = y if record else y.detach()  # without the graph that only this transform used
        return value, found if isinstance(argnums, tuple) else found[0]

    return both


def grad(f: Callable[..., Tensor], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of a scalar-valued ``f``.

    Examples
    --------
    >>> import minigrad as mg
    >>> d = mg.grad(mg.tanh)
    >>> float(d(mg.tensor(0.0))), float(mg.grad(mg.grad(mg.grad(mg.tanh)))(mg.tensor(0.0)))
    (1.0, -2.0)
    """
    both = value_and_grad(f, argnums)
    return lambda *args: both(*args)[1]


def vjp(
    f: Callable[..., Tensor], *primals: Any
) -> tuple[Tensor, Callable[[Any], tuple[Tensor, ...]]]:
    """Return ``f(*primals)`` and the function ``v -> v^T J``, one gradient for each primal.

    Examples
    --------
    >>> import minigrad as mg
    >>> y, pull = mg.vjp(lambda x: x * x, mg.tensor([1.0, 3.0]))
    >>> pull(mg.tensor([1.0, 10.0]))
    (tensor([ 2., 60.]),)
    """
    y, inner, outer = _run(f, primals, tuple(range(len(primals))))

    def pull(cotangent: Any) -> tuple[Tensor, ...]:
        v = _tensor(cotangent)
        if v.shape != y.shape:
            raise ValueError(f"cotangent has shape {list(v.shape)}, the value has {list(y.shape)}")
        return _pull(y, inner, v, record or v._node is not None)

    record = _outer_graph(y, inner, outer)
    return y if record else y.detach(), pull


def jvp(
    f: Callable[..., Tensor], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Tensor, Tensor]:
    """Return ``f(*primals)`` and its directional derivative ``J u``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.jvp(lambda x: x * x, [mg.tensor([1.0, 3.0])], [mg.tensor([1.0, 10.0])])
    (tensor([1., 9.]), tensor([ 2., 60.]))
    """
    y, inner, outer = _run(f, primals, tuple(range(len(primals))))
    directions = [_tensor(t) for t in tangents]
    for x, u in zip(inner, directions, strict=True):
        if x.shape != u.shape:
            raise ValueError(f"tangent has shape {list(u.shape)}, the primal has {list(x.shape)}")
    if y._node is None:
        return y, _zeros(y)
    dummy = _leaf(backend_of(y._array).zeros_like(y._array))
    pulled = gradients([y], inner, [dummy], create_graph=True)
    ends = [(g, u) for g, u in zip(pulled, directions, strict=True) if g is not None and g._node]
    record = _outer_graph(y, inner, outer) or any(u._node is not None for u in directions)
    found = (
        gradients([g for g, _ in ends], [dummy], [u for _, u in ends], create_graph=record)[0]
        if ends
        else None
    )
    value = y if record else y.detach()
    return value, _zeros(y) if found is None else found


def jacobian(f: Callable[..., Tensor], argnums: int = 0) -> Callable[..., Tensor]:
    """Return the function that computes the Jacobian of ``f``, of shape ``y.shape + x.shape``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.jacobian(lambda x: x * x)(mg.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """

    def full(*args: Any) -> Tensor:
        y, inner, outer = _run(f, args, argnums)
        record = _outer_graph(y, inner, outer)
        xp = backend_of(y._array)
        rows = []
        for k in range(y._array.size):
            one_hot = xp.zeros(y._array.size, y.dtype)
            one_hot[k] = 1
            rows.append(_pull(y, inner, wrap(one_hot.reshape(y.shape), None), record)[0])
        shape = (*y.shape, *inner[0].shape)
        if not rows:
            return wrap(xp.zeros(shape, y.dtype), None)
        return TABLE["stack"].function(rows).reshape(shape)

    return full


def hessian(f: Callable[..., Tensor], argnums: int = 0) -> Callable[..., Tensor]:
    """Return the function that computes the matrix of second derivatives of a scalar ``f``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.hessian(lambda x: x[0] ** 2 * x[1])(mg.tensor([1.0, 3.0]))
    tensor([[6., 2.],
            [2., 0.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[[Tensor], Tensor], x: Any, v: Any) -> Tensor:
    """Return the product of the Hessian of a scalar ``f`` at ``x`` with ``v``, in two passes.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.hvp(lambda x: (x ** 3).sum(), mg.tensor([1.0, 2.0]), mg.tensor([1.0, 1.0]))
    tensor([ 6., 12.])
    """
    return vjp(grad(f), x)[1](v)[0]


# ---- how: run f on aliases of its arguments, so that inner graphs end there ------------------


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


def _zeros(x: Tensor) -> Tensor:
    return wrap(backend_of(x._array).zeros_like(x._array), None)


def _leaf(array: Any) -> Tensor:
    tensor = wrap(array, None)
    tensor._node = Leaf(tensor)
    return tensor


def _run(
    f: Callable[..., Tensor], args: Sequence[Any], argnums: Argnums
) -> tuple[Tensor, list[Tensor], bool]:
    """Call ``f``; return its value, the tensors to differentiate by, and if a graph is around."""
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    values = list(args)
    inner = []
    outer = False
    with_graph = is_grad_enabled()
    with enable_grad():
        for k in chosen:
            if not -len(args) <= k < len(args):
                raise ValueError(f"argnums {k}: the function was called with {len(args)} arguments")
            x = _tensor(args[k])
            if not x.is_floating_point():
                raise TypeError(
                    f"argument {k} is {x.dtype}: only floating arguments have derivatives, "
                    "convert it with .float()"
                )
            if x._node is not None and with_graph:
                values[k], outer = alias(x), True
            else:
                values[k] = _leaf(x._array)
            inner.append(values[k])
        y = f(*values)
    if not isinstance(y, Tensor):
        raise TypeError(f"the function must return a Tensor, it returned {type(y).__name__}")
    return y, inner, outer


def _outer_graph(y: Tensor, inner: Sequence[Tensor], outer: bool) -> bool:
    """Say whether the derivative must be recorded: something around it wants gradients too.

    That is so if an argument has a graph, or if ``f`` uses a tensor of its own that requires grad.
    """
    if outer or not is_grad_enabled():
        return outer
    own = {x._node for x in inner}
    seen, stack = set(), [y._node]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if type(node) is Leaf:
            if node not in own:
                return True
        else:
            stack.extend(node.parents)  # type: ignore[union-attr]
    return False


def _pull(y: Tensor, inner: Sequence[Tensor], v: Tensor | None, record: bool) -> tuple[Tensor, ...]:
    """Return the gradients by the inner tensors, zeros where there is none."""
    found: Sequence[Tensor | None] = [None] * len(inner)
    if y._node is not None:
        found = gradients([y], inner, [v], retain_graph=True, create_graph=record)
    return tuple(_zeros(x) if g is None else g for g, x in zip(found, inner, strict=True))
