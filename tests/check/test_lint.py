"""lint: it leaves no trace, says nothing of what is right, and reports what it finds readably.

That each smell is found, and gone when cured, is in tests/mistakes.
"""

from __future__ import annotations

import copy
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.check import Finding, Findings, lint
from minigrad.check.lints import TABLE, lessons
from minigrad.check.lints.table import smell
from minigrad.check.lints.trial import trial

ROOT = Path(__file__).resolve().parents[2]
CE = nn.CrossEntropyLoss()


def data(n: int = 32) -> tuple[mg.Tensor, mg.Tensor]:
    x = mg.randn(n, 4, generator=mg.Generator(1))
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


class Net(nn.Module):
    """All that a module may keep: parameters, a buffer, lists, counters, shared memory."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.norm = nn.Linear(4, 8), nn.BatchNorm1d(8)
        self.dropout, self.out = nn.Dropout(0.3), nn.Linear(8, 3)
        self.register_buffer("calls", mg.zeros(1))
        self.count, self.seen, self.notes = 0, [], {"a": 1}

    def forward(self, x: Any) -> Any:
        with mg.no_grad():
            self.calls += 1
        self.count += 1
        self.seen.append(self.count)
        self.notes["last"] = self.count
        return self.out(self.dropout(self.norm(self.hidden(x)).relu()))


def picture(model: nn.Module, optimizer: Any) -> Any:
    """Return all that a lint could have changed, down to which array a parameter holds."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return (
        [(n, id(t), id(t._array), t._array.tobytes()) for n, t in tensors],
        [(n, t.requires_grad, id(t.grad), repr(t.grad)) for n, t in tensors],
        [(n, m.training, sorted(m.__dict__), repr(m._hooks)) for n, m in model.named_modules()],
        repr({k: v for k, v in vars(model).items() if k in ("count", "seen", "notes")}),
        id(optimizer.param_groups[0]),
        repr(optimizer.state_dict()),
        mg.default_generator.get_state(),
    )


def trained(steps: int, model: Any = None, check: bool = False) -> Any:
    """Train, with a lint after each step or without; return the model and its optimiser."""
    mg.manual_seed(3)
    model = Net() if model is None else model
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    x, y = data()

    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        CE(model(x), y).backward()
        optimizer.step()

    for _ in range(steps):
        step(x, y)
        if check:
            assert not lint(model, CE, (x, y), optimizer, step=step)
    return model, optimizer, step


# ---- no trace -----------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_changed(training: bool) -> None:
    model, optimizer, step = trained(3)
    model.hidden.register_forward_hook(lambda module, args, output: None)
    model.train(training)
    before = picture(model, optimizer)
    lint(model, CE, data(), optimizer, step=step, training=training)
    assert picture(model, optimizer) == before


def test_nothing_is_changed_before_the_first_step() -> None:
    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    before = picture(model, optimizer)
    lint(model, CE, data(), optimizer)
    assert picture(model, optimizer) == before


def test_nothing_is_changed_when_the_users_code_fails() -> None:
    model, optimizer, _ = trained(2)
    before = picture(model, optimizer)

    def broken(*_: Any) -> Any:
        raise KeyError("the user's own")

    with pytest.raises(KeyError, match="the user's own"):
        lint(model, broken, data(), optimizer)
    with pytest.raises(KeyError, match="the user's own"):
        lint(model, CE, data(), optimizer, step=broken)
    assert picture(model, optimizer) == before


@pytest.mark.slow
def test_training_goes_on_bit_for_bit() -> None:
    alone, _, _ = trained(4)
    watched, _, _ = trained(4, check=True)
    for (name, a), (_, b) in zip(
        alone.state_dict().items(), watched.state_dict().items(), strict=True
    ):
        assert np.array_equal(a.numpy(), b.numpy()), name


def test_a_pending_graph_survives() -> None:
    model, optimizer, step = trained(1)
    x, y = data()
    mg.manual_seed(5)
    optimizer.zero_grad()
    CE(model(x), y).backward()
    expected = model.hidden.weight.grad.numpy().copy()
    optimizer.zero_grad()
    mg.manual_seed(5)
    loss = CE(model(x), y)
    lint(model, CE, (x, y), optimizer, step=step)
    loss.backward()
    assert np.array_equal(model.hidden.weight.grad.numpy(), expected)


