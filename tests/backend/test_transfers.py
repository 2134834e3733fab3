"""After warm-up a training step copies its batch to the device and its loss back, and no more.

CuPy says where the host would wait for the device (`cupyx.allow_synchronize`), and asks for the
pinned memory that a copy from the host goes through. What the device does meanwhile, only a
GPU could show (tests/gpu).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.engine.tensor import Tensor

SYNCHRONIZED = "ignore:cupyx.allow_synchronize:UserWarning"


@contextmanager
def watched(device: str) -> Iterator[list[int]]:
    """Fail where the host waits for the device; collect the sizes of copies from the host."""
    sizes: list[int] = []
    if device == "cpu":
        yield sizes
        return
    cupy, cupyx = (importlib.import_module(name) for name in ("cupy", "cupyx"))
    pool = cupy.cuda.PinnedMemoryPool()

    def allocate(size: int) -> Any:
        sizes.append(size)
        return pool.malloc(size)

    cupy.cuda.set_pinned_memory_allocator(allocate)
    try:
        with cupyx.allow_synchronize(False):
            yield sizes
    finally:
        cupy.cuda.set_pinned_memory_allocator(cupy.get_default_pinned_memory_pool().malloc)


class Attentive(nn.Module):
    """Causal attention over a sequence of ids, as scores of the next ones."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm = nn.Embedding(11, 8), nn.LayerNorm(8)
        self.qkv, self.head = nn.Linear(8, 24), nn.Linear(8, 11)

    def forward(self, ids: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(self.embed(ids))).chunk(3, dim=-1)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.head(y).flatten(0, 1)


class Recurrent(nn.Module):
    """The last state of an LSTM, as scores."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


Batch = tuple[Any, Any]
NETS: dict[str, tuple[Callable[[], nn.Module], Callable[[Any], Batch]]] = {
    "mlp": (
        lambda: nn.Sequential(
            nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 12),
            nn.LayerNorm(12), nn.GELU(), nn.Linear(12, 4),
        ),
        lambda rng: (rng.standard_normal((8, 6)).astype("f4"), rng.integers(0, 4, 8)),
    ),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3, groups=4), nn.AvgPool2d(1), nn.Flatten(), nn.Linear(4, 4),
        ),
        lambda rng: (rng.standard_normal((8, 2, 6, 6)).astype("f4"), rng.integers(0, 4, 8)),
    ),
    "attention": (
        Attentive,
        lambda rng: (rng.integers(0, 11, (4, 5)), rng.integers(0, 11, 20)),
    ),
    "lstm": (
        Recurrent,
        lambda rng: (rng.standard_normal((8, 5, 3)).astype("f4"), rng.integers(0, 4, 8)),
    ),
}  # fmt: skip
OPTIMIZERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "adamw": optim.AdamW,
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": optim.RMSprop,
}


def training(net: str, optimizer: str, device: str) -> Callable[[Tensor, Tensor], Tensor]:
    with mg.device(device):
        model = NETS[net][0]()
    updates, loss_of = OPTIMIZERS[optimizer](model.parameters()), nn.CrossEntropyLoss()
    schedule = optim.lr_scheduler.CosineAnnealingLR(updates, 100)

    def step(x: Tensor, target: Tensor) -> Tensor:
        updates.zero_grad()
        loss = loss_of(model(x), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        updates.step()
        schedule.step()
        return loss.detach()

    return step


@pytest.mark.filterwarnings(SYNCHRONIZED)
@pytest.mark.parametrize("captured", [False, True], ids=["eager", "captured"])
@pytest.mark.parametrize(
    ("net", "optimizer"),
    [("mlp", "adamw"), ("cnn", "momentum"), ("attention", "adamw"), ("lstm", "rmsprop")],
)
def test_a_step_copies_its_batch_and_its_loss(
    net: str, optimizer: str, captured: bool, backend: str
) -> None:
    step = training(net, optimizer, backend)
    run = mg.capture(step) if captured else step
    rng = np.random.default_rng(0)
    losses = []
    for k in range(6):
        x, target = NETS[net][1](rng)
        if k < 4:
            losses.append(run(mg.tensor(x, device=backend), mg.tensor(target, device=backend)))
            continue
        with watched(backend) as sizes:
            losses.append(run(mg.tensor(x, device=backend), mg.tensor(target, device=backend)))
        assert sizes == ([] if backend == "cpu" else [x.nbytes, target.nbytes])
    assert all(np.isfinite(loss.item()) for loss in losses)


@pytest.mark.filterwarnings(SYNCHRONIZED)
def test_a_batch_of_what_is_on_the_device_copies_nothing(backend: str) -> None:
    """Labels in a slice of an array that came from the host are known to be in range."""
    rng = np.random.default_rng(0)
    xs = mg.tensor(rng.standard_normal((32, 6)).astype("f4"), device=backend)
    targets = mg.tensor(rng.integers(0, 4, 32), device=backend)
    step = training("mlp", "adamw", backend)
    step(xs[:8], targets[:8])
    with watched(backend) as sizes:
        for k in range(0, 32, 8):
            step(xs[k : k + 8], targets[k : k + 8])
    assert sizes == []


@pytest.mark.filterwarnings(SYNCHRONIZED)
def test_ignored_labels_are_no_reason_to_wait(backend: str) -> None:
    """As long as the label that is ignored is the only one below 0, or a class."""
    scores = mg.tensor(np.eye(4, dtype="f4"), device=backend)
    losses = []
    for labels, ignored in (([0, -100, 2, -100], -100), ([1, 1, 2, 3], 1)):
        target = mg.tensor(labels, device=backend)
        with watched(backend):
            losses.append(mg.cross_entropy(scores, target, ignore_index=ignored))
    assert losses[0].item() == pytest.approx(losses[1].item())
    for labels in ([0, -100, -7, 1], [0, -100, 4, 1]):
        with pytest.raises(IndexError, match="so they must be from 0 to 3"):
            mg.cross_entropy(scores, mg.tensor(labels, device=backend))


@pytest.mark.filterwarnings(SYNCHRONIZED)
def test_the_watch_sees_a_wait(backend: str) -> None:
    x = mg.ones(3, device=backend)
    if backend == "cpu":
        assert x.sum().item() == 3.0
        return
    with pytest.raises(RuntimeError, match="synchroniz"), watched(backend):
        x.sum().item()


def test_a_known_range_ends_with_a_change(backend: str) -> None:
    """What was known of an array's ints is forgotten when they are changed in place."""
    table, ids = mg.ones(3, 2, device=backend), mg.tensor([0, 1, 2], device=backend)
    assert mg.embedding(ids, table).shape == (3, 2)
    ids.add_(1)
    with pytest.raises(IndexError, match="id 3 is out of range"):
        mg.embedding(ids, table)
    ids.sub_(1)
    assert mg.embedding(ids, table).shape == (3, 2)
    part = mg.tensor([7, 1, 2], device=backend)[1:]
    assert mg.embedding(part, table).shape == (2, 2)
    assert mg.one_hot(part).shape == (2, 3)
    with pytest.raises(IndexError, match="id 7 is out of range"):
        mg.embedding(mg.tensor([7, 1, 2], device=backend)[:2], table)
