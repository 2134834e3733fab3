"""Devices: names, what is missing said with its cure, two devices in one op."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.other_device import on_other_device

import minigrad as mg
from minigrad.backend import CPU, Device, gpu_problem

without_gpu = pytest.mark.skipif(gpu_problem() is None, reason="this machine has a GPU")


@pytest.mark.parametrize(
    ("text", "device"),
    [("cpu", Device("cpu")), ("cuda", Device("cuda", 0)), ("cuda:3", Device("cuda", 3))],
)
def test_names(text: str, device: Device) -> None:
    assert Device.parse(text) == device
    assert Device.parse(device) is device
    assert str(device) == text or text == "cuda"


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "", "cpu:1x", "CUDA"])
def test_unknown_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown device.*'cpu', 'cuda' or 'cuda:N'"):
        mg.zeros(2, device=name)


def test_cpu_is_the_default() -> None:
    assert mg.zeros(2).device == CPU
    x = mg.ones(2, requires_grad=True)
    assert x.to("cpu") is x
    assert x.cpu() is x


@without_gpu
def test_cuda_without_a_gpu_says_what_to_install() -> None:
    for go in (
        lambda: mg.zeros(2, device="cuda"),
        lambda: mg.tensor([1.0], device="cuda:0"),
        lambda: mg.ones(2).to("cuda"),
        lambda: mg.ones(2).cuda(),
    ):
        with pytest.raises(mg.DeviceError) as caught:
            go()
        assert "device 'cuda:0' cannot be used" in str(caught.value)
        assert 'pip install "minigrad-engine[gpu1' in str(caught.value)


@pytest.fixture
def other() -> Iterator[mg.Tensor]:
    """Return a tensor on the stand-in device."""
    with on_other_device(np.ones(2, np.float32)) as tensor:
        yield tensor


def test_two_devices_in_one_op(other: mg.Tensor) -> None:
    with pytest.raises(mg.DeviceMismatchError) as caught:
        mg.ones(2) * other
    text = str(caught.value)
    for part in (
        "mul(a float32[2], b float32[2] on cuda:0)",
        "on cpu and cuda:0",
        ".to('cuda:0')",
    ):
        assert part in text


def test_what_only_the_host_can_do_is_refused_with_the_cure(other: mg.Tensor) -> None:
    with pytest.raises((TypeError, mg.DeviceError), match=r"on cuda:0.*\.cpu\(\)\.numpy\(\)"):
        other.numpy()
    assert repr(other) == "tensor([1., 1.], device=cuda:0)"
