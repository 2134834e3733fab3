"""A made-up set in the layout of MNIST, small enough to write and break in every test."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from minigrad.data import mnist, places
from minigrad.data.manifest import IdxFile, ImageSet

SHAPES = ((6, 5, 4), (6,), (3, 5, 4), (3,))


def idx_bytes(array: np.ndarray) -> bytes:
    """Write uint8 as IDX, independently of the parser."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@dataclass
class MadeUpSet:
    """A set, its arrays, and the bytes of its four files."""

    spec: ImageSet
    arrays: list[np.ndarray]
    raw: dict[str, bytes]

    def write(self, folder: Path, *, zipped: bool = False, only: slice = slice(None)) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for file in self.spec.files[only]:
            if zipped:
                (folder / f"{file.name}.gz").write_bytes(compressed(self.raw[file.name]))
            else:
                (folder / file.name).write_bytes(self.raw[file.name])
        return folder


def compressed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def make_up(base: ImageSet, seed: int) -> MadeUpSet:
    rng = np.random.default_rng(seed)
    arrays = [
        rng.integers(0, 256 if len(shape) > 1 else 10, shape, dtype=np.uint8) for shape in SHAPES
    ]
    raw = {file.name: idx_bytes(a) for file, a in zip(base.files, arrays, strict=True)}
    files = tuple(
        IdxFile(
            name,
            array.shape,
            hashlib.sha256(data).hexdigest(),
            hashlib.sha256(compressed(data)).hexdigest(),
        )
        for (name, data), array in zip(raw.items(), arrays, strict=True)
    )
    spec = replace(base, files=files, mirrors=("http://127.0.0.1:9/never/",))
    return MadeUpSet(spec, arrays, raw)


@pytest.fixture
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep this machine's data sets out: nothing is found but what a test writes."""
    for name in ("MINIGRAD_DATA", "MINIGRAD_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(places, "SYSTEM_FOLDER", tmp_path / "system")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    return tmp_path


@pytest.fixture
def digits(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> MadeUpSet:
    """A made-up set in the place of MNIST: `load_mnist` loads it."""
    made_up = make_up(mnist.MNIST, seed=1)
    monkeypatch.setattr(mnist, "MNIST", made_up.spec)
    return made_up


@pytest.fixture
def fashion(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> MadeUpSet:
    """A made-up set in the place of Fashion-MNIST: `load_fashion_mnist` loads it."""
    made_up = make_up(mnist.FASHION_MNIST, seed=2)
    monkeypatch.setattr(mnist, "FASHION_MNIST", made_up.spec)
    return made_up


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean; the server below counts what was asked for."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()


@dataclass
class Mirror:
    """A running server of one folder, and the paths that it was asked for."""

    url: str
    asked: list[str]


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Mirror]]:
    """Serve a folder on 127.0.0.1, until the test ends."""
    running = []

    def start(folder: Path) -> Mirror:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        server.asked = []  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        running.append((server, thread))
        return Mirror(f"http://127.0.0.1:{server.server_port}/", server.asked)  # type: ignore[attr-defined]

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()
