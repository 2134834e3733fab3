"""Kernels that are launched together: a CUDA graph of what a function launches.

Written by CuPy's documentation and **not yet run on a GPU**: the CPU stand-in of the tests has no
graphs, and shows the fallback only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy as cp


class Graphed:
    """A function that only launches kernels, the same ones at each call, on the same arrays.

    The first call runs it, so that all is compiled and loaded; the second captures its launches;
    from then on one launch does it all. The memory that it takes meanwhile comes from a pool that
    nothing else uses: a graph goes on writing to it. Where capturing fails, ``problem`` says why
    and the function is simply called.

    Parameters
    ----------
    run : callable
        What to capture.
    """

    def __init__(self, run: Callable[[], Any]) -> None:
        self._run = run
        self._stream: Any = None
        self._pool: Any = None
        self._graph: Any = None
        self.problem: str | None = None

    @property
    def captured(self) -> bool:
        """Whether a graph is launched in the function's place."""
        return self._graph is not None

    def __call__(self) -> None:
        """Do what the function does."""
        if self.problem is not None:
            self._run()
        elif self._graph is not None:
            self._graph.launch()
        elif self._stream is None:
            self._stream, self._pool = cp.cuda.Stream(non_blocking=True), cp.cuda.MemoryPool()
            self._beside(self._run)
        else:
            try:
                self._graph = self._beside(self._capture)
            except RuntimeError as error:
                self.problem = " ".join(str(error).split())
                self._run()
                return
            self._graph.launch()

    def _beside(self, function: Callable[[], Any]) -> Any:
        """Call a function on a stream and with memory of its own, in the current stream's order."""
        current = cp.cuda.get_current_stream()
        self._stream.wait_event(current.record())
        with cp.cuda.using_allocator(self._pool.malloc), self._stream:
            result = function()
        current.wait_event(self._stream.record())
        return result

    def _capture(self) -> Any:
        """Return the graph of what the function launches; none of it is done yet."""
        self._stream.begin_capture()
        try:
            self._run()
        except BaseException:
            self._stream.end_capture()  # else the stream could not be used any more
            raise
        return self._stream.end_capture()
