"""Transforms of images: arrays (channels, height, width), or batches (N, channels, height, width).

Names are torchvision's where it has one; ranges of shifts, shear and zoom are Keras'. Rows count
downwards, pixels are points at whole numbers, angles turn counter-clockwise about the centre of
the image. What is uint8 stays uint8 until `Rescale` or `ToTensor` makes floats of it.
"""

from minigrad.data.transforms.affine import (
    RandomAffine,
    RandomRotation,
    RandomShear,
    RandomShift,
    RandomZoom,
)
from minigrad.data.transforms.base import Compose, Transform
from minigrad.data.transforms.colour import ColorJitter
from minigrad.data.transforms.frame import (
    CenterCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomVerticalFlip,
    Resize,
)
from minigrad.data.transforms.geometry import rotate, shear, shift, zoom
from minigrad.data.transforms.values import Normalize, Rescale, ToTensor

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "Normalize",
    "Pad",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomShear",
    "RandomShift",
    "RandomVerticalFlip",
    "RandomZoom",
    "Rescale",
    "Resize",
    "ToTensor",
    "Transform",
    "rotate",
    "shear",
    "shift",
    "zoom",
]
