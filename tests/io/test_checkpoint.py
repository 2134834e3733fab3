"""Checkpoints: every part comes back, or none does and the text says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.io import CheckpointError, load_checkpoint, save_checkpoint
from minigrad.io.tree import encode


def parts(hidden: int = 4, kind: Any = optim.Adam) -> dict[str, Any]:
    """Return a model and its optimiser, after some steps."""
    mg.manual_seed(hidden)
    model = nn.Sequential(nn.Linear(3, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, 2))
    optimizer = kind(model.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        model(mg.randn(5, 3)).square().mean().backward()
        optimizer.step()
    return {"model": model, "optimizer": optimizer}


def bits(run: dict[str, Any]) -> tuple[str, list[bytes]]:
    text, arrays = encode({k: v.state_dict() for k, v in run.items()})
    return text, [a.tobytes() for a in arrays.values()]


def test_everything_comes_back(tmp_path: Path) -> None:
    run, stream = parts(), mg.Generator(5)
    stream.host.random(3)
    save_checkpoint(tmp_path / "c", **run, stream=stream, epoch=7, history={"loss": [1.5, 0.5]})
    ahead = mg.rand(3).tolist(), stream.host.random(3).tolist()
    new, other = parts(), mg.Generator(0)
    new["optimizer"].param_groups[0]["lr"] = 0.5
    rest = load_checkpoint(tmp_path / "c", **new, stream=other)
    assert rest == {"epoch": 7, "history": {"loss": [1.5, 0.5]}}
    assert bits(new) == bits(run)
    assert (mg.rand(3).tolist(), other.host.random(3).tolist()) == ahead


def test_looking_inside_changes_nothing(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", **parts(), epoch=7)
    state = mg.default_generator.get_state()
    inside = mg.load(tmp_path / "c")
    assert list(inside) == ["model", "optimizer", "epoch", "default_generator"]
    assert mg.default_generator.get_state() == state


def bad_optimizer(run: dict[str, Any]) -> None:
    run["optimizer"] = parts(4, optim.SGD)["optimizer"]


def other_shapes(run: dict[str, Any]) -> None:
    run["model"] = parts(5)["model"]


def other_names(run: dict[str, Any]) -> None:
    run["model"] = nn.Sequential(nn.Linear(3, 4))


def double(run: dict[str, Any]) -> None:
    run["model"].double()


def plain(run: dict[str, Any]) -> None:
    run["epoch"] = 3


def more(run: dict[str, Any]) -> None:
    run["schedule"] = run["teacher"] = run["model"]


MISFITS: list[tuple[Any, str]] = [
    (bad_optimizer, "optimizer does not fit, nothing was changed: .*SGD"),
    (other_shapes, r"0.weight: the shape is \[5, 3\] here and \[4, 3\] in the state"),
    (other_names, "model does not fit.* unexpected: 3.weight, 3.bias"),
    (double, "model: 0.weight is float32 in the file, float64 here.* and 1 more.*dtype first"),
    (plain, "epoch: a int cannot take a state; it is in what is returned"),
    (more, "has no part schedule, teacher; it has: model, optimizer, epoch"),
]


@pytest.mark.parametrize(("spoil", "text"), MISFITS, ids=[s.__name__ for s, _ in MISFITS])
def test_what_does_not_fit_is_named_and_nothing_is_changed(
    spoil: Any, text: str, tmp_path: Path
) -> None:
    saved = parts()
    with mg.no_grad():
        for p in saved["model"].parameters():
            p += 1.0
    save_checkpoint(tmp_path / "c", **saved, epoch=7)
    run = parts()
    spoil(run)
    before = bits({k: v for k, v in run.items() if hasattr(v, "state_dict")})
    generator = mg.default_generator.get_state()
    with pytest.raises((CheckpointError, TypeError), match=f"(?s){text}"):
        load_checkpoint(tmp_path / "c", **run)
    assert bits({k: v for k, v in run.items() if hasattr(v, "state_dict")}) == before
    assert mg.default_generator.get_state() == generator


def test_an_optimiser_without_state_is_put_back_too(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", optimizer=parts()["optimizer"], model=parts(5)["model"])
    run = parts()
    fresh = optim.Adam(run["model"].parameters(), lr=0.3)
    with pytest.raises(CheckpointError, match="model does not fit"):
        load_checkpoint(tmp_path / "c", optimizer=fresh, model=run["model"])
    assert fresh.state_dict()["state"] == {}
    assert fresh.param_groups[0]["lr"] == 0.3


def test_a_file_of_weights_is_no_checkpoint(tmp_path: Path) -> None:
    mg.save(parts()["model"], tmp_path / "w")
    with pytest.raises(CheckpointError, match=r"holds tensors, not a run .*: use mg\.load"):
        load_checkpoint(tmp_path / "w")
    with pytest.raises(ValueError, match="'default_generator' is saved anyway"):
        save_checkpoint(tmp_path / "c", default_generator=1)
    with pytest.raises(TypeError, match="entry 'f' is a function"):
        save_checkpoint(tmp_path / "c", f=bits)
    assert [p.name for p in tmp_path.iterdir()] == ["w"]
