"""The true MNIST and Fashion-MNIST, where this machine has them."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import numpy as np
import pytest

from minigrad.data import (
    DataFileError,
    DataNotFoundError,
    load_fashion_mnist,
    load_mnist,
    mnist,
)

FETCH_DATA = Path(__file__).resolve().parents[2] / ".ci" / "fetch-data"


def load_or_skip(load, title: str):
    named = os.environ.get("MINIGRAD_DATA")
    try:
        return load(offline=True)
    except DataNotFoundError:
        where = f"MINIGRAD_DATA={named} has none" if named else "MINIGRAD_DATA is not set"
        pytest.skip(f"{title} is not on this machine ({where}): .ci/fetch-data DIR fetches it")


@pytest.fixture(scope="module")
def digits():
    return load_or_skip(load_mnist, "MNIST")


@pytest.fixture(scope="module")
def fashion():
    return load_or_skip(load_fashion_mnist, "Fashion-MNIST")


def test_mnist(digits) -> None:
    assert (digits.train_x.shape, digits.train_x.dtype) == ((60000, 28, 28), np.uint8)
    assert (digits.test_x.shape, digits.test_x.dtype) == ((10000, 28, 28), np.uint8)
    assert (digits.train_y.shape, digits.train_y.dtype) == ((60000,), np.int64)
    assert (digits.test_y.shape, digits.test_y.dtype) == ((10000,), np.int64)
    counts = np.bincount(digits.train_y).tolist()
    assert counts == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    counts = np.bincount(digits.test_y).tolist()
    assert counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert digits.train_y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert digits.test_y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    # The numbers with which everybody normalises MNIST.
    assert round(digits.train_x.mean() / 255, 4) == 0.1307
    assert round(digits.train_x.std() / 255, 4) == 0.3081


@pytest.mark.slow
def test_fashion_mnist(fashion) -> None:
    assert (fashion.train_x.shape, fashion.train_x.dtype) == ((60000, 28, 28), np.uint8)
    assert (fashion.test_x.shape, fashion.test_x.dtype) == ((10000, 28, 28), np.uint8)
    assert np.bincount(fashion.train_y).tolist() == [6000] * 10
    assert np.bincount(fashion.test_y).tolist() == [1000] * 10
    assert fashion.class_names[fashion.train_y[0]] == "Ankle boot"
    assert fashion.train_y[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert round(fashion.train_x.mean() / 255, 4) == 0.2860
    assert round(fashion.train_x.std() / 255, 4) == 0.3530


@pytest.mark.slow
def test_one_changed_pixel_among_47_million_is_found(digits, tmp_path: Path) -> None:
    """All true files, compressed anew, pass; then one pixel is changed."""
    for file, array in zip(
        mnist.MNIST.files,
        (digits.train_x, digits.train_y, digits.test_x, digits.test_y),
        strict=True,
    ):
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        content = bytearray(bytes([0, 0, 8, array.ndim]) + sizes + array.astype("u1").tobytes())
        if file is mnist.MNIST.files[2]:
            changed = bytearray(content)
            changed[5_000_000] ^= 128
            (tmp_path / "changed").write_bytes(gzip.compress(changed, compresslevel=1))
        (tmp_path / f"{file.name}.gz").write_bytes(gzip.compress(content, compresslevel=1))
    assert load_mnist(tmp_path, offline=True).folder == tmp_path
    (tmp_path / "changed").replace(tmp_path / f"{mnist.MNIST.files[2].name}.gz")
    with pytest.raises(DataFileError, match="t10k-images-idx3-ubyte: it was altered"):
        load_mnist(tmp_path, offline=True)


def test_tables_agree_with_each_other_and_with_the_script() -> None:
    """Sixteen different checksums; the script that CI fetches data with has those of content."""
    sets = (mnist.MNIST, mnist.FASHION_MNIST)
    files = [file for image_set in sets for file in image_set.files]
    sums = [s for file in files for s in (file.sha256, file.gz_sha256)]
    assert len(set(sums)) == 16
    assert all(re.fullmatch("[0-9a-f]{64}", s) for s in sums)
    assert [file.nbytes for file in files] == [47_040_016, 60_008, 7_840_016, 10_008] * 2
    script = FETCH_DATA.read_text(encoding="utf-8")
    for image_set, ending in zip(sets, ("", ".gz"), strict=True):
        for file in image_set.files:
            assert f"{file.sha256} {file.name}{ending}\n" in script.replace("'", "\n")
