"""The layers, activations and containers that are compared with PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from support.parity import Row


def _wide(rng: np.random.Generator) -> Any:
    """Draw numbers that reach over the kinks of all activations."""
    return 3 * rng.standard_normal((5, 4))


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
    Row("Dropout", (0.3,), inputs=((300, 40),), random=True),
]
