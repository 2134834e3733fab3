"""The layers, activations and containers that are compared with PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from support.parity import Row


def _wide(rng: np.random.Generator) -> Any:
    """Draw numbers that reach over the kinks of all activations."""
    return 3 * rng.standard_normal((5, 4))


def _ids(rng: np.random.Generator) -> Any:
    return rng.integers(0, 7, (4, 5))


def _mlp(nn: Any) -> Any:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 5, bias=False), nn.BatchNorm1d(5),
        nn.Tanh(), nn.Sequential(nn.Linear(5, 3), nn.LogSoftmax(dim=1)),
    )  # fmt: skip


_CONSTANTS = "torch's backward holds constants of its formula as float32, in float64 too"
_ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("CELU", {}), ("CELU", {"alpha": 0.7}), ("ELU", {}), ("ELU", {"alpha": 1.3}), ("GELU", {}),
    ("GELU", {"approximate": "tanh"}), ("Hardsigmoid", {}), ("Hardswish", {}), ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -0.5, "max_val": 0.8}), ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.2}), ("LogSigmoid", {}), ("LogSoftmax", {"dim": 1}),
    ("Mish", {}), ("PReLU", {}), ("PReLU", {"num_parameters": 4}), ("PReLU", {"init": 0.1}),
    ("ReLU", {}), ("ReLU6", {}), ("SELU", {}), ("Sigmoid", {}), ("SiLU", {}),
    ("Softmax", {"dim": 0}), ("Softmax", {"dim": -1}), ("Softplus", {}),
    ("Softplus", {"beta": 2.0, "threshold": 1.0}), ("Softsign", {}), ("Tanh", {}),
    ("Tanhshrink", {}),
]  # fmt: skip

ROWS = [
    *(
        Row(name, options=options, inputs=(_wide,))
        if name not in ("CELU", "Hardsigmoid")
        else Row(name, (), options, (_wide,), tolerance={"float64": 2e-7}, because=_CONSTANTS)
        for name, options in _ACTIVATIONS
    ),
    Row("Identity", inputs=((3, 4),)),
    Row("Flatten", inputs=((2, 3, 4),)),
    Row("Flatten", (0, 1), inputs=((2, 3, 4),)),
    Row("Unflatten", (1, (2, 3)), inputs=((4, 6),)),
    Row("Unflatten", (-1, (2, -1)), inputs=((4, 6),)),
    Row("Linear", (4, 3), inputs=((5, 4),)),
    Row("Linear", (4, 3, False), inputs=((2, 5, 4),)),
    Row("Linear", (4, 3), inputs=((4,),)),
    Row("Bilinear", (3, 4, 2), inputs=((5, 3), (5, 4))),
    Row("Bilinear", (3, 4, 2, False), inputs=((2, 5, 3), (2, 5, 4))),
    Row("Sequential", (_mlp,), inputs=((6, 3, 4),)),
    Row("Dropout", (), inputs=((300, 40),), random=True),
    Row("Dropout", (0.3,), inputs=((300, 40),), random=True),
    Row("Dropout1d", (), inputs=((300, 20, 5),), random=True),
    Row("Dropout1d", (0.3,), inputs=((300, 20, 5),), random=True),
    Row("Dropout2d", (), inputs=((200, 20, 3, 2),), random=True),
    Row("Dropout2d", (0.3,), inputs=((200, 20, 3, 2),), random=True),
    Row("AlphaDropout", (), inputs=((300, 40),), random=True),
    Row("AlphaDropout", (0.2,), inputs=((300, 40),), random=True),
    # ---- normalisation
    Row("BatchNorm1d", (4,), inputs=((5, 4),)),
    Row("BatchNorm1d", (4,), inputs=((5, 4, 3),)),
    Row("BatchNorm1d", (4,), {"momentum": None}, ((5, 4),)),
    Row("BatchNorm1d", (4, 1e-2, 0.3, False), inputs=((5, 4),)),
    Row("BatchNorm1d", (4,), {"track_running_stats": False}, ((5, 4, 2),)),
    Row("BatchNorm1d", (4,), {"bias": False}, ((5, 4),)),
    Row("BatchNorm2d", (4,), inputs=((3, 4, 5, 2),)),
    Row("BatchNorm2d", (4,), {"momentum": None}, ((3, 4, 5, 2),)),
    Row("BatchNorm2d", (4,), {"affine": False, "eps": 0.1}, ((3, 4, 5, 2),)),
    Row("BatchNorm2d", (4,), {"track_running_stats": False}, ((3, 4, 5, 2),)),
    Row("InstanceNorm1d", (4,), inputs=((3, 4, 5),)),
    Row("InstanceNorm1d", (4,), {"affine": True}, ((4, 5),)),
    Row("InstanceNorm2d", (4,), inputs=((3, 4, 5, 2),)),
    Row("InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, ((3, 4, 5, 2),)),
    Row("LayerNorm", (4,), inputs=((5, 4),)),
    Row("LayerNorm", ((3, 4), 1e-2), inputs=((5, 3, 4),)),
    Row("LayerNorm", (4,), {"bias": False}, ((2, 3, 4),)),
    Row("LayerNorm", (4,), {"elementwise_affine": False}, ((5, 4),)),
    Row("GroupNorm", (2, 6), inputs=((3, 6, 4),)),
    Row("GroupNorm", (3, 6, 1e-2), inputs=((3, 6, 4, 2),)),
    Row("GroupNorm", (6, 6), {"affine": False}, ((3, 6, 4),)),
    Row("GroupNorm", (1, 6), {"bias": False}, ((3, 6, 4),)),
    Row("RMSNorm", (4,), inputs=((5, 4),)),
    Row("RMSNorm", ((3, 4), 1e-2), inputs=((5, 3, 4),)),
    Row("RMSNorm", (4,), {"elementwise_affine": False}, ((5, 4),)),
    # ---- convolution
    Row("Conv1d", (4, 6, 3), inputs=((2, 4, 9),)),
    Row("Conv1d", (4, 6, 3, 2, 1), inputs=((4, 9),)),
    Row("Conv1d", (4, 6, 3), {"padding": "valid", "dilation": 2}, ((2, 4, 9),)),
    Row("Conv1d", (4, 6, 4), {"padding": "same", "groups": 2, "bias": False}, ((2, 4, 9),)),
    *(Row("Conv1d", (4, 6, 4), {"padding": "same", "padding_mode": mode}, ((2, 4, 9),))
      for mode in ("reflect", "replicate", "circular")),
    Row("Conv2d", (3, 4, 3), inputs=((2, 3, 6, 5),)),
    Row("Conv2d", (3, 4, (3, 2), (2, 1), (1, 0)), inputs=((2, 3, 6, 5),)),
    Row("Conv2d", (3, 4, 3), {"bias": False}, ((3, 6, 5),)),
    Row("Conv2d", (3, 4, 2), {"dilation": (2, 3), "padding": 1}, ((2, 3, 6, 5),)),
    Row("Conv2d", (4, 6, 3), {"groups": 2, "padding": 1, "stride": 2}, ((2, 4, 6, 5),)),
    Row("Conv2d", (4, 8, 3), {"groups": 4, "padding": "same"}, ((2, 4, 6, 5),)),
    Row("Conv2d", (3, 4, (4, 3)), {"padding": "same", "dilation": (1, 2)}, ((2, 3, 6, 5),)),
    Row("Conv2d", (3, 4, 3), {"padding": "valid"}, ((2, 3, 6, 5),)),
    *(Row("Conv2d", (3, 4, 3), {"padding": (2, 1), "padding_mode": mode}, ((2, 3, 6, 5),))
      for mode in ("zeros", "reflect", "replicate", "circular")),
    *(Row("Conv2d", (4, 6, (2, 3)), {"padding": "same", "padding_mode": mode, "groups": 2},
          ((2, 4, 6, 5),)) for mode in ("reflect", "replicate", "circular")),
    Row("Conv2d", (3, 4, 3), {"padding": "valid", "padding_mode": "reflect"}, ((3, 6, 5),)),
    Row("ConvTranspose1d", (4, 6, 3), inputs=((2, 4, 5),)),
    Row("ConvTranspose1d", (4, 6, 3, 2, 1, 1), inputs=((4, 5),)),
    Row("ConvTranspose1d", (4, 6, 3, 2, 1), inputs=((2, 4, 5),), call={"output_size": [10]}),
    Row("ConvTranspose2d", (4, 6, 3), inputs=((2, 4, 3, 5),)),
    Row("ConvTranspose2d", (4, 6, 3, 2, 1, 1, 2), inputs=((2, 4, 3, 5),)),
    Row("ConvTranspose2d", (4, 6, (2, 3), (3, 2)), {"bias": False}, ((4, 3, 5),)),
    Row("ConvTranspose2d", (4, 6, 3), {"dilation": 2, "padding": (1, 2)}, ((2, 4, 3, 5),)),
    Row("ConvTranspose2d", (4, 6, 3, 2, 1), inputs=((2, 4, 3, 5),), call={"output_size": [6, 9]}),
    Row("ConvTranspose2d", (4, 6, 3, 2, 1), inputs=((2, 4, 3, 5),),
        call={"output_size": [2, 6, 5, 10]}),
    # ---- pooling and resampling
    Row("MaxPool1d", (2,), inputs=((2, 3, 8),)),
    Row("MaxPool1d", (3, 2, 1, 2), {"ceil_mode": True}, ((3, 8),)),
    Row("MaxPool1d", (2,), {"return_indices": True}, ((2, 3, 8),)),
    Row("MaxPool2d", (2,), inputs=((2, 3, 6, 4),)),
    Row("MaxPool2d", ((3, 2), 1, (1, 0)), inputs=((2, 3, 6, 5),)),
    Row("MaxPool2d", (2, 3), {"dilation": 2, "ceil_mode": True}, ((3, 7, 6),)),
    Row("MaxPool2d", (2,), {"return_indices": True}, ((2, 3, 6, 4),)),
    Row("AvgPool1d", (2,), inputs=((2, 3, 8),)),
    Row("AvgPool1d", (3, 2, 1, True, False), inputs=((3, 8),)),
    Row("AvgPool2d", (2,), inputs=((2, 3, 6, 4),)),
    Row("AvgPool2d", ((3, 2), (2, 1), 1), inputs=((2, 3, 6, 5),)),
    Row("AvgPool2d", (3, 2, 1, True, False), inputs=((3, 6, 5),)),
    Row("AvgPool2d", (3,), {"divisor_override": 2}, ((2, 3, 6, 5),)),
    Row("AdaptiveAvgPool1d", (3,), inputs=((2, 3, 7),)),
    Row("AdaptiveAvgPool2d", (1,), inputs=((2, 3, 6, 5),)),
    Row("AdaptiveAvgPool2d", ((3, 2),), inputs=((2, 3, 7, 5),)),
    Row("AdaptiveAvgPool2d", ((None, 7),), inputs=((3, 6, 5),)),
    Row("Upsample", (), {"scale_factor": 2}, ((2, 3, 4, 5),)),
    Row("Upsample", (7,), inputs=((2, 3, 5),)),
    Row("Upsample", (), {"scale_factor": (1.5, 2.5)}, ((2, 3, 4, 5),)),
    Row("Upsample", (9,), {"mode": "linear"}, ((2, 3, 5),)),
    Row("Upsample", (), {"scale_factor": 2, "mode": "bilinear"}, ((2, 3, 4, 5),)),
    Row("Upsample", (), {"scale_factor": 2, "mode": "bilinear", "align_corners": True},
        ((2, 3, 4, 5),)),
    Row("Upsample", ((7, 3),), {"mode": "bilinear"}, ((2, 3, 4, 5),)),
    Row("Upsample", ((7, 3),), {"mode": "nearest-exact"}, ((2, 3, 4, 5),)),
    # ---- sizes from the first batch, or from a state
    Row("LazyLinear", (3,), inputs=((5, 4),)),
    Row("LazyLinear", (3, False), inputs=((2, 5, 4),)),
    Row("LazyConv1d", (6, 3), inputs=((2, 4, 9),)),
    Row("LazyConv2d", (6, 3), {"groups": 2, "padding": 1, "padding_mode": "reflect"},
        ((2, 4, 6, 5),)),
    Row("LazyConv2d", (6, (3, 2)), {"bias": False}, ((4, 6, 5),)),
    Row("LazyConvTranspose1d", (6, 3), {"stride": 2}, ((2, 4, 5),)),
    Row("LazyConvTranspose2d", (6, 3, 2, 1, 1, 2), inputs=((2, 4, 3, 5),)),
    Row("LazyBatchNorm1d", inputs=((5, 4),)),
    Row("LazyBatchNorm1d", (1e-2, None), {"bias": False}, ((5, 4, 3),)),
    Row("LazyBatchNorm2d", inputs=((3, 4, 5, 2),)),
    Row("LazyBatchNorm2d", (), {"affine": False}, ((3, 4, 5, 2),)),
    Row("LazyBatchNorm2d", (), {"track_running_stats": False}, ((3, 4, 5, 2),)),
    # ---- look-up
    Row("Embedding", (7, 3, -1), inputs=(_ids,), derived=False),
    Row("Embedding", (7, 3), {"padding_idx": 2}, (_ids,), derived=False),
    Row("Embedding", (7, 3), {"max_norm": 1.0}, (_ids,), derived=False),
    Row("Embedding", (7, 3), {"max_norm": 0.8, "norm_type": 1.0}, (_ids,), derived=False),
    Row("Embedding", (7, 3), inputs=(_ids,)),
]  # fmt: skip
