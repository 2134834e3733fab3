"""Ten colour photos that ship, and small crops of them, to be told apart."""

from __future__ import annotations

import io

import numpy as np

from minigrad.data.images import channels_first, import_pillow
from minigrad.data.records import Crops, Images
from minigrad.data.shipped import shipped_file

_NAMES = ("astronaut", "cat", "temple", "coffee", "flower", "galaxies", "hopper", "retina",
          "rocket", "tissue")  # fmt: skip
_SIDE, _ROW = 256, 5  # pixels of a photo, photos in a row of the file
_CELL, _SIZE, _STEP = 64, 32, 16  # pixels


def load_photos() -> Images:
    """Load ten colour photos of 256 x 256 pixels.

    Returns
    -------
    Images
        ``x`` uint8 (10, 3, 256, 256), red, green and blue from 0 to 255, and ``y`` int64 (10,), the
        numbers 0 to 9. The arrays are fresh at every call and may be written to.

    Raises
    ------
    ImportError
        Pillow is not installed; the message has the line that installs it.

    Notes
    -----
    The middle squares of photos that scikit-image, scikit-learn and Matplotlib bring along, made
    smaller; ``ATTRIBUTION.md`` beside the file names their makers.

    Examples
    --------
    >>> from minigrad.data import load_photos
    >>> photos = load_photos()
    >>> photos.x.shape, photos.class_names[:3]
    ((10, 3, 256, 256), ('astronaut', 'cat', 'temple'))
    """
    with import_pillow().open(io.BytesIO(shipped_file("photos.jpg"))) as image:
        pixels = channels_first(image)
    rows = pixels.reshape(3, -1, _SIDE, _ROW, _SIDE).transpose(1, 3, 0, 2, 4)
    return Images(
        x=rows.reshape(-1, 3, _SIDE, _SIDE).copy(),
        y=np.arange(len(_NAMES)),
        pixel_max=255,
        class_names=_NAMES,
        description="ten colour photos, 256 x 256 pixels",
        source="NASA, SpaceX, U.S. Navy and others, through scikit-image, scikit-learn and "
        "Matplotlib: see ATTRIBUTION.md",
        licence="public domain, CC0 1.0, and CC BY 2.0 (temple, flower)",
    )


def load_crops() -> Crops:
    """Load 1,440 colour crops of 32 x 32 pixels; the class is the photo that a crop is from.

    Each photo of `load_photos` is 16 cells of 64 x 64 pixels, and each cell gives nine crops, 16
    pixels apart. So crops of one cell overlap, and those of two cells share no pixel: split the
    set by `cell`, or the test set is full of pixels that were trained on.

    Returns
    -------
    Crops
        ``x`` uint8 (1440, 3, 32, 32), ``y`` int64 (1440,), ``cell`` int64 (1440,) from 0 to 159.

    Raises
    ------
    ImportError
        Pillow is not installed; the message has the line that installs it.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.data import load_crops, train_test_split
    >>> crops = load_crops()
    >>> crops.x.shape, crops.class_names[crops.y[0]]
    ((1440, 3, 32, 32), 'astronaut')
    >>> photo_of = crops.y[::9]  # of each cell
    >>> _, test_cells = train_test_split(160, 0.25, seed=0, stratify=photo_of)
    >>> test = np.isin(crops.cell, test_cells)
    >>> crops.x[test].shape
    (360, 3, 32, 32)
    """
    photos = load_photos()
    across = _SIDE // _CELL
    cells = photos.x.reshape(-1, 3, across, _CELL, across, _CELL).transpose(0, 2, 4, 1, 3, 5)
    cells = cells.reshape(-1, 3, _CELL, _CELL)
    windows = np.lib.stride_tricks.sliding_window_view(cells, (_SIZE, _SIZE), axis=(2, 3))
    windows = windows[:, :, ::_STEP, ::_STEP].transpose(0, 2, 3, 1, 4, 5)
    each = windows.shape[1] * windows.shape[2]
    cell = np.repeat(np.arange(len(cells)), each)
    return Crops(
        x=windows.reshape(-1, 3, _SIZE, _SIZE).copy(),
        y=cell // across**2,
        cell=cell,
        pixel_max=photos.pixel_max,
        class_names=photos.class_names,
        description="1,440 crops of 32 x 32 pixels, nine from each cell of ten photos",
        source=photos.source,
        licence=photos.licence,
    )
