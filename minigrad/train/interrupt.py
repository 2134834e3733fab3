"""Ctrl-C during training: the batch at hand is finished, and what was trained is kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interruptible(stop: Callable[[str], None]) -> Iterator[None]:
    """Call ``stop`` at the first Ctrl-C inside a ``with`` block, instead of raising anywhere.

    A second Ctrl-C raises KeyboardInterrupt at once. Only the main thread can be asked so; in
    another one nothing changes, nor where Ctrl-C is ignored (as under nohup).
    """
    before = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or before is signal.SIG_IGN:
        yield
        return

    def handle(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        stop("interrupted by Ctrl-C (once more to break off at once)")

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
