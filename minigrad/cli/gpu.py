"""Whether a GPU can be used, what is in the way, and the lines that cure it."""

from __future__ import annotations

from minigrad.backend import gpu_problem
from minigrad.cli.driver import Driver, find_driver
from minigrad.cli.extras import pip_line, version

# All are imported as `cupy`, so that two of them overwrite each other's files.
WHEELS = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x", "cupy-rocm-7-0")


def gpu_lines() -> list[tuple[str, str]]:
    """Return what is known about the GPU, as pairs of a label and a text."""
    wheels = {name: found for name in WHEELS if (found := version(name)) is not None}
    driver = find_driver()
    lines = [("driver", _driver_text(driver))]
    if driver is not None:
        lines += [("device", f"cuda:{i}, {text}") for i, text in enumerate(driver.devices)]
    installed = ", ".join(f"{name} {found}" for name, found in wheels.items())
    lines.append(("CuPy", installed or "not installed"))
    problem = gpu_problem()
    if problem is None:
        return [*lines, ("usable", "yes: a product was computed on it and read back")]
    if driver is None and not wheels:
        problem = "minigrad computes on the CPU here"
    lines.append(("usable", f"no: {problem}"))
    return lines + [("cure", line) for line in cures(driver, list(wheels))]


def _driver_text(driver: Driver | None) -> str:
    if driver is None:
        return "no NVIDIA driver was found"
    text = f"NVIDIA, for CUDA up to {driver.cuda[0]}.{driver.cuda[1]}"
    return f"{text}; {driver.problem}" if driver.problem else text


def cures(driver: Driver | None, wheels: list[str]) -> list[str]:
    """Return what to do, a line each, when no GPU is usable.

    Parameters
    ----------
    driver : Driver or None
        NVIDIA's driver; without one nothing that pip installs helps.
    wheels : list of str
        The distributions of CuPy that are installed.
    """
    if driver is None:
        return ["none needed without an NVIDIA GPU; with one, install NVIDIA's driver first"]
    if driver.problem:
        return ["look at what nvidia-smi says; in a container, pass the GPU on (--gpus all)"]
    if driver.cuda < (12, 0):
        return ["update NVIDIA's driver to one for CUDA 12 or newer"]
    major = 13 if driver.cuda >= (13, 0) else 12
    right = f"cupy-cuda{major}x"
    lines = []
    if [name for name in wheels if name != right]:
        # Removing one of two leaves the other without the files that they share.
        lines.append(f"python -m pip uninstall -y {' '.join(wheels)}")
    return [*lines, pip_line(f"gpu{major}")]
