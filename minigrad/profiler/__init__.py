"""Where the time and the memory go: ``with mg.profile() as p:``, as a table and as a trace.

A newcomer reads `minigrad.profiler.recorder`, then `minigrad.profiler.table`.
"""

from minigrad.profiler.profile import Profile as profile
from minigrad.profiler.recorder import Event
from minigrad.profiler.rows import Row

__all__ = ["Event", "Row", "profile"]
