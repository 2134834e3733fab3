"""Module: a function with parameters, buffers and parts, each found by its name.

What is set as an attribute is an attribute like any other; ``_roles`` notes beside it, in order,
which names are parameters, buffers and modules. So reading ``self.weight`` costs nothing extra,
and everything that walks through a module visits its parts in the order of their first
assignment, in every run.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

from minigrad.backend import Device
from minigrad.engine.dtypes import float16, float32, float64
from minigrad.engine.modes import MODE, PROFILES
from minigrad.engine.recording import RECORDERS, recorder
from minigrad.engine.tensor import HookHandle, Tensor
from minigrad.nn.hooks import BACKWARD, FORWARD, PRE, call_with_hooks
from minigrad.nn.parameter import Parameter, Uninitialized
from minigrad.nn.state import IncompatibleKeys, load
from minigrad.nn.text import describe

PARAMETER, BUFFER, TEMPORARY, MODULE = "parameter", "buffer", "temporary buffer", "module"
_KINDS: dict[str, type] = {PARAMETER: Parameter, BUFFER: Tensor, TEMPORARY: Tensor}


class Module:
    """Base of all networks and layers: subclass it, set parts in ``__init__``, write ``forward``.

    Raises
    ------
    AttributeError
        A part was set before ``super().__init__()``, or a name is read that does not exist.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(4, 8)
    ...         self.out = nn.Linear(8, 3)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> net = Net()
    >>> net(mg.ones(2, 4)).shape
    (2, 3)
    >>> net
    Net(
      (hidden): Linear(in_features=4, out_features=8, bias=True)  # 40 parameters
      (out): Linear(in_features=8, out_features=3, bias=True)  # 27 parameters
    )  # 67 parameters
    """

    training: bool = True
    is_lazy: ClassVar[bool] = False  # whether its sizes come with the first batch
    _roles: dict[str, str]  # of each tracked attribute, in order
    _hooks: dict[str, dict[int, Callable[..., Any]]] | None = None  # by kind, once there are any

    def __init__(self) -> None:
        object.__setattr__(self, "_roles", {})

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every module has its own."""
        name = type(self).__name__
        own = [n for n in dir(type(self)) if not hasattr(Module, n)]
        near = difflib.get_close_matches("forward", own, 1)
        cure = (
            f"rename {near[0]!r} to 'forward'"
            if near
            else "define one in the class: def forward(self, x): return ..."
        )
        raise NotImplementedError(f"{name} has no forward; {cure}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, and the hooks around it."""
        if RECORDERS and (recording := recorder()) is not None:
            recording.note_module(self)
        if PROFILES and (scope := MODE.get().scope) is not None:
            return scope.call_module(self, self._run, args, kwargs)
        if self._hooks is None:  # the usual case without one more call
            return self.forward(*args, **kwargs)
        return self._run(*args, **kwargs)

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooks is None:
            return self.forward(*args, **kwargs)
        return call_with_hooks(self, self._hooks, args, kwargs)

    # ---- attributes ---------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        roles = self.__dict__.get("_roles")
        role = MODULE if isinstance(value, Module) else PARAMETER
        if isinstance(value, (Parameter, Module)):
            if roles is None:
                raise _not_initialised(self)
            self._set(name, value, role)
            return
        if roles is not None and name in roles:
            kind = _KINDS.get(roles[name], Module)
            if value is not None and not isinstance(value, kind):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {roles[name]}: it can be set to a "
                    f"{kind.__name__} or None, not to {type(value).__name__}; to change its "
                    "values, write into it under mg.no_grad(); to use the name otherwise, del it"
                )
        elif _holds_modules(value):
            warnings.warn(
                f"{type(self).__name__}.{name} is a plain {type(value).__name__} of modules: their "
                "parameters are not seen; use nn.ModuleList or nn.Sequential (nn.ModuleDict)",
                stacklevel=2,
            )
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:  # reached only by names that do not exist
        kind = type(self).__name__
        if name == "_roles":
            raise _not_initialised(self)
        if isinstance(getattr(type(self), name, None), property):
            return object.__getattribute__(self, name)  # for the error from inside the property
        near = [] if name.startswith("_") else difflib.get_close_matches(name, dir(self), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"{kind!r} has no attribute {name!r}{hint}", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._roles.pop(name, None)

    def _set(self, name: str, value: Any, role: str) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"a {role} needs a name that is text without a dot, not {name!r}")
        if self._roles.get(name) != role:
            self._roles.pop(name, None)
            self._roles[name] = role
        object.__setattr__(self, name, value)

    def _register(self, name: str, value: Any, role: str, kind: type) -> None:
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"a {role} is a {kind.__name__} or None, not {type(value).__name__}")
        if name not in self._roles and isinstance(name, str) and hasattr(self, name):
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} that is not a {role}")
        self._set(name, value, role)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name (None: a place for one, not listed)."""
        self._register(name, param, PARAMETER, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state but not learned, such as a running mean.

        It follows `to`, and is in `state_dict` unless ``persistent`` is false.
        """
        self._register(name, tensor, BUFFER if persistent else TEMPORARY, Tensor)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a part under a name."""
        self._register(name, module, MODULE, Module)

    register_module = add_module

    # ---- walking through the parts ------------------------------------------------------------

    def _own(self, *roles: str) -> Iterator[tuple[str, Any]]:
        """Yield this module's own parts of some roles, with their names."""
        for name, role in self._roles.items():
            if role in roles and self.__dict__[name] is not None:
                yield name, self.__dict__[name]

    def _all(
        self, roles: tuple[str, ...], prefix: str = "", recurse: bool = True, once: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Yield the tensors of some roles, with their paths; ``once``: each tensor only once."""
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=once)
        for path, module in modules if recurse else [(prefix, self)]:
            for name, tensor in module._own(*roles):
                if not (once and id(tensor) in seen):
                    seen.add(id(tensor))
                    yield _join(path, name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield all parameters with their paths, such as ``"hidden.weight"``."""
        return self._all((PARAMETER,), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield all parameters, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield all buffers with their paths."""
        return self._all((BUFFER, TEMPORARY), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield all buffers, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the direct parts with their names, each once."""
        seen: set[int] = set()
        for name, module in self._own(MODULE):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the direct parts, each once."""
        return (m for _, m in self.named_children())

    def named_modules(
        self, *, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield this module and all parts, parts of parts, ..., with their paths."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if remove_duplicate and id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            parts = list(module._own(MODULE))
            stack += [(_join(path, name), part) for name, part in reversed(parts)]

    def modules(self) -> Iterator[Module]:
        """Yield this module and all parts, parts of parts, ..., each once."""
        return (m for _, m in self.named_modules())

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` on every part, then on this module."""
        for part in self.children():
            part.apply(fn)
        fn(self)
        return self

    # ---- modes --------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Set training mode in this module and all parts; dropout depends on it."""
        if not isinstance(mode, bool):
            raise TypeError(f"train() takes True or False, not {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let all parameters get gradients, or freeze them."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        for p in self.parameters():
            if p.grad is not None:
                p.grad = None if set_to_none else p.grad.detach().zero_()

    # ---- conversions --------------------------------------------------------------------------

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert all parameters and buffers in place, to a device, a floating dtype, or both.

        Takes what `Tensor.to` takes. Tensors of ints and bools keep their dtype. Optimisers
        notice, and go on with their state.

        Raises
        ------
        TypeError
            The dtype is not a floating one.
        """
        for _, tensor in self._all((PARAMETER, BUFFER, TEMPORARY)):
            if isinstance(tensor, Uninitialized):
                tensor.like = _converted(tensor.like, *args, **kwargs)
                continue
            for t in (tensor, tensor.grad):
                if t is not None:
                    new = _converted(t, *args, **kwargs)
                    if new._array is not t._array:
                        t.data = new
        return self

    def cpu(self) -> Self:
        """Move all parameters and buffers to the host."""
        return self.to("cpu")

    def cuda(self, device: int | str | Device = 0) -> Self:
        """Move all parameters and buffers to a GPU."""
        return self.to(Device("cuda", device) if isinstance(device, int) else device)

    def float(self) -> Self:
        """Convert to float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Convert to float64."""
        return self.to(float64)

    def half(self) -> Self:
        """Convert to float16."""
        return self.to(float16)

    # ---- state --------------------------------------------------------------------------------

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Return all parameters and persistent buffers by path.

        The tensors share the module's memory (``keep_vars``: they are the module's own). To keep
        the values of now, copy them: ``copy.deepcopy(net.state_dict())``.

        Examples
        --------
        >>> from minigrad import nn
        >>> {name: t.shape for name, t in nn.Linear(2, 3).state_dict().items()}
        {'weight': (3, 2), 'bias': (3,)}
        """
        return {
            prefix + _join(path, name): tensor if keep_vars else tensor.detach()
            for path, module in self.named_modules(remove_duplicate=False)
            for role in (PARAMETER, BUFFER)
            for name, tensor in module._own(role)
        }

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy values (Tensors or arrays) into the parameters and buffers of these paths.

        All is checked first: if anything does not fit, nothing is changed. Values are cast to
        the dtype and device of what they are copied into.

        Parameters
        ----------
        state_dict : mapping
            What `state_dict` returned, here or in torch (there with ``.numpy()`` on each tensor).
        strict : bool
            Refuse missing and unexpected paths as well, not only shapes and dtypes.

        Returns
        -------
        IncompatibleKeys
            The ``missing_keys`` and ``unexpected_keys``.

        Raises
        ------
        RuntimeError
            Something does not fit; the text lists everything that does not.
        """
        own = self.state_dict(keep_vars=True)
        lazy = {path: module for path, module in self.named_modules() if module.is_lazy}
        return load(type(self).__name__, own, state_dict, strict, lazy)

    # ---- hooks --------------------------------------------------------------------------------

    def _add_hook(self, kind: str, hook: Callable[..., Any]) -> HookHandle:
        if self._hooks is None:
            self._hooks = {PRE: {}, FORWARD: {}, BACKWARD: {}}
        hooks = self._hooks[kind]
        key = max(hooks, default=-1) + 1
        hooks[key] = hook
        return HookHandle(hooks, key)

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(module, args)`` before `forward`; it may return other arguments."""
        return self._add_hook(PRE, hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(module, args, output)`` after `forward`; it may return another output."""
        return self._add_hook(FORWARD, hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the module's backward is done.

        Both are tuples, with an entry for each positional argument of `forward` (None where it
        gets no gradient) and one for the output. The hook may return another ``grad_input``. It
        needs one output, and at most one input that gets a gradient; elsewhere put hooks on the
        tensors (`Tensor.register_hook`).
        """
        return self._add_hook(BACKWARD, hook)

    # ---- text ---------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return what the representation shows in the brackets; subclasses say it."""
        return ""

    def __repr__(self) -> str:
        return describe(self)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _converted(t: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return what `Module.to` makes of a tensor: ints and bools keep their dtype."""
    new = t.detach().to(*args, **kwargs)
    if not t.is_floating_point():
        return t.detach().to(device=new.device)
    if not new.is_floating_point():
        raise TypeError(f"a module can be converted to a floating dtype, not {new.dtype}")
    return new


def _holds_modules(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return isinstance(value, (list, tuple, dict)) and any(isinstance(x, Module) for x in items)


def _not_initialised(module: Module) -> AttributeError:
    name = type(module).__name__
    return AttributeError(
        f"{name} is not set up: call super().__init__() first in {name}.__init__, before it sets "
        "parameters and modules"
    )
