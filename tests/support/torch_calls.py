"""The same call in PyTorch: which function, and how its arguments are written there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.op import Op
from support.cases import Call

# Rows without a namesake in torch, by the reason. (A row may also say so itself: torch="".)
NOT_IN_TORCH: dict[str, str] = {}

# Where torch writes the arguments in another way: (torch, operands, options) -> its result.
ADAPTED: dict[str, Callable[[Any, Sequence[Any], dict[str, Any]], Any]] = {}


def namesake(torch: Any, row: Op) -> Callable[..., Any] | None:
    """Return torch's function of a row, by its facts or by its name; None if there is none."""
    given = row.facts.torch if row.facts is not None else None
    if given == "" or row.name in NOT_IN_TORCH:
        return None
    paths = (
        [given]
        if given
        else [f"{m}{row.name}" for m in ("", "nn.functional.", "linalg.", "special.", "Tensor.")]
    )
    for path in paths:
        found = torch
        for part in path.split("."):
            found = getattr(found, part, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
    raise LookupError(f"torch has no {' or '.join(paths)}: say torch='' in the facts of {row.name}")


def call_torch(
    torch: Any, function: Callable[..., Any], call: Call, values: Sequence[Any]
) -> list[Any]:
    """Call torch's function with operands in front where they come first, options by name."""
    options = {k: to_torch(torch, v) for k, v in call.options.items()}
    if call.row.name in ADAPTED:
        result = ADAPTED[call.row.name](torch, values, options)
    elif call.listed:
        result = function(list(values), **options)
    else:
        names = call.row.operands[: len(values)]
        if call.row.names[: len(names)] == names:
            result = function(*values, **options)
        else:  # torch's order: options between operands
            given = call.row.empty | options | dict(zip(names, values, strict=True))
            last = max(call.row.names.index(n) for n in (*names, *options))
            result = function(*[given[n] for n in call.row.names[: last + 1]])
    return [y for y in (result if isinstance(result, (tuple, list)) else [result])]


def to_torch(torch: Any, x: Any) -> Any:
    """Return an option as torch takes it."""
    if isinstance(x, np.ndarray):
        return torch.from_numpy(x)
    if isinstance(x, tuple):
        return tuple(to_torch(torch, y) for y in x)
    return x


def tensors(torch: Any, values: Sequence[Any]) -> list[Any]:
    """Return operands as torch's tensors, floating ones requiring grad."""
    made = []
    for x in values:
        if isinstance(x, np.ndarray):
            x = torch.from_numpy(np.array(x))
            x.requires_grad_(x.is_floating_point())
        made.append(x)
    return made
