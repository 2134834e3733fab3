"""What the doctor says of a GPU: the driver is asked directly, and the cure fits it."""

from __future__ import annotations

import ctypes

import pytest

from minigrad.cli import driver as driver_module
from minigrad.cli import extras, gpu
from minigrad.cli.driver import Driver, find_driver


class FakeCuda:
    """NVIDIA's library as far as it is called."""

    def __init__(self, version: int, names: tuple[bytes, ...] = (), init: int = 0) -> None:
        self.version, self.names, self.init = version, names, init

    def cuDriverGetVersion(self, number) -> int:
        number._obj.value = self.version
        return 0

    def cuInit(self, flags: int) -> int:
        assert flags == 0
        return self.init

    def cuDeviceGetCount(self, count) -> int:
        count._obj.value = len(self.names)
        return 0

    def cuDeviceGet(self, device, i: int) -> int:
        device._obj.value = i
        return 0

    def cuDeviceGetName(self, name, size: int, device: ctypes.c_int) -> int:
        assert size == 256
        name.value = self.names[device.value]
        return 0

    def cuDeviceTotalMem_v2(self, size, device: ctypes.c_int) -> int:
        size._obj.value = 8 * 2**30 * (device.value + 1)
        return 0


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch):
    """Return a function that sets what loading the driver's library gives."""

    def install(found) -> list[str]:
        asked: list[str] = []

        def load(name: str):
            asked.append(name)
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(driver_module.sys, "platform", "linux")
        monkeypatch.setattr(driver_module.ctypes, "CDLL", load)
        return asked

    return install


def test_driver_with_two_devices(library) -> None:
    asked = library(FakeCuda(13010, (b"NVIDIA A", b"NVIDIA B")))
    assert find_driver() == Driver((13, 1), ("NVIDIA A, 8.0 GiB", "NVIDIA B, 16.0 GiB"))
    assert asked == ["libcuda.so.1"]


@pytest.mark.parametrize(("status", "says"), [(100, "it finds no GPU"), (803, "CUDA error 803")])
def test_driver_that_does_not_start(library, status: int, says: str) -> None:
    library(FakeCuda(12040, (b"NVIDIA A",), init=status))
    found = find_driver()
    assert found is not None
    assert (found.cuda, found.devices) == ((12, 4), ())
    assert says in found.problem


@pytest.mark.parametrize("error", [OSError("no such file"), AttributeError("cuDriverGetVersion")])
def test_no_driver(library, error: Exception) -> None:
    library(error)
    assert find_driver() is None


def test_a_mac_has_no_driver(library, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = library(FakeCuda(12000))
    monkeypatch.setattr(driver_module.sys, "platform", "darwin")
    assert find_driver() is None
    assert asked == []


GPU13 = 'python -m pip install "minigrad-engine[gpu13]"'
GPU12 = 'python -m pip install "minigrad-engine[gpu12]"'


@pytest.mark.parametrize(
    ("driver", "wheels", "lines"),
    [
        (Driver((13, 0), ("A",)), [], [GPU13]),
        (Driver((13, 2), ("A",)), ["cupy-cuda13x"], [GPU13]),
        (Driver((12, 8), ("A",)), [], [GPU12]),
        (
            Driver((12, 8), ("A",)),
            ["cupy-cuda13x"],
            ["python -m pip uninstall -y cupy-cuda13x", GPU12],
        ),
        (
            Driver((13, 0), ("A",)),
            ["cupy-cuda12x", "cupy-cuda13x"],
            ["python -m pip uninstall -y cupy-cuda12x cupy-cuda13x", GPU13],
        ),
    ],
)
def test_cure(driver: Driver, wheels: list[str], lines: list[str], monkeypatch) -> None:
    monkeypatch.setattr(extras, "version", lambda name: "0.1")
    assert gpu.cures(driver, wheels) == lines


@pytest.mark.parametrize(
    ("driver", "says"),
    [
        (None, "install NVIDIA's driver first"),
        (Driver((11, 8), ("A",)), "update NVIDIA's driver"),
        (Driver((13, 0), problem="it finds no GPU"), "nvidia-smi"),
    ],
)
def test_no_package_cures_the_driver(driver: Driver | None, says: str) -> None:
    (line,) = gpu.cures(driver, [])
    assert says in line
    assert "pip" not in line


def test_lines_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "find_driver", lambda: Driver((13, 0), ("NVIDIA A, 8.0 GiB",)))
    monkeypatch.setattr(gpu, "version", lambda name: None)
    monkeypatch.setattr(extras, "version", lambda name: "0.1")
    monkeypatch.setattr(gpu, "gpu_problem", lambda: "CuPy is not installed")
    assert gpu.gpu_lines() == [
        ("driver", "NVIDIA, for CUDA up to 13.0"),
        ("device", "cuda:0, NVIDIA A, 8.0 GiB"),
        ("CuPy", "not installed"),
        ("usable", "no: CuPy is not installed"),
        ("cure", GPU13),
    ]


def test_a_machine_without_any_is_not_told_to_install_cupy(monkeypatch) -> None:
    monkeypatch.setattr(gpu, "find_driver", lambda: None)
    monkeypatch.setattr(gpu, "version", lambda name: None)
    monkeypatch.setattr(gpu, "gpu_problem", lambda: "CuPy is not installed; install it with: ...")
    text = " ".join(f"{label} {line}" for label, line in gpu.gpu_lines())
    assert "usable no: minigrad computes on the CPU here" in text
    assert "pip" not in text
    assert "install it" not in text


def test_lines_with_a_gpu_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "find_driver", lambda: Driver((13, 0), ("NVIDIA A, 8.0 GiB",)))
    monkeypatch.setattr(gpu, "version", {"cupy-cuda13x": "14.2.0"}.get)
    monkeypatch.setattr(gpu, "gpu_problem", lambda: None)
    lines = dict(gpu.gpu_lines())
    assert lines["CuPy"] == "cupy-cuda13x 14.2.0"
    assert lines["usable"].startswith("yes")
    assert "cure" not in lines
