"""Hooks of modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def layer() -> Any:
    return nn.Linear(3, 2).double()


def draw(*shape: int, grad: bool = False) -> Any:
    return mg.randn(*shape, dtype=mg.float64, requires_grad=grad)


def test_forward_hooks_see_and_replace() -> None:
    module, x = layer(), draw(4, 3)
    plain = module(x).detach().numpy()
    calls: list[str] = []

    def before(m: Any, args: tuple[Any, ...]) -> Any:
        assert m is module
        calls.append("before")
        return args[0] * 2.0

    def after(m: Any, args: tuple[Any, ...], output: Any) -> Any:
        calls.append("after")
        return output - m.bias

    handles = [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    got = module(x).detach().numpy()
    bias = module.bias.detach().numpy()
    np.testing.assert_allclose(got, 2 * (plain - bias), rtol=1e-12, atol=1e-14)
    assert calls == ["before", "after"]
    for handle in handles:
        handle.remove()
    assert np.array_equal(module(x).detach().numpy(), plain)


def test_hooks_run_in_order_and_may_only_look() -> None:
    module, seen = layer(), []
    module.register_forward_hook(lambda m, a, y: seen.append(1))
    module.register_forward_hook(lambda m, a, y: seen.append(y.shape))
    module(draw(4, 3))
    assert seen == [1, (4, 2)]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # torch's, without input grads
@pytest.mark.parametrize("grad", [True, False])
def test_backward_hook_is_torchs(grad: bool) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    module, other = layer(), torch.nn.Linear(3, 2).double()
    other.load_state_dict({k: torch.tensor(v.numpy()) for k, v in module.state_dict().items()})
    x, g = draw(4, 3, grad=grad), draw(4, 2)
    t = torch.tensor(x.detach().numpy(), requires_grad=grad)
    seen: list[Any] = []

    def look(m: Any, grad_input: tuple[Any, ...], grad_output: tuple[Any, ...]) -> None:
        seen.append([v if v is None else v.numpy().copy() for v in (*grad_input, *grad_output)])

    module.register_full_backward_hook(look)
    other.register_full_backward_hook(look)
    extra = (x * 3.0).sum() if grad else 0.0  # not through the module: not in grad_input
    ((module(x) * g).sum() + extra).backward()
    ((other(t) * torch.tensor(g.numpy())).sum() + (t * 3).sum()).backward()
    mine, theirs = seen
    assert len(mine) == len(theirs) == 2
    for a, b in zip(mine, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_backward_hook_replaces_the_gradient() -> None:
    module, x = layer(), draw(4, 3, grad=True)
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10.0,))
    g = draw(4, 2)
    (module(x) * g).sum().backward()
    want = 10 * g.numpy() @ module.weight.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-12)
    np.testing.assert_allclose(module.bias.grad.numpy(), g.numpy().sum(0), rtol=1e-12)


def test_backward_hook_under_no_grad_does_nothing() -> None:
    module = layer()
    module.register_full_backward_hook(lambda m, gi, go: pytest.fail("there is no backward"))
    with mg.no_grad():
        assert not module(draw(4, 3, grad=True)).requires_grad


def test_backward_hook_refuses_what_it_cannot_serve() -> None:
    class Two(nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return a + b

    class Pair(nn.Module):
        def forward(self, a: Any) -> Any:
            return a, a

    for module, args, text in (
        (Two(), (draw(2, grad=True), draw(2, grad=True)), "Two has 2 inputs that get a gradient"),
        (Pair(), (draw(2, grad=True),), "Pair returned a tuple"),
    ):
        module.register_full_backward_hook(lambda m, gi, go: None)
        with pytest.raises(TypeError, match=text):
            module(*args)
