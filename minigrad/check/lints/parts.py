"""Smells of how a model is put together, and of what its optimiser holds."""

from __future__ import annotations

from typing import Any

from minigrad.check.lints.step import Step
from minigrad.check.lints.table import Seen, smell
from minigrad.engine.tensor import Tensor


def _listed(names: list[str]) -> str:
    """Return up to four names as text."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


def _is_module(x: Any) -> bool:
    return hasattr(x, "named_parameters") and hasattr(x, "forward")


def _wants_gradient(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad and x.is_leaf


@smell("hidden-part", "error", "09", evaluating=None)
def hidden_part(step: Step) -> Seen:
    """Find modules and tensors to learn that the model does not list among its parameters."""
    known = {id(m) for _, m in step.model.named_modules()}
    known |= {id(t) for t in (*step.model.parameters(), *step.model.buffers())}
    for path, module in step.model.named_modules():
        for name, value in list(module.__dict__.items()):
            where = f"{path}.{name}" if path else name
            items = list(value.values()) if isinstance(value, dict) else value
            if isinstance(items, (list, tuple)):
                hidden = [x for x in items if _is_module(x) and id(x) not in known]
                count = sum(p.numel() for x in hidden for p in x.parameters() if p.requires_grad)
                if count:
                    seen = f"a {type(value).__name__} holds {len(hidden)} modules with {count:,} "
                    seen += "parameters that the model does not see: they are not trained, saved "
                    seen += "or moved"
                    yield where, seen, "use nn.ModuleList, nn.ModuleDict or nn.Sequential"
            elif _wants_gradient(value) and id(value) not in known:
                seen = f"a plain Tensor {list(value.shape)} that requires grad: the model does not "
                seen += "list it among its parameters, so it is not trained or saved"
                yield where, seen, "make it a parameter: nn.Parameter(...)"


@smell("shared-module", "warning", "09", evaluating=None)
def shared_module(step: Step) -> Seen:
    """Find one module under several names, as in ``[layer] * 3``."""
    paths: dict[int, list[str]] = {}
    modules = {}
    for path, module in step.model.named_modules(remove_duplicate=False):
        if next(module.named_parameters(recurse=False), None) is not None:
            paths.setdefault(id(module), []).append(path)
            modules[id(module)] = module
    for key, names in paths.items():
        if len(names) > 1:
            kind = type(modules[key]).__name__
            seen = f"these are one {kind}, with one set of parameters: a change to one is a change "
            seen += "to all"
            cure = "make each anew, [nn.Linear(8, 8) for _ in range(3)]; if sharing is meant, "
            cure += "register the module once and call it several times"
            yield _listed(names), seen, cure


@smell("unused-parameter", "warning", "01")
def unused_parameter(step: Step) -> Seen:
    """Find parameters that the loss does not depend on."""
    if not isinstance(step.loss, Tensor) or not step.loss.requires_grad:
        return
    called = step.called()
    idle: list[str] = []
    cut: list[str] = []
    for path, module in step.model.named_modules():
        for name, p in module.named_parameters(recurse=False):
            full = f"{path}.{name}" if path else name
            if p.requires_grad and full in step.grads and step.grads[full] is None:
                (cut if id(module) in called else idle).append(full)
    if idle:
        seen = "no gradient: the modules were not called in forward"
        yield _listed(idle), seen, "call them, or remove them"
    if cut:
        seen = "no gradient, though the modules were called: what they gave did not reach the loss "
        seen += "through recorded ops"
        cure = "look behind them for detach(), numpy(), item(), argmax() or no_grad, or for a "
        cure += "result that is not used"
        yield _listed(cut), seen, cure


@smell("not-in-optimizer", "error", "06")
def not_in_optimizer(step: Step) -> Seen:
    """Find parameters that the optimiser does not hold."""
    if step.optimizer is None:
        return
    held = {id(p) for group in step.optimizer.param_groups for p in group["params"]}
    missing = [name for name, p in step.parameters() if id(p) not in held]
    if missing:
        seen = f"{len(missing)} of {len(step.parameters())} parameters that want a gradient are "
        seen += "not in the optimiser, and stay as they are"
        cure = "pass model.parameters(), after all layers are made; freeze with "
        cure += "requires_grad_(False) what is not to be trained"
        yield _listed(missing), seen, cure


@smell("foreign-in-optimizer", "error", "06")
def foreign_in_optimizer(step: Step) -> Seen:
    """Find tensors in the optimiser that are not the model's, as after making the model again."""
    if step.optimizer is None:
        return
    own = {id(p) for p in step.model.parameters()}
    held = [p for group in step.optimizer.param_groups for p in group["params"]]
    foreign = [p for p in held if id(p) not in own and p.grad is None]
    if foreign:
        seen = f"{len(foreign)} of its {len(held)} tensors are not of this model, and got no "
        seen += "gradient from this loss"
        cure = "make the optimiser after the model, from the model that is trained (not from a "
        cure += "copy, nor from the one before)"
        yield type(step.optimizer).__name__, seen, cure
