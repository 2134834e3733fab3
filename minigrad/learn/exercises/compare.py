"""Is this answer the right one; and if not, where does it differ, by how much, and what of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

ATOL, RTOL = 1e-7, 1e-6
FULL = 8  # arrays of so many elements are shown in full


class WrongAnswerError(Exception):
    """An answer is not the right one; the message is for the learner."""


def expect(condition: Any, message: str) -> None:
    """Raise `WrongAnswerError` with this message unless the condition is true."""
    if not condition:
        raise WrongAnswerError(message)


def expect_near(
    found: Any,
    right: Any,
    what: str,
    *,
    atol: float = ATOL,
    rtol: float = RTOL,
    names: Sequence[str] = (),
) -> None:
    """Raise `WrongAnswerError` unless found is right in structure, shape, and every number.

    Parameters
    ----------
    found, right : array, number, bool, str, None, or tuple, list or dict of such
        Integers, truth values and texts must be equal; floating numbers may differ by
        ``atol + rtol * |right|``.
    what : str
        What it is, in words for the learner.
    names : sequence of str
        What the entries of a tuple are called.

    Examples
    --------
    >>> from minigrad.learn.exercises.compare import expect_near
    >>> expect_near(0.1 + 0.2, 0.3, "the sum")
    >>> expect_near([2.0, 4.0], [1.0, 2.0], "the slopes")
    Traceback (most recent call last):
    minigrad.learn.exercises.compare.WrongAnswerError: the slopes[0]: ...
    """
    if isinstance(right, dict):
        expect(isinstance(found, dict), f"{what} must be a dict, not {_kind(found)}")
        expect(
            set(found) == set(right),
            f"{what} must have the keys {_keys(right)}, and has {_keys(found)}",
        )
        for key in right:
            expect_near(found[key], right[key], f"{what}[{key!r}]", atol=atol, rtol=rtol)
    elif isinstance(right, (tuple, list)):
        expect(
            isinstance(found, (tuple, list)) and len(found) == len(right),
            f"{what} must be {len(right)} things{_in_words(names)}, not {_kind(found)}",
        )
        for i, (mine, its) in enumerate(zip(found, right, strict=True)):
            name = names[i] if i < len(names) else f"{what}[{i}]"
            expect_near(mine, its, name, atol=atol, rtol=rtol)
    elif right is None or isinstance(right, str):
        expect(found == right, f"{what} must be {right!r}, not {found!r}")
    else:
        _numbers(found, np.asarray(_plain(right)), what, atol, rtol)


def _numbers(found: Any, right: np.ndarray[Any, Any], what: str, atol: float, rtol: float) -> None:
    """Compare arrays or numbers."""
    expect(found is not None, f"{what} is None: is there a return?")
    found = _plain(found)
    try:
        mine = np.asarray(found)
    except ValueError:  # lists of unlike lengths
        mine = np.asarray(None)
    expect(mine.dtype.kind in "biuf", f"{what} must be numbers, not {_kind(found)}")
    expect(
        mine.shape == right.shape,
        f"{what} has the shape {list(mine.shape)}, and must have {list(right.shape)}"
        + _shape_hint(mine.shape, right.shape),
    )
    if not right.size:
        return
    if right.dtype.kind in "biu":
        away = (mine != right).astype(float)
        allowed: Any = 0.0
        rule = "they must be equal"
    else:
        away = np.where(mine == right, 0.0, np.abs(_finite_difference(mine, right)))
        allowed = atol + rtol * np.abs(right)
        rule = f"allowed is {atol:g} + {rtol:g} * |right|"
    wrong = ~(away <= allowed)  # NaN is wrong
    if not wrong.any():
        return
    place = np.unravel_index(int(np.argmax(np.where(wrong, _rank(away), -1.0))), right.shape)
    where = f"{list(map(int, place))}" if right.ndim else ""
    lines = [f"{what}{where}: yours is {_number(mine[place])}, right is {_number(right[place])}"]
    lines[0] += f" (difference {away[place]:.3g}; {rule})"
    if right.size > 1:
        lines.append(f"{int(wrong.sum())} of {right.size} numbers differ")
        if right.size <= FULL:
            lines.append(f"yours {show(mine)}, right {show(right)}")
    lines += _remarks(mine, right)
    raise WrongAnswerError("\n".join(lines))


def _finite_difference(mine: Any, right: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return mine.astype(float) - right.astype(float)


def _rank(away: Any) -> Any:
    """Order differences with NaN as the largest."""
    return np.where(np.isnan(away), np.inf, away)


def _remarks(mine: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> Iterator[str]:
    """Say what the numbers suggest."""
    if right.dtype.kind == "b":
        return
    if not np.isfinite(mine).all():
        yield "yours has NaN or infinity"
        return
    if not mine.any():
        yield "all of yours are 0"
        return
    if right.ndim > 1 and right.shape[-1] == right.shape[-2]:
        turned = np.swapaxes(right, -1, -2)
        if np.allclose(mine, turned) and not np.allclose(right, turned):
            yield "yours is the right one with its last two axes exchanged"
            return
    nonzero = np.abs(right) > 1e-9
    if not nonzero.any() or (np.abs(mine[~nonzero]) > 1e-9).any():
        return
    ratios = mine[nonzero] / right[nonzero]
    if np.ptp(ratios) <= 1e-6 * np.abs(ratios).max() and right.size > 1:
        factor = float(ratios.mean())
        yield (
            "yours has the wrong sign throughout"
            if abs(factor + 1) < 1e-6
            else f"yours is {factor:.6g} times the right one throughout"
        )


def _shape_hint(mine: tuple[int, ...], right: tuple[int, ...]) -> str:
    """Say when a shape looks like a gradient that was not summed back."""
    try:
        wider = np.broadcast_shapes(mine, right) == mine
    except ValueError:
        return ""
    return " (was it broadcast, and not summed back?)" if wider else ""


def show(x: Any) -> str:
    """Return a value in a few words: small ones in full, large ones by their shape."""
    x = _plain(x)
    if isinstance(x, np.ndarray):
        if x.size <= FULL:
            text = np.array2string(x, precision=6, separator=", ", max_line_width=200)
            return " ".join(text.split())
        return f"an array of shape {list(x.shape)}"
    if isinstance(x, (float, np.floating)):
        return _number(x)
    if isinstance(x, (tuple, list)):
        return f"({', '.join(map(show, x))})" if len(x) <= 4 else f"{len(x)} things"
    if isinstance(x, (bool, int, np.integer, np.bool_, str)) or x is None:
        return repr(x.item() if isinstance(x, np.generic) else x)
    return f"a {type(x).__name__}"


def _plain(x: Any) -> Any:
    """Return a Tensor as an array; anything else as it is."""
    return x.detach().numpy() if hasattr(x, "detach") else x


def _number(x: Any) -> str:
    return f"{x:.10g}" if np.asarray(x).dtype.kind == "f" else str(x)


def _kind(x: Any) -> str:
    if isinstance(x, (tuple, list)):
        return f"a {type(x).__name__} of {len(x)}"
    return "None (is there a return?)" if x is None else f"of type {type(x).__name__}"


def _keys(x: dict[Any, Any]) -> str:
    return ", ".join(sorted(map(str, x))) or "none"


def _in_words(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if names else ""
