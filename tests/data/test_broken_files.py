"""Every way a file can be wrong: each is refused, with what is wrong, both checksums and a cure."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from pathlib import Path

import pytest

from minigrad.data import DataFileError, load_fashion_mnist, load_mnist

pytestmark = pytest.mark.usefixtures("isolated")

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def refused(made_up, folder: Path, name: str, content: bytes, load=load_mnist) -> str:
    """Write one wrong file among three right ones; return what the loader says."""
    made_up.write(folder)
    (folder / name.removesuffix(".gz")).unlink()
    (folder / name).write_bytes(content)
    with pytest.raises(DataFileError) as caught:
        load(folder, offline=True)
    text = str(caught.value)
    expected = next(f for f in made_up.spec.files if f.name == name.removesuffix(".gz"))
    assert text.startswith(f"{folder / name} is not the right {expected.name}: ")
    assert f"expected SHA-256 (decompressed): {expected.sha256}" in text
    assert "It was not used." in text
    assert "cure: " in text
    assert text.isascii()
    return text


@pytest.mark.parametrize("keep", [1, 3, 4, 15, 16, 17, 60, 135])
def test_truncated(digits, tmp_path: Path, keep: int) -> None:
    content = digits.raw[IMAGES][:keep]
    text = refused(digits, tmp_path, IMAGES, content)
    assert f"it is truncated, {keep} of 136 bytes" in text
    assert f"found    SHA-256 (decompressed): {hashlib.sha256(content).hexdigest()}" in text


def test_empty(digits, tmp_path: Path) -> None:
    assert "it is empty" in refused(digits, tmp_path, IMAGES, b"")


@pytest.mark.parametrize("at", [0, 2, 3, 7, 16, 70, 135])
@pytest.mark.parametrize("zipped", [False, True])
def test_one_bit_flipped(digits, tmp_path: Path, at: int, zipped: bool) -> None:
    """In the magic number, in the sizes, and in the first, a middle and the last pixel."""
    content = flipped(digits.raw[IMAGES], at)
    stored = gzip.compress(content) if zipped else content
    text = refused(digits, tmp_path, IMAGES + (".gz" if zipped else ""), stored)
    assert "it was altered: the size is right, the content is not" in text
    assert f"found    SHA-256 (decompressed): {hashlib.sha256(content).hexdigest()}" in text


def test_too_long(digits, tmp_path: Path) -> None:
    content = digits.raw[LABELS] + bytes(3_000_000)
    text = refused(digits, tmp_path, LABELS, content)
    assert "it is too long, 3,000,014 bytes where 14 belong" in text
    assert hashlib.sha256(content).hexdigest() in text
    text = refused(digits, tmp_path / "zipped", f"{LABELS}.gz", gzip.compress(content))
    assert "it is too long, 3,000,014 decompressed bytes where 14 belong" in text


def test_truncated_before_it_was_compressed(digits, tmp_path: Path) -> None:
    text = refused(digits, tmp_path, f"{IMAGES}.gz", gzip.compress(digits.raw[IMAGES][:50]))
    assert "it is truncated, 50 of 136 decompressed bytes" in text


@pytest.mark.parametrize("cut", [2, 9, 20, -9, -8, -1])
def test_gzip_cut_short(digits, tmp_path: Path, cut: int) -> None:
    """In its header, in its data, and in the checksum that ends it, where all data is there."""
    text = refused(digits, tmp_path, f"{IMAGES}.gz", gzip.compress(digits.raw[IMAGES])[:cut])
    assert "its gzip data is broken after" in text
    assert "(of the part read)" in text


@pytest.mark.parametrize("at", [2, 30, -8, -1])
def test_gzip_with_a_flipped_bit(digits, tmp_path: Path, at: int) -> None:
    stored = gzip.compress(digits.raw[IMAGES])
    at %= len(stored)
    text = refused(digits, tmp_path, f"{IMAGES}.gz", flipped(stored, at))
    assert "its gzip data is broken after" in text


def test_rubbish_after_the_gzip_data(digits, tmp_path: Path) -> None:
    stored = gzip.compress(digits.raw[IMAGES]) + b"rubbish"
    text = refused(digits, tmp_path, f"{IMAGES}.gz", stored)
    assert "its gzip data is broken after 136 decompressed bytes (Not a gzipped file" in text


def test_a_web_page(digits, tmp_path: Path) -> None:
    page = b"\n<!DOCTYPE html><title>403 Forbidden</title>"
    assert "it looks like a web page" in refused(digits, tmp_path, f"{IMAGES}.gz", page)


def test_labels_in_the_place_of_images(digits, tmp_path: Path) -> None:
    text = refused(digits, tmp_path, IMAGES, digits.raw[LABELS])
    assert f"it is a whole copy of MNIST's {LABELS}" in text
    assert "each file its own name" in text


def test_test_images_in_the_place_of_training_images(digits, tmp_path: Path) -> None:
    text = refused(digits, tmp_path, IMAGES, digits.raw["t10k-images-idx3-ubyte"])
    assert "it is a whole copy of MNIST's t10k-images-idx3-ubyte" in text


def test_the_other_set(digits, fashion, tmp_path: Path) -> None:
    text = refused(digits, tmp_path / "a", IMAGES, fashion.raw[IMAGES])
    assert f"it is a whole copy of Fashion-MNIST's {IMAGES}" in text
    assert "give each data set a folder of its own" in text
    text = refused(fashion, tmp_path / "b", IMAGES, digits.raw[IMAGES], load_fashion_mnist)
    assert f"it is a whole copy of MNIST's {IMAGES}" in text


@pytest.mark.parametrize("index", range(4))
def test_each_of_the_four_files_is_checked(digits, tmp_path: Path, index: int) -> None:
    name = digits.spec.files[index].name
    content = digits.raw[name]
    text = refused(digits, tmp_path, name, flipped(content, len(content) - 1))
    assert "it was altered" in text


def test_a_broken_file_in_the_cache_is_named_and_not_used(digits, tmp_path: Path) -> None:
    folder = digits.write(tmp_path / "cache" / "mnist", zipped=True)
    (folder / f"{LABELS}.gz").write_bytes(b"")
    with pytest.raises(DataFileError, match="it is empty") as caught:
        load_mnist()
    assert f"{folder / LABELS}.gz" in str(caught.value)
    assert "delete that file" in str(caught.value)


def test_a_gzip_bomb_does_not_fill_the_memory(digits, tmp_path: Path) -> None:
    digits.write(tmp_path)
    (tmp_path / LABELS).unlink()
    (tmp_path / f"{LABELS}.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(DataFileError, match="it is too long, 50,000,000"):
            load_mnist(tmp_path, offline=True)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
