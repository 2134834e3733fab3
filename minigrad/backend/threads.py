"""Threads that share large work, and one owner of the cores at a time.

NumPy computes on the thread that calls it, but for products of matrices: these are its BLAS's,
which shares them among threads of its own. What BLAS cannot share are convolutions and pooling,
where copies and passes through memory take as long as the products. `set_num_threads` lets
minigrad share them itself. From the first one on the cores are minigrad's: tiles, blocks of
elementwise functions and parts of products are dealt out here, and BLAS is kept to one thread,
since its helpers go on spinning for a while after a product, and beside threads of ours they make
everything slower.

Work is cut by its size alone. Who is free takes the next piece, and no piece touches what another
one writes, so results do not depend on which thread is faster.
"""

from __future__ import annotations

import os
import threading
import warnings
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from minigrad.backend.blas import blas_threads, set_blas_threads

if TYPE_CHECKING:
    from queue import SimpleQueue

Part = Callable[[], Any]


class _Task:
    """A part of some work: for the worker that it is given to, or for who is done before it."""

    def __init__(self, part: Part) -> None:
        self._parts = [partial(copy_context().run, part)]  # what is switched off here is so there
        self._of_worker: dict[str, bool] = {}
        self._done = allocate_lock()
        self._done.acquire()
        self._ended = False
        self.error: BaseException | None = None

    def claim(self, worker: bool) -> bool:
        """Take the part for the worker or for the caller, if nobody has it; say if it is theirs.

        Who is interrupted may ask again, and gets the same answer.
        """
        return self._of_worker.setdefault("it is", worker) is worker

    def take(self) -> Part:
        """Return the part, to be run by who claimed it, and keep nothing of it."""
        return self._parts.pop()

    def tell(self) -> None:
        """Tell who waits for the worker that it is done."""
        self._ended = True
        self._done.release()

    def end(self) -> None:
        """Wait for the worker that has the part; if none has begun it, none will."""
        if self.claim(worker=False):
            self._parts.clear()  # a worker that is late still has the task
            return
        while not self._ended:  # who is interrupted may have acquired already
            self._done.acquire()


class _Crew:
    """The threads that there are; they do one piece of work at a time."""

    def __init__(self) -> None:
        self._queues: list[SimpleQueue[_Task]] = []
        self.work: dict[str, Sequence[_Task]] = {}  # what they do, if anything

    def take(self, tasks: Sequence[_Task]) -> bool:
        """Begin some work, if they do no other; say whether it is this one that they do."""
        return self.work.setdefault("now", tasks) is tasks

    def leave(self, tasks: Sequence[_Task]) -> None:
        """End some work, if it is this that they do."""
        if self.work.get("now") is tasks:
            self.work.clear()

    def hand_out(self, tasks: Sequence[_Task]) -> None:
        """Give each task to a worker, which takes some 40 microseconds to begin."""
        from queue import SimpleQueue  # here, since `import minigrad` does not need it

        while len(self._queues) < len(tasks):
            queue: SimpleQueue[_Task] = SimpleQueue()
            name = f"minigrad-{len(self._queues) + 1}"
            try:
                threading.Thread(target=_work, args=(queue,), name=name, daemon=True).start()
            except RuntimeError:  # the system has no more, or Python is ending: fewer will do
                break
            self._queues.append(queue)
        for queue, task in zip(self._queues, tasks, strict=False):
            queue.put(task)


def _work(queue: SimpleQueue[_Task]) -> None:
    """Do tasks, for ever: what a worker is."""
    while True:
        task = queue.get()
        if task.claim(worker=True):
            try:
                task.take()()
            except BaseException as error:  # raised where the work was handed out
                task.error = error
            task.tell()
        del task  # and what it raised, whose traceback has this frame


_crew = _Crew()
_count: int | None = None  # of threads, as set
_ours = False  # whether the cores are minigrad's by now
_blas_before: int | None = None  # BLAS's threads before that


def _new_crew() -> None:
    global _crew
    _crew = _Crew()  # a process that was forked has none of its parent's threads


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_crew)


