"""The download: mirrors in order, checksums, what stays in the cache, and what forbids it."""

from __future__ import annotations

import logging
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad.data import DataNotFoundError, load_mnist
from minigrad.data.fetch import why_offline

pytestmark = pytest.mark.usefixtures("isolated")

NAMES = [
    f"{name}.gz"
    for name in (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    )
]


@pytest.fixture(autouse=True)
def _needs_pooch(request: pytest.FixtureRequest) -> None:
    if "without_pooch" not in request.fixturenames:
        pooch = pytest.importorskip("pooch", reason="pooch is not installed (extra data)")
        pooch.get_logger().setLevel(logging.WARNING)


@pytest.fixture
def without_pooch(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)


def dead_mirror() -> str:
    """Give the address of a port of this machine on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def cached(folder: Path) -> list[str]:
    """List every file, hidden and temporary ones too."""
    return sorted(path.name for path in (folder / "cache").rglob("*") if path.is_file())


def test_first_mirror_dead_second_wrong_third_right(digits, fashion, tmp_path, serve) -> None:
    dead = dead_mirror()
    wrong = serve(fashion.write(tmp_path / "wrong", zipped=True))  # same names, other bytes
    right = serve(digits.write(tmp_path / "right", zipped=True))

    loaded = load_mnist(mirrors=[dead, wrong.url, right.url])
    np.testing.assert_array_equal(loaded.train_x, digits.arrays[0])
    np.testing.assert_array_equal(loaded.test_y, digits.arrays[3])
    assert loaded.folder == tmp_path / "cache" / "mnist"
    assert cached(tmp_path) == sorted(NAMES)
    assert wrong.asked == [f"/{NAMES[0]}"]  # the mirror that works is asked first from then on
    assert right.asked == [f"/{name}" for name in NAMES]

    load_mnist(mirrors=[dead])  # from the cache: nobody is asked
    load_mnist(offline=True)
    assert len(right.asked) == 4


def test_all_mirrors_fail(digits, fashion, tmp_path, serve) -> None:
    dead = dead_mirror()
    wrong = serve(fashion.write(tmp_path / "wrong", zipped=True))
    (tmp_path / "empty").mkdir()
    empty = serve(tmp_path / "empty")
    with pytest.raises(DataNotFoundError) as caught:
        load_mnist(mirrors=[dead, wrong.url, empty.url.rstrip("/")])
    text = str(caught.value)
    assert f"{dead}{NAMES[0]}: " in text
    assert f"{wrong.url}{NAMES[0]}: SHA256 hash of downloaded file" in text
    assert digits.spec.files[0].gz_sha256 in text
    assert f"{empty.url}{NAMES[0]}: 404 Client Error" in text
    assert "by hand" in text
    assert cached(tmp_path) == []  # neither a wrong file nor a temporary one


def test_a_download_cut_short_is_not_kept(digits, tmp_path, serve) -> None:
    folder = digits.write(tmp_path / "short", zipped=True)
    stored = (folder / NAMES[0]).read_bytes()
    (folder / NAMES[0]).write_bytes(stored[:-5])
    with pytest.raises(DataNotFoundError, match="SHA256 hash of downloaded file"):
        load_mnist(mirrors=[serve(folder).url])
    assert cached(tmp_path) == []


def test_a_download_goes_on_where_it_stopped(digits, tmp_path, serve) -> None:
    half = serve(digits.write(tmp_path / "half", zipped=True, only=slice(0, 2)))
    with pytest.raises(DataNotFoundError, match="404"):
        load_mnist(mirrors=[half.url])
    assert cached(tmp_path) == sorted(NAMES[:2])
    whole = serve(digits.write(tmp_path / "whole", zipped=True))
    loaded = load_mnist(mirrors=[whole.url])
    np.testing.assert_array_equal(loaded.test_x, digits.arrays[2])
    assert whole.asked == [f"/{name}" for name in NAMES[2:]]


def test_offline_asks_nobody(digits, tmp_path, serve, monkeypatch) -> None:
    mirror = serve(digits.write(tmp_path / "right", zipped=True))
    with pytest.raises(DataNotFoundError, match="download: forbidden by offline=True"):
        load_mnist(offline=True, mirrors=[mirror.url])
    monkeypatch.setenv("MINIGRAD_OFFLINE", "1")
    with pytest.raises(DataNotFoundError, match="download: forbidden by MINIGRAD_OFFLINE=1"):
        load_mnist(mirrors=[mirror.url])
    assert mirror.asked == []
    assert cached(tmp_path) == []
    load_mnist(offline=False, mirrors=[mirror.url])  # an argument decides over the variable
    assert len(mirror.asked) == 4


@pytest.mark.parametrize("value", ["", "0", "false", "No", " off "])
def test_values_that_allow_downloads(monkeypatch, value: str) -> None:
    monkeypatch.setenv("MINIGRAD_OFFLINE", value)
    assert why_offline(None) == ""
    assert why_offline(True) == "offline=True"


@pytest.mark.usefixtures("without_pooch")
def test_without_pooch_the_extra_is_named(digits, tmp_path, serve) -> None:
    mirror = serve(digits.write(tmp_path / "right", zipped=True))
    with pytest.raises(DataNotFoundError) as caught:
        load_mnist(mirrors=[mirror.url])
    assert "download: needs pooch, which cannot be imported" in str(caught.value)
    assert '\n  - python -m pip install "minigrad-engine[data]"' in str(caught.value)
    assert mirror.asked == []


@pytest.mark.usefixtures("without_pooch")
def test_without_pooch_what_is_there_is_loaded(digits, tmp_path) -> None:
    digits.write(tmp_path / "cache" / "mnist", zipped=True)
    np.testing.assert_array_equal(load_mnist().train_x, digits.arrays[0])


def test_a_cache_that_cannot_be_written_is_named(digits, tmp_path, serve, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "file"))
    mirror = serve(digits.write(tmp_path / "right", zipped=True))
    with pytest.raises(DataNotFoundError) as caught:
        load_mnist(mirrors=[mirror.url])
    assert f"cache: {tmp_path / 'file'} (not a folder)" in str(caught.value)
    assert f"download: {mirror.url}{NAMES[0]}: " in str(caught.value)
    assert mirror.asked == []


def test_mirrors_must_be_a_list(digits) -> None:
    with pytest.raises(TypeError, match="mirrors must be a list of addresses"):
        load_mnist(mirrors="http://127.0.0.1/")
    with pytest.raises(DataNotFoundError, match="no mirror was given"):
        load_mnist(mirrors=[])
