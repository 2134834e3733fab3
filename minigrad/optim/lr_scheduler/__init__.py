"""Learning-rate schedules under torch's names: they set ``lr`` in an optimiser's groups.

Make the schedule after the optimiser, and step it after each ``optimizer.step()`` (or after each
epoch, if its numbers count epochs). The learning rate itself lives in the optimiser's groups, so
to go on from a checkpoint, load the optimiser's state and the schedule's.
"""

from minigrad.optim.lr_scheduler.base import LRScheduler
from minigrad.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from minigrad.optim.lr_scheduler.exponential import ExponentialLR
from minigrad.optim.lr_scheduler.linear import ConstantLR, LinearLR
from minigrad.optim.lr_scheduler.of_function import LambdaLR
from minigrad.optim.lr_scheduler.one_cycle import OneCycleLR
from minigrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minigrad.optim.lr_scheduler.sequential import SequentialLR, warmup
from minigrad.optim.lr_scheduler.stairs import MultiStepLR, StepLR

__all__ = [
    "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "OneCycleLR", "ReduceLROnPlateau",
    "SequentialLR", "StepLR", "warmup",
]  # fmt: skip