def share(parts: Sequence[Part]) -> None:
    """Run some functions, the first here and the others on other threads; wait for all.

    What no thread has begun when the first has ended runs here. Where the threads are at work
    already, for another thread or for what calls this, all run here. What a part raises is raised
    when all that began have ended.
    """
    crew = _crew
    tasks: list[_Task] = []
    error: BaseException | None = None
    try:
        if len(parts) > 1 and crew.take(tasks):
            tasks += [_Task(part) for part in parts[1:]]
            crew.hand_out(tasks)
            parts[0]()
            _run_rest(tasks)
        else:
            for part in parts:
                part()
    except BaseException as raised:
        error = raised
    while True:
        try:
            _end_all(tasks)
            crew.leave(tasks)
            break
        except BaseException as interruption:  # what a worker writes to must not go before it ends
            error = interruption
    if error is None:
        error = next((task.error for task in tasks if task.error is not None), None)
    if error is not None:
        try:
            raise error
        finally:
            del error, tasks  # its traceback has this frame: a cycle would keep arrays


def _run_rest(tasks: Sequence[_Task]) -> None:
    """Run the tasks that no worker has begun."""
    for task in tasks:
        if task.claim(worker=False):
            task.take()()


def _end_all(tasks: Sequence[_Task]) -> None:
    """Wait for the tasks that workers have, and let none begin another."""
    for task in tasks:
        task.end()


def deal(items: Iterable[Any], functions: Sequence[Callable[[Any], Any]]) -> None:
    """Call one of some functions for each item: each function has a thread, and takes the next."""
    rest = deque(items)
    share([partial(_take, rest, function) for function in functions])


def _take(rest: deque[Any], function: Callable[[Any], Any]) -> None:
    while rest:
        try:
            item = rest.popleft()
        except IndexError:  # another thread was quicker
            return
        function(item)


def get_num_threads() -> int:
    """Return how many threads minigrad computes on: 1 unless `set_num_threads` was used.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.get_num_threads()
    1
    """
    return _count or 1


def at_hand() -> int:
    """Return how many threads may share work that BLAS could do as well: 1 while they are its."""
    return get_num_threads() if _ours else 1


def take_cores() -> int:
    """Return how many threads may share work that BLAS cannot; from now on they are ours."""
    global _ours
    if _count is not None and _count > 1 and not (_ours and blas_threads() == 1):
        _ours = True  # and BLAS may have got its threads back: what kept it to one restores them
        set_blas_threads(1)
    return _count or 1


def set_num_threads(count: int | None) -> None:
    """Let minigrad compute on so many threads of the processor.

    They are those of NumPy's BLAS, which shares products of matrices, until the first convolution
    or pooling that is large enough. From then on minigrad shares large work by itself: tiles of
    convolutions and pooling, blocks of activations, parts of products. BLAS then is kept to one
    thread in the whole process, so that the cores have one owner: your own products of NumPy
    arrays are on one thread, too.

    Parameters
    ----------
    count : int or None
        How many; 1 computes everything on one. None, as at the start, computes on one, and leaves
        products to BLAS and the threads that it had.

    Raises
    ------
    TypeError, ValueError
        ``count`` is no int, or less than 1.

    Warns
    -----
    RuntimeWarning
        NumPy was built with a BLAS whose threads cannot be set (OpenBLAS's can). Nothing is
        changed then.

    Notes
    -----
    Small work stays on one thread, since it takes some 40 microseconds to hand a part over.
    Results do not depend on the number of threads, but for large products of matrices, whose
    parts BLAS may round otherwise than the whole in the last bits. torch's name and meaning.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.set_num_threads(2)
    >>> mg.get_num_threads()
    2
    >>> mg.set_num_threads(None)
    """
    global _count, _blas_before, _ours
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(
                f"set_num_threads takes an int or None, not {count!r}; this machine has "
                f"{os.cpu_count()} cores"
            )
        if count < 1:
            raise ValueError(f"set_num_threads: count must be at least 1 (or None), not {count}")
    owned = blas_threads()
    if owned is None:
        if count is not None:
            warnings.warn(
                "set_num_threads: NumPy was built with a BLAS whose threads cannot be set; "
                "minigrad stays at one thread of its own. Set those of BLAS before NumPy is "
                "imported, with its own variable (OMP_NUM_THREADS, VECLIB_MAXIMUM_THREADS)",
                RuntimeWarning,
                stacklevel=2,
            )
        return
    if _count is None:
        _blas_before = owned
    _count, _ours = count, False
    set_blas_threads(count or _blas_before or owned)


def product_threads() -> int | None:
    """Return how many threads large products may have by now, ours or BLAS's; None: not known."""
    owned = blas_threads()
    return None if owned is None else max(owned, get_num_threads())
