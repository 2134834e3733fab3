"""Data sets as NumPy arrays: two that ship in the package, and two that are found or downloaded.

Nothing here needs the engine; ``mg.tensor(data.x)`` makes tensors of what is loaded.
"""

from minigrad.data.errors import DataFileError, DataNotFoundError
from minigrad.data.idx import parse_idx
from minigrad.data.mnist import load_fashion_mnist, load_mnist
from minigrad.data.records import Images, ImageSplits, Table
from minigrad.data.shipped import load_digits, load_iris
from minigrad.data.split import train_test_split

__all__ = [
    "DataFileError",
    "DataNotFoundError",
    "ImageSplits",
    "Images",
    "Table",
    "load_digits",
    "load_fashion_mnist",
    "load_iris",
    "load_mnist",
    "parse_idx",
    "train_test_split",
]
