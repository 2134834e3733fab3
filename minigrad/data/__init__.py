"""Data: sets that ship or are found, files of one's own, and what brings them to training.

Nothing here needs the engine: what is loaded, and the batches of a loader, are NumPy arrays, which
operations and modules take as they are; ``mg.tensor(data.x)`` makes a tensor.
"""

from minigrad.data import transforms
from minigrad.data.collate import default_collate
from minigrad.data.dataset import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from minigrad.data.errors import DataFileError, DataNotFoundError
from minigrad.data.folder import ImageFolder
from minigrad.data.folds import KFold, StratifiedKFold
from minigrad.data.idx import parse_idx
from minigrad.data.loader import DataLoader
from minigrad.data.mnist import load_fashion_mnist, load_mnist
from minigrad.data.photos import load_crops, load_photos
from minigrad.data.records import Crops, Images, ImageSplits, Table
from minigrad.data.samplers import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from minigrad.data.scalers import MinMaxScaler, StandardScaler
from minigrad.data.seeding import sample_rng
from minigrad.data.shipped import load_digits, load_iris
from minigrad.data.split import train_test_split
from minigrad.data.tables import CsvData, read_csv

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "Crops",
    "CsvData",
    "DataFileError",
    "DataLoader",
    "DataNotFoundError",
    "Dataset",
    "ImageFolder",
    "ImageSplits",
    "Images",
    "KFold",
    "MinMaxScaler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StandardScaler",
    "StratifiedKFold",
    "Subset",
    "SubsetRandomSampler",
    "Table",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "load_crops",
    "load_digits",
    "load_fashion_mnist",
    "load_iris",
    "load_mnist",
    "load_photos",
    "parse_idx",
    "random_split",
    "read_csv",
    "sample_rng",
    "train_test_split",
    "transforms",
]
