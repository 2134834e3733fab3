"""Optimizer: parameter groups, and the one loop in which all optimisers run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from minigrad.backend import Backend
from minigrad.backend.several import SEVERAL, staying
from minigrad.engine.errors import describe
from minigrad.engine.modes import enable_grad
from minigrad.engine.mutation import changed
from minigrad.engine.recording import recorder, replayed
from minigrad.engine.tensor import Tensor, wrap
from minigrad.optim.decay import decays
from minigrad.optim.flat import Chunk, Flat, Run, Scalars, gather
from minigrad.optim.state import OF_SCHEDULES, load, save
from minigrad.optim.straight import record_step

Update = Callable[..., None]  # (p, g, work, *state): change p and the state in place


class Optimizer:
    """Base of all optimisers.

    A subclass names what it keeps about a parameter (``_state_names``) and gives the update of a
    stretch of parameters (``_update``), written with in-place array functions. The parameters are
    gathered in flat buffers at the first step (`minigrad.optim.flat`): each one's array then is
    a view of its group's buffer, in the memory order that it had. A parameter whose array is
    replaced later (``p.data = ...``, ``module.to(...)``) is gathered again, with its state.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        The tensors to update; or groups, dicts with ``"params"`` and options of their own.
    defaults : dict
        The options of a group that does not state them.

    Raises
    ------
    TypeError
        ``params`` is a single tensor or a set, or holds something else than floating tensors.
    ValueError
        No parameters, one parameter twice, a computed tensor, or an option out of its range.

    Examples
    --------
    A new optimiser says how a stretch of the buffers changes:

    >>> import minigrad as mg
    >>> class SignDescent(mg.optim.Optimizer):
    ...     _state_names = ()
    ...
    ...     def __init__(self, params, lr=0.5):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     def _update(self, group, steps, xp, number):
    ...         def update(p, g, work):
    ...             xp.multiply(xp.sign(g, work), group["lr"], work)
    ...             xp.subtract(p, work, p)
    ...         return update
    >>> w = mg.tensor([3.0, -2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> SignDescent([w]).step()
    >>> w.tolist()
    [2.5, -1.5]
    """

    _state_names: tuple[str, ...]  # of all arrays that it may keep about a parameter
    _first_numbers: Mapping[str, float] = MappingProxyType({})  # kept as well, as they begin
    _counts_steps = True  # whether an update depends on how many there were
    _spares = 0  # how many scratch arrays an update needs beside ``work``

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._flats: list[list[Flat]] = []  # of each group
        self._name = type(self).__name__
        self._stepped = False  # schedules warn if they are stepped first
        if isinstance(params, (Tensor, dict)):
            kind = "Tensor" if isinstance(params, Tensor) else "dict"
            raise TypeError(
                f"{self._name} takes a list of parameters, not one {kind}: wrap it in [ ]"
            )
        groups = self._ordered(params)
        if not groups:
            raise ValueError(
                f"{self._name} got no parameters. model.parameters() can be read only once; and "
                "layers in a plain list are not seen, keep them in nn.Sequential or nn.ModuleList"
            )
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict with ``"params"``, and options that differ from the defaults."""
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(f"a group is a dict with a 'params' entry, not {param_group!r:.80}")
        group = self.defaults | param_group
        unknown = sorted(set(group) - set(self.defaults) - {"params", *OF_SCHEDULES})
        if unknown:
            raise ValueError(
                f"{self._name} has no option {unknown[0]!r}; it has: {', '.join(self.defaults)}"
            )
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else self._ordered(params)
        if not params:
            raise ValueError(f"{self._name}: group {len(self.param_groups)} has no parameters")
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for i, p in enumerate(params):
            what = f"{self._name}: parameter {i} of group {len(self.param_groups)}"
            self._check_parameter(what, p)
            if id(p) in known:
                raise ValueError(f"{what} ({describe(p)}) occurs twice; list it once")
            known.add(id(p))
        self._check(group)
        self.param_groups.append(group | {"params": params})
        self._flats.append([])

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad = None if set_to_none else p.grad.detach().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update, in place, the parameters that have a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients again; what it returns is returned.
        """
        at_work = recorder()
        if at_work is not None and closure is None and record_step(self, at_work):
            return None
        return self._step_whole(closure)

    @replayed
    def _step_whole(self, closure: Callable[[], Any] | None) -> Any:
        self._stepped = True
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for k, group in enumerate(self.param_groups):
            for flat in self.gathered(k):
                grads = flat.gradients()
                names = self._names(group)
                with staying(flat.xp.device_of(flat.buffer) if SEVERAL else None):
                    runs = flat.runs(grads, names, self._spares)
                    for run in runs:
                        change = self.advance(flat, group, run, flat.scalars)
                        update = partial(_update_chunks, flat, grads, change)
                        flat.xp.each(flat.shares(run), update, take=False)
                if runs:
                    changed(flat.buffer, f"{self._name}.step")
        return loss

    def advance(
        self, flat: Flat, group: Mapping[str, Any], run: Run, number: Scalars
    ) -> Callable[[Chunk, Any], None]:
        """Count a step of a run's parameters; return what changes a chunk, given its gradient."""
        xp, steps, maximize = flat.xp, flat.steps[run.first], group.get("maximize", False)
        numbers = self._numbers(flat, group, run)
        if numbers:
            group = {**group, **numbers}
        of_kernel = None if xp.kernels is None else self._kernel_numbers(group, steps)
        if of_kernel is None:
            add_to_gradient, shrink, threshold = decays(group, xp, number)
            update = self._update(group, steps, xp, number)
        if self._names(group):
            flat.count(run, steps + 1 if self._counts_steps else 1, numbers)
        if of_kernel is not None:
            kernel = self._kernel(group, steps, xp.kernels)
            return lambda chunk, g: kernel(chunk.p, g, of_kernel, *chunk.state)

        def change(chunk: Chunk, g: Any) -> None:
            if maximize:
                g = xp.negative(g, chunk.g)
            if add_to_gradient is not None:
                g = add_to_gradient(chunk.p, g, chunk.work, chunk.g)
            if shrink is not None:
                shrink(chunk.p)
            update(chunk.p, g, chunk.work, *chunk.state)
            if threshold is not None:
                threshold(chunk.p, chunk.work)

        return change

    def _numbers(self, flat: Flat, group: Mapping[str, Any], run: Run) -> dict[str, float]:
        """Return the numbers of ``_first_numbers`` for the next update of a run's parameters."""
        if not self._first_numbers:
            return {}
        return self._next({**group, **flat.numbers_of(run.first)}, flat.steps[run.first])

    # ---- what a subclass says -----------------------------------------------------------------

    def _check(self, group: Mapping[str, Any]) -> None:
        """Raise if an option is out of its range."""
        for name in ("lr", "weight_decay", "l1_decay"):
            self._check_not_negative(name, group.get(name, 0.0))

    def _names(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of what is kept about a parameter under its group's options."""
        return self._state_names

    def _next(self, group: Mapping[str, Any], steps: int) -> dict[str, float]:
        """Return the numbers of ``_first_numbers`` for the next update; ``group`` has the last."""
        raise NotImplementedError(f"{self._name} has no _next(group, steps)")

    def _branches(self, group: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return which calls an update makes, as far as its group's options decide it."""
        return tuple(bool(group[name]) for name in self.defaults if name != "lr")

    def _phase(self, group: Mapping[str, Any], steps: int) -> Any:
        """Return which calls an update makes, as far as the number of steps before decides it."""
        return steps == 0

    def _update(self, group: Mapping[str, Any], steps: int, xp: Backend, number: Scalars) -> Update:
        """Return the update of parameters that were updated ``steps`` times before.

        ``group`` has the options, and what `_next` returned.
        It is called as ``(p, g, work, *state, *spare)`` on stretches of the flat buffers, with
        the gradient (not to be changed), and scratch of the same length. Marked as
        `minigrad.optim.straight.by_numbers`, its calls stand in a captured program by themselves.
        """
        raise NotImplementedError(f"{self._name} has no _update(group, steps, xp, number)")

    def _kernel_numbers(self, group: Mapping[str, Any], steps: int) -> tuple[float, ...] | None:
        """Return the numbers that `_kernel` takes at this step, None if there is no kernel."""
        return None

    def _kernel(self, group: Mapping[str, Any], steps: int, kernels: Any) -> Callable[..., None]:
        """Return the whole update as a single kernel of a GPU.

        It is called as ``(p, g, numbers, *state)``, each number a float or an array of one;
        decay and the gradient's sign are part of it.
        """
        raise NotImplementedError(f"{self._name} has no _kernel(group, steps, kernels)")

    # ---- state --------------------------------------------------------------------------------

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """What is kept about each parameter that was updated: views, by torch's names."""
        return {
            p: ({"step": Tensor(float(flat.steps[i]))} if self._counts_steps else {})
            | {name: Tensor(value) for name, value in flat.numbers_of(i).items()}
            | {name: wrap(view, None) for name, view in flat.state_of(i).items()}
            for flats in self._flats
            for flat in flats
            for i, p in enumerate(flat.params)
            if flat.steps[i]
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the options and the state, laid out as torch does.

        ``"param_groups"`` holds each group's options and its parameters' numbers, ``"state"``
        what is kept about each number. The tensors share the optimiser's memory.
        """
        return save(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state that `state_dict` returned (torch's are understood too).

        Everything is checked before anything is changed. Values are copied, and cast to the
        dtype and device of their parameter.

        Raises
        ------
        ValueError
            The state is of another optimiser, or of parameters of other number or shape.
        """
        load(self, state_dict)

    def gathered(self, k: int) -> list[Flat]:
        """Return the flat buffers of group k, made again if a parameter has left them."""
        flats, params = self._flats[k], self.param_groups[k]["params"]
        complete = sum(len(flat.params) for flat in flats) == len(params)
        if not (complete and all(flat.holds() for flat in flats)):
            kept = {id(p): flat.kept(i) for flat in flats for i, p in enumerate(flat.params)}
            self._flats[k] = gather(params, self._first_numbers)
            for flat in self._flats[k]:
                flat.keep([kept.get(id(p)) for p in flat.params])
        return self._flats[k]

    # ---- checks -------------------------------------------------------------------------------

    def _ordered(self, params: Any) -> list[Any]:
        if isinstance(params, (set, frozenset)) or not isinstance(params, Iterable):
            kind = f"a {type(params).__name__}"
            if isinstance(params, (set, frozenset)):
                kind += ", which has no order: pass a list"
            elif callable(params):  # a model, or a method that was not called
                kind += ": pass model.parameters()"
            raise TypeError(f"{self._name} takes a list of parameters, not {kind}")
        return list(params)

    def _check_parameter(self, what: str, p: Any) -> None:
        if not isinstance(p, Tensor):
            pair = " (pass model.parameters(), not named_parameters())" if type(p) is tuple else ""
            raise TypeError(f"{what} is a {type(p).__name__}, not a Tensor{pair}")
        if not p.is_leaf:
            raise ValueError(
                f"{what} was computed by {p.grad_fn!r}, and only leaves can be optimised: "
                "call requires_grad_() on the final tensor, or pass x.detach().requires_grad_()"
            )
        if p.dtype.kind != "f":
            raise TypeError(f"{what} is {describe(p)}; only floating tensors have gradients")

    def _check_not_negative(self, name: str, value: Any) -> None:
        if isinstance(value, str) or not float(value) >= 0:
            raise ValueError(f"{self._name}: {name} must be a number >= 0, not {value!r}")

    def _check_fraction(self, name: str, value: Any, end: str = "to below 1") -> None:
        below = "below" in end
        if isinstance(value, str) or not (0 <= float(value) < 1 or (value == 1 and not below)):
            raise ValueError(f"{self._name}: {name} must be a number from 0 {end}, not {value!r}")

    def _check_betas(self, group: Mapping[str, Any]) -> None:
        betas = group["betas"]
        if (
            not isinstance(betas, (tuple, list))
            or len(betas) != 2
            or not all(0 <= b < 1 for b in betas)
        ):
            raise ValueError(
                f"{self._name}: betas must be two numbers from 0 to below 1, not {betas!r}"
            )

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for k, group in enumerate(self.param_groups):
            params = group["params"]
            count = sum(p.numel() for p in params)
            lines.append(f"Parameter Group {k}  # {count:,} parameters in {len(params)} tensors")
            lines += [f"    {name}: {group[name]}" for name in sorted(self.defaults)]
        return "\n".join([*lines, ")"])


def _update_chunks(
    flat: Flat, grads: Sequence[Any], change: Callable[[Chunk, Any], None], run: Run
) -> None:
    """Change a run's chunks, one after another."""
    for chunk, g in flat.chunks(run, grads):
        change(chunk, g)
