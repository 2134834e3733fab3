"""Step: one training step, run and written down, for the smells to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.backend import backend_of, default_generator, is_array
from minigrad.check.lints.tape import Tape
from minigrad.check.lints.trial import tensors_in
from minigrad.engine.errors import AnomalyError, describe
from minigrad.engine.modes import detect_anomaly
from minigrad.engine.tensor import Tensor


@dataclass
class Call:
    """One call of a module: its path, what went in and what came out."""

    path: str
    module: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any
    forward: Callable[..., Any]


@dataclass
class Step:
    """A model, a loss, a batch, and what one step with them did.

    Attributes
    ----------
    inputs, target : list, Any
        The batch: all but its last entry, and the last one.
    record_modes : tuple of bool
        Whether gradients were recorded, and the model was in training mode, as it was found.
    calls : list of Call
        All calls of modules, in the order in which they ended.
    loss : Tensor
        The loss.
    tape : Tape
        The ops behind it.
    grads : dict
        For each parameter's path its gradient as a host array, None if it got none.
    anomaly : str or None
        Where the first NaN or infinity came from, if there was one.
    """

    model: Any
    loss_fn: Callable[..., Any]
    inputs: list[Any]
    target: Any
    optimizer: Any = None
    train_step: Callable[..., Any] | None = None
    recording: bool = True
    training: bool = True
    calls: list[Call] = field(default_factory=list)
    output: Any = None
    loss: Any = None
    tape: Any = None
    grads: dict[str, Any] = field(default_factory=dict)
    anomaly: str | None = None

    def run(self) -> None:
        """Run forward and backward once, and write everything down."""
        self.start = default_generator.get_state()
        originals = self._listen()
        try:
            self.output, self.loss = self.forward()
        finally:
            for module in originals:
                del module.__dict__["forward"]
        if not isinstance(self.loss, Tensor) or self.loss.numel() != 1:
            what = (
                describe(self.loss) if isinstance(self.loss, Tensor) else type(self.loss).__name__
            )
            raise TypeError(f"loss_fn must return a Tensor of one element, not {what}")
        makers: dict[Any, str] = {}
        for call in self.calls:
            for tensor in tensors_in(call.output):
                if tensor.grad_fn is not None:
                    makers.setdefault(tensor.grad_fn, shown(call.path, call.module))
        self.tape = Tape(self.loss, makers)
        if not np.isfinite(to_host(self.loss)).all():
            self.anomaly = self._first_anomaly()
        if self.loss.requires_grad:
            self.loss.backward(retain_graph=True)
        self.grads = {
            name: None if p.grad is None else to_host(p.grad)
            for name, p in self.model.named_parameters()
        }

    def forward(self) -> tuple[Any, Any]:
        """Compute the output and the loss, with the random numbers of the first time."""
        default_generator.set_state(self.start)
        output = self.model(*self.inputs)
        return output, self.loss_fn(output, self.target)

    def learn(self) -> None:
        """Make one training step: the user's own, or a backward and the optimiser's step."""
        default_generator.set_state(self.start)
        if self.train_step is not None:
            self.train_step(*self.inputs, self.target)
            return
        for p in self.model.parameters():
            p.grad = None
        self.forward()[1].backward()
        self.optimizer.step()

    def _listen(self) -> list[Any]:
        """Put a recorder around each module's forward (an attribute hides the class's method)."""
        modules = []
        for path, module in self.model.named_modules():
            if "forward" not in module.__dict__:
                module.__dict__["forward"] = self._recorder(path, module, module.forward)
                modules.append(module)
        return modules

    def _recorder(self, path: str, module: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*args: Any, **kwargs: Any) -> Any:
            output = forward(*args, **kwargs)
            self.calls.append(Call(path, module, args, kwargs, output, forward))
            return output

        return recorded

    def _first_anomaly(self) -> str | None:
        try:
            with detect_anomaly():
                self.forward()
        except AnomalyError as error:
            made, at, *_ = str(error).splitlines()
            return f"{made} {at.strip()}"
        return None

    # ---- for the smells -----------------------------------------------------------------------

    def parameters(self) -> list[tuple[str, Any]]:
        """Return the parameters that want a gradient, with their paths."""
        return [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]

    def called(self) -> set[int]:
        """Return the ids of the modules that were called."""
        return {id(call.module) for call in self.calls}


def shown(path: str, module: Any) -> str:
    """Return how a module is named in findings."""
    return f"{path!r} ({type(module).__name__})" if path else type(module).__name__


def to_host(x: Any) -> Any:
    """Return a tensor's or an array's values on the host, as they are."""
    array = x._array if isinstance(x, Tensor) else x
    return backend_of(array).to_host(array) if is_array(array) else np.asarray(array)
