"""Damaged files: truncated anywhere, altered anywhere, lying headers, a full disk."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.io import CheckpointError


def run_of(seed: int, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Train a little and save; return the file and the parts."""
    mg.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = optim.Adam(model.parameters())
    for _ in range(3):
        model(mg.randn(5, 3)).square().mean().backward()
        optimizer.step()
    path = folder / f"run{seed}.safetensors"
    mg.io.save_checkpoint(path, model=model, optimizer=optimizer, epoch=3, history=[0.5, 0.25])
    return path, {"model": model, "optimizer": optimizer}


def bits(parts: dict[str, Any]) -> bytes:
    """Return all that the parts hold, as bytes."""
    from minigrad.io.tree import encode

    text, arrays = encode({k: v.state_dict() for k, v in parts.items()})
    return text.encode() + b"".join(a.tobytes() for a in arrays.values())


def load(path: Path, parts: dict[str, Any]) -> Any:
    return mg.io.load_checkpoint(path, **parts)


def test_truncated_at_any_byte(tmp_path: Path) -> None:
    path, parts = tmp_path / "c", {"model": nn.Linear(2, 1)}
    mg.io.save_checkpoint(path, **parts, epoch=3)
    data, before = path.read_bytes(), bits(parts)
    for n in range(len(data)):
        path.write_bytes(data[:n])
        with pytest.raises(CheckpointError, match=rf"not a whole .* \({n:,} bytes\)"):
            mg.load(path)
    with pytest.raises(CheckpointError):
        load(path, parts)
    assert bits(parts) == before
    path.write_bytes(data + b"\0")
    with pytest.raises(CheckpointError):
        mg.load(path)


def corrupted(data: bytes, rng: np.random.Generator) -> bytes:
    """Return other bytes: some changed, a block zeroed, cut out, doubled, swapped or shifted."""
    new = bytearray(data)
    kind = rng.integers(6)
    i, j = sorted(int(k) for k in rng.integers(0, len(data), 2))
    if kind == 0:
        for k in rng.integers(0, len(data), rng.integers(1, 65)):
            new[k] ^= int(rng.integers(1, 256))
    elif kind == 1:
        new[i] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        new[i : j + 1] = bytes(j + 1 - i)
    elif kind == 3:
        del new[i : j + 1]
    elif kind == 4:
        new[i:i] = data[i : j + 1]
    else:
        size = min(j - i, len(data) - j, 16) or 1
        new[i : i + size], new[j : j + size] = data[j : j + size], data[i : i + size]
    return bytes(new)


@pytest.mark.slow
def test_thousand_random_corruptions_are_refused_or_harmless(tmp_path: Path) -> None:
    """No crash, and never other numbers: refused with nothing changed, or all the same bits."""
    path, parts = run_of(1, tmp_path)
    data, before = path.read_bytes(), bits(parts)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(1000):
        changed = corrupted(data, rng)
        path.write_bytes(changed)
        try:
            rest = load(path, parts)
        except CheckpointError:
            refused += changed != data
        else:
            assert rest == {"epoch": 3, "history": [0.5, 0.25]}
        assert bits(parts) == before
    assert refused > 950, refused


def test_weights_altered_in_place_are_refused_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    mg.save({"w": mg.arange(4.0)}, path)
    data = path.read_bytes()
    for k in range(len(data)):
        path.write_bytes(data[:k] + bytes([data[k] ^ 4]) + data[k + 1 :])
        with pytest.raises(CheckpointError):
            mg.load(path)


def relabelled(path: Path, change: Any) -> None:
    """Rewrite a file's header."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


LIES: dict[str, Any] = {
    "dtype": lambda h: h["w"].update(dtype="I32"),
    "shape": lambda h: h["w"].update(shape=[2, 2]),
    "larger shape": lambda h: h["w"].update(shape=[1 << 40]),
    "offsets": lambda h: h["w"].update(data_offsets=[0, 1 << 40]),
    "negative": lambda h: h["w"].update(shape=[-4]),
    "name": lambda h: h.update(v=h.pop("w")),
    "no dtype": lambda h: h["w"].pop("dtype"),
    "tree": lambda h: h["__metadata__"].update({"minigrad.tree": "[]"}),
    "no digest": lambda h: h["__metadata__"].pop("minigrad.digest"),
    "no tree": lambda h: h["__metadata__"].pop("minigrad.tree"),
    "version": lambda h: h["__metadata__"].update({"minigrad.version": "9"}),
    "format": lambda h: h["__metadata__"].update({"minigrad.format": "-1"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_lying_headers_are_refused(lie: str, tmp_path: Path) -> None:
    path = tmp_path / "w"
    mg.save({"w": mg.arange(4.0)}, path)
    relabelled(path, lambda h: None)
    assert mg.load(path)["w"].tolist() == [0.0, 1.0, 2.0, 3.0]
    relabelled(path, LIES[lie])
    with pytest.raises(CheckpointError):
        mg.load(path)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100, 2**40, 2**63, 2**64 - 1])
def test_header_length_that_lies(size: int, tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(size.to_bytes(8, "little") + b'{"w": ' + bytes(50))
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        mg.load(path)


def test_disk_full_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, parts = run_of(2, tmp_path)
    data = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"run2.* was not written .* No space left .* is unchanged"):
        mg.io.save_checkpoint(path, **parts)
    with pytest.raises(OSError, match="no file was made"):
        mg.save({}, tmp_path / "new")
    assert path.read_bytes() == data
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no limit of a file's size")
def test_write_that_stops_halfway_keeps_the_old_file(tmp_path: Path) -> None:
    """The system itself refuses after 10,000 bytes, as a full disk does."""
    code = """
        import resource, signal, sys
        import minigrad as mg
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        mg.save({"w": mg.ones(100)}, sys.argv[1])
        try:
            mg.save({"w": mg.zeros(100_000)}, sys.argv[1])
        except OSError as error:
            print(error)
    """
    path = tmp_path / "w"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), path], capture_output=True, text=True
    )
    assert "was not written (400," in done.stdout, done.stderr
    assert "the file that was there is unchanged" in done.stdout
    assert mg.load(path)["w"].tolist() == [1.0] * 100
    assert os.listdir(tmp_path) == ["w"]


def test_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        mg.save({}, tmp_path / "w")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="whether a process lives is asked on POSIX only")
def test_leftovers_of_dead_processes_are_removed_and_of_living_ones_kept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f".w.{dead.pid}-0123abcd.tmp", f".w.{os.getpid()}-0123abcd.tmp", ".w.tmp"):
        (tmp_path / name).write_bytes(b"")
    mg.save({}, tmp_path / "w")
    assert sorted(os.listdir(tmp_path)) == [f".w.{os.getpid()}-0123abcd.tmp", ".w.tmp", "w"]
