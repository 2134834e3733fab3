"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minigrad.backend import Array, is_array, to_device
from minigrad.engine.errors import describe
from minigrad.engine.modes import enable_grad
from minigrad.engine.mutation import changed
from minigrad.engine.recording import replayed
from minigrad.engine.tensor import Tensor, wrap
from minigrad.optim.flat import Flat
from minigrad.optim.line_search import Point, strong_wolfe
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.state import options_of


@dataclass
class _Memory:
    """What goes on from one iteration to the next; arrays in the flat buffer's order."""

    func_evals: int = 0
    n_iter: int = 0
    d: Array = None  # the last direction, and how far it was followed
    t: float = 0.0
    old_dirs: list[Array] = field(default_factory=list)  # changes of the gradient, oldest first
    old_stps: list[Array] = field(default_factory=list)  # and of the parameters
    ro: list[float] = field(default_factory=list)  # 1 / (their product)
    H_diag: float = 1.0
    prev_flat_grad: Array = None
    prev_loss: float = 0.0


_COUNTS = ("func_evals", "n_iter")
_NUMBERS = ("t", "H_diag", "prev_loss")
_ARRAYS = ("d", "prev_flat_grad")
_LISTS = ("old_dirs", "old_stps")


class LBFGS(Optimizer):
    """L-BFGS: Newton's method with a Hessian that is read off the last steps.

    From the last ``history_size`` changes s of the parameters and y of the gradient it makes the
    direction d = -H g without forming the matrix H (the two loops of Nocedal), where H fulfils
    H y = s. Without a line search the step is lr * d; with ``"strong_wolfe"`` the search finds
    its length. For losses computed from all of the data: noise between evaluations ruins y.

    A step makes up to ``max_iter`` iterations and evaluates ``closure`` up to about ``max_eval``
    times. Memory: 2 * ``history_size`` + 5 copies of the parameters.

    Parameters
    ----------
    params : iterable of Tensor
        What to update: one group, of one dtype, on one device.
    lr : float
        The length of a step, or the first one that the line search tries.
    max_iter : int
        Most iterations in a step.
    max_eval : int, optional
        Most evaluations in a step; ``max_iter * 5 // 4`` if it is not given.
    tolerance_grad, tolerance_change : float
        A step ends when the largest element of the gradient is no larger; when the parameters'
        or the loss's change is no larger.
    history_size : int
        How many changes are remembered.
    line_search_fn : {None, "strong_wolfe"}
        See `minigrad.optim.line_search`.

    Raises
    ------
    ValueError
        An option is out of its range, or there is more than one group, dtype or device.
    TypeError
        ``step`` got no closure.

    References
    ----------
    D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization",
    Mathematical Programming 45, 1989.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([-1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.LBFGS([w], max_iter=50, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()  # the loss before the step
    104.0
    >>> [round(x, 3) for x in w.tolist()]
    [1.0, 1.0]
    """

    _state_names = ()

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        self._memory = _Memory()
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add the one group; a second one is refused."""
        if self.param_groups:
            raise ValueError("LBFGS takes one group of parameters: a direction is for all of them")
        super().add_param_group(param_group)
        kinds = {(str(p.dtype), str(p.device)) for p in self.param_groups[0]["params"]}
        if len(kinds) > 1:
            found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise ValueError(
                f"LBFGS takes parameters of one dtype on one device, not {found}; "
                "convert them with module.to(...)"
            )

    def _check(self, group: Mapping[str, Any]) -> None:
        super()._check(group)
        for name in ("tolerance_grad", "tolerance_change"):
            self._check_not_negative(name, group[name])
        for name in ("max_iter", "max_eval", "history_size"):
            value = group[name]
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"LBFGS: {name} must be a whole number >= 1, not {value!r}")
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: line_search_fn must be None or 'strong_wolfe', "
                f"not {group['line_search_fn']!r}"
            )

    # ---- a step -------------------------------------------------------------------------------

    @replayed
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to ``max_iter`` iterations.

        Parameters
        ----------
        closure : callable
            Clears the gradients, computes the loss and its gradients, and returns the loss. It is
            called several times, so what it draws (dropout) should be the same in each.

        Returns
        -------
        Tensor
            The loss before the step, as ``closure`` returned it.
        """
        if closure is None:
            raise TypeError(
                "LBFGS evaluates the loss several times in a step: step(closure), where closure() "
                "calls zero_grad(), computes the loss, calls backward() and returns the loss"
            )
        self._stepped = True
        group, memory = self.param_groups[0], self._memory
        flat = self._flat()
        xp, x = flat.xp, flat.buffer

        def evaluate() -> tuple[Any, float, Array]:
            with enable_grad():
                loss = closure()
            memory.func_evals += 1
            return loss, float(loss), _gradient(flat)

        def size(a: Array) -> float:
            return float(xp.max(xp.absolute(a))) if a.size else 0.0

        def dot(a: Array, b: Array) -> float:
            return float(xp.dot(a, b))

        def move_to(origin: Array, t: float, d: Array) -> None:
            xp.add(origin, xp.multiply(d, flat.scalars[t], x), x)
            changed(x, "LBFGS.step")

        first_loss, loss, g = evaluate()
        started = memory.func_evals - 1
        if size(g) <= group["tolerance_grad"]:
            return first_loss
        for n in range(1, group["max_iter"] + 1):
            memory.n_iter += 1
            if memory.n_iter == 1:
                d = xp.negative(g)
            else:
                self._remember(g, dot, group["history_size"])
                d = self._direction(g, dot, xp)
            memory.d, memory.prev_flat_grad, memory.prev_loss = d, g, loss
            memory.t = float(group["lr"])
            if memory.n_iter == 1:
                memory.t *= min(1.0, 1.0 / float(xp.sum(xp.absolute(g))))
            slope = dot(g, d)
            if slope > -group["tolerance_change"]:
                break
            origin = x.copy()
            if group["line_search_fn"]:

                def along(t: float, origin: Array = origin, d: Array = d) -> Point:
                    move_to(origin, t, d)
                    _, loss, g = evaluate()
                    return Point(t, loss, g, dot(g, d))

                start = Point(0.0, loss, g, slope)
                most = group["max_eval"] - (memory.func_evals - started)
                best, _ = strong_wolfe(along, start, memory.t, size(d), most=most)
                memory.t, loss, g, _ = best
                move_to(origin, memory.t, d)
            else:
                move_to(origin, memory.t, d)
                if n < group["max_iter"]:  # else the next step evaluates it
                    _, loss, g = evaluate()
            if (
                memory.func_evals - started >= group["max_eval"]
                or size(g) <= group["tolerance_grad"]
                or size(d) * abs(memory.t) <= group["tolerance_change"]
                or abs(loss - memory.prev_loss) < group["tolerance_change"]
            ):
                break
        return first_loss

    def _remember(self, g: Array, dot: Callable[..., float], most: int) -> None:
        """Note the last step: by how much the gradient and the parameters changed."""
        memory = self._memory
        y, s = g - memory.prev_flat_grad, memory.d * self._flats[0][0].scalars[memory.t]
        ys = dot(y, s)
        if ys > 1e-10:  # the Hessian has to stay positive
            memory.old_dirs.append(y)
            memory.old_stps.append(s)
            memory.ro.append(1.0 / ys)
            memory.H_diag = ys / dot(y, y)
            for kept in (memory.old_dirs, memory.old_stps, memory.ro):
                del kept[: max(0, len(kept) - most)]

    def _direction(self, g: Array, dot: Callable[..., float], xp: Any) -> Array:
        """Return -H g by the two loops over what is remembered."""
        memory, number = self._memory, self._flats[0][0].scalars
        q, work = xp.negative(g), xp.empty_like(g)
        steps = list(zip(memory.old_stps, memory.old_dirs, memory.ro, strict=True))
        factors = []
        for s, y, ro in reversed(steps):
            factors.append(dot(s, q) * ro)
            xp.subtract(q, xp.multiply(y, number[factors[-1]], work), q)
        xp.multiply(q, number[memory.H_diag], q)
        for (s, y, ro), factor in zip(steps, reversed(factors), strict=True):
            xp.add(q, xp.multiply(s, number[factor - dot(y, q) * ro], work), q)
        return q

    # ---- state --------------------------------------------------------------------------------

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """What is remembered, as torch keeps it: all of it with the first parameter.

        Arrays run over all parameters one after the other, each in row-major order.
        """
        memory = self._memory
        if not memory.func_evals:
            return {}
        flat = self._flat()
        first = self.param_groups[0]["params"][0]
        entry: dict[str, Any] = {name: getattr(memory, name) for name in _COUNTS}
        if memory.n_iter:
            entry |= {name: getattr(memory, name) for name in _NUMBERS}
            entry["ro"] = list(memory.ro)
            for name in _ARRAYS:
                entry[name] = wrap(flat.row_major(getattr(memory, name)), None)
            for name in _LISTS:
                entry[name] = [wrap(flat.row_major(a), None) for a in getattr(memory, name)]
        return {first: entry}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state that `state_dict` returned (torch's are understood too).

        Raises
        ------
        ValueError
            The state is of another optimiser, or of parameters of other number or size.
        """
        (options,) = options_of(self, state_dict)
        entries = state_dict["state"]
        number = state_dict["param_groups"][0]["params"][0]
        others = [n for n in entries if n != number]
        if others:
            raise ValueError(
                f"the state has an entry for parameter {others[0]}: it is not of LBFGS, "
                f"whose only entry is that of parameter {number}"
            )
        memory = _read(self._flat(), entries.get(number) or {})
        self.param_groups[0].update(options)
        self._memory = memory

    def _flat(self) -> Flat:
        """Return the flat buffer; if it was made again, what is remembered follows it."""
        old, memory = self._flats[0], self._memory
        (flat,) = self.gathered(0)
        if old and old[0] is not flat:

            def moved(a: Array) -> Array:
                return _array(flat, "memory", old[0].row_major(a))

            if memory.n_iter:
                memory.d, memory.prev_flat_grad = moved(memory.d), moved(memory.prev_flat_grad)
            memory.old_dirs = [moved(a) for a in memory.old_dirs]
            memory.old_stps = [moved(a) for a in memory.old_stps]
        return flat


def _read(flat: Flat, saved: Mapping[str, Any]) -> _Memory:
    """Return what was saved, checked."""
    memory = _Memory()
    if not saved:
        return memory
    names: tuple[str, ...] = _COUNTS
    if saved.get("n_iter"):
        names = (*_COUNTS, *_NUMBERS, "ro", *_ARRAYS, *_LISTS)
    missing = [name for name in names if saved.get(name) is None]
    unknown = [name for name in saved if name not in vars(memory) and name != "al"]
    if missing or unknown:  # "al" is torch's scratch
        wrong = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}"
        raise ValueError(f"the state {wrong}: it is not of LBFGS")
    for name in names:
        setattr(memory, name, _value(flat, name, saved[name]))
    if not len(memory.ro) == len(memory.old_dirs) == len(memory.old_stps):
        raise ValueError("the state's ro, old_dirs and old_stps have not the same length")
    return memory


def _gradient(flat: Flat) -> Array:
    """Return a new array of all gradients in the buffer's order, 0 where there is none."""
    out = flat.xp.zeros_like(flat.buffer)
    for i, g in enumerate(flat.gradients()):
        if g is not None:
            flat.view(out, i)[...] = g
    return out


def _value(flat: Flat, name: str, value: Any) -> Any:
    """Return a saved value as `_Memory` has it."""
    if name in _COUNTS:
        return int(value)
    if name in _NUMBERS:
        return float(value)
    if name == "ro":
        return [float(v) for v in value]
    if name in _LISTS:
        return [_array(flat, name, v) for v in value]
    return _array(flat, name, value)


def _array(flat: Flat, name: str, value: Any) -> Array:
    array = value._array if isinstance(value, Tensor) else value
    if not is_array(array) or array.dtype.kind != "f":
        raise TypeError(
            f"the state's {name} must be a floating Tensor or array, not {type(value).__name__}; "
            "a torch tensor becomes an array by .numpy()"
        )
    if array.shape != flat.buffer.shape:
        raise ValueError(
            f"the state's {name} is {describe(array)}; the parameters have "
            f"{flat.buffer.size} elements"
        )
    array = to_device(array, flat.xp.device_of(flat.buffer)).astype(flat.buffer.dtype)
    return flat.from_row_major(array)
