"""A recorded program: run, printed, costed, drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minigrad.backend import NUMPY, Backend
from minigrad.backend.blas import kept_to
from minigrad.backend.threads import get_num_threads
from minigrad.replay.bind import bound, written
from minigrad.replay.chains import chain_runner
from minigrad.replay.emit import Emitter
from minigrad.replay.graphs import Graphs
from minigrad.replay.ir import INPUT, TEMP, Instr, Storage, View, owner_of
from minigrad.replay.recorder import Guard
from minigrad.replay.tiles import runner, scratch_bytes, side_by_side


class Program:
    """What one call of a function did, as a flat list of instructions on arrays.

    Attributes
    ----------
    instrs : list of Instr
        In the order of execution, after the passes.
    source : str
        The Python function that runs them.
    """

    def __init__(
        self, name: str, instrs: Sequence[Instr], guards: Sequence[Guard], outputs: Sequence[View],
        inputs: Sequence[tuple[View, bool]], passes: Mapping[str, Callable[[Any], None]],
        threads: int = 1, xp: Backend = NUMPY, graph: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.threads, self.xp = name, threads, xp
        self.instrs: list[Instr] = [_early(i) for g in guards for i in g.instrs] + list(instrs)
        self.guards = list(guards)
        self.outputs = list(outputs)
        self.recorded = len(self.instrs)
        self.arena = 0  # bytes of the one buffer in which storages lie that the planner placed
        self.passes = tuple(passes)
        self._places: dict[Storage, int] = {}
        self.unplanned = sum(s.nbytes for s in self.temporaries())
        for run in passes.values():
            run(self)
        self._allocate()
        groups = [instr for instr in self.instrs if instr.kind == "fused"]
        self.scratch = 0
        if xp.kernels is not None:
            for instr in groups:
                instr.run = chain_runner(instr, xp)
        else:  # groups run one after another, so they share the memory of their tiles
            self.scratch = max((scratch_bytes(g, threads) for g in groups), default=0)
            scratch = [xp.memory(self.scratch) for _ in range(threads)]
            for instr in groups:
                instr.run = runner(instr, threads, scratch)
        shared = [instr for instr in self.instrs if instr.kind == "lanes"]
        for instr in shared:
            instr.run = side_by_side(instr, threads)
        self.bound = bound(self, inputs) if xp is NUMPY else []  # a GPU's graph has addresses
        self._own = {id(s.owner) for s in written(self) if s.owner is not None}
        self._inputs = {f"a{k}": inputs[k][0] for k in self.bound}
        self._telling: Callable[..., Any] | None = None
        emitter = Emitter(self._inputs)
        early = [i for i in self.instrs if i.prologue]
        conditions = " and ".join(f"{_question(emitter, g)} is {g.expected}" for g in self.guards)
        self.applies: Callable[..., bool] | None = None
        head = ""
        if guards:
            self.applies, head = emitter.function("applies", early, conditions)
        late = [i for i in self.instrs if not i.prologue]
        self.run, body = emitter.function("run", late)
        self.graphs: Graphs | str = "" if not graph else "the CPU has no graphs"
        if graph and xp is not NUMPY:
            self.graphs = Graphs(late, lambda name, some: emitter.function(name, some)[0], xp)
            self.run = self.graphs
        self._blas: int | None = None  # how many threads BLAS is kept to meanwhile
        if shared:
            self._blas = 1
        elif 1 < threads <= get_num_threads() and xp is NUMPY:  # products alone: BLAS shares them
            self._blas = threads
        self.run = self._with_blas(self.run)
        self.source = "\n\n\n".join(filter(None, (head, body)))

    def _with_blas(self, run: Callable[..., Any]) -> Callable[..., Any]:
        return run if self._blas is None else kept_to(self._blas, run)

    def apart(self, array: Any) -> Any:
        """Return an argument's array, or a copy if the program writes to its memory."""
        owner = array if array.base is None else owner_of(array)
        return array.copy(order="K") if id(owner) in self._own else array

    def telling(self) -> Callable[..., Any]:
        """Return what does as `run`, and tells its first argument of each instruction before it.

        It tells the name and the bytes.
        """
        from minigrad.replay.report import named, traffic

        if self._telling is None:
            numbers = {id(instr): i for i, instr in enumerate(self.instrs)}
            late = [instr for instr in self.instrs if not instr.prologue]
            run, _ = Emitter(self._inputs).function(
                "run", late, told=lambda i: (f"{numbers[id(i)]:3} {named(i)}", traffic(i))
            )
            self._telling = self._with_blas(run)
        return self._telling

    # ---- memory ---------------------------------------------------------------------------------

    def roots(self) -> list[View]:
        """Return the views that must be right at the end."""
        return [*self.outputs, *(g.view for g in self.guards)]

    def views(self) -> list[View]:
        """Return all views in use, each once."""
        found: dict[int, View] = {id(v): v for v in self.roots()}
        for instr in self.instrs:
            parts = [v for p in instr.parts for v in (*p.operands(), *p.outs)]
            for v in (*instr.reads(), *instr.outs, *parts):
                if v.storage not in instr.local:
                    found[id(v)] = v
        return list(found.values())

    def temporaries(self) -> list[Storage]:
        """Return the storages that the program may place as it likes."""
        return [
            s for s in dict.fromkeys(v.storage for v in self.views())
            if s.kind == TEMP and not s.kept
        ]  # fmt: skip

    def rename(self, change: Callable[[View], View]) -> None:
        """Put other views in the place of the results and of what conditions look at."""
        self.outputs[:] = [change(v) for v in self.outputs]
        for g in self.guards:
            g.view = change(g.view)

    def place(self, places: dict[Storage, int], total: int) -> None:
        """Take over a plan: where in one buffer each storage lies."""
        self._places, self.arena = places, total

    def _allocate(self) -> None:
        xp = self.xp
        arena = xp.memory(self.arena)
        memory: dict[Storage, tuple[Any, int]] = {}
        for s in self.temporaries():
            if s in self._places:
                memory[s] = (arena, self._places[s])
            else:
                memory[s] = (xp.memory(s.nbytes), 0)
            s.owner = None
        for v in self.views():
            if v.storage not in memory and v.array is None:  # a pass made it
                memory[v.storage] = (xp.bytes_of(v.storage.owner), 0)
            if v.storage in memory:
                buffer, start = memory[v.storage]
                v.array = (
                    xp.array_in(buffer, start + v.offset, v.shape, v.strides, v.dtype)
                    if v.size
                    else xp.empty(v.shape, v.dtype)
                )

    def memory(self) -> dict[str, int]:
        """Return bytes: of the program's buffers as planned, and as they would be without a plan.

        ``planned`` is what stays allocated between replays; ``unplanned`` gives each result a
        buffer of its own; ``alive`` is the least that any plan could need, the most that is alive
        at one time (eager execution needs at least that). ``kept`` are arguments and gradients,
        which live in both.
        """
        temporaries = self.temporaries()
        loose = sum(s.nbytes for s in temporaries if s not in self._places)
        everything = dict.fromkeys(v.storage for v in self.views())
        kept = [s for s in everything if s.kind == INPUT or (s.kind == TEMP and s.kept)]
        return {
            "planned": self.arena + loose + self.scratch * self.threads,
            "alive": most_alive(self),
            "unplanned": self.unplanned,
            "kept": sum(s.nbytes for s in kept),
        }

    # ---- text -----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.instrs)

    def __str__(self) -> str:
        from minigrad.replay.report import table

        return table(self)

    def __repr__(self) -> str:
        return f"<program of {self.name}: {len(self.instrs)} instructions>"

    def cost(
        self, flops_per_second: float | None = None, bytes_per_second: float | None = None
    ) -> Any:
        """Return FLOPs, bytes, arithmetic intensity and, for a machine's rates, the least time.

        Parameters
        ----------
        flops_per_second, bytes_per_second : float, optional
            What the machine reaches at best (`minigrad.replay.measure_rates` measures it). Then
            each instruction has a floor: the larger of FLOPs and bytes over these rates.
        """
        from minigrad.replay.report import cost

        return cost(self, flops_per_second, bytes_per_second)

    def draw(self) -> str:
        """Return a picture of the program as SVG: a box for each instruction, below its sources."""
        from minigrad.replay.report import draw

        return draw(self)


