"""Calling a module that has hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from minigrad.engine.structural import alias
from minigrad.engine.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.nn.module import Module

Hooks = dict[int, Callable[..., Any]]
PRE, FORWARD, BACKWARD = "before forward", "after forward", "after backward"


def call_with_hooks(
    module: Module, hooks: Mapping[str, Hooks], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run a module's forward between its hooks."""
    for hook in list(hooks[PRE].values()):
        answer = hook(module, args)
        if answer is not None:
            args = answer if isinstance(answer, tuple) else (answer,)
    watch = _Backward(module, hooks[BACKWARD]) if hooks[BACKWARD] else None
    if watch is not None:
        args = watch.inputs(args)
    output = module.forward(*args, **kwargs)
    for hook in list(hooks[FORWARD].values()):
        answer = hook(module, args, output)
        if answer is not None:
            output = answer
    return output if watch is None else watch.output(output)


class _Backward:
    """Runs the backward hooks of one call of a module, by hooks on its input and its output.

    Both get a node of their own (`alias`): its gradient is what went through this call, even
    where the tensor is used elsewhere too.
    """

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self._module, self._hooks = module, hooks
        self._grad_input: list[Any] = []
        self._place: int | None = None  # of the input that gets a gradient
        self._grad_output: Any = None

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self._grad_input = [None] * len(args)
        places = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
        if len(places) > 1:
            raise TypeError(
                f"{type(self._module).__name__} has {len(places)} inputs that get a gradient, and "
                "a full backward hook serves one; use register_hook on each of these tensors"
            )
        if not places:
            return args
        self._place = places[0]
        x = alias(args[self._place])
        if x.requires_grad:  # not under no_grad
            x.register_hook(self._on_input)
        return (*args[: self._place], x, *args[self._place + 1 :])

    def output(self, output: Any) -> Any:
        if not isinstance(output, Tensor):
            raise TypeError(
                f"{type(self._module).__name__} returned a {type(output).__name__}, and a full "
                "backward hook serves one Tensor; use register_hook on the tensors in it"
            )
        y = alias(output)
        if y.requires_grad:
            y.register_hook(self._on_output)
        return y

    def _on_output(self, grad: Any) -> None:
        self._grad_output = grad
        if self._place is None:
            self._run()

    def _on_input(self, grad: Any) -> Any:
        assert self._place is not None
        self._grad_input[self._place] = grad
        self._run()
        return self._grad_input[self._place]

    def _run(self) -> None:
        for hook in list(self._hooks.values()):
            answer = hook(self._module, tuple(self._grad_input), (self._grad_output,))
            if answer is not None:
                self._grad_input = list(answer if isinstance(answer, tuple) else (answer,))
