"""A module as text: torch's nested form, with parameter counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.nn.parameter import Uninitialized

if TYPE_CHECKING:
    from minigrad.nn.module import Module


def describe(module: Module, merge: bool = False) -> str:
    """Return the representation of a module and its parts; ``merge``: equal neighbours in one."""
    extra = module.extra_repr()
    groups: list[tuple[list[str], str]] = []  # names, and the text that their parts share
    for name, part in module._own("module"):
        text = repr(part)
        if merge and groups and groups[-1][1] == text:
            groups[-1][0].append(name)
        else:
            groups.append(([name], text))
    lines = [
        f"({names[0]}): {text}"
        if len(names) == 1
        else f"({names[0]}-{names[-1]}): {len(names)} x {text}"
        for names, text in groups
    ]
    head = type(module).__name__
    if not lines and "\n" not in extra:
        return f"{head}({extra}){_count(module)}"
    body = "\n".join([*([extra] if extra else []), *lines])
    return f"{head}(\n  {body.replace(chr(10), chr(10) + '  ')}\n){_count(module)}"


def _count(module: Module) -> str:
    """Return a remark on the number of parameters; nothing if there are none."""
    params = list(module.parameters())
    if any(isinstance(p, Uninitialized) for p in params):
        return "  # parameters without a shape yet"
    total = sum(p.numel() for p in params)
    frozen = sum(p.numel() for p in params if not p.requires_grad)
    if not params:
        return ""
    note = f", {frozen:,} frozen" if frozen else ""
    return f"  # {total:,} parameter{'' if total == 1 else 's'}{note}"
