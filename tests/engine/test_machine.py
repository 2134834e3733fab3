"""Random graphs, changes, hooks and backwards against scalars; and the proof that it can fail."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from support.machine import Machine

import minigrad.engine.backward as engine
import minigrad.engine.op as op
import minigrad.ops.inplace as inplace
from minigrad.engine.modes import _Switch
from minigrad.engine.op import TABLE
from minigrad.engine.tensor import Tensor, wrap

EXAMPLES, STEPS = 10, 40
BATCHES = {"ci": 12, "seeds": 8}.get(settings.get_current_profile_name(), 40)


def run(seeds: Iterable[int], *phases: Phase) -> None:
    """Run the machine on a few examples from each seed.

    A long run from one seed would mostly be variations of its first ten examples.
    """
    for k in seeds:

        @seed(k)
        class Seeded(Machine):
            pass

        try:
            run_state_machine_as_test(
                Seeded,
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    phases=phases,
                    database=None,
                    print_blob=False,
                    report_multiple_bugs=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception as error:
            error.add_note(f"the machine's seed was {k}")
            raise


@pytest.fixture
def first(request: pytest.FixtureRequest) -> int:
    """Return the first seed: fixed in CI, --hypothesis-seed's, or any."""
    given = request.config.getoption("--hypothesis-seed")
    if given is None or given == "random":
        fixed = settings.get_current_profile_name() == "ci"
        return 0 if fixed else random.SystemRandom().randrange(10**9)
    return 1000 * int(given)


def test_the_engine_agrees_with_the_scalars_or_refuses(first: int) -> None:
    run(range(first, first + BATCHES), Phase.generate, Phase.shrink)


@pytest.mark.slow
def test_the_engine_agrees_with_the_scalars_at_length(first: int) -> None:
    run(range(first + 100, first + 100 + 5 * BATCHES), Phase.generate, Phase.shrink)


# ---- the machine can fail -----------------------------------------------------------------------


def edited(module: Any, name: str, old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Return what puts a function with one piece of its text replaced in its place."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        text = inspect.getsource(getattr(module, name))
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        scope: dict[str, Any] = {}
        exec(compile(text.replace(old, new), f"<{name} with a bug>", "exec"), vars(module), scope)
        monkeypatch.setattr(module, name, scope[name])

    return plant


def edited_method(name: str, old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    """The same for a function behind methods of Tensor, which `install` has put there."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        edited(inplace, name, old, new)(monkeypatch)
        if name == "setitem":
            monkeypatch.setattr(Tensor, "__setitem__", inplace.setitem)
        else:
            for op_name in ("add", "mul", "tanh"):
                monkeypatch.setattr(Tensor, f"{op_name}_", inplace._method(op_name))

    return plant


def replaced(owner: Any, name: str, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


def first_row(c: Any, shape: tuple[int, ...]) -> Any:
    """Bring a gradient to an operand's shape without the sum that belongs to it."""
    c = c[(0,) * (len(c.shape) - len(shape))]
    return c[tuple(slice(n) for n in shape)]


BUGS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a second consumer overwrites the first": edited(
        engine, "_walk", "c if earlier is None else earlier + c", "c"
    ),
    "a node runs before all its consumers": edited(engine, "_walk", "if left == 0:", "if True:"),
    "a second backward overwrites .grad": edited(
        engine, "_deliver", "tensor.grad._array += box[0]", "tensor.grad._array[...] = box[0]"
    ),
    "gradients share memory": replaced(engine, "_own", lambda box: box[0]),
    "recorded gradients share memory": edited(
        engine, "_deliver", 'TABLE["clone"].function(g)', "g"
    ),
    "a broadcast operand's gradient is not summed": replaced(engine, "sum_to", first_row),
    "hooks are forgotten": edited(engine, "_walk", "if node.hooks and", "if False and"),
    "hooks see each share, not the sum": edited(
        engine, "_walk", "grads[parent] = c if earlier",
        "c = _run_hooks(parent.hooks, c, as_tensors) if parent.hooks else c\n"
        "                grads[parent] = c if earlier",
    ),
    "retain_grad is forgotten": replaced(engine, "_watch", lambda node, g: None),
    "changes in place are not looked at": replaced(engine, "check_saved", lambda node, saved: None),
    "stale views are not looked at": lambda monkeypatch: [
        monkeypatch.setattr(module, "check_view", lambda x: None) for module in (engine, op)
    ],
    "changes of elements are not noted": edited_method(
        "setitem", "changed(", "(lambda *a, **k: None)("
    ),
    "a graph is never freed": edited(engine, "_walk", "if not keep:", "if False:"),
    "a graph is always freed": edited(engine, "_walk", "if not keep:", "if True:"),
    "a freed part is passed over": replaced(engine, "_check_freed", lambda freed, targets: None),
    "a change in place does not enter the graph": replaced(
        inplace, "move", lambda x, node: None
    ),
    "a change in place does not save what it overwrites": edited_method(
        "_method", 'self._array.copy(order="K") if recorded else self._array',
        "self._array",
    ),
    "a leaf may be changed on the tape": edited(
        inplace, "check_writable", "isinstance(x._node, Leaf)", "False"
    ),
    "detach keeps the graph": replaced(Tensor, "detach", lambda x: wrap(x._array, x._node)),
    "no_grad records": replaced(_Switch, "__enter__", lambda self: self._tokens.append(
        op.MODE.set(op.MODE.get())
    )),
    "second order forgets what was saved": edited(
        engine, "_tensor_rules", "value = wrap(value, node.parents[source - 1])", "pass"
    ),
    "second order forgets the output": edited(
        engine, "_tensor_rules", "value = wrap(value, node)", "pass"
    ),
}  # fmt: skip


def find(batches: int = 20) -> bool:
    """Say whether the machine fails within a number of batches of examples."""
    try:
        run(range(batches), Phase.generate)
    except Exception:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("bug", list(BUGS))
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.engine.mutation.show_line", str)
    BUGS[bug](monkeypatch)
    with np.errstate(all="ignore"):
        assert find(), f"the machine does not notice that {bug}"


def test_readme_says_how_many_are_planted() -> None:
    readme = Path(__file__).resolve().parents[2] / "README.md"
    said = " ".join(readme.read_text(encoding="utf-8").split())
    assert f"finds {len(BUGS) + len(WRONG_RULES)} bugs that are planted in the engine" in said


WRONG_RULES: dict[str, Callable[..., Any]] = {
    "permute": lambda g, x_shape: g.reshape(x_shape),
    "tanh": lambda g, y: g * (1 - y),
    "index": lambda g, index, x_shape: TABLE["_place"].function(g[:1], x_shape, 0),
}


@pytest.mark.parametrize("name", list(WRONG_RULES))
def test_a_planted_rule_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = TABLE[name]
    monkeypatch.setattr(row, "rules", {**row.rules, row.operands[0]: WRONG_RULES[name]})
    monkeypatch.setattr(row, "plans", {})
    assert find()


@pytest.mark.slow
def test_nothing_is_found_where_no_bug_is() -> None:
    assert not find(3)
