"""The comparison with PyTorch fails where it should: modules made wrong, one way each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import parity
from support.parity import Row

import minigrad as mg
from minigrad import nn

LINEAR = Row("Linear", (4, 3), inputs=((5, 4),))
NORM = Row("BatchNorm1d", (4,), inputs=((5, 4),))
DROPOUT = Row("Dropout", (0.3,), inputs=((300, 40),), random=True)


def numbers(row: Row) -> None:
    for mode in parity.MODES:
        assert parity.deviation(row, "float64", mode) <= row.limit("float64"), "too far"


class Shifted(nn.Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(x) + 1e-8


class Detached(nn.Linear):
    def forward(self, x: Any) -> Any:
        return nn.functional.linear(x, self.weight, (self.bias * 2 - self.bias.detach()))


class Renamed(nn.Linear):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.shift = self.bias
        del self.bias

    def forward(self, x: Any) -> Any:
        return nn.functional.linear(x, self.weight, self.shift)


class Wide(nn.Linear):
    def reset_parameters(self) -> None:
        nn.init.uniform_(self.weight, -0.52, 0.52)
        nn.init.uniform_(self.bias, -0.5, 0.5)


class Normal(nn.Linear):
    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, 0.0, 0.5 / 3**0.5)
        nn.init.uniform_(self.bias, -0.5, 0.5)


class Named(nn.Linear):
    def __init__(self, in_features: int, out_features: int, use_bias: bool = True) -> None:
        super().__init__(in_features, out_features, use_bias)


class Defaulted(nn.Linear):
    def __init__(
        self, in_features: int, out_features: int, bias: bool = False, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(in_features, out_features, bias, device, dtype)


class Biased(nn.BatchNorm1d):
    """Its running variance is the biased one."""

    def forward(self, x: Any) -> Any:
        y = super().forward(x)
        if self.training:
            with mg.no_grad():
                self.running_var -= 0.1 * (x.var(0) - x.var(0, correction=0))
        return y


class Unscaled(nn.Dropout):
    def forward(self, x: Any) -> Any:
        return super().forward(x) * (0.7 if self.training else 1.0)


class Rows(nn.Dropout):
    """It drops whole rows."""

    def forward(self, x: Any) -> Any:
        return x * super().forward(mg.ones(len(x), 1, dtype=x.dtype))


WRONG: list[tuple[Row, type[nn.Module], Callable[[Row], None], str]] = [
    (LINEAR, Shifted, numbers, "too far"),
    (LINEAR, Detached, numbers, "too far"),
    (LINEAR, Renamed, numbers, "unexpected: bias"),
    (LINEAR, Wide, parity.compare_first_values, "weight is drawn from .* as wide"),
    (LINEAR, Normal, parity.compare_first_values, "weight is drawn from .* as wide"),
    (LINEAR, Named, parity.compare_signature, "options of torch that are not here"),
    (LINEAR, Defaulted, parity.compare_signature, "bias=False by default"),
    (LINEAR, nn.DropConnect, parity.compare_repr, "p=0.5.* is not torch's Linear"),
    (NORM, Biased, numbers, "too far"),
    (DROPOUT, Unscaled, numbers, "elements are distributed otherwise"),
    (DROPOUT, Rows, numbers, "are distributed otherwise"),
]


@pytest.mark.parametrize(
    ("row", "wrong", "check", "text"), WRONG, ids=[wrong.__name__ for _, wrong, _, _ in WRONG]
)
def test_a_wrong_module_is_noticed(
    row: Row, wrong: Any, check: Any, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    check(row)
    monkeypatch.setattr(nn, row.name, wrong)
    with pytest.raises((AssertionError, RuntimeError), match=text):
        check(row)
