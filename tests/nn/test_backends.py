"""Every module computes on each backend what it computes on the CPU in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import parity

import minigrad as mg
from minigrad import nn
from minigrad.backend import is_array
from minigrad.engine.backward import backward

# The modules that PyTorch has not, as rows like the others.
OWN = [
    parity.Row("DropConnect", (4, 3), inputs=((5, 4),), random=True),
    parity.Row("HingeLoss", (), inputs=((6,),), targets=(np.array([1, -1, 1, 1, -1, 1]),)),
    parity.Row("LearnedPositionalEncoding", (4, 9), inputs=((3, 2, 4),)),
    parity.Row("SinusoidalPositionalEncoding", (4, 9), inputs=((3, 2, 4),)),
]
ROWS = parity.identified([*parity.rows(), *OWN])
LIMIT = 2e-4  # of float32, by the largest element


def tensors(x: Any, device: str, dtype: Any, grad: bool = False) -> Any:
    """Return arrays as tensors on a device; floating ones of a dtype, with a gradient if wanted."""
    if isinstance(x, tuple):
        return tuple(tensors(y, device, dtype, grad) for y in x)
    if not is_array(x):
        return x
    floating = x.dtype.kind == "f"
    kind = dtype if floating else x.dtype
    return mg.tensor(x, dtype=kind, device=device, requires_grad=grad and floating)


def host(x: Any) -> Any:
    return x.detach().cpu().numpy()


def gap(mine: Any, other: Any, what: str) -> float:
    """Return how far a tensor is from the expected one, by the largest element of that."""
    a, b = host(mine), host(other)
    assert a.shape == b.shape, what
    finite = np.isfinite(b)
    np.testing.assert_array_equal(a[~finite], b[~finite].astype(a.dtype), err_msg=what)
    if not finite.any():
        return 0.0
    return float(np.abs(a[finite] - b[finite]).max() / max(np.abs(b[finite]).max(), 0.1))


def learned(module: Any) -> dict[str, Any]:
    return {n: p for n, p in module.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("name", ROWS, ids=list(ROWS))
def test_module(name: str, backend: str) -> None:
    """Outputs, gradients by inputs and parameters, and the state after three calls."""
    row = ROWS[name]
    mg.manual_seed(1)
    wanted = parity.build(nn, row, "float64").double()
    with mg.device(backend):
        mine = parity.build(nn, row)
    rng = np.random.default_rng(2)
    training = not row.random  # masks are drawn otherwise on a device
    if any(getattr(m, "has_uninitialized_params", bool)() for m in wanted.modules()):
        given, named = parity.arguments(row, rng, "float64")
        for module, device, dtype in ((wanted, "cpu", "float64"), (mine, backend, "float32")):
            options = {k: tensors(v, device, dtype) for k, v in named.items()}
            module(*(tensors(v, device, dtype) for v in given), **options)
    with mg.no_grad():
        for p in wanted.parameters():
            p += mg.tensor(0.1 * rng.standard_normal(p.shape), dtype=mg.float64)
    mine.load_state_dict(wanted.state_dict())
    assert {t.device.type for t in mine.state_dict().values()} <= {backend}
    count = len(row.inputs)
    made: list[Any] = []
    for _ in range(3):
        given, named = parity.arguments(row, rng, "float64")
        made = []
        for module, device, dtype in ((wanted, "cpu", "float64"), (mine, backend, "float32")):
            module.train(training)
            xs = [tensors(v, device, dtype, i < count) for i, v in enumerate(given)]
            ys = module(*xs, **{k: tensors(v, device, dtype) for k, v in named.items()})
            made.append((list(parity.flat(xs)), list(parity.flat(ys))))
    (xs, ys), (mine_xs, mine_ys) = made
    assert len(ys) == len(mine_ys) > 0
    found = [gap(b, a, f"output {i}") for i, (a, b) in enumerate(zip(ys, mine_ys, strict=True))]
    assert all(y.device.type == backend for y in mine_ys)
    gradients = [(a, b, rng.standard_normal(a.shape)) for a, b in zip(ys, mine_ys, strict=True)]
    ends = [(a, b, g) for a, b, g in gradients if a.requires_grad]
    if ends:
        backward([a for a, _, _ in ends], [tensors(g, "cpu", "float64") for _, _, g in ends])
        backward([b for _, b, _ in ends], [tensors(g, backend, "float32") for _, _, g in ends])
    pairs = {f"input {i}": (x, y) for i, (x, y) in enumerate(zip(xs, mine_xs, strict=True))}
    pairs |= {n: (p, learned(mine)[n]) for n, p in learned(wanted).items()}
    for what, (a, b) in pairs.items():
        assert getattr(a, "grad", None) is None or b.grad is not None, what
        if getattr(a, "grad", None) is not None:
            found.append(gap(b.grad, a.grad, f"the gradient of {what}"))
    state = mine.state_dict()
    found += [gap(state[k], v, f"{k} after the calls") for k, v in wanted.state_dict().items()]
    assert max(found) < LIMIT


def test_every_module_has_a_row() -> None:
    apart = {"Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"}
    classes = [n for n in nn.__all__ if isinstance(getattr(nn, n), type)]
    modules = {n for n in classes if issubclass(getattr(nn, n), nn.Module)} - apart
    assert sorted(modules - {row.name for row in ROWS.values()}) == []
