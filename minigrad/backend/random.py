"""Random numbers, drawn on the host from minigrad's own seed: the same on every backend.

Masks of dropout are the exception: a GPU draws its own, from one number that is drawn here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np


class Generator:
    """A stream of random numbers whose state can be saved and restored.

    Parameters
    ----------
    seed : int, optional
        Start of the stream; without it, the operating system's entropy is used.

    Notes
    -----
    SFC64 bits, NumPy's `numpy.random.Generator` on top. The same seed gives the same numbers on
    one NumPy version; NumPy may change a distribution's stream between versions (NEP 19).

    Examples
    --------
    >>> import minigrad as mg
    >>> g = mg.Generator(7)
    >>> state = g.get_state()
    >>> a = g.host.random(3)
    >>> g.set_state(state)
    >>> bool((g.host.random(3) == a).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        self.manual_seed(int.from_bytes(os.urandom(16), "little") if seed is None else seed)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream again from ``seed`` (an int of any size, not negative)."""
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"seed must be an int that is not negative, not {seed!r}")
        self._seed = int(seed)
        self.__dict__.pop("host", None)
        return self

    @cached_property
    def host(self) -> np.random.Generator:
        """NumPy's generator that draws (made at the first draw: importing it takes time)."""
        return np.random.Generator(np.random.SFC64(self._seed))

    def initial_seed(self) -> int:
        """Return the seed that the stream began with."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """Return the whole state as plain numbers (it can be written as JSON)."""
        state = self.host.bit_generator.state
        words = [int(w) for w in state["state"]["state"]]
        return {
            "seed": self._seed,
            "bit_generator": state["bit_generator"],
            "words": words,
            "has_uint32": int(state["has_uint32"]),
            "uinteger": int(state["uinteger"]),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `get_state` returned."""
        if state.get("bit_generator") != "SFC64" or len(state.get("words", ())) != 4:
            raise ValueError(f"not a state of minigrad.Generator (SFC64): {dict(state)!r}")
        self.host.bit_generator.state = {
            "bit_generator": "SFC64",
            "state": {"state": np.array(state["words"], dtype=np.uint64)},
            "has_uint32": state["has_uint32"],
            "uinteger": state["uinteger"],
        }
        self._seed = state["seed"]

    def __repr__(self) -> str:
        return f"Generator(seed={self._seed})"


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed minigrad's default generator (weights, shuffles, dropout) and return it."""
    return default_generator.manual_seed(seed)


def draw_keep(host: np.random.Generator, count: int, p: float) -> Any:
    """Return ``count`` bools, each False with probability exactly p (a double, 0 < p < 1).

    With ``p = (w + f) / 65536`` (w whole, 0 <= f < 1), 16 random bits below w drop an element;
    equal to w (one element in 65536) they leave it to a second draw, which drops with
    probability f. That is as exact as comparing doubles, and 3x faster (0.7 ns per element).
    """
    words = host.bit_generator.random_raw(-(-count // 4))
    bits = words.view(np.uint16)[:count]
    fraction, whole = math.modf(p * 65536)
    keep = bits >= int(whole)
    if fraction:
        (undecided,) = (bits == int(whole)).nonzero()
        if len(undecided):
            keep[undecided] = host.random(len(undecided)) >= fraction
    return keep
