"""What ships: its bytes, its numbers, and its attribution."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import minigrad.data
from minigrad.data import load_crops, load_digits, load_iris, load_photos

FILES = files("minigrad.data") / "_files"


def test_iris_is_fishers_table() -> None:
    iris = load_iris()
    assert iris.x.shape == (150, 4)
    assert iris.x.dtype == np.float64
    assert iris.y.dtype == np.int64
    assert np.bincount(iris.y).tolist() == [50, 50, 50]
    assert iris.class_names == ("setosa", "versicolor", "virginica")
    assert len(iris.feature_names) == 4
    assert iris.x[0].tolist() == [5.1, 3.5, 1.4, 0.2]
    assert iris.x[149].tolist() == [5.9, 3.0, 5.1, 1.8]
    # The two flowers that UCI's iris.data prints wrongly, as Fisher printed them.
    assert iris.x[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert iris.x[37].tolist() == [4.9, 3.6, 1.4, 0.1]
    # Means by species, as R's aggregate(. ~ Species, iris, mean) gives them.
    means = [iris.x[iris.y == c].mean(axis=0) for c in range(3)]
    np.testing.assert_allclose(means[0], [5.006, 3.428, 1.462, 0.246], rtol=1e-12)
    np.testing.assert_allclose(means[1], [5.936, 2.770, 4.260, 1.326], rtol=1e-12)
    np.testing.assert_allclose(means[2], [6.588, 2.974, 5.552, 2.026], rtol=1e-12)


def test_digits_are_the_test_half_of_optdigits() -> None:
    digits = load_digits()
    assert digits.x.shape == (1797, 8, 8)
    assert digits.x.dtype == np.uint8
    assert digits.y.dtype == np.int64
    assert (digits.x.min(), digits.x.max(), digits.pixel_max) == (0, 16, 16)
    # The counts that UCI's optdigits.names prints for the test half.
    assert np.bincount(digits.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert digits.class_names == tuple("0123456789")
    assert digits.y[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert digits.x[0, 1].tolist() == [0, 0, 13, 15, 10, 15, 5, 0]
    assert digits.x[1, 0].tolist() == [0, 0, 0, 12, 13, 5, 0, 0]
    assert int(digits.x.sum(dtype=np.int64)) == 561718


def test_photos_are_ten_squares() -> None:
    photos = load_photos()
    assert photos.x.shape == (10, 3, 256, 256)
    assert photos.x.dtype == np.uint8
    assert photos.y.tolist() == list(range(10))
    assert len(set(photos.class_names)) == 10
    # Which is which: the means of red, green and blue, to within what decoders may differ by.
    means = dict(zip(photos.class_names, photos.x.mean((2, 3)), strict=True))
    for name, wanted in {"galaxies": (19, 20, 19), "retina": (217, 87, 62)}.items():
        np.testing.assert_allclose(means[name], wanted, atol=1)
    red, green, blue = means["rocket"]
    assert blue > red
    assert blue > green


def test_crops_of_one_cell_overlap_and_others_share_nothing() -> None:
    crops, photos = load_crops(), load_photos()
    assert crops.x.shape == (1440, 3, 32, 32)
    assert crops.x.flags.c_contiguous
    assert np.bincount(crops.y).tolist() == [144] * 10
    assert np.bincount(crops.cell).tolist() == [9] * 160
    for i in (0, 5, 8, 9, 700, 1439):  # by the definition: photo, cell's place, crop's place
        photo, cell, place = i // 144, i // 9 % 16, i % 9
        top = cell // 4 * 64 + place // 3 * 16
        left = cell % 4 * 64 + place % 3 * 16
        wanted = photos.x[photo, :, top : top + 32, left : left + 32]
        assert np.array_equal(crops.x[i], wanted)
        assert crops.y[i] == photo
        assert crops.cell[i] == photo * 16 + cell


@pytest.mark.parametrize("load", [load_photos, load_crops])
def test_photos_are_fresh_and_name_their_source(load) -> None:
    first = load()
    first.x[:] = 0
    assert load().x.any()
    assert "CC BY 2.0" in first.licence
    assert "NASA" in first.source


def test_photos_without_pillow_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"minigrad-engine\[images\]"):
        load_photos()


@pytest.mark.parametrize("load", [load_iris, load_digits])
def test_arrays_are_fresh_and_writable(load) -> None:
    first = load()
    first.x[0] = 0
    first.y[0] = 1
    second = load()
    assert second.x[0].any()
    assert second.y[0] == 0
    assert first.x.flags.c_contiguous
    assert first.x.base is None or first.x.base.nbytes == first.x.nbytes  # no hidden larger array


@pytest.mark.parametrize("load", [load_iris, load_digits])
def test_records_are_frozen_and_name_their_source(load) -> None:
    record = load()
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.x = None
    assert record.licence == "CC BY 4.0"
    assert "10.24432/" in record.source
    assert f"x: {record.x.dtype}{list(record.x.shape)}" in repr(record)
    assert len(repr(record)) < 1000


@pytest.mark.parametrize("name", ["iris.csv", "digits.csv.gz", "photos.jpg"])
def test_file_is_the_one_that_the_attribution_names(name: str) -> None:
    data = (FILES / name).read_bytes()
    if name.endswith(".csv"):
        data = data.replace(b"\r\n", b"\n")  # git on Windows may check text out with CR LF
    attribution = (FILES / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert f"| `{name}` | {len(data):,} | `{hashlib.sha256(data).hexdigest()}` |" in attribution


def test_attribution_says_whose_they_are() -> None:
    text = (FILES / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for needed in ("Fisher (1936)", "Alpaydin", "Kaynak", "CC BY 4.0", "test half", "two rows"):
        assert needed in text
    assert text.count("| CC BY 2.0 |") == 2
    assert "Redistribution and use in source and binary forms" in text


def test_a_zip_of_this_package_alone_works_and_stays_light(tmp_path: Path) -> None:
    """Nothing relies on file paths (a wheel is a zip), on the engine, or on a downloader."""
    package = Path(minigrad.data.__file__).parent
    archive = tmp_path / "minigrad.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("minigrad/__init__.py", "")
        for path in sorted(package.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                zipped.write(path, Path("minigrad/data") / path.relative_to(package))
    code = f"""
import sys
sys.path.insert(0, {str(archive)!r})
import minigrad.data as d
print(d.__file__)
print(d.load_iris().x.shape, d.load_digits().x.shape)
print(sorted({{"pooch", "requests", "scipy"}} & set(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    where, shapes, heavy = result.stdout.splitlines()
    assert where.startswith(str(archive))
    assert shapes == "(150, 4) (1797, 8, 8)"
    assert heavy == "[]"
