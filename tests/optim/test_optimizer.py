"""The optimisers' interface: groups, closures, zero_grad, text, errors; and that they train."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.optim import SGD, Adam


def leaf(*values: float) -> Any:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=True)


def test_closure_is_run_with_the_tape_on_and_its_loss_returned() -> None:
    w = leaf(3.0)
    optimizer = SGD([w], lr=0.25)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = w * w
        loss.backward()
        return loss

    with mg.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert w.item() == 1.5
    assert optimizer.step() is None


def test_zero_grad() -> None:
    w, other = leaf(1.0, 2.0), leaf(1.0)
    optimizer = SGD([w, other], lr=0.1)
    (w * w).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0.0, 0.0]
    assert other.grad is None
    optimizer.zero_grad()
    assert w.grad is None


def test_zero_grad_of_a_recorded_gradient() -> None:
    w = leaf(3.0)
    (w * w * w).backward(create_graph=True)
    SGD([w], lr=0.1).zero_grad(set_to_none=False)
    assert w.grad.item() == 0.0
    assert not w.grad.requires_grad


def test_plain_tensors_and_one_tensor_as_a_group() -> None:
    w, v = leaf(1.0), leaf(1.0)
    optimizer = SGD([{"params": w}, {"params": v, "lr": 1.0}], lr=0.5)
    (w + v).sum().backward()
    optimizer.step()
    assert (w.item(), v.item()) == (0.5, 0.0)


def test_text_names_groups_options_and_sizes() -> None:
    optimizer = SGD(nn.Linear(3, 2).parameters(), lr=0.1)
    assert repr(optimizer).splitlines()[:5] == [
        "SGD (",
        "Parameter Group 0  # 8 parameters in 2 tensors",
        "    dampening: 0.0",
        "    decoupled_weight_decay: False",
        "    l1_decay: 0.0",
    ]


W = mg.tensor([1.0], requires_grad=True)


@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize(
    ("params", "error", "text"),
    [
        ([], ValueError, "no parameters.*can be read only once"),
        (W, TypeError, r"not one Tensor: wrap it in \[ \]"),
        ({"params": [W]}, TypeError, "not one dict"),
        ({W}, TypeError, "a set, which has no order"),
        (3, TypeError, "takes a list of parameters, not a int"),
        ([W, 3.0], TypeError, "parameter 1 of group 0 is a float, not a Tensor"),
        ([("w", W)], TypeError, r"is a tuple.*not named_parameters"),
        ([W * 2], ValueError, "parameter 0 of group 0 was computed by <mul.*leaves"),
        ([mg.tensor([1])], TypeError, r"int64\[1\]; only floating"),
        ([W, W], ValueError, "parameter 1 of group 0 .* twice"),
        ([{"params": [W]}, {"params": [W]}], ValueError, "parameter 0 of group 1 .* twice"),
        ([{"params": [W]}, {"params": []}], ValueError, "group 1 has no parameters"),
        ([{"lr": 0.1}], TypeError, "a dict with a 'params' entry"),
        (
            [{"params": [W], "learning_rate": 0.1}],
            ValueError,
            "no option 'learning_rate'; it has: lr",
        ),
        ([{"params": [W], "lr": -0.1}], ValueError, "lr must be a number >= 0, not -0.1"),
    ],
)
def test_wrong_parameters(kind: Any, params: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        kind(params)


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        (SGD, {"lr": -1}, "SGD: lr must be a number >= 0, not -1"),
        (SGD, {"lr": float("nan")}, "not nan"),
        (SGD, {"lr": "0.1"}, "not '0.1'"),
        (SGD, {"momentum": -0.1}, "momentum must be"),
        (SGD, {"weight_decay": -0.1}, "weight_decay must be"),
        (SGD, {"nesterov": True}, "nesterov .* needs momentum > 0"),
        (
            SGD,
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            "dampening = 0, not 0.9 and 0.1",
        ),
        (Adam, {"betas": (0.9, 1.0)}, "betas must be two numbers"),
        (Adam, {"betas": 0.9}, "not 0.9"),
        (Adam, {"eps": -1e-8}, "eps must be"),
        (Adam, {"lr": -1}, "Adam: lr"),
        (optim.Adagrad, {"lr_decay": -1}, "Adagrad: lr_decay must be"),
        (optim.Adagrad, {"initial_accumulator_value": -1}, "initial_accumulator_value must be"),
        (optim.RMSprop, {"alpha": 1.5}, "RMSprop: alpha must be a number from 0 to 1, not 1.5"),
        (optim.RMSprop, {"momentum": -0.5}, "RMSprop: momentum must be"),
        (optim.Adadelta, {"rho": -0.1}, "Adadelta: rho must be a number from 0 to 1, not -0.1"),
        (optim.NAdam, {"momentum_decay": -1}, "NAdam: momentum_decay must be"),
        (optim.RAdam, {"betas": (1.0, 0.9)}, "RAdam: betas must be two numbers"),
        (optim.Adamax, {"eps": -1}, "Adamax: eps must be"),
        (optim.Lion, {"betas": 0.9}, "Lion: betas must be two numbers"),
        (optim.AdamW, {"weight_decay": -1}, "AdamW: weight_decay must be"),
    ],
)
def test_wrong_options(kind: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        kind([W], **options)


@pytest.mark.parametrize(
    "grad", [mg.ones(3), mg.ones(2, 1), mg.ones(2, dtype=mg.float32), mg.ones(())]
)
def test_gradients_that_do_not_fit_are_refused(grad: Any) -> None:
    w = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    w.name = "w"
    w.grad = grad
    with pytest.raises(ValueError, match=r"w is float64\[2\] and its .grad is float32"):
        SGD([w], lr=0.1).step()
    assert w.tolist() == [1.0, 2.0]


def blobs(seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 300)
    centres = np.array([[0.0, 2.0], [-2.0, -1.0], [2.0, -1.0]])
    return (
        mg.tensor(centres[labels] + 0.5 * rng.standard_normal((300, 2)), dtype=mg.float32),
        mg.tensor(labels),
    )


@pytest.mark.parametrize(
    "make", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p, lr=0.02)]
)
def test_blobs_are_told_apart(make: Any) -> None:
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer, loss_fn = make(net.parameters()), nn.CrossEntropyLoss()
    x, labels = blobs(0)
    for _ in range(100):
        optimizer.zero_grad()
        loss_fn(net(x), labels).backward()
        optimizer.step()
    x, labels = blobs(1)
    assert (net(x).argmax(1) == labels).float().mean().item() > 0.97


def test_xor_is_learned() -> None:
    x = mg.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = mg.tensor([[0.0], [1.0], [1.0], [0.0]])
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
    optimizer, loss_fn = Adam(net.parameters(), lr=0.1), nn.MSELoss()
    for _ in range(300):
        optimizer.zero_grad()
        loss_fn(net(x), y).backward()
        optimizer.step()
    assert [round(v[0]) for v in net(x).tolist()] == [0, 1, 1, 0]
    assert loss_fn(net(x), y).item() < 0.01
