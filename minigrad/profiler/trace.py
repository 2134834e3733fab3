"""The profile as a Chrome trace, the JSON that chrome://tracing and Perfetto read.

References
----------
"Trace Event Format", the Chromium project, 2016: complete events, ``"ph": "X"``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from minigrad.profiler.recorder import Event


def chrome_trace(events: Sequence[Event]) -> bytes:
    """Return the events as JSON; times in microseconds, threads numbered as they are first seen."""
    process = os.getpid()
    threads: dict[int, int] = {}
    records: list[dict[str, Any]] = []
    for e in sorted(events, key=lambda e: (e.start, -e.duration)):
        thread = threads.setdefault(e.thread, len(threads))
        records.append(
            {
                "name": e.name,
                "cat": e.kind,
                "ph": "X",
                "ts": e.start / 1e3,
                "dur": e.duration / 1e3,
                "pid": process,
                "tid": thread,
                "args": {"module": e.module, "bytes": e.bytes, "peak bytes": e.peak},
            }
        )
    names = [
        {
            "name": "thread_name",
            "ph": "M",
            "pid": process,
            "tid": n,
            "args": {"name": f"thread {n}"},
        }
        for n in threads.values()
    ]
    return json.dumps({"traceEvents": names + records, "displayTimeUnit": "ms"}).encode()
