"""Training: the loop, callbacks, metrics and history, in the manner of Keras.

A newcomer reads `minigrad.train.trainer`, then `minigrad.train.callback`.
"""

from minigrad.train.callback import Callback
from minigrad.train.gradients import ClipGradients, GradientNorm
from minigrad.train.history import History
from minigrad.train.logs import CSVLogger, JSONLLogger
from minigrad.train.metrics import (
    F1,
    Accuracy,
    ConfusionMatrix,
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    Precision,
    R2Score,
    Recall,
    TopKAccuracy,
)
from minigrad.train.plots import CurvePlot
from minigrad.train.saving import ModelCheckpoint
from minigrad.train.schedules import LRScheduler
from minigrad.train.stopping import EarlyStopping, TerminateOnNaN
from minigrad.train.tensorboard import TensorBoard
from minigrad.train.trainer import Trainer

__all__ = [
    "F1",
    "Accuracy",
    "CSVLogger",
    "Callback",
    "ClipGradients",
    "ConfusionMatrix",
    "CurvePlot",
    "EarlyStopping",
    "GradientNorm",
    "History",
    "JSONLLogger",
    "LRScheduler",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "ModelCheckpoint",
    "Precision",
    "R2Score",
    "Recall",
    "TensorBoard",
    "TerminateOnNaN",
    "TopKAccuracy",
    "Trainer",
]
