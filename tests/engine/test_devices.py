"""Devices: names, what is missing said with its cure, two devices in one op."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.other_device import on_other_device

import minigrad as mg
from minigrad import backend
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


def test_two_ways_to_name_a_gpu() -> None:
    assert mg.device is Device
    assert mg.device("cuda:1") == mg.device("cuda", 1) == mg.device("cuda:1", 1)
    for args in (("cuda:1", 2), ("cuda", -1), ("cpu", 1), ("cpu:1",), (None,), (1,)):
        with pytest.raises(ValueError, match="unknown device"):
            mg.device(*args)


@without_gpu
def test_a_default_that_is_not_there_changes_nothing() -> None:
    with pytest.raises(mg.DeviceError, match=r"device 'cuda:0' cannot be used"):
        mg.set_default_device("cuda")
    absent = mg.device("cuda:1")
    with pytest.raises(mg.DeviceError, match=r"device 'cuda:1' cannot be used"), absent:
        pass
    assert mg.get_default_device() == mg.zeros(2).device == CPU


class Machine:
    """A stand-in for CuPy with several GPUs: which one is current."""

    current = Device("cuda", 0)

    def make_current(self, device: Device) -> Device | None:
        if device == CPU:
            return None
        before, self.current = self.current, device
        return before


def test_blocks_nest_and_leave_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr(backend, "get_backend", lambda device: machine)
    seen = []

    def look() -> None:
        seen.append((str(mg.get_default_device()), machine.current.index))

    with mg.device("cuda:1"):
        look()
        with mg.device("cpu"):
            look()
            with mg.device("cuda:2"):
                look()
                mg.set_default_device("cuda:3")  # until the end of the block
                look()
            look()
            mg.set_default_device("cuda:4")
            look()
        with pytest.raises(RuntimeError), mg.device("cuda:2"):
            raise RuntimeError
        look()
    look()
    assert seen == [
        ("cuda:1", 1), ("cpu", 1), ("cuda:2", 2), ("cuda:3", 3), ("cpu", 1), ("cuda:4", 4),
        ("cuda:1", 1), ("cpu", 0),
    ]  # fmt: skip
    mg.set_default_device("cuda:1")
    look()
    mg.set_default_device("cpu")
    assert seen[-1] == ("cuda:1", 1)
    assert mg.get_default_device() == CPU


def test_a_default_is_this_threads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "get_backend", lambda device: Machine())
    with mg.device("cuda:1"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(mg.get_default_device).result() == CPU


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
