"""Images in folders that are their classes, decoded when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.data.dataset import Dataset, in_range
from minigrad.data.errors import DataFileError, DataNotFoundError
from minigrad.data.images import read_image

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
MAX_PIXELS = 50_000_000  # 150 MB decoded; a phone's picture has some 12 million


class ImageFolder(Dataset):
    """Images whose folder is their class: ``root/cat/1.jpg``, ``root/dog/a/2.png``.

    Sample i is ``(image, class index)``. The image is decoded when it is asked for, as an array of
    uint8 of shape (3, height, width) (channels first), which `transform` then gets.

    Parameters
    ----------
    root : str or path
        The folder of the classes' folders. Classes are sorted by name, and within a class the
        files by path; subfolders and links are followed.
    transform : callable, optional
        Applied to the image; `minigrad.data.transforms` has them.
    target_transform : callable, optional
        Applied to the class index.
    extensions : sequence of str
        Endings of files that are images, in any case; others are passed over.
    mode : {"RGB", "L"}
        Three channels or one (grey).
    allow_empty : bool
        Whether a class may have no image.
    max_pixels : int
        A larger image is refused before it is decoded: a small file can hold a huge one.

    Attributes
    ----------
    classes : list of str
        The classes, sorted.
    class_to_idx : dict of str to int
        Their indices.
    samples : list of (str, int)
        Path and class index of each sample.
    targets : list of int
        The class indices of all samples.

    Raises
    ------
    DataNotFoundError
        There is no such folder, it has no folders in it, or a class has no image.
    DataFileError
        From ``dataset[i]``: the file cannot be decoded; `verify` lists all such files beforehand.
    ImportError
        From ``dataset[i]``: Pillow is not installed; the message has the line that installs it.

    Notes
    -----
    Names and order are those of torchvision's ``ImageFolder``, so that class indices agree; there
    the image is a Pillow image. Transparency is dropped, of an animation the first frame is taken,
    and a camera's orientation tag is not applied, as there.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> from minigrad.data import ImageFolder
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> for name, colour in [("red", (255, 0, 0)), ("blue", (0, 0, 255))]:
    ...     (root / name).mkdir()
    ...     Image.new("RGB", (4, 2), colour).save(root / name / "1.png")
    >>> images = ImageFolder(root)
    >>> images.class_to_idx, len(images)
    ({'blue': 0, 'red': 1}, 2)
    >>> image, label = images[1]
    >>> image.shape, image.dtype, image[:, 0, 0], label
    ((3, 2, 4), dtype('uint8'), array([255,   0,   0], dtype=uint8), 1)
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Callable[[np.ndarray], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        *,
        extensions: Sequence[str] = IMG_EXTENSIONS,
        mode: str = "RGB",
        allow_empty: bool = False,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        if mode not in ("RGB", "L"):
            raise ValueError(f"mode must be 'RGB' or 'L', not {mode!r}")
        self.root = Path(root)
        self.transform = transform
        self.target_transform = target_transform
        self.mode = mode
        self.max_pixels = max_pixels
        self.classes = _classes(self.root)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        endings = tuple(ending.lower() for ending in extensions)
        self.samples = [
            (path, i)
            for name, i in self.class_to_idx.items()
            for path in _images(self.root / name, endings)
        ]
        self.targets = [label for _, label in self.samples]
        counts = np.bincount(self.targets, minlength=len(self.classes))
        empty = [name for name, count in zip(self.classes, counts, strict=True) if count == 0]
        if empty and not allow_empty:
            raise DataNotFoundError(
                f"{self.root}: no image in the classes {', '.join(empty)}: files must end in "
                f"{', '.join(endings)}; pass allow_empty=True if they may be empty"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, label = self.samples[in_range(index, len(self), "this ImageFolder")]
        image: Any = read_image(path, self.mode, self.max_pixels)
        if self.transform is not None:
            image = self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)

    def verify(self) -> list[tuple[str, str]]:
        """Decode every image, and return path and reason of those that cannot be.

        Raises
        ------
        ImportError
            Pillow is not installed.
        """
        broken = []
        for path, _ in self.samples:
            try:
                read_image(path, self.mode, self.max_pixels)
            except DataFileError as error:
                broken.append((path, str(error)))
        return broken


def _classes(root: Path) -> list[str]:
    if not root.is_dir():
        raise DataNotFoundError(f"{root} is not a folder: give the folder of the classes' folders")
    classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    if not classes:
        raise DataNotFoundError(
            f"{root} has no folders in it: each class needs one, as in {root / 'cat' / '1.jpg'}"
        )
    return classes


def _images(folder: Path, endings: tuple[str, ...]) -> list[str]:
    return [
        os.path.join(where, name)
        for where, _, names in sorted(os.walk(folder, followlinks=True))
        for name in sorted(names)
        if name.lower().endswith(endings)
    ]