def test_a_trial_undoes_the_optimisers_options_and_state() -> None:
    model, optimizer, step = trained(2)
    before = picture(model, optimizer)
    with trial(model, optimizer):
        optimizer.param_groups[0]["lr"] = 7.0
        optimizer.add_param_group({"params": [mg.ones(2, requires_grad=True)]})
        step(*data())
        model.extra = nn.Linear(2, 2)
        model.seen.clear()
        model.to(mg.float64)
        assert picture(model, optimizer) != before
    assert picture(model, optimizer) == before
    step(*data())


# ---- no false alarms ----------------------------------------------------------------------------


def readme() -> tuple[Any, ...]:
    mg.manual_seed(0)
    x = mg.randn(256, 2)
    target = (x[:, 0] * x[:, 1] > 0).long()
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
    return model, CE, (x, target), optim.Adam(model.parameters(), lr=0.05)


def normalised() -> tuple[Any, ...]:
    model = nn.Sequential(
        nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3)
    )
    return model, CE, data(64), optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def regression() -> tuple[Any, ...]:
    x, y = data(64)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    return model, nn.MSELoss(), (x, y.float()), optim.Adam(model.parameters())


def straight_line() -> tuple[Any, ...]:
    x, y = data(64)
    model = nn.Linear(4, 1)
    return model, nn.MSELoss(), (x, y.float().unsqueeze(1)), optim.SGD(model.parameters(), lr=0.1)


def yes_or_no() -> tuple[Any, ...]:
    x, y = data(64)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return model, nn.BCEWithLogitsLoss(), (x, (y > 0).float()), optimizer


def probabilities() -> tuple[Any, ...]:
    x, y = data(64)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return model, mg.binary_cross_entropy, (x, (y > 0).float().unsqueeze(1)), optimizer


def log_probabilities() -> tuple[Any, ...]:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.LogSoftmax(dim=-1))
    return model, nn.NLLLoss(), data(), optim.Adam(model.parameters(), lr=0.01)


def frozen() -> tuple[Any, ...]:
    """A backbone that is not trained, in evaluation mode, under a head that is."""
    backbone = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU())
    backbone.requires_grad_(False)
    model = nn.Sequential(backbone, nn.Dropout(0.1), nn.Linear(16, 3))
    backbone.eval()
    return model, CE, data(), optim.Adam(model[2].parameters(), lr=0.01)


class Residual(nn.Module):
    """Normalisation, a shortcut, attention over the features, tied weights: all meant."""

    def __init__(self) -> None:
        super().__init__()
        self.inp, self.q, self.out = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.gain = nn.Parameter(mg.ones(8))

    def forward(self, x: Any) -> Any:
        h = self.inp(x)
        h = mg.layer_norm(h, (8,), self.gain)
        scores = mg.softmax(h.unsqueeze(1) * self.q(h).unsqueeze(2) / 3.0, dim=-1)
        h = h + (scores @ h.unsqueeze(2)).squeeze(2)
        return self.out(self.q(h).relu())


def attention() -> tuple[Any, ...]:
    model = Residual()
    return model, CE, data(), optim.AdamW(model.parameters(), lr=0.01)


