"""Lint: one training step, looked at for the mistakes that raise no error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.check.lints import TABLE, Finding, Findings
from minigrad.check.lints.step import Step
from minigrad.check.lints.trial import trial
from minigrad.engine.modes import enable_grad, is_grad_enabled


def lint(
    model: Any,
    loss_fn: Callable[..., Any],
    batch: Sequence[Any],
    optimizer: Any = None,
    *,
    step: Callable[..., Any] | None = None,
    training: bool = True,
) -> Findings:
    """Run one step of training, or of evaluation, and report the mistakes that it shows.

    The step is ``loss_fn(model(*inputs), target)`` with the batch's last entry as target, its
    backward, and with an optimiser a few of its steps on the same batch. Afterwards model,
    optimiser, gradients and the random generator are as they were.

    Parameters
    ----------
    model : Module
        The model, in the mode in which it is used at this place.
    loss_fn : callable
        ``loss_fn(output, target)`` returns the loss, a Tensor of one element.
    batch : sequence
        ``(input, target)``; several inputs are passed to the model one by one.
    optimizer : Optimizer, optional
        Look also at which parameters it holds, and at its learning rate.
    step : callable, optional
        The user's own training step, called as ``step(*batch)``, to look also for a forgotten
        `zero_grad`, a step that changes nothing, and graphs kept alive. It is called several
        times; what it keeps elsewhere (a list of losses) stays there.
    training : bool
        False: this is an evaluation. Then look for dropout and batch norm left in training mode.

    Returns
    -------
    Findings
        A sequence of `Finding`, false if there are none; print it for the table.

    Raises
    ------
    TypeError
        The batch is no sequence of two entries or more, the model no Module, or ``loss_fn``
        returned no Tensor of one element; or ``step`` came without its optimiser.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> from minigrad.check import lint
    >>> _ = mg.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    >>> batch = mg.randn(8, 4), mg.randint(0, 3, (8,))
    >>> lint(model, nn.CrossEntropyLoss(), batch).ids
    ['double-softmax']
    >>> bool(lint(model[:1], nn.CrossEntropyLoss(), batch))
    False
    """
    _check(model, batch, optimizer, step)
    *inputs, target = batch
    run = Step(model, loss_fn, inputs, target, optimizer, step, is_grad_enabled(), model.training)
    found: list[Finding] = []
    with enable_grad(), trial(model, optimizer):
        run.run()
        for row in TABLE.values():
            if row.evaluating in (None, not training):
                found += row.findings(run)
    what = "training" if training else "evaluation"
    count = len(target) if getattr(target, "shape", ()) else 1
    plural = "" if count == 1 else "s"
    text = f"one step of {what} of {type(model).__name__} on {count} example{plural}"
    return Findings(found, text)


def _check(model: Any, batch: Any, optimizer: Any, step: Any) -> None:
    if not hasattr(model, "named_modules"):
        raise TypeError(f"lint looks at a Module, not at a {type(model).__name__}")
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        kind = type(batch).__name__
        kind += f" of {len(batch)}" if isinstance(batch, (tuple, list)) else ""
        raise TypeError(f"the batch must be (input, target) or (input, ..., target), not a {kind}")
    if optimizer is not None and not hasattr(optimizer, "param_groups"):
        raise TypeError(f"the optimizer must be an Optimizer, not a {type(optimizer).__name__}")
    if step is not None and optimizer is None:
        raise TypeError("with step=, pass the optimizer that it uses, so that it can be put back")
