"""A training step and a forward pass of any network, in the same words for minigrad and torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.libraries import fill, library
from benchmarks.workload import Step

Batch = Callable[..., tuple[np.ndarray, np.ndarray]]


class Loop(NamedTuple):
    """A network in training: ``step(inputs, classes)`` makes one step and returns the loss."""

    model: Any
    updates: Any
    step: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Training:
    """A training step with cross-entropy.

    Parameters
    ----------
    network
        ``network(nn, **sizes)`` in the words of ``nn``.
    batch
        ``batch(rng, **sizes)`` returns inputs and classes.
    optimiser
        ``optimiser(optim, parameters)``.
    clip
        The largest norm of the gradients.
    """

    network: Callable[..., Any]
    batch: Batch
    optimiser: Callable[[Any, Any], Any]
    clip: float | None = None

    def loop(self, lib: Any, **sizes: Any) -> Loop:
        """Return the network, filled, with its optimiser and its step."""
        model = self.network(lib.nn, **sizes)
        fill(lib, model)
        cross_entropy = lib.nn.CrossEntropyLoss()
        parameters = list(model.parameters())
        updates = self.optimiser(lib.optim, parameters)
        clip = self.clip

        def step(x: Any, target: Any) -> Any:
            updates.zero_grad()
            loss = cross_entropy(model(x), target)
            loss.backward()
            if clip is not None:
                lib.nn.utils.clip_grad_norm_(parameters, clip)
            updates.step()
            return loss

        return Loop(model, updates, step)

    def build(self, name: str, capture: bool, **sizes: Any) -> Step:
        """Return the step of a contender, on one batch."""
        lib = library(name)
        step = self.loop(lib, **sizes).step
        x, target = (lib.tensor(a) for a in self.batch(np.random.default_rng(1), **sizes))
        run = lib.capture(step) if capture else step
        return lambda: run(x, target).item()

    @property
    def contenders(self) -> dict[str, Callable[..., Step]]:
        """The contenders of this step."""
        return _contenders(self.build)


def inference(network: Callable[..., Any], inputs: Callable[..., np.ndarray]) -> dict[str, Any]:
    """Return the contenders of a forward pass in evaluation mode, without a tape."""

    def build(name: str, capture: bool, without: str = "no_grad", **sizes: Any) -> Step:
        lib = library(name)
        model = network(lib.nn, **sizes)
        fill(lib, model)
        model.eval()
        no_tape = getattr(lib, without)
        x = lib.tensor(inputs(np.random.default_rng(1), **sizes))

        def forward(x: Any) -> Any:
            with no_tape():
                return model(x)

        run = lib.capture(forward) if capture else forward
        return lambda: run(x).abs().mean().item()

    stripped = partial(build, "torch", False, "inference_mode")
    return {**_contenders(build), "torch-inference": stripped}


def function(
    compute: Callable[..., Any], arrays: Callable[..., tuple[np.ndarray, ...]]
) -> dict[str, Callable[..., Step]]:
    """Return the contenders of forward and backward of ``compute(x, *constants, **sizes)``.

    ``arrays(rng, **sizes)`` returns x, the constants, and last the cotangent of the result.
    """

    def build(name: str, capture: bool, **sizes: Any) -> Step:
        lib = library(name)
        start, *constants, cotangent = arrays(np.random.default_rng(1), **sizes)
        x = lib.tensor(start, requires_grad=True)
        rest, v = [lib.tensor(c) for c in constants], lib.tensor(cotangent)

        def both() -> tuple[Any, Any]:
            x.grad = None
            y = compute(x, *rest, **sizes)
            y.backward(v)
            return y.detach(), x.grad

        run = lib.capture(both) if capture else both

        def step() -> float:
            y, grad = run()
            return y.reshape(-1)[0].item() + grad.reshape(-1)[0].item()

        return step

    return _contenders(build)


def _contenders(build: Callable[..., Step]) -> dict[str, Callable[..., Step]]:
    return {
        "minigrad": partial(build, "minigrad", False),
        "captured": partial(build, "minigrad", True),
        "torch": partial(build, "torch", False),
    }
