"""The tables and grey images that ship inside the package: no download, no search."""

from __future__ import annotations

import gzip
import io
from importlib.resources import files

import numpy as np

from minigrad.data.records import Images, Table


def shipped_file(name: str) -> bytes:
    """Return the bytes of a file that ships."""
    # Through importlib.resources, so that it also works from a wheel or a zip.
    return (files("minigrad.data") / "_files" / name).read_bytes()


def load_iris() -> Table:
    """Load Fisher's iris flowers: 150 rows, 4 lengths in centimetres, 3 species.

    Returns
    -------
    Table
        ``x`` float64 (150, 4) and ``y`` int64 (150,), 50 rows of each species in a row (so shuffle
        before a split). The arrays are fresh at every call and may be written to.

    Notes
    -----
    Fisher (1936), "The use of multiple measurements in taxonomic problems". The numbers are those
    of R and scikit-learn; UCI's ``iris.data`` differs in two rows.

    Examples
    --------
    >>> from minigrad.data import load_iris
    >>> iris = load_iris()
    >>> iris.x.shape, iris.class_names
    ((150, 4), ('setosa', 'versicolor', 'virginica'))
    >>> iris.x[0], iris.y[0]
    (array([5.1, 3.5, 1.4, 0.2]), np.int64(0))
    """
    text = shipped_file("iris.csv").decode("ascii")
    names = text.splitlines()[0].split(",")[2:]  # the header is: rows, features, class names
    rows = np.loadtxt(io.StringIO(text), delimiter=",", skiprows=1)
    return Table(
        x=rows[:, :4].copy(),
        y=rows[:, 4].astype(np.int64),
        feature_names=(
            "sepal length (cm)",
            "sepal width (cm)",
            "petal length (cm)",
            "petal width (cm)",
        ),
        class_names=tuple(names),
        description="150 iris flowers of 3 species, each measured in 4 places",
        source="R. A. Fisher (1936), Annals of Eugenics 7(2), 179-188; UCI, 10.24432/C56C76",
        licence="CC BY 4.0",
    )


def load_digits() -> Images:
    """Load the UCI handwritten digits: 1,797 grey images of 8 x 8 pixels, 10 classes.

    Returns
    -------
    Images
        ``x`` uint8 (1797, 8, 8) with values 0 to 16, ``y`` int64 (1797,). The arrays are fresh at
        every call and may be written to.

    Notes
    -----
    Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits". These are the test half
    of that set: 13 writers. It has no split of its own; `train_test_split` makes one.

    Examples
    --------
    >>> from minigrad.data import load_digits
    >>> digits = load_digits()
    >>> digits.x.shape, digits.x.dtype, digits.y[:5]
    ((1797, 8, 8), dtype('uint8'), array([0, 1, 2, 3, 4]))
    >>> for row in digits.x[0]:
    ...     print("".join(f"{pixel:3d}" for pixel in row))
      0  0  5 13  9  1  0  0
      0  0 13 15 10 15  5  0
      0  3 15  2  0 11  8  0
      0  4 12  0  0  8  8  0
      0  5  8  0  0  9  8  0
      0  4 11  0  1 12  7  0
      0  2 14  5 10 12  0  0
      0  0  6 13 10  0  0  0
    """
    text = gzip.decompress(shipped_file("digits.csv.gz")).decode("ascii")
    rows = np.loadtxt(io.StringIO(text), delimiter=",", dtype=np.uint8)
    return Images(
        x=rows[:, :64].reshape(-1, 8, 8).copy(),
        y=rows[:, 64].astype(np.int64),
        pixel_max=16,
        class_names=tuple("0123456789"),
        description="1,797 handwritten digits, 8 x 8 pixels (the test half of optdigits)",
        source="E. Alpaydin and C. Kaynak (1998), Kybernetika 34(4), 369-374; UCI, 10.24432/C50P49",
        licence="CC BY 4.0",
    )
