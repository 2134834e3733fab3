"""Images in class folders: torchvision's order, and every kind of broken file named."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from minigrad.data import DataFileError, DataLoader, DataNotFoundError, ImageFolder, transforms

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed (extra images)")

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


def encoded(kind: str = "PNG", image=None, **options) -> bytes:
    out = io.BytesIO()
    (Image.fromarray(PIXELS) if image is None else image).save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("dog/1.png", "cat/b.PNG", "cat/a.png", "cat/sub/0.png", "Zebra/9.bmp"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded("BMP" if name.endswith("bmp") else "PNG"))
    (tmp_path / "images" / "cat" / "notes.txt").write_text("not an image", encoding="utf-8")
    (tmp_path / "images" / "list.csv").write_text("not a class", encoding="utf-8")
    return tmp_path / "images"


def test_classes_samples_and_pixels(root: Path) -> None:
    images = ImageFolder(root)
    assert images.classes == ["Zebra", "cat", "dog"]
    assert images.class_to_idx == {"Zebra": 0, "cat": 1, "dog": 2}
    assert [(Path(path).relative_to(root).as_posix(), y) for path, y in images.samples] == [
        ("Zebra/9.bmp", 0),
        ("cat/a.png", 1),
        ("cat/b.PNG", 1),
        ("cat/sub/0.png", 1),
        ("dog/1.png", 2),
    ]
    assert images.targets == [0, 1, 1, 1, 2]
    for image, _ in images:
        np.testing.assert_array_equal(image, PIXELS.transpose(2, 0, 1))
        assert image.flags.c_contiguous
        assert image.flags.writeable
    assert images[-1][1] == 2
    assert images.verify() == []
    with pytest.raises(IndexError, match="this ImageFolder has 5 samples"):
        images[5]


def test_transforms_and_modes(root: Path) -> None:
    images = ImageFolder(root, lambda x: x[:, :2], lambda y: y * 10, mode="L")
    image, label = images[4]
    assert (image.shape, label) == ((1, 2, 9), 20)
    grey = np.asarray(Image.fromarray(PIXELS).convert("L"))
    np.testing.assert_array_equal(image[0], grey[:2])


def test_every_mode_of_eight_bits_becomes_rgb(root: Path) -> None:
    picture = Image.fromarray(PIXELS)
    for mode in ("1", "L", "P", "RGBA", "LA", "CMYK"):
        kind = "TIFF" if mode == "CMYK" else "PNG"
        (root / "dog" / "1.png").write_bytes(encoded(kind, picture.convert(mode)))
        image, _ = ImageFolder(root)[4]
        assert (image.shape, image.dtype) == ((3, 6, 9), np.uint8)


def test_through_the_loader_with_workers(root: Path) -> None:
    prepare = transforms.Compose(
        [transforms.RandomHorizontalFlip(), transforms.Resize((4, 5)), transforms.Rescale(1 / 255)]
    )
    images = ImageFolder(root, prepare)
    one, two = (
        list(DataLoader(images, batch_size=2, shuffle=True, seed=0, num_workers=workers))
        for workers in (0, 3)
    )
    assert one[0][0].shape == (2, 3, 4, 5)
    assert one[0][0].dtype == np.float32
    for (a, la), (b, lb) in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(la, lb)


def bomb() -> bytes:
    """A PNG of 20,000 x 20,000 pixels in a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


BROKEN = {
    "empty": b"",
    "text": b"<!DOCTYPE html><title>404</title>",
    "magic only": encoded()[:8],
    "png cut": encoded()[:-60],
    "jpeg cut": encoded("JPEG", quality=95)[:-40],
    "png damaged": encoded()[:50] + bytes(40) + encoded()[90:],
    "bomb": bomb(),
    "16 bit": encoded("PNG", Image.fromarray(PIXELS[:, :, 0].astype(np.uint16) * 200)),
}
REASON = {
    "bomb": "decompression bomb",
    "16 bit": "mode is I;16, more than eight bits a channel",
}


@pytest.mark.parametrize("kind", list(BROKEN))
def test_a_broken_image_is_named_and_listed(root: Path, kind: str) -> None:
    path = root / "cat" / "b.PNG"
    path.write_bytes(BROKEN[kind])
    images = ImageFolder(root)
    with pytest.raises(DataFileError) as caught:
        images[2]
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert REASON.get(kind, "the image cannot be decoded") in text
    ((listed, why),) = images.verify()
    assert listed == str(path)
    assert why == text
    with pytest.raises(DataFileError) as caught:
        list(DataLoader(images, batch_size=2, num_workers=2))
    assert "in the data set's sample 2 (batch 1 of epoch 0)" in caught.value.__notes__
    np.testing.assert_array_equal(images[1][0], PIXELS.transpose(2, 0, 1))  # the others are kept


def test_a_large_image_is_refused_before_it_is_decoded(root: Path) -> None:
    (root / "dog" / "1.png").write_bytes(encoded("PNG", Image.new("1", (2000, 1000))))
    assert ImageFolder(root)[4][0].shape == (3, 1000, 2000)
    with pytest.raises(DataFileError, match="2000 x 1000 pixels, more than max_pixels=1,999,999"):
        ImageFolder(root, max_pixels=1_999_999)[4]
    # Between Pillow's warning and its refusal: ours comes either way.
    (root / "dog" / "1.png").write_bytes(encoded("PNG", Image.new("1", (10000, 9500))))
    with pytest.raises(DataFileError, match="it was not decoded"):
        ImageFolder(root)[4]


def test_every_cut_of_a_file_is_refused_or_whole(root: Path) -> None:
    """No byte less than the whole picture is ever taken for it."""
    path = root / "dog" / "1.png"
    whole = encoded()
    wrong = []
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        try:
            image, _ = ImageFolder(root)[4]
        except DataFileError:
            continue
        if image.tobytes() != PIXELS.transpose(2, 0, 1).tobytes():
            wrong.append(length)
    assert wrong == []


def test_what_is_no_folder_of_classes(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="is not a folder"):
        ImageFolder(tmp_path / "none")
    with pytest.raises(DataNotFoundError, match="has no folders in it"):
        ImageFolder(root / "dog")
    (root / "empty").mkdir()
    with pytest.raises(DataNotFoundError, match="no image in the classes empty: files must end in"):
        ImageFolder(root)
    assert ImageFolder(root, allow_empty=True).classes == ["Zebra", "cat", "dog", "empty"]
    with pytest.raises(ValueError, match="mode must be"):
        ImageFolder(root, mode="HSV")
    (root / "empty").rmdir()
    images = ImageFolder(root)
    (root / "dog" / "1.png").unlink()
    with pytest.raises(FileNotFoundError):
        images[4]


def test_without_pillow_the_cure_is_told(root: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    images = ImageFolder(root)
    with pytest.raises(ImportError, match=r'pip install "minigrad-engine\[images\]"'):
        images[0]
