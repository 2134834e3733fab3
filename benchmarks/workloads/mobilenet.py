"""W9: MobileNetV2 forward, one image (Sandler et al., 2018)."""

from typing import Any

import numpy as np

from benchmarks.cost import Cost, passes
from benchmarks.training import inference
from benchmarks.workload import Workload

# expansion, channels, repeats, stride of the first
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def plan(stages: int) -> list[tuple[int, int, int, int]]:
    """Return for each block its inputs, expansion, outputs and stride."""
    blocks, channels = [], 32
    for expansion, outputs, repeats, stride in STAGES[:stages]:
        for i in range(repeats):
            blocks.append((channels, expansion, outputs, 1 if i else stride))
            channels = outputs
    return blocks


def network(nn: Any, stages: int, head: int, **_: Any) -> Any:
    def unit(n: int, m: int, kernel: int, stride: int = 1, groups: int = 1) -> list[Any]:
        convolution = nn.Conv2d(
            n, m, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False
        )
        return [convolution, nn.BatchNorm2d(m), nn.ReLU6()]

    class Block(nn.Module):
        def __init__(self, n: int, expansion: int, m: int, stride: int) -> None:
            super().__init__()
            wide = n * expansion
            layers = unit(n, wide, 1) if expansion > 1 else []
            layers += unit(wide, wide, 3, stride, wide)
            self.layers = nn.Sequential(*layers, *unit(wide, m, 1)[:2])  # no ReLU at the end
            self.shortcut = stride == 1 and n == m

        def forward(self, x: Any) -> Any:
            return x + self.layers(x) if self.shortcut else self.layers(x)

    blocks = plan(stages)
    return nn.Sequential(
        *unit(3, 32, 3, 2),
        *(Block(*block) for block in blocks),
        *unit(blocks[-1][2], head, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(head, 1000),
    )


def images(rng: np.random.Generator, batch: int, side: int, **_: Any) -> np.ndarray:
    return rng.standard_normal((batch, 3, side, side)).astype(np.float32)


def cost(batch: int, side: int, stages: int, head: int) -> Cost:
    pixels = (side // 2) ** 2
    flops, traffic = 2 * pixels * 27 * 32, 3 * side * side + 32 * pixels
    for n, expansion, m, stride in plan(stages):
        wide = n * expansion
        if expansion > 1:
            flops += 2 * pixels * n * wide
            traffic += 2 * pixels * wide
        traffic += pixels * wide
        pixels //= stride * stride
        flops += 2 * pixels * wide * (9 + m)
        traffic += pixels * (2 * wide + m)
    flops += 2 * head * (pixels * m + 1000)
    return (Cost(flops) + passes(traffic, 1)) * batch + passes(head * 1000, 1)


WORKLOAD = Workload(
    "W9",
    "MobileNetV2 forward, 224x224, batch 1",
    sizes={"batch": 1, "side": 224, "stages": 7, "head": 1280},
    small={"batch": 1, "side": 32, "stages": 2, "head": 16},
    contenders=inference(network, images),
    cost=cost,
)