class Recurrent(nn.Module):
    """One cell, called at each time step."""

    def __init__(self) -> None:
        super().__init__()
        self.x, self.h, self.out = nn.Linear(2, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        h = mg.zeros(x.shape[0], 8)
        for t in range(x.shape[1]):
            h = mg.tanh(self.x(x[:, t]) + self.h(h))
        return self.out(h)


def recurrent() -> tuple[Any, ...]:
    x, y = data(64)
    model = Recurrent()
    return model, CE, (x.reshape(64, 2, 2), y), optim.Adam(model.parameters(), lr=0.01)


class Halves(nn.Module):
    """Returns several tensors, one of them in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.drop = nn.Linear(4, 3), nn.Linear(4, 3), nn.Dropout(0.1)

    def forward(self, x: Any) -> Any:
        return self.a(self.drop(x)), {"b": self.b(x)}


def several_outputs() -> tuple[Any, ...]:
    model = Halves()

    def loss_fn(out: Any, y: Any) -> Any:
        return CE(out[0], y) + CE(out[1]["b"], y)

    return model, loss_fn, data(), optim.SGD(model.parameters(), lr=0.1)


def convolution() -> tuple[Any, ...]:
    class Images(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = nn.Parameter(mg.randn(8, 1, 3, 3) * 0.3)
            self.out = nn.Linear(8 * 3 * 3, 2)

        def forward(self, x: Any) -> Any:
            maps = mg.max_pool2d(mg.relu(mg.conv2d(x, self.kernel)), 2)
            return self.out(maps.flatten(1))

    x = mg.randn(32, 1, 8, 8, generator=mg.Generator(2))
    y = (x.mean(dim=(1, 2, 3)) > 0).long()
    model = Images()
    return model, CE, (x, y), optim.SGD(model.parameters(), lr=0.05)


def text() -> tuple[Any, ...]:
    """Integer input, of which not every word occurs."""

    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(mg.randn(50, 6))
            self.out = nn.Linear(6, 2)

        def forward(self, ids: Any) -> Any:
            return self.out(mg.embedding(ids, self.table).mean(dim=1).tanh())

    ids = mg.randint(0, 20, (32, 5), generator=mg.Generator(3))
    model = Words()
    return model, CE, (ids, (ids[:, 0] > 9).long()), optim.Adam(model.parameters(), lr=0.01)


def worked_example() -> tuple[Any, ...]:
    """The network of lesson 1."""

    class Repaired(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.W1 = nn.Parameter(np.array([[0.1, 0.2], [0.3, 0.4]]))
            self.W2, self.W3 = nn.Parameter(0.5 * np.eye(2)), nn.Parameter(0.7 * np.eye(2))
            self.b1, self.b2 = (
                nn.Parameter(np.array([0.1, 0.2])),
                nn.Parameter(np.array([0.1, 0.2])),
            )
            self.b3 = nn.Parameter(np.array([0.2, 0.3]))

        def forward(self, a: Any) -> Any:
            for W, b in ((self.W1, self.b1), (self.W2, self.b2), (self.W3, self.b3)):
                a = mg.sigmoid(W @ a + b)
            return a

    model = Repaired()
    batch = mg.tensor(np.array([1.0, 2.0])), mg.tensor(np.array([0.0, 1.0]))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return model, lambda a, y: 0.5 * ((y - a) ** 2).sum(), batch, optimizer


GOOD = [readme, normalised, regression, straight_line, yes_or_no, probabilities, log_probabilities,
        frozen, attention, recurrent, several_outputs, convolution, text,
        worked_example]  # fmt: skip


def watched(model: Any, loss_fn: Any, batch: Any, optimizer: Any, steps: int) -> None:
    """Train, and assert that lint finds nothing before, after, and in an evaluation."""

    def step(*batch: Any) -> float:
        optimizer.zero_grad()
        loss = loss_fn(model(*batch[:-1]), batch[-1])
        loss.backward()
        optimizer.step()
        return loss.item()

    for of_user in (step, None, None):
        found = lint(model, loss_fn, batch, optimizer, step=of_user)
        assert not found, str(found)
        for _ in range(steps):
            step(*batch)
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with mg.no_grad():
        found = lint(model, loss_fn, batch, training=False)
    assert not found, str(found)
    for module, mode in modes:
        module.training = mode


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("make", GOOD, ids=lambda f: f.__name__)
def test_nothing_is_found_where_nothing_is_wrong(make: Callable[[], Any], seed: int) -> None:
    mg.manual_seed(seed)
    watched(*make(), steps=50)


@pytest.mark.parametrize("document", [False, True])
def test_nothing_is_found_in_the_digits_lesson(document: bool) -> None:
    path = ROOT / "lessons" / "09_digits.py"
    spec = importlib.util.spec_from_file_location("lesson_09_for_lint", path)
    assert spec is not None
    assert spec.loader is not None
    lesson = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = lesson
    spec.loader.exec_module(lesson)
    task = lesson.load("digits")
    settings = lesson.DOCUMENT if document else lesson.SHIPPED
    model = lesson.build(task.pixels)
    optimizer = optim.SGD(model.parameters(), lr=settings.lr, momentum=settings.momentum)
    x = mg.tensor(lesson.normalise(task.train_x[:100], task.pixel_max))
    watched(model, CE, (x, mg.tensor(task.train_y[:100])), optimizer, steps=20)


# ---- what it says -------------------------------------------------------------------------------


def test_findings_are_a_sequence_with_errors_first() -> None:
    slow = Finding("slow", "warning", "a", "b", "c")
    wrong = Finding("wrong", "error", "a", "b", "c")
    found = Findings([slow, wrong], "the test")
    assert found.ids == ["wrong", "slow"]
    assert len(found) == 2
    assert found[0] is wrong
    assert list(found[1:]) == [slow]
    assert str(found).splitlines()[0] == "2 findings: the test"
    assert str(Findings([], "the test")) == "no findings: the test"
    with pytest.raises(ValueError, match="'error' or 'warning', not 'info'"):
        Finding("x", "info", "a", "b", "c")


def test_the_table_is_ascii_and_narrow() -> None:
    x, y = data()
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3), nn.Softmax(dim=0))
    found = str(lint(model, CE, (x * 1e4, y), training=False))
    assert found.isascii()
    assert max(map(len, found.splitlines())) <= 100
    assert (
        re.findall(r"(?m)^(?:error|warning) +([\w-]+): ", found)
        == [
            "wrong-softmax-axis",
            "eval-grad",
            "unscaled-data",
            "no-nonlinearity",
        ]
        or "unscaled-data" in found
    )


def test_a_lesson_is_named_when_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "FOLDERS", (tmp_path / "none", tmp_path))
    finding = Finding("x", "error", "a", "b", "c", lesson="05")
    assert "read" not in str(finding)
    (tmp_path / "05_losses.py").touch()
    assert str(finding).splitlines()[-1] == "  read   lesson 05_losses"


def test_every_smell_has_a_lesson_of_the_plan() -> None:
    assert {row.lesson for row in TABLE.values()} <= {f"{n:02}" for n in range(1, 14)}
    assert all(row.look.__doc__ and row.look.__doc__.startswith("Find ") for row in TABLE.values())


def test_a_smell_is_declared_once() -> None:
    with pytest.raises(ValueError, match="'double-softmax' is declared already"):
        smell("double-softmax", "error", "05")(lambda step: iter(()))


def test_several_inputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(2, 3)

        def forward(self, x: Any, z: Any) -> Any:
            return self.a(x) + self.b(z)

    x, y = data()
    assert not lint(Two(), CE, (x, mg.randn(32, 2), y))
    found = lint(Two(), CE, (x, mg.randn(32, 2) * 1e4, y))
    assert ("unscaled-data", "input 1 of the batch") in [(f.id, f.where) for f in found]


@pytest.mark.slow
def test_a_graph_that_waits_for_the_collector_is_not_kept() -> None:
    model, optimizer, _ = trained(1)

    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        loss = CE(model(x), y)
        loss.backward(retain_graph=True)
        optimizer.step()
        ring: list[Any] = [loss]
        ring.append(ring)

    assert lint(model, CE, data(), optimizer, step=step).ids == []


def test_a_copied_model_is_looked_at_like_the_first() -> None:
    model, _, _ = trained(2)
    twin = copy.deepcopy(model)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    assert lint(twin, CE, data(), optimizer).ids == ["not-in-optimizer", "foreign-in-optimizer"]


def test_what_it_cannot_look_at_is_refused() -> None:
    x, y = data()
    model = nn.Linear(4, 3)
    for wrong, text in [
        ((lambda v: v, CE, (x, y)), "lint looks at a Module, not at a function"),
        ((model, CE, x), r"the batch must be \(input, target\).*not a Tensor"),
        ((model, CE, (x,)), "not a tuple of 1"),
        ((model, CE, (x, y), list(model.parameters())), "must be an Optimizer, not a list"),
        ((model, lambda out, y: 1.0, (x, y)), "loss_fn must return a Tensor.*not float"),
        ((model, lambda out, y: out, (x, y)), r"not float32\[32, 3\]"),
    ]:
        with pytest.raises(TypeError, match=text):
            lint(*wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="pass the optimizer that it uses"):
        lint(model, CE, (x, y), step=lambda x, y: None)