def lifetimes(program: Program) -> dict[Storage, tuple[int, int]]:
    """Return, for each temporary storage, the first and the last instruction that uses it."""
    movable = set(program.temporaries())
    times: dict[Storage, tuple[int, int]] = {}
    end = len(program.instrs)
    for i, instr in enumerate(program.instrs):
        for v in (*instr.reads(), *instr.outs):
            if v.storage in movable:
                times[v.storage] = (times.get(v.storage, (i, i))[0], i)
    for v in program.outputs:
        if v.storage in movable:
            times[v.storage] = (times.get(v.storage, (0, 0))[0], end)
    early = sum(i.prologue for i in program.instrs)
    for g in program.guards:  # looked at after the prologue
        if g.view.storage in movable:
            first, last = times.get(g.view.storage, (0, 0))
            times[g.view.storage] = (first, max(last, early))
    return times


def most_alive(program: Program) -> int:
    """Return the most bytes of temporaries that are alive at one time."""
    steps: dict[int, int] = {}
    for s, (first, last) in lifetimes(program).items():
        steps[first] = steps.get(first, 0) + s.nbytes
        steps[last + 1] = steps.get(last + 1, 0) - s.nbytes
    most = now = 0
    for i in sorted(steps):
        now += steps[i]
        most = max(most, now)
    return most


def _question(emitter: Emitter, guard: Guard) -> str:
    name = "bool" if guard.test is bool else emitter.name(guard.test, "holds")
    return f"{name}({emitter.value(guard.view)})"


def _early(instr: Instr) -> Instr:
    """Return a copy of an instruction for the prologue."""
    return Instr(
        instr.kind, instr.name, instr.run, instr.args, instr.kwargs, list(instr.outs), instr.op,
        instr.pure, instr.cut, True, list(instr.also_reads), template=instr.template,
    )  # fmt: skip
